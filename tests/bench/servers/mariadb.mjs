// MariaDB from Debian, beside the Vitess: what Ghost's patches must not harm.
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {BENCH, end, freePort, freshDirectory, start, until, user} from './processes.mjs';
import {withConnection} from './mysql.mjs';

export async function startMariadb(instance, {stay = false} = {}) {
    const home = freshDirectory(path.join(BENCH, 'run', instance, 'mariadb'), 'ghostfix-db');
    const {uid, gid} = user('ghostfix-db');
    execFileSync('setpriv', ['--reuid', uid, '--regid', gid, '--clear-groups', 'mariadb-install-db', '--no-defaults',
        `--datadir=${home}/data`, '--auth-root-authentication-method=normal', '--skip-test-db'].map(String),
    {cwd: home, stdio: ['ignore', fs.openSync(path.join(BENCH, `log/mariadb-install-${instance}.log`), 'w'), 'inherit']});
    const [socket, port] = [path.join(home, 'mariadb.sock'), await freePort()];
    copyKey(home);
    const process = start('mariadbd', [
        'mariadbd', '--no-defaults', `--datadir=${home}/data`, `--socket=${socket}`, `--port=${port}`,
        '--bind-address=127.0.0.1', `--pid-file=${home}/mariadbd.pid`, '--innodb-flush-log-at-trx-commit=0',
        `--ssl-cert=${BENCH}/certificates/good.pem`, `--ssl-key=${home}/key.pem`,
    ], {as: 'ghostfix-db', log: path.join(BENCH, `log/mariadbd-${instance}.log`), stay, cwd: home});
    const admin = {socketPath: socket, user: 'root', multipleStatements: true};
    const [[{version}]] = await until('mariadbd', process, 180_000, () =>
        withConnection(admin, (c) => c.query('SELECT VERSION() AS version')));
    await withConnection(admin, (c) => c.query(`CREATE USER IF NOT EXISTS 'ghost'@'%' IDENTIFIED BY 'ghost-password';
        GRANT ALL ON ghost.* TO 'ghost'@'%'`));
    return {process, home, socket, port, admin, version, stop: () => end(process)};
}

// The key of the bench's certificate, readable by this server's user.
function copyKey(home) {
    const {uid, gid} = user('ghostfix-db');
    const key = path.join(home, 'key.pem');
    fs.copyFileSync(path.join(BENCH, 'certificates/good.key'), key);
    fs.chownSync(key, uid, gid);
    fs.chmodSync(key, 0o400);
}
