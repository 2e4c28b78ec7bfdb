const knex = require('knex');
const errors = require('./errors');

exports.createDatabaseIfNotExist = function createDatabaseIfNotExist(dbConfig) {
    const connection = knex(dbConfig);

    return connection.raw('CREATE DATABASE `' + dbConfig.connection.database + '`;')
        .then(() => undefined, (err) => {
            if (err.errno === 1007 || err.errno === 1105 && /database exists/.test(err.sqlMessage || err.message)) {
                return;
            }

            throw new errors.DatabaseError({ err: err, code: 'DATABASE_CREATION_FAILED' });
        })
        .finally(() => connection.destroy());
};
