// knex-migrator's own program, as the one who runs Ghost would use it, and what it sent.
import fs from 'node:fs';
import path from 'node:path';
import {BENCH, freshDirectory, start, tail} from '../servers/processes.mjs';

// `tree` is an installed Ghost and its Node; answers the exit code and the last words. `watch` gets the process meanwhile.
export async function migrator(tree, program, args, connection, {env = {}, watch} = {}) {
    const name = `prediction${process.pid}`;
    const content = freshDirectory(path.join(BENCH, 'run', `${name}-content`), 'ghostfix-ghost');
    for (const d of ['data', 'logs']) {
        fs.mkdirSync(path.join(content, d));
        fs.chmodSync(path.join(content, d), 0o777);
    }
    const log = path.join(BENCH, 'log', `${name}-${tree.version}-${program}.log`);
    const p = start(program, [tree.node, `node_modules/knex-migrator/bin/${program}`, ...args, '--mgpath', tree.root], {
        as: 'ghostfix-ghost', cwd: tree.root, log, env: {
            NODE_ENV: 'production', database__client: 'mysql', url: 'http://127.0.0.1:2368',
            ...Object.fromEntries(Object.entries({charset: 'utf8mb4', ...connection}).map(([key, value]) =>
                [`database__connection__${key}`, typeof value === 'object' ? JSON.stringify(value) : String(value)])),
            paths__contentPath: content, logging__path: path.join(content, 'logs'), logging__transports: '["stdout"]',
            disableJSBackups: 'true', HOME: content, ...env,
        },
    });
    await watch?.(p);
    const code = await p.ended;
    fs.rmSync(content, {recursive: true, force: true});
    return {code, words: tail(log, 12)};
}

const RECORD = /^insert into `migrations` \(`currentVersion`, `name`, `version`\) values \('[^']*', '([^']*)', '([^']*)'\)/i;

export const recordOf = (sql) => {
    const [, name, version] = RECORD.exec(sql) ?? [];
    return name && `${version}/${name}`;
};

// The statements of each migration: knex-migrator records a migration right after it has run.
export function byMigration(log) {
    const found = new Map();
    let open = [];
    for (const sql of log) {
        const record = recordOf(sql);
        if (record) {
            found.set(record, open);
            open = [];
        } else if (/^(select|update|insert into|alter table|create table)\b[^']*`migrations(_lock)?`/i.test(sql)) {
            // knex-migrator's own tables; taking the lock comes before everything.
            if (/^update `migrations_lock`/i.test(sql)) open = [];
        } else {
            open.push(sql);
        }
    }
    return {found, rest: open};
}
