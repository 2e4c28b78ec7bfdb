// Runs inside a Ghost's tree, as Ghost: makes tables with Ghost's own table maker
// from Ghost's own schema, and prints what that sent to the database.
//   node tables.cjs ROOT VARIANT TABLE...     (no table: all)
const {createRequire} = require('node:module');
const [root, variant, ...wanted] = process.argv.slice(2);
const ghost = createRequire(`${root}/`);
const schema = ghost('./core/server/data/schema/schema.js');
const db = ghost('./core/server/data/db');
const {createTable} = ghost('./core/server/data/schema/commands');

// What comments.parent_id could say in place of what the tree says.
const {references, cascadeDelete, setNullDelete, index, ...column} = schema.comments.parent_id;
const variants = {
    tree: schema.comments.parent_id,
    cascade: {...column, references: 'comments.id', cascadeDelete: true},
    'set-null': {...column, references: 'comments.id', setNullDelete: true},
    restrict: {...column, references: 'comments.id'},
    index: {...column, index: true},
};
schema.comments.parent_id = variants[variant];

(async () => {
    const statements = [];
    db.knex.on('query', ({sql}) => statements.push(sql));
    for (const table of wanted.length ? wanted : Object.keys(schema)) await createTable(table, db.knex, schema[table]);
    console.log(JSON.stringify(statements.filter((sql) => /^(create|alter) /i.test(sql))));
    process.exit(0);
})().catch((e) => {
    console.error(e.sqlMessage ? `errno ${e.errno}: ${e.sqlMessage}` : e.stack);
    process.exit(1);
});
