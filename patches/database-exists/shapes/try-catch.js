const knex = require('knex');
const errors = require('./errors');

exports.createDatabaseIfNotExist = async function createDatabaseIfNotExist(dbConfig) {
    const connection = knex(dbConfig);

    try {
        await connection.raw('CREATE DATABASE `' + dbConfig.connection.database + '`;');
    } catch (err) {
        if (err.errno === 1007) {
            return;
        }

        throw new errors.DatabaseError({ err: err, code: 'DATABASE_CREATION_FAILED' });
    } finally {
        await connection.destroy();
    }
};
