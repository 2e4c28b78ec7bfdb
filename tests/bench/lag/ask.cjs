// Runs inside a Ghost's tree, on the connection that its knex-migrator opens: sends
// the statements and prints for each how long it took and what came back.
//   node ask.cjs ROOT CONNECTION_JSON STATEMENT...
const fs = require('node:fs');
const path = require('node:path');
const [root, connection, ...statements] = process.argv.slice(2);
const {connect} = require(fs.realpathSync(path.join(root, 'node_modules/knex-migrator/lib/database.js')));

(async () => {
    const knex = connect({client: 'mysql2', connection: JSON.parse(connection)});
    const told = [];
    for (const sql of statements) {
        const begin = Date.now();
        const said = await knex.raw(sql).then(() => 'done', (e) => `errno ${e.errno}: ${e.sqlMessage ?? e.message}`);
        told.push({sql, ms: Date.now() - begin, said});
    }
    // The way migrations go.
    const begin = Date.now();
    const said = await knex.transaction((t) => t.raw(statements.at(-1))).then(() => 'done', (e) => `errno ${e.errno}: ${e.sqlMessage ?? e.message}`);
    told.push({sql: `${statements.at(-1)} (in a transaction)`, ms: Date.now() - begin, said});
    console.log(JSON.stringify(told));
    process.exit(0);
})().catch((e) => {
    console.error(e);
    process.exit(1);
});
