// The servers together: one MySQL, one Vitess over it, one edge in front. What
// is asked for is named by a state; changing over takes seconds.
import fs from 'node:fs';
import path from 'node:path';
import {BENCH, Infrastructure, end, isAlive, tail} from './servers/processes.mjs';
import * as edges from './servers/edge.mjs';
import {FOREIGN_KEYS, PASSWORDS, startVtcombo} from './servers/vtcombo.mjs';
import {makeDatabase, snapshot, startMysql, withConnection} from './servers/mysql.mjs';
import {startMariadb} from './servers/mariadb.mjs';

export {withConnection, FOREIGN_KEYS};

// A stand: `mysql`, `vtcombo`, `edge` (and `mariadb` where asked for).
export async function raise(instance, {stay = false, nativeForeignKeys = false} = {}) {
    const mysql = await startMysql(instance, {stay, nativeForeignKeys});
    const stand = {instance, stay, nativeForeignKeys, mysql, vtcombo: null, edge: null, mariadb: null};
    await makeDatabase(stand.mysql);
    return stand;
}

// Vitess as wanted, over the database as it is. `fresh` makes the database anew.
export async function enter(stand, {
    foreignKeys = 'managed', rtt = 0, directDdl = true, transactionTimeout = '20s', fresh = false,
    statements = true, appUser = undefined, program,
} = {}) {
    await leave(stand);
    if (fresh) await makeDatabase(stand.mysql);
    stand.vtcombo = await startVtcombo(stand.instance, stand.mysql,
        {foreignKeys, directDdl, transactionTimeout, appUser, program, stay: stand.stay});
    stand.edge = await edges.startEdge(stand.instance, stand.vtcombo, {rtt, statements, stay: stand.stay});
}

// Keeps the data under a name, or goes back to what is kept. Vitess is left for it.
const kept = (name) => path.join(BENCH, 'snapshots', name);
export const isKept = (name) => fs.existsSync(kept(name));
export function discard(prefix) {
    const dir = path.dirname(kept('any'));
    if (!fs.existsSync(dir)) return;
    for (const name of fs.readdirSync(dir).filter((n) => n.startsWith(prefix))) fs.rmSync(kept(name), {recursive: true, force: true});
}
export async function keep(stand, name) {
    await leave(stand);
    await snapshot(stand.mysql, kept(name));
    await reopen(stand, {data: kept(name)});
}
export async function restore(stand, name) {
    await leave(stand);
    await reopen(stand, {data: kept(name)});
}
async function reopen(stand, options) {
    await stand.mysql.stop();
    stand.mysql = await startMysql(stand.instance, {stay: stand.stay, nativeForeignKeys: stand.nativeForeignKeys, ...options});
}

export const makeAnew = (stand) => makeDatabase(stand.mysql);

// Vitess and the edge stopped; the database stays.
export async function leave(stand) {
    await stand.edge?.stop();
    await stand.vtcombo?.stop();
    stand.edge = stand.vtcombo = null;
}

export async function addMariadb(stand) {
    stand.mariadb ??= await startMariadb(stand.instance, {stay: stand.stay});
    await makeDatabase(stand.mariadb);
}

export async function lower(stand) {
    await leave(stand);
    await stand.mariadb?.stop();
    await stand.mysql.stop();
    fs.rmSync(path.join(BENCH, 'run', stand.instance), {recursive: true, force: true});
}

// A server that ended by itself is no result of whoever used it.
export function demandAlive(stand) {
    for (const name of ['mysql', 'vtcombo', 'edge', 'mariadb']) {
        const p = stand[name]?.process;
        if (p && !isAlive(p)) throw new Infrastructure(name, `ended meanwhile: ${tail(p.log)}`);
    }
}

// What Ghost is told: the edge, or one of the plain servers.
export function connectionTo(stand, server = 'edge', user = 'ghost') {
    if (server === 'edge') return edges.connection(stand.edge, user);
    return {host: '127.0.0.1', port: stand[server].port, user, password: PASSWORDS[user], database: 'ghost'};
}

// The servers of `make bench-up` outlive the command that started them.
export const rememberedIn = (instance) => path.join(BENCH, 'run', `${instance}.json`);
export function remember(stand, state) {
    const servers = Object.fromEntries(['mysql', 'vtcombo', 'edge', 'mariadb'].filter((n) => stand[n]).map((n) => {
        const {pid, started, log} = stand[n].process;
        return [n, {...stand[n], process: {name: n, pid, started, log}}];
    }));
    fs.writeFileSync(rememberedIn(stand.instance), JSON.stringify({instance: stand.instance, state, ...servers}, null, 1));
}
export function recall(instance) {
    if (!fs.existsSync(rememberedIn(instance))) return null;
    const stand = {stay: true, vtcombo: null, edge: null, mariadb: null, ...JSON.parse(fs.readFileSync(rememberedIn(instance), 'utf8'))};
    for (const name of ['mysql', 'vtcombo', 'edge', 'mariadb']) {
        const server = stand[name];
        if (!server) continue;
        server.stop = async () => {
            await end(server.process);
            if (name === 'mysql') fs.rmSync(server.home, {recursive: true, force: true});
        };
    }
    return stand;
}
export const forget = (instance) => fs.rmSync(rememberedIn(instance), {force: true});
