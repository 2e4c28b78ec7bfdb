// vtcombo: vtgate and vttablet in one process, over one unsharded keyspace.
// Changing a state means starting it again, which takes about two seconds.
import fs from 'node:fs';
import path from 'node:path';
import {BENCH, end, freePort, freshDirectory, start, until, user} from './processes.mjs';

// The accounts of MySQL and of the edge.
export const PASSWORDS = {ghost: 'ghost-password', writer: 'writer-password', reader: 'reader-password'};
export const FOREIGN_KEYS = ['disallow', 'unmanaged', 'managed'];

// With `appUser` the tablet itself is that user of MySQL: `writer` may not change
// tables, `reader` may only read. vtcombo has no table rights of its own.
export async function startVtcombo(instance, mysql, {
    foreignKeys = 'managed', directDdl = true, transactionTimeout = '20s', queryTimeout = '30s', stay = false,
    program = path.join(BENCH, 'bin/vtcombo'), appUser = 'vt_dba',
} = {}) {
    const home = freshDirectory(path.join(BENCH, 'run', instance, 'vtcombo'), 'ghostfix-vitess');
    const schema = path.join(home, 'schema/ghost');
    fs.mkdirSync(schema, {recursive: true});
    if (foreignKeys === 'managed') {
        fs.writeFileSync(path.join(schema, 'vschema.json'), '{"sharded":false,"foreignKeyMode":"managed","tables":{}}\n');
    }
    const {uid, gid} = user('ghostfix-vitess');
    fs.mkdirSync(path.join(home, 'data'));
    fs.chownSync(path.join(home, 'data'), uid, gid);
    const [port, grpc, direct] = [await freePort(), await freePort(), await freePort()];
    const accounts = ['dba', 'repl', 'filtered', 'allprivs', 'erepl', 'appdebug', 'clone'].map((name) => `--db-${name}-user=vt_dba`);
    accounts.push(`--db-app-user=${appUser}`, `--db-app-password=${PASSWORDS[appUser] ?? ''}`);
    const process = start('vtcombo', [
        program, '--proto-topo', 'keyspaces:{name:"ghost" shards:{name:"0" db_name_override:"ghost"}} cells:"bench"',
        '--schema-dir', path.join(home, 'schema'), '--db-socket', mysql.socket, '--db-charset=utf8mb4', ...accounts,
        '--foreign-key-mode', foreignKeys === 'disallow' ? 'disallow' : 'allow', `--enable-direct-ddl=${directDdl}`,
        '--queryserver-config-transaction-timeout', transactionTimeout,
        '--queryserver-config-query-timeout', queryTimeout,
        '--queryserver-config-transaction-cap=200', '--queryserver-config-pool-size=64',
        '--dbddl-plugin=vttest', '--mysql-server-version=8.0.34-Vitess', '--service-map=grpc-vtgateservice',
        '--bind-address=127.0.0.1', '--grpc-bind-address=127.0.0.1', `--port=${port}`, `--grpc-port=${grpc}`,
        '--mysql-auth-server-impl=none', '--mysql-server-bind-address=127.0.0.1', `--mysql-server-port=${direct}`,
        '--mysql-server-ssl-cert', path.join(BENCH, 'certificates/good.pem'),
        '--mysql-server-ssl-key', path.join(BENCH, 'certificates/good.key'),
        '--mysql-server-require-secure-transport',
        // The edge pings when nothing is under way; else it is told "too_many_pings".
        '--grpc-server-keepalive-enforcement-policy-min-time=1s',
        '--grpc-server-keepalive-enforcement-policy-permit-without-stream',
        '--log-format=text', '--log-level=warn', '--onterm-timeout=2s', '--lameduck-period=50ms',
    ], {
        as: 'ghostfix-vitess', log: path.join(BENCH, `log/vtcombo-${instance}.log`), stay,
        env: {VTDATAROOT: path.join(home, 'data'), VTROOT: home, TMPDIR: path.join(home, 'data')},
        cwd: path.join(home, 'data'),
    });
    await until('vtcombo', process, 180_000, async () =>
        (await fetch(`http://127.0.0.1:${port}/debug/health`)).ok);
    return {process, home, port, grpc, direct, foreignKeys, directDdl, stop: () => end(process)};
}
