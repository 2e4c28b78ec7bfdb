async function addPrimaryKey(tableName, columns, knex) {
    try {
        await knex.schema.table(tableName, function (table) {
            table.primary(columns);
        });
    } catch (err) {
        if (err.code === 'ER_MULTIPLE_PRI_KEY' || await knex.raw(`SHOW KEYS FROM ${tableName} WHERE Key_name = 'PRIMARY'`).then((found) => found[0].length > 0, () => false)) {
            return;
        }

        throw err;
    }
}

module.exports.up = function up(connection) {
    return addPrimaryKey('migrations_lock', 'lock_key', connection);
};
