// The fault matrix of `ghostfix preflight`: states of real servers, each with what has to be found, written down in
// preflight/states.mjs before it is run.
//
//   node tests/bench/preflight.mjs [REGULAR EXPRESSION of names]
//
// With BOOT=yes the real Ghost is booted in every state where it can be, and has to start exactly where preflight does not
// say that it will not.
//
// Prints, state by state and in sum, what was told right, what was missed and what was a false alarm; exit code 1 where
// not all is right.
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import {BENCH, Infrastructure, freePort, main, onExit} from './servers/processes.mjs';
import * as servers from './servers.mjs';
import {launch, waitForBoot} from './boot.mjs';
import {startSmtp} from './life/index.mjs';
import {CA, change} from './servers/edge.mjs';
import {PASSWORDS} from './servers/vtcombo.mjs';
import {GHOSTFIX, makeTree} from './trees.mjs';
import {STATES} from './preflight/states.mjs';

const INSTANCE = `preflight${process.pid}`;
const GHOST = '6.65.0';
const LEVELS = ['unknown', 'warning', 'error'];
const SNAPSHOTS = {site: /^site-6\.65\.0(_|$)/, older: /^site-6\.50\.0(_|$)/};

const snapshot = (data) => {
    const found = fs.readdirSync(path.join(BENCH, 'snapshots')).find((name) => SNAPSHOTS[data].test(name));
    if (!found) throw new Infrastructure('snapshots', `there is no ${data}: run make e2e-full first, which keeps sites`);
    return found;
};

// The server in the state, and what Ghost would be told.
async function prepare(stand, state, now) {
    const vitess = state.server === 'edge';
    if (state.server === 'mariadb') await servers.addMariadb(stand);
    else if (state.data === 'new') await servers.leave(stand).then(() => fresh(stand));
    else if (now.data !== state.data || now.dirty) await servers.restore(stand, snapshot(state.data));
    else if (!vitess) await servers.leave(stand);
    const server = state.server === 'mariadb' ? stand.mariadb : stand.mysql;
    for (const sql of state.sql ?? []) {
        await servers.withConnection({...server.admin, database: 'ghost'}, (c) => typeof sql === 'function' ? sql(c) : c.query(sql));
    }
    now.dirty = state.data === 'new' || (state.sql ?? []).length > 0;
    now.data = state.server === 'mariadb' ? now.data : state.data;
    if (vitess) {
        await servers.enter(stand, {foreignKeys: state.foreignKeys, directDdl: state.directDdl ?? true, appUser: state.appUser});
        await change(stand.edge, {rtt_ms: state.rtt ?? 0, certificate: state.certificate ?? 'good', fault: state.fault ?? 'none'});
    }
    for (const sql of state.before ?? []) await servers.withConnection(server.admin, (c) => c.query(sql));
    return server;
}

const fresh = (stand) => servers.withConnection(stand.mysql.admin, (c) => c.query(
    'DROP DATABASE IF EXISTS ghost; DROP DATABASE IF EXISTS _vt; CREATE DATABASE ghost CHARACTER SET utf8mb4'));

async function connection(stand, state) {
    const edge = state.server === 'edge';
    const user = state.account ?? 'ghost';
    const base = {
        host: 'localhost', port: edge ? stand.edge.port : stand[state.server].port,
        user, password: PASSWORDS[user], database: 'ghost',
    };
    let ssl = state.ssl === undefined && edge ? {} : state.ssl;
    const text = (file) => fs.readFileSync(file, 'utf8');
    if (ssl?.ca === 'escaped') ssl = {ca: text(CA).replaceAll('\n', '\\n')};
    else if (ssl && typeof ssl === 'object' && !Array.isArray(ssl) && state.ca !== null) {
        ssl = {...ssl, ca: text(state.ca === 'mysql' ? path.join(stand.mysql.home, 'data/ca.pem') : CA)};
    }
    const whole = {...base, ...(ssl === null || ssl === undefined ? {} : {ssl}), ...state.connection};
    if (whole.port === 'closed') whole.port = await freePort();
    return whole;
}

async function preflight(state, told, trees) {
    const variables = Object.fromEntries(Object.entries(told).map(([key, value]) =>
        [`database__connection__${key}`, typeof value === 'object' ? JSON.stringify(value) : String(value)]));
    const env = {
        PATH: '/usr/bin:/bin', NODE_ENV: 'production', database__client: 'mysql', ...variables,
        ...(state.pool ? {database__pool__max: String(state.pool)} : {}),
        ...(state.extra ? {NODE_EXTRA_CA_CERTS: CA} : {}),
    };
    const root = state.tree === 'none' ? [] : ['--root', trees[state.tree].root];
    const child = spawn(GHOSTFIX, ['preflight', ...root, '--format', 'json', ...(state.options ?? [])], {
        env, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000,
    });
    const collect = async (stream) => {
        let text = '';
        for await (const piece of stream.setEncoding('utf8')) text += piece;
        return text;
    };
    const ended = new Promise((resolve) => child.once('close', resolve));
    const begun = Date.now();
    const [stdout, stderr] = await Promise.all([collect(child.stdout), collect(child.stderr)]);
    const code = await ended;
    try {
        return {...JSON.parse(stdout), code, ms: Date.now() - begun};
    } catch {
        throw new Error(`${state.name}: exit code ${code}, no JSON: ${stdout}${stderr}`);
    }
}

const startsBy = (report) =>
    !report.findings.some((finding) => finding.level === 'error' && finding.effect === 'does-not-start');

