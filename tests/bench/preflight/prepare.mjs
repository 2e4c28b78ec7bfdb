// Brings the servers into a state, says what Ghost is told of them, and sees whether anybody wrote.
import fs from 'node:fs';
import path from 'node:path';
import {BENCH, freePort, sleep} from '../servers/processes.mjs';
import * as servers from '../servers.mjs';
import {CA, change} from '../servers/edge.mjs';
import {client} from '../servers/mysql.mjs';
import {PASSWORDS} from '../servers/vtcombo.mjs';

const serverOf = (stand, state) => (state.server === 'mariadb' ? stand.mariadb : stand.mysql);

// The administrator has a connection even where nobody else has; the one before may not be quite gone.
async function asAdmin(stand, state, work) {
    for (let tries = 0; ; tries++) {
        try {
            return await servers.withConnection({...serverOf(stand, state).admin, database: 'ghost'}, work);
        } catch (e) {
            if (e.code !== 'ER_CON_COUNT_ERROR' || tries === 50) throw e;
            await sleep(100);
        }
    }
}

// The server in the state. `now` is what stands, so that a state which needs the same as the one before does not wait for
// it to be made anew; `snapshots` has the names of kept sites by `data`. Answers what takes the state away again.
export async function prepare(stand, state, now, snapshots) {
    const vitess = state.server === 'edge';
    const mode = vitess ? {foreignKeys: state.foreignKeys, directDdl: state.directDdl ?? true, appUser: state.appUser} : null;
    const key = JSON.stringify([state.server, state.data, (state.sql ?? []).map(String), mode]);
    if (key !== now.key || now.changes === null || await changes(stand, state) !== now.changes) {
        now.key = null;
        if (state.server === 'mariadb') await servers.addMariadb(stand);
        else if (state.data !== 'new') await servers.restore(stand, snapshots[state.data]);
        else await servers.leave(stand).then(() => servers.makeAnew(stand));
        for (const sql of state.sql ?? []) await asAdmin(stand, state, (c) => (typeof sql === 'function' ? sql(c) : c.query(sql)));
        if (vitess) await servers.enter(stand, mode);
        now.key = key;
    }
    if (vitess) await change(stand.edge, {rtt_ms: state.rtt ?? 0, certificate: state.certificate ?? 'good', fault: state.fault ?? 'none'});
    for (const sql of state.before ?? []) await asAdmin(stand, state, (c) => c.query(sql));
    const held = [];
    for (const {admin, sql, ...account} of state.held ?? []) {
        const server = serverOf(stand, state);
        const c = await client().createConnection(admin ? server.admin
            : {host: '127.0.0.1', port: server.port, password: PASSWORDS[account.user], ...account});
        c.on('error', () => {});
        held.push(c);
        if (sql) await c.query(sql);
    }
    now.changes = await changes(stand, state);
    return async () => {
        held.forEach((c) => c.destroy());
        for (const sql of state.after ?? []) await asAdmin(stand, state, (c) => c.query(sql));
    };
}

// MySQL's own count of changes: where it stands still, nothing was written. MariaDB keeps none here.
const changes = async (stand, state) => (state.server === 'mariadb' ? null
    : JSON.stringify((await asAdmin(stand, state, (c) => c.query('SHOW BINARY LOG STATUS')))[0]));

// What shows whoever writes: the count of changes where nobody else is at work, else every row of every table.
export async function contents(stand, state) {
    if (state.server === 'mysql') return changes(stand, state);
    return asAdmin(stand, state, async (c) => {
        const [tables] = await c.query("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'");
        const names = tables.map((row) => Object.values(row)[0]);
        if (!names.length) return 'no tables';
        const [sums] = await c.query(`CHECKSUM TABLE ${names.map((name) => `\`${name}\``).join(', ')}`);
        return JSON.stringify(sums.map((row) => [row.Table, row.Checksum]));
    });
}

// `database.connection` as Ghost gets it.
export async function connection(stand, state) {
    const edge = state.server === 'edge';
    const user = state.account ?? 'ghost';
    const whole = {
        host: 'localhost', port: edge ? stand.edge.port : stand[state.server].port,
        user, password: PASSWORDS[user], database: 'ghost', ...state.connection,
    };
    if (whole.port === 'closed') whole.port = await freePort();
    if (whole.socketPath === 'socket') whole.socketPath = stand.mysql.socket;
    const ssl = sslOf(stand, state, edge);
    return ssl === null ? whole : {...whole, ssl};
}

function sslOf(stand, state, edge) {
    const given = state.ssl === undefined && edge ? {} : state.ssl ?? null;
    const text = (file) => fs.readFileSync(file, 'utf8');
    const own = (name) => text(path.join(stand.mysql.home, 'data', name));
    if (given?.ca === 'escaped') return {ca: text(CA).replaceAll('\n', '\\n')};
    if (given === null || typeof given !== 'object' || Array.isArray(given) || state.ca === null) return given;
    const {client: shown, ...ssl} = given;
    return {
        ...ssl, ca: state.ca === 'mysql' ? own('ca.pem') : text(CA),
        ...(shown ? {cert: own('client-cert.pem'), key: own('client-key.pem')} : {}),
    };
}

// A file to be read for /etc/hosts; nothing where the machine's own will do.
export function hostsOf(state, instance) {
    if (!state.hosts) return undefined;
    const file = path.join(BENCH, 'run', `${instance}-hosts`);
    const lines = Object.entries({localhost: ['127.0.0.1'], ...state.hosts})
        .flatMap(([name, addresses]) => addresses.map((address) => `${address} ${name}`));
    fs.writeFileSync(file, `${lines.join('\n')}\n`);
    return file;
}
