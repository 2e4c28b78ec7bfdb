//! Small migrations, each about one way of writing, and what is read out of them.

use super::*;
use crate::ghost::tarball::Kept;
use crate::migrations::facts::{Action, Operation};

const UTILS: &str = "
    const commands = require('../schema/commands');
    function createTransactionalMigration(up, down) {
        return {config: {transaction: true}, async up(config) { await up(config.transacting); }};
    }
    function createNonTransactionalMigration(up, down) {
        return {config: {transaction: false}, async up(config) { await up(config.connection); }};
    }
    module.exports = {
        createTransactionalMigration,
        createNonTransactionalMigration,
        combine(...migrations) {
            return {
                config: {transaction: false},
                async up(config) {
                    for (const migration of migrations) { await migration.up(config); }
                }
            };
        },
        addColumn(table, column, definition) {
            return createNonTransactionalMigration(async function up(knex) {
                if (await knex.schema.hasColumn(table, column)) { return; }
                await commands.addColumn(table, column, knex, definition);
            });
        },
    };";

const COMMANDS: &str = "
    const DatabaseInfo = require('@tryghost/database-info');
    module.exports.addColumn = async function (table, column, knex, definition, options = {}) {
        const builder = knex.schema.table(table, (t) => {
            const part = t[definition.type](column, definition.maxlength);
            if (Object.prototype.hasOwnProperty.call(definition, 'references')) {
                part.references(definition.references);
            }
            if (definition.cascade === true) { part.onDelete('cascade'); }
        });
        if (DatabaseInfo.isSQLite(knex)) { await builder; return; }
        for (const query of builder.toSQL()) {
            const sql = query.sql.replace(/;\\s*$/, '');
            await knex.raw(`${sql}, algorithm=${options?.algorithm || 'copy'}`);
        }
    };";

fn of(source: &str) -> Migration {
    let kept: Kept = [
        ("core/server/data/migrations/utils.js", UTILS),
        ("core/server/data/schema/commands.js", COMMANDS),
        ("core/server/data/migrations/versions/1.0/x.js", source),
    ]
    .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
    .into();
    let named = Named {
        version: "1.0".to_owned(),
        name: "x.js".to_owned(),
    };
    read(&Files::in_memory(kept), &[named])
        .unwrap()
        .pop()
        .unwrap()
}

/// `up`'s body in a transaction.
fn up(body: &str) -> Migration {
    of(&format!(
        "const {{createTransactionalMigration}} = require('../../utils');
         module.exports = createTransactionalMigration(async (knex) => {{ {body} }}, async () => {{}});"
    ))
}

fn short(operation: &Operation) -> String {
    let table = operation.table.as_deref().unwrap_or("?");
    let action = match &operation.action {
        Action::Insert(columns) => {
            let more = if columns.and_others { "+" } else { "" };
            let perhaps: Vec<String> = columns.perhaps.iter().map(|c| format!("{c}?")).collect();
            let names = [columns.names.clone(), perhaps].concat().join(",");
            format!("insert {table}({names}{more})")
        }
        Action::Update(columns) => {
            let more = if columns.and_others { "+" } else { "" };
            format!("update {table}({}{more})", columns.names.join(","))
        }
        Action::AddForeignKey(key) => format!(
            "key {table}.{}>{}.{} {}",
            key.column,
            key.parent,
            key.parent_column,
            key.on_delete.as_deref().unwrap_or("-")
        ),
        Action::AddColumn(column) => format!("add {table}.{}", column.name),
        Action::DropColumn(column) => format!("drop {table}.{column}"),
        Action::RenameColumn(from, to) => format!("rename {table}.{from}>{to}"),
        Action::Delete => format!("delete {table}"),
        other => format!("{table}: {other:?}"),
    };
    let when = match operation.when {
        When::Always => "",
        When::UnlessDone => " unless-done",
        When::Depends => " depends",
    };
    let each = if operation.repeated { " each" } else { "" };
    let ignored = if operation.failure_ignored {
        " ignored"
    } else {
        ""
    };
    format!("{action}{when}{each}{ignored}")
}

fn operations(migration: &Migration) -> Vec<String> {
    migration.operations.iter().map(short).collect()
}

#[track_caller]
fn does(body: &str, expected: &[&str]) {
    let migration = up(body);
    assert_eq!(operations(&migration), expected, "{body}");
    assert_eq!(migration.unknown, [""; 0], "{body}");
}

#[test]
fn helpers_are_followed_into_their_files() {
    let migration = of(
        "const {combine, addColumn} = require('../../utils');
         const tables = ['a', 'b'];
         module.exports = combine(
            ...tables.map(table => addColumn(table, 'c_id', {type: 'string', maxlength: 24, references: 'd.id', cascade: true})));",
    );
    assert_eq!(
        operations(&migration),
        [
            "add a.c_id unless-done",
            "key a.c_id>d.id CASCADE unless-done",
            "add b.c_id unless-done",
            "key b.c_id>d.id CASCADE unless-done",
        ]
    );
    assert_eq!(
        (migration.transactional, migration.irreversible),
        (Some(false), Some(false))
    );
    assert_eq!(migration.unknown, [""; 0]);
}

#[test]
fn flags_are_those_that_knex_migrator_looks_at() {
    for (source, transactional, irreversible) in [
        ("module.exports.up = () => {};", Some(false), Some(false)),
        (
            "exports.config = {transaction: true, irreversible: true}; exports.up = () => {};",
            Some(true),
            Some(true),
        ),
        (
            "module.exports = {config: require('os').config(), up() {}};",
            None,
            None,
        ),
    ] {
        let migration = of(source);
        assert_eq!(
            (migration.transactional, migration.irreversible),
            (transactional, irreversible),
            "{source}"
        );
    }
}