function compare(state, report) {
    const found = Object.fromEntries(report.findings
        .filter((finding) => LEVELS.includes(finding.level)).map(({id, level}) => [id, level]));
    const right = [], missed = [], alarms = [];
    for (const [id, level] of Object.entries(state.expected)) {
        if (found[id] === level) right.push(id);
        else missed.push(`${id} ${level} (is ${found[id] ?? 'fine'})`);
    }
    for (const [id, level] of Object.entries(found)) {
        if (!(id in state.expected)) alarms.push(`${id} ${level}`);
    }
    const says = startsBy(report);
    if (state.starts !== null && says !== state.starts) {
        (says ? missed : alarms).push(`says that Ghost ${says ? 'starts' : 'does not start'}`);
    }
    return {right, missed, alarms};
}

// Whether the real Ghost starts; nothing where there is none in this state. It is ended at once.
async function boots(state, told, trees, smtp) {
    if (state.tree === 'none' || state.fault || state.options) return null;
    const env = {
        ...(state.pool ? {database__pool__max: String(state.pool)} : {}),
        ...(state.extra ? {NODE_EXTRA_CA_CERTS: CA} : {}),
    };
    const ghost = await launch(trees[state.tree], {connection: told, smtp, name: INSTANCE, env});
    const {up} = await waitForBoot(ghost, 240_000);
    await ghost.stop();
    return up;
}

// Whatever writes shows here: in MySQL's own log of changes, where nobody else writes, else in every row of every table.
async function written(server, state) {
    return servers.withConnection({...server.admin, database: 'ghost'}, async (c) => {
        if (state.server === 'mysql') return JSON.stringify((await c.query('SHOW BINARY LOG STATUS'))[0]);
        const [tables] = await c.query("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'");
        const names = tables.map((row) => Object.values(row)[0]);
        if (!names.length) return 'no tables';
        const [sums] = await c.query(`CHECKSUM TABLE ${names.map((name) => `\`${name}\``).join(', ')}`);
        return JSON.stringify(sums.map((row) => [row.Table, row.Checksum]));
    });
}

async function run() {
    const only = new RegExp(process.argv[2] ?? '');
    const states = STATES.filter((state) => only.test(state.name));
    const trees = {nothing: makeTree(GHOST, 'nothing', `${INSTANCE}-nothing`), treated: makeTree(GHOST, 'ghostfix', `${INSTANCE}-treated`)};
    onExit(() => Object.values(trees).forEach((tree) => fs.rmSync(tree.root, {recursive: true, force: true})));
    const stand = await servers.raise(INSTANCE);
    onExit(() => servers.lower(stand));
    const smtp = process.env.BOOT === 'yes' ? await startSmtp() : null;
    if (smtp) onExit(() => smtp.stop());
    const sum = {booted: 0, disagree: 0, right: 0, missed: 0, alarms: 0, healthy: 0, states: 0, written: 0};
    const now = {data: 'new', dirty: true};
    let slowest = 0, most = 0;
    for (const state of states) {
        let server;
        try {
            server = await prepare(stand, state, now);
        } catch (e) {
            if (e instanceof Infrastructure) throw e;
            console.log(`NOT MADE ${state.name}: ${e.message}`);
            sum.missed += 1;
            Object.assign(now, {data: null, dirty: true});
            continue;
        }
        const before = await written(server, state);
        const told = await connection(stand, state);
        const report = await preflight(state, told, trees);
        const after = await written(server, state);
        if (after !== before) {
            sum.written += 1;
            console.log(`WRITTEN  ${state.name}: from ${before} to ${after}`.slice(0, 2000));
        }
        if (smtp) {
            const up = await boots(state, told, trees, smtp);
            if (up !== null) {
                now.dirty = true;
                sum.booted += 1;
                const says = startsBy(report);
                if (says !== up) sum.disagree += 1;
                console.log(`${says === up ? 'agrees  ' : 'DISAGREE'} ${state.name}: Ghost ${up ? 'starts' : 'does not start'}`);
            }
        }
        for (const sql of state.after ?? []) await servers.withConnection(server.admin, (c) => c.query(sql));
        const {right, missed, alarms} = compare(state, report);
        const good = !missed.length && !alarms.length;
        sum.states += 1;
        if (!Object.keys(state.expected).length && state.starts) sum.healthy += 1;
        sum.right += right.length + (Object.keys(state.expected).length === 0 && good ? 1 : 0);
        sum.missed += missed.length;
        sum.alarms += alarms.length;
        if (!Object.keys(state.expected).length) {
            most = Math.max(most, report.round_trips);
            if (!state.fault) slowest = Math.max(slowest, report.ms);
        }
        const words = [...missed.map((w) => `missed: ${w}`), ...alarms.map((w) => `false alarm: ${w}`)];
        console.log(`${good ? 'right   ' : 'WRONG   '} ${state.name}  (${report.round_trips} statements, ${report.ms} ms)${
            good ? '' : `\n         ${words.join('\n         ')}`}`);
        if (!good && process.env.VERBOSE) {
            for (const finding of report.findings.filter(({level}) => LEVELS.includes(level))) console.log(JSON.stringify(finding, null, 1));
        }
    }
    console.log(`${sum.states} states (${sum.healthy} healthy): ${sum.right} right, ${sum.missed} missed, ${sum.alarms} false alarms; ${
        sum.written} written to. Healthy: at most ${most} statements, ${slowest} ms.${
        smtp ? ` Ghost was booted in ${sum.booted}: ${sum.disagree} times other than preflight said.` : ''}`);
    return sum.missed + sum.disagree + sum.alarms + sum.written === 0 ? 0 : 1;
}

await main(run);
