// What becomes of threaded comments when a post, a comment or a member is deleted,
// by what `comments.parent_id` says and by who enforces foreign keys: vtgate, MySQL's
// server, InnoDB beneath it (MySQL to 9.5, and 9.7 with innodb_native_foreign_keys), MariaDB.
// The tables are made by Ghost's own table maker; the statements it sends are kept.
//
//   node comments.mjs [--ghost 6.65.0] [--variants tree,cascade,set-null,index] [--treatment ghostfix]
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {BENCH, main, onExit, user} from './servers/processes.mjs';
import * as servers from './servers.mjs';
import {makeTree} from './trees.mjs';

const {values: o} = parseArgs({options: {
    ghost: {type: 'string', default: '6.65.0'}, treatment: {type: 'string', default: 'ghostfix'},
    variants: {type: 'string', default: 'tree,cascade,set-null,index'},
}});
const TABLES = ['newsletters', 'posts', 'members', 'comments', 'comment_likes', 'comment_reports'];
const HERE = path.dirname(fileURLToPath(import.meta.url));

// Two posts; on the first a comment with two replies, one of which answers the other.
const NOW = "'2026-01-01 00:00:00'";
const rows = ([table, names, ...list]) => list.map((values) => `INSERT INTO ${table} (${names}) VALUES (${values})`);
const DATA = (answers) => [
    ['posts', 'id, uuid, title, slug, email_recipient_filter, created_at, updated_at', ...['p1', 'p2'].map((p) => `'${p}', '${p}', '${p}', '${p}', 'all', ${NOW}, ${NOW}`)],
    ['members', 'id, uuid, transient_id, email, created_at, updated_at', ...['m1', 'm2'].map((m) => `'${m}', '${m}', '${m}', '${m}', ${NOW}, ${NOW}`)],
    ['comments', `id, post_id, member_id, parent_id, ${answers ? 'in_reply_to_id, ' : ''}created_at, updated_at`,
        ...[['c1', 'p1', 'm1'], ['c2', 'p1', 'm2', 'c1'], ['c3', 'p1', 'm1', 'c1', 'c2'], ['c4', 'p2', 'm1'], ['c5', 'p2', 'm2', 'c4']]
            .map(([id, post, member, parent, answered]) => [id, post, member, parent, ...(answers ? [answered] : [])]
                .concat().map((v) => (v ? `'${v}'` : 'NULL')))
            .map((values) => `${values.length < 4 ? values.concat('NULL') : values}, ${NOW}, ${NOW}`)],
    ['comment_likes', 'id, comment_id, member_id, created_at, updated_at', `'l1', 'c2', 'm1', ${NOW}, ${NOW}`],
    ['comment_reports', 'id, comment_id, member_id, created_at, updated_at', `'r1', 'c2', 'm1', ${NOW}, ${NOW}`],
].flatMap(rows);

const DEEDS = [
    ['a post with a thread', "DELETE FROM posts WHERE id = 'p1'"],
    ['a comment with replies', "DELETE FROM comments WHERE id = 'c1'"],
    ['a member with comments', "DELETE FROM members WHERE id = 'm1'"],
    ['all posts', 'DELETE FROM posts'],
];

const DATABASES = [
    {name: 'Vitess, managed keys', foreignKeys: 'managed'},
    {name: 'Vitess, managed keys, InnoDB enforces too', foreignKeys: 'managed', native: true},
    {name: 'Vitess, unmanaged keys', foreignKeys: 'unmanaged'},
    {name: 'Vitess, unmanaged keys, InnoDB enforces', foreignKeys: 'unmanaged', native: true},
    {name: 'MySQL', plain: 'mysql'},
    {name: 'MySQL, InnoDB enforces', plain: 'mysql', native: true},
    {name: 'MariaDB', plain: 'mariadb'},
];

function makeTables(tree, connection, variant, tables = TABLES) {
    const {uid, gid} = user('ghostfix-ghost');
    const env = {
        PATH: process.env.PATH, NODE_ENV: 'production', database__client: 'mysql', logging__transports: '[]', paths__contentPath: '/tmp',
        ...Object.fromEntries(Object.entries(connection).map(([k, v]) => [`database__connection__${k}`, typeof v === 'object' ? JSON.stringify(v) : String(v)])),
    };
    const {status, stdout, stderr} = spawnSync(tree.node, [path.join(HERE, 'comments/tables.cjs'), tree.root, variant, ...tables],
        {cwd: tree.root, env, uid, gid, encoding: 'utf8', timeout: 120_000});
    if (status !== 0) throw new Error(`tables: ${stderr.trim().slice(-600)}`);
    return JSON.parse(stdout.trim().split('\n').at(-1));
}

