function addPrimaryKey(tableName, columns, knex) {
    return knex.schema.table(tableName, function (table) {
        table.primary(columns);
    }).catch((err) => {
        if (err.code === 'ER_MULTIPLE_PRI_KEY') {
            return;
        }
        throw err;
    });
}

module.exports.up = function (connection) {
    return addPrimaryKey('migrations_lock', 'lock_key', connection);
};
