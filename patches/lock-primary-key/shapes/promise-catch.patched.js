function addPrimaryKey(tableName, columns, knex) {
    return knex.schema.table(tableName, function (table) {
        table.primary(columns);
    }).catch((err) => {
        if (err.code === 'ER_MULTIPLE_PRI_KEY') {
            return;
        }
        return knex.raw(`SHOW KEYS FROM ${tableName} WHERE Key_name = 'PRIMARY'`).then((found) => found[0].length > 0, () => false).then((there) => {
            if (!there) {
                throw err;
            }
        });
    });
}

module.exports.up = function (connection) {
    return addPrimaryKey('migrations_lock', 'lock_key', connection);
};
