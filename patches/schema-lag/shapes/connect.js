const knex = require('knex');

exports.connect = function connect(options) {
    options = options || {};

    return knex(options);
};
