// The fault matrix of `ghostfix preflight`: states of real servers, each with what has to be found, written down in
// preflight/states.mjs before it is run; and the real Ghost booted in each, which has to start exactly where preflight
// does not say that it will not.
//
//   node tests/bench/preflight.mjs [--short] [--no-boots] [--write FILE] [REGULAR EXPRESSION of names]
//
// --short is the list for CI. --write puts the table of all states into the file, with the last result of those that are not
// run now. Prints, state by state and in sum, what was told right, what was missed and what was a false
// alarm; exit code 1 where not all is right.
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {BENCH, Infrastructure, main, onExit, withHosts} from './servers/processes.mjs';
import * as servers from './servers.mjs';
import {databaseError, describe, launch, oneLine, waitForBoot} from './boot.mjs';
import {startSmtp} from './life/index.mjs';
import {keepSite} from './matrix/scenarios.mjs';
import {writeBetweenMarkers} from './matrix/table.mjs';
import {CA} from './servers/edge.mjs';
import {GHOSTFIX, makeTree} from './trees.mjs';
import {compare, found, LEVELS, startsBy} from './preflight/judge.mjs';
import {connection, contents, hostsOf, prepare} from './preflight/prepare.mjs';
import {isGood, keep, sum} from './preflight/results.mjs';
import {SHORT, STATES} from './preflight/states.mjs';
import {markdown} from './preflight/table.mjs';

const {values: options, positionals: [only = '']} = parseArgs({allowPositionals: true, options: {
    short: {type: 'boolean', default: false}, 'no-boots': {type: 'boolean', default: false}, write: {type: 'string'},
}});

const INSTANCE = `preflight${process.pid}`;
const GHOST = '6.65.0';
// The Ghosts whose sites states start from.
const SITES = {site: GHOST, older: '6.50.0'};
const PREFLIGHT_LIMIT_MS = 180_000;
const PATIENCE_SECONDS = 240;
// A Ghost that has logged an error ends within a second or two, or goes on and comes up.
const AFTER_ERROR_MS = 30_000;

function chosen() {
    const named = (name) => {
        const state = STATES.find((one) => one.name === name);
        if (!state) throw new Error(`the short list names '${name}', which is no state`);
        return state;
    };
    const list = options.short ? SHORT.map(({name, boots}) => ({...named(name), isBooted: boots === true}))
        : STATES.map((state) => ({...state, isBooted: !options['no-boots']}));
    return list.filter((state) => new RegExp(only).test(state.name));
}

// Ghost's trees, each made when it is first needed.
const trees = new Map();
function treeFor(treatment) {
    if (!trees.has(treatment)) {
        trees.set(treatment, makeTree(GHOST, treatment, `${INSTANCE}-${treatment}`));
    }
    return trees.get(treatment);
}
const treatmentOf = (tree) => ({treated: 'ghostfix', nothing: 'nothing', none: null})[tree];
onExit(() => Promise.all([...trees.values()].map((made) =>
    made.then(({root}) => fs.promises.rm(root, {recursive: true, force: true}), () => {}))));

// What is said beside `database.connection`, to preflight and to Ghost alike.
const beside = (state) => ({
    ...(state.pool ? {database__pool__max: String(state.pool)} : {}),
    ...(state.extra ? {NODE_EXTRA_CA_CERTS: CA} : {}),
});

async function preflight(state, told) {
    const variables = Object.fromEntries(Object.entries(told).map(([key, value]) =>
        [`database__connection__${key}`, typeof value === 'object' ? JSON.stringify(value) : String(value)]));
    const env = {PATH: '/usr/bin:/bin', NODE_ENV: 'production', database__client: 'mysql', ...variables, ...beside(state)};
    const treatment = treatmentOf(state.tree);
    const root = treatment ? ['--root', (await treeFor(treatment)).root] : [];
    const [command, ...args] = [...withHosts(hostsOf(state, INSTANCE)),
        GHOSTFIX, 'preflight', ...root, '--format', 'json', ...(state.options ?? [])];
    const begun = Date.now();
    const child = spawn(command, args, {env, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], timeout: PREFLIGHT_LIMIT_MS});
    const collect = async (stream) => {
        let text = '';
        for await (const piece of stream.setEncoding('utf8')) text += piece;
        return text;
    };
    const ended = new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
    const [stdout, stderr, code] = await Promise.all([collect(child.stdout), collect(child.stderr), ended]);
    try {
        return {...JSON.parse(stdout), code, ms: Date.now() - begun};
    } catch {
        const unshared = /^(unshare|mount): .*/m.exec(stderr);
        if (state.hosts && unshared) throw new Infrastructure('hosts', unshared[0]);
        throw new Error(`exit code ${code}, no JSON: ${stdout}${stderr}`);
    }
}