const said = (e) => `errno ${e.errno}: ${e.sqlMessage ?? e.message}`;
async function left(c) {
    const [comments] = await c.query(`SELECT id, parent_id, member_id FROM comments ORDER BY id`);
    const shown = comments.map((r) => `${r.id}${r.parent_id ? `<${r.parent_id}` : ''}${r.member_id ? '' : ' (nobody’s)'}`);
    const [[{likes}]] = await c.query('SELECT COUNT(*) AS likes FROM comment_likes');
    const [[{reports}]] = await c.query('SELECT COUNT(*) AS reports FROM comment_reports');
    return `${shown.join(' ') || 'no comment'}; ${likes} like, ${reports} report`;
}

async function tryOut(stand, server, answers) {
    const clear = ['comment_likes', 'comment_reports', 'comments', 'posts', 'members', 'newsletters'];
    const outcome = {};
    for (const [name, deed] of DEEDS) {
        await servers.withConnection({...servers.connectionTo(stand, server)}, async (c) => {
            try {
                for (const sql of DATA(answers)) await c.query(sql);
                await c.query(deed);
                outcome[name] = await left(c);
            } catch (e) {
                outcome[name] = said(e);
            }
        });
        await servers.withConnection({...(server === 'mariadb' ? stand.mariadb : stand.mysql).admin, database: 'ghost'}, (c) =>
            c.query(`SET FOREIGN_KEY_CHECKS = 0; ${clear.map((t) => `DELETE FROM ${t}`).join('; ')}`));
    }
    return outcome;
}

// All tables, as published and as the tree says: what is sent, and what the server makes of it.
async function compareAll(stand, tree) {
    const [published, treated] = [[], []];
    for (const [variant, list] of [['cascade', published], ['tree', treated]]) {
        await servers.leave(stand);
        await servers.makeAnew(stand);
        list.push(...makeTables(tree, servers.connectionTo(stand, 'mysql'), variant, []));
        await servers.withConnection({...stand.mysql.admin, database: 'ghost'}, async (c) => {
            const [tables] = await c.query("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'");
            for (const row of tables) list.push(...Object.values((await c.query('SHOW CREATE TABLE ??', [Object.values(row)[0]]))[0][0]).at(-1).split('\n').map((line) => `${Object.values(row)[0]}: ${line.trim()}`));
        });
    }
    const without = (list, other) => list.filter((line) => !other.includes(line));
    return {lines: published.length, published: without(published, treated), treated: without(treated, published)};
}

await main(async () => {
    const tree = await makeTree(o.ghost, o.treatment, `comments-${process.pid}`);
    onExit(() => Promise.resolve(fs.rmSync(tree.root, {recursive: true, force: true})));
    const results = [];
    const statements = {};
    let everything;
    for (const native of [false, true]) {
        const stand = await servers.raise(`comments${process.pid}${native ? 'n' : ''}`, {nativeForeignKeys: native});
        onExit(() => servers.lower(stand));
        for (const database of DATABASES.filter((d) => (d.native ?? false) === native)) {
            for (const variant of o.variants.split(',')) {
                let server = 'edge';
                if (database.foreignKeys) await servers.enter(stand, {foreignKeys: database.foreignKeys, fresh: true});
                else {
                    server = database.plain;
                    await servers.leave(stand);
                    if (server === 'mariadb') await servers.addMariadb(stand); // made anew
                    else await servers.makeAnew(stand);
                }
                const sent = makeTables(tree, servers.connectionTo(stand, server), variant);
                statements[variant] ??= sent;
                const outcome = await tryOut(stand, server, sent.some((sql) => sql.includes('in_reply_to_id')));
                results.push({database: database.name, variant, outcome});
                console.log(`\n${database.name}, parent_id ${variant}`);
                for (const [name, words] of Object.entries(outcome)) console.log(`  ${name.padEnd(24)} ${words.slice(0, 300)}`);
            }
        }
        if (!native) everything = await compareAll(stand, tree);
        await servers.lower(stand);
    }
    fs.mkdirSync(path.join(BENCH, 'comments'), {recursive: true});
    fs.writeFileSync(path.join(BENCH, 'comments', `${o.ghost}.json`), JSON.stringify({statements, everything, results}, null, 1));
    console.log('\nWhat Ghost’s table maker sends for comments:');
    for (const [variant, sent] of Object.entries(statements)) {
        console.log(`${variant}\n${sent.filter((sql) => /`comments`.*(parent_id)/.test(sql)).map((sql) => `  ${sql}`).join('\n')}`);
    }
    console.log(`\nAll tables, as published and as in the tree (${everything.lines} lines of statements and of SHOW CREATE TABLE)`);
    for (const line of everything.published) console.log(`- ${line}`);
    for (const line of everything.treated) console.log(`+ ${line}`);
    return 0;
});
