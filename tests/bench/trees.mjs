// Ghost's trees: hard-linked copies of the pristine ones, treated or not. Who
// treats a copy has to replace files, never to write into them: the bench looks
// at every file.
import {execFileSync, spawnSync} from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {BENCH, Infrastructure, repository} from './servers/processes.mjs';

export const GHOSTFIX = path.resolve(process.env.GHOSTFIX
    || path.join(process.env.CARGO_TARGET_DIR || path.join(repository, 'target'), 'release/ghostfix'));

const MIGRATOR = 'node_modules/knex-migrator/lib/database.js';

// The widely copied script: two lines before line 129, whatever stands there.
const SED = `129i\\
        const isPlanetScaleDatabaseExists = err.errno == 1105 && err.sqlMessage.endsWith('database exists');\\
        if (isPlanetScaleDatabaseExists) return Promise.resolve();`;

// The same two lines where they belong, as somebody would put them who reads the file.
const SED_MOVED = SED.replace('129i', '/err.errno === 1007/i');

// What each treatment does to a copy: answers what it said of itself.
export const TREATMENTS = {
    nothing: () => 'as published',
    sed: (root) => {
        execFileSync('sed', ['-i', SED, fs.realpathSync(path.join(root, MIGRATOR))]);
        return 'two lines before line 129 of lib/database.js';
    },
    'sed-moved': (root) => {
        execFileSync('sed', ['-i', SED_MOVED, fs.realpathSync(path.join(root, MIGRATOR))]);
        return 'the same lines before the test for 1007';
    },
    ghostfix: (root) => ghostfix(root),
};

function runGhostfix(args) {
    if (!fs.existsSync(GHOSTFIX)) throw new Infrastructure('ghostfix', `${GHOSTFIX} is not there: run make build first`);
    const {status, signal, stdout, stderr, error} = spawnSync(GHOSTFIX, args, {encoding: 'utf8', timeout: 120_000, maxBuffer: 1 << 28});
    if (error || signal) throw new Infrastructure('ghostfix', `${args[0]} was ended by ${signal ?? error.message}`);
    return {status, stdout, stderr};
}

// `ghostfix:--without=schema-lag` and the like are treatments too.
export function ghostfix(root, options = []) {
    const {status, stdout, stderr} = runGhostfix(['patch', '--root', root, ...options]);
    if (status !== 0) throw new Refused(`ghostfix patch: exit ${status}: ${`${stdout}\n${stderr}`.trim().slice(0, 1500)}`);
    return stdout;
}
export class Refused extends Error {}

// What a treatment does to a version: which files it changes, and how. ghostfix is
// asked for its diffs, so the binary cannot disagree.
const changes = new Map();
function changesOf(version, treatment) {
    const key = `${version} ${treatment}`;
    if (!changes.has(key)) changes.set(key, askForChanges(version, treatment));
    return changes.get(key);
}
function askForChanges(version, treatment) {
    const [kind, ...options] = treatment.split(':');
    if (kind === 'nothing') return [];
    if (kind !== 'ghostfix') return [{file: MIGRATOR, change: {sed: SED, 'sed-moved': SED_MOVED}[kind]}];
    nodeFor(version); // says so if that Ghost is not set up
    const {stdout} = runGhostfix(['patch', '--dry-run', '--format', 'json', '--root', path.join(BENCH, 'ghosts', version), ...options]);
    try {
        // A patch that this version does not need changes nothing.
        return JSON.parse(stdout).patches.filter((p) => p.state !== 'not-needed')
            .map(({path: file, ...change}) => ({file, change: [change.id, change.state, change.shape, change.diff]}));
    } catch {
        throw new Infrastructure('ghostfix', `no JSON from patch --dry-run: ${stdout.slice(0, 300)}`);
    }
}
const targetsOf = (version, treatment) => [...new Set(changesOf(version, treatment).map((c) => c.file).filter(Boolean))];

// As a digest: a result that was seen with other patches is out of date, one that was
// seen with another build of the same patches is not.
export const digestOf = (version, treatment) =>
    crypto.createHash('sha256').update(JSON.stringify(changesOf(version, treatment))).digest('hex').slice(0, 12);

export function nodeFor(version) {
    const ready = path.join(BENCH, 'ghosts', `${version}.ready`);
    if (!fs.existsSync(ready)) {
        throw new Infrastructure('ghost', `Ghost ${version} is not set up: run tests/bench/setup ${version} first`);
    }
    return path.join(BENCH, 'tools', `node-${fs.readFileSync(ready, 'utf8').trim()}`, 'bin/node');
}

// A copy in `name` below .bench/trees, made anew.
export async function makeTree(version, treatment, name = `${version}-${treatment.replace(/[^a-z0-9.]+/g, '-')}`) {
    const node = nodeFor(version);
    const pristine = path.join(BENCH, 'ghosts', version);
    const root = path.join(BENCH, 'trees', name);
    fs.rmSync(root, {recursive: true, force: true});
    fs.mkdirSync(path.dirname(root), {recursive: true});
    execFileSync('cp', ['-al', pristine, root], {timeout: 300_000});
    const [kind, ...options] = treatment.split(':');
    const treat = kind === 'ghostfix' && options.length ? () => ghostfix(root, options) : TREATMENTS[kind];
    if (!treat) throw new Error(`no such treatment: ${treatment} (there are ${Object.keys(TREATMENTS).join(', ')})`);
    const targets = targetsOf(version, treatment).map((file) => path.join(pristine, file));
    const before = targets.map(digest);
    await sleep(20); // the kernel's clock for files is coarse
    const mark = `${root}.mark`;
    fs.writeFileSync(mark, '');
    try {
        const said = treat(root);
        const written = [...writtenSince(mark, pristine), ...targets.filter((file, n) => digest(file) !== before[n])];
        if (written.length) {
            // What was pristine is not any more.
            fs.rmSync(path.join(BENCH, 'ghosts', `${version}.ready`), {force: true});
            throw new Infrastructure('trees', `${treatment} wrote through a hard link into ${written.slice(0, 3).join(', ')}; run tests/bench/setup again`);
        }
        return {version, treatment, root, node, said};
    } catch (e) {
        fs.rmSync(root, {recursive: true, force: true});
        throw e;
    } finally {
        fs.rmSync(mark, {force: true});
    }
}

const digest = (file) => crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex');

// By the time of the last write. (Not by ctime: another copy being made changes that
// of every file. Who puts the time back is found by the digests.)
const writtenSince = (mark, tree) => execFileSync('find', [tree, '-type', 'f', '-newer', mark, '-print0'], {encoding: 'utf8', maxBuffer: 1 << 28})
    .split('\0').filter(Boolean);