// Whether the real Ghost starts, and what it says where it does not. It is ended at once.
async function boot(stand, state, told, smtp) {
    const tree = await treeFor(treatmentOf(state.boots ?? state.tree));
    const begun = Date.now();
    const ghost = await launch(tree, {
        connection: told, smtp, name: INSTANCE, env: beside(state), hosts: hostsOf(state, INSTANCE),
    });
    if (state.server === 'edge') Object.assign(ghost, {journal: stand.edge.journal, journalStart: sizeOf(stand.edge.journal)});
    const {up, why} = await waitForBoot(ghost, (state.patience ?? PATIENCE_SECONDS) * 1000, {afterErrorMs: AFTER_ERROR_MS});
    const seconds = Math.round((Date.now() - begun) / 100) / 10;
    await ghost.stop();
    const error = up ? null : databaseError(ghost);
    return {up, seconds, words: up ? '' : error ? describe(error) : why};
}
const sizeOf = (file) => (fs.existsSync(file) ? fs.statSync(file).size : 0);

// Where it is a race whether Ghost starts, neither is held against preflight.
const agrees = (state, report, booted) => booted === null || state.starts === null || booted.up === startsBy(report);

// One state: brought about, judged, booted in.
async function judge(stand, state, now, snapshots, smtp) {
    const undo = await prepare(stand, state, now, snapshots);
    try {
        const told = await connection(stand, state);
        const before = await contents(stand, state);
        const report = await preflight(state, told);
        const after = await contents(stand, state);
        const booted = state.isBooted && !state.unbootable ? await boot(stand, state, told, smtp) : null;
        // Not Ghost's doing, where the server is gone.
        if (booted && !booted.up) servers.demandAlive(stand);
        return {report, booted, written: before === after ? null : `from ${before} to ${after}`};
    } finally {
        await undo();
    }
}

function print(result, report) {
    const {name, missed, alarms, written, disagrees, booted, statements, ms} = result;
    const words = [...missed.map((w) => `missed: ${w}`), ...alarms.map((w) => `false alarm: ${w}`)];
    if (written) words.push(`written to: ${written}`.slice(0, 2000));
    if (disagrees) words.push('Ghost did otherwise than preflight says');
    if (words.length && booted && !booted.up) words.push(`Ghost: ${oneLine(booted.words).slice(0, 500)}`);
    const ghost = booted ? `; Ghost ${booted.up ? 'starts' : 'does not start'}, ${booted.seconds} s` : '';
    console.log([`${isGood(result) ? 'right' : 'WRONG'}  ${name}  (${statements} statements, ${ms} ms${ghost})`, ...words].join('\n       '));
    if (words.length && process.env.VERBOSE) {
        for (const finding of report.findings.filter(({level}) => LEVELS.includes(level))) console.log(JSON.stringify(finding, null, 1));
    }
}

async function run() {
    const states = chosen();
    const smtp = await startSmtp();
    onExit(() => smtp.stop());
    const stand = await servers.raise(INSTANCE);
    onExit(() => servers.lower(stand));
    const snapshots = {};
    for (const [data, version] of Object.entries(SITES)) {
        if (!states.some((state) => state.data === data)) continue;
        snapshots[data] = await keepSite({stand, smtp, name: INSTANCE}, version);
        console.log(`a site of Ghost ${version}: ${snapshots[data]}`);
    }
    const now = {key: null, changes: null};
    const results = [];
    for (const state of states) {
        const begun = Date.now();
        try {
            const {report, booted, written} = await judge(stand, state, now, snapshots, smtp);
            results.push({
                name: state.name, found: found(report), ...compare(state, report), booted, unbootable: state.unbootable, written,
                disagrees: !agrees(state, report, booted), ms: report.ms, statements: report.round_trips, took: Date.now() - begun,
            });
            print(results.at(-1), report);
        } catch (e) {
            servers.demandAlive(stand);
            if (e instanceof Infrastructure) throw e;
            console.log(`NOT MADE ${state.name}: ${e.message}`);
            results.push({
                name: state.name, found: {}, right: [], missed: [`the state could not be made: ${e.message}`], alarms: [], booted: null,
                written: null, disagrees: false, ms: 0, statements: 0, took: Date.now() - begun,
            });
            now.key = null;
        }
    }
    for (const state of states.filter((one) => one.isBooted && one.unbootable)) console.log(`not booted  ${state.name}: ${state.unbootable}`);
    console.log(sum(results, STATES));
    if (!options.short && !options['no-boots']) {
        const kept = keep(results, STATES);
        if (options.write) writeBetweenMarkers(options.write, {states: `${sum(kept, STATES)}\n\n${markdown(kept)}`}, 'make e2e-preflight');
    }
    return results.every(isGood) ? 0 : 1;
}

await main(run);
