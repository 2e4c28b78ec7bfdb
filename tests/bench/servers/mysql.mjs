// MySQL's server in its chroot, on a data directory copied from the pristine one.
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import {BENCH, Infrastructure, end, freePort, freshDirectory, start, until} from './processes.mjs';

const ROOT = path.join(BENCH, 'mysql');

export function client() {
    try {
        return createRequire(path.join(BENCH, 'tools/managers/'))('mysql2/promise');
    } catch {
        throw new Infrastructure('mysql2', 'not installed: run tests/bench/setup first');
    }
}

const WORK_LIMIT_MS = 5 * 60_000;

// One connection, used and closed: at the latest when its time is up.
export async function withConnection(options, work) {
    const c = await client().createConnection({connectTimeout: 20_000, ...options});
    c.on('error', () => {});
    let timer;
    try {
        return await Promise.race([work(c), new Promise((_, reject) => {
            timer = setTimeout(() => reject(new Error(`no end of the statements in ${WORK_LIMIT_MS / 1000} s`)), WORK_LIMIT_MS);
        })]);
    } finally {
        clearTimeout(timer);
        c.destroy();
    }
}

// `data` is the data directory to copy: the pristine one, or a snapshot. MySQL 9.7
// enforces foreign keys above InnoDB; `nativeForeignKeys` is as it was to 9.5.
export async function startMysql(instance, {stay = false, nativeForeignKeys = false, data = path.join(ROOT, 'srv/bench/template')} = {}) {
    if (!fs.existsSync(path.join(BENCH, 'done/mysql'))) {
        throw new Infrastructure('mysql', 'not set up: run tests/bench/setup first');
    }
    const inside = `/srv/bench/${instance}`;
    const home = freshDirectory(path.join(ROOT, inside), 'ghostfix-db');
    execFileSync('cp', ['-a', '--reflink=auto', data, path.join(home, 'data')]);
    const socket = path.join(home, 'mysql.sock');
    if (Buffer.byteLength(socket) > 107) {
        throw new Infrastructure('mysql', `${socket} is too long for a socket: name a shorter directory in GHOSTFIX_BENCH`);
    }
    const port = await freePort();
    const process = start('mysqld', [
        '/usr/sbin/mysqld', '--no-defaults', `--datadir=${inside}/data`, `--socket=${inside}/mysql.sock`,
        `--port=${port}`, '--bind-address=127.0.0.1', `--pid-file=${inside}/mysqld.pid`,
        '--secure-file-priv=NULL', '--mysqlx=OFF', '--server-id=1', '--gtid-mode=ON', '--enforce-gtid-consistency=ON',
        '--log-bin=binlog', '--binlog-expire-logs-seconds=3600', '--max-binlog-size=64M',
        // What is lost in a power cut is of no interest here.
        '--innodb-flush-log-at-trx-commit=0', '--sync-binlog=0', '--innodb-doublewrite=OFF',
        '--innodb-buffer-pool-size=256M', '--performance-schema=OFF', '--max-connections=400',
        ...(nativeForeignKeys ? ['--innodb-native-foreign-keys=ON'] : []),
    ], {as: 'ghostfix-db', root: ROOT, log: path.join(BENCH, `log/mysqld-${instance}.log`), stay});
    const admin = {socketPath: socket, user: 'vt_dba', multipleStatements: true};
    const [[{version}]] = await until('mysqld', process, 180_000, () =>
        withConnection(admin, async (c) => (await c.query('SELECT VERSION() AS version'))));
    return {
        process, home, socket, port, admin, version,
        stop: async () => {
            await end(process);
            fs.rmSync(home, {recursive: true, force: true});
        },
    };
}

// The data directory as it is, kept for startMysql; the server is ended for it.
export async function snapshot(mysql, target) {
    await end(mysql.process);
    fs.mkdirSync(path.dirname(target), {recursive: true});
    fs.rmSync(target, {recursive: true, force: true});
    execFileSync('cp', ['-a', '--reflink=auto', path.join(mysql.home, 'data'), `${target}.new`]);
    for (const f of fs.readdirSync(`${target}.new`)) {
        // The binary logs are as large as the data; GTIDs survive in a table.
        if (/^binlog\./.test(f)) fs.rmSync(path.join(`${target}.new`, f));
    }
    fs.renameSync(`${target}.new`, target);
}

// The database made anew, and Vitess's record of its tables with it.
export async function makeDatabase(mysql) {
    await withConnection(mysql.admin, (c) => c.query(
        'DROP DATABASE IF EXISTS ghost; DROP DATABASE IF EXISTS _vt; CREATE DATABASE ghost CHARACTER SET utf8mb4'));
}