#[test]
fn what_is_not_awaited_is_not_sent() {
    does(
        "knex('a').del(); const q = knex('b').del(); await q;",
        &["delete b"],
    );
    does("return knex('a').del();", &["delete a"]);
    does(
        "await Promise.all([knex('a').del(), knex('b').update('c', 1)]);",
        &["delete a", "update b(c)"],
    );
    does(
        "await knex('a').del().then(() => knex('b').del());",
        &["delete a", "delete b"],
    );
}

#[test]
fn what_is_there_already_is_not_made_twice() {
    does(
        "const row = await knex('a').where('k', 1).first(); if (row) { return; } await knex('a').insert({k: 1});",
        &["insert a(k) unless-done"],
    );
    does(
        "const row = await knex('a').first(); if (!row) { return; } await knex('b').update({c: 1});",
        &["update b(c) depends"],
    );
    does(
        "if (!(await knex('a').first())) { throw new Error('x'); } await knex('b').del();",
        &["delete b"],
    );
    does(
        "const data = {a: 1}; if (await knex.schema.hasColumn('t', 'b')) { data.b = 2; } await knex('t').insert(data);",
        &["insert t(a,b?)"],
    );
}

#[test]
fn rows_decide_and_repeat() {
    does(
        "const rows = await knex('a').select('id');
         for (const row of rows) { if (row.x) { continue; } await knex('a').where('id', row.id).update({b: 1}); }
         await knex('c').del();",
        &["update a(b) depends each", "delete c"],
    );
    does(
        "const rows = (await knex('a').select()).map(row => ({...row, id: 1, x: 2}));
         await knex.batchInsert('b', rows, 100);",
        &["insert b(id,x+) depends each"],
    );
    does(
        "const made = []; const rows = await knex('a'); rows.forEach((row) => made.push({y: row.z}));
         if (made.length) { await knex('b').insert(made); }",
        &["insert b(y) depends"],
    );
    does(
        "for (let i = 0; i < 2; i += 1) { await knex(['a', 'b'][i]).del(); }",
        &["delete a", "delete b"],
    );
}

#[test]
fn errors_that_are_passed_over_are_told() {
    does(
        "try { await knex('a').del(); } catch (err) { console.error(err); await knex('b').del(); }",
        &["delete a ignored"],
    );
    does(
        "try { await knex('a').del(); } catch (err) { if (err.code === 'X') { return; } throw err; }",
        &["delete a"],
    );
}

#[test]
fn tables_are_described_in_their_callbacks() {
    does(
        "await knex.schema.alterTable('a', function (table) {
            table.string('b', 24).nullable().references('id').inTable('c').onDelete('SET NULL');
            table.dropColumn('d'); table.renameColumn('e', 'f'); table.index(['b', 'f']);
         });",
        &[
            "add a.b",
            "drop a.d",
            "rename a.e>f",
            "a: AddIndex([\"b\", \"f\"])",
            "key a.b>c.id SET NULL",
        ],
    );
}

#[test]
fn raw_statements_are_read_by_their_words() {
    does(
        "await knex.raw('UPDATE ?? SET a = ? WHERE id = 1', ['posts', 2]);
         const table = 'b'; await knex.raw(`DELETE FROM ${table}`);
         await knex.raw('SHOW INDEXES FROM c');",
        &["update posts(a)", "delete b"],
    );
}

#[test]
fn a_guard_against_skipped_majors_is_told_from_a_check() {
    assert!(up("throw new Error('update first');").aborts);
    assert!(!up("if (await knex('a').first()) { throw new Error('x'); }").aborts);
    assert!(!up("").aborts);
}

#[test]
fn what_leads_out_of_sight_is_said() {
    for (body, said) in [
        (
            "const models = require('../../../../models'); await models.Post.add({}, {transacting: knex});",
            "models.Post.add (core/server/models.Post.add)",
        ),
        ("require('somewhere').fix(knex);", "require().fix"),
        ("await knex('a').conjure();", "conjure of a query"),
        ("await knex.raw('CALL x()');", "SQL: CALL x()"),
        (
            "await knex.schema.alterTable('a', t => t.frobnicate('b'));",
            "frobnicate of a table",
        ),
    ] {
        assert!(
            up(body)
                .unknown
                .iter()
                .any(|what| what.ends_with(said) || what == said),
            "{body}: {:?}",
            up(body).unknown
        );
    }
    let unnamed = up("const name = require('os').x(); await knex(name).del();");
    assert_eq!(operations(&unnamed), ["delete ?"]);
}

#[test]
fn code_without_end_is_given_up() {
    let migration = up("function f() { f(); f(); } f();");
    assert!(
        migration
            .unknown
            .iter()
            .any(|what| what == "calls that are nested too deep"
                || what == "more code than is followed"),
        "{:?}",
        migration.unknown
    );
    let endless = up("for (let i = 0; i < 1e9; i++) { await knex('a').del(); }");
    assert!(!endless.unknown.is_empty());
}

#[test]
fn what_is_no_javascript_is_said() {
    assert_eq!(of("module.exports = {").operations, []);
    assert!(!of("module.exports = {").unknown.is_empty());
    assert!(!of("module.exports = require('x')();").unknown.is_empty());
}
