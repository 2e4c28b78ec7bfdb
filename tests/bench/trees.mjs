// Ghost's trees: hard-linked copies of the pristine ones, treated or not. Who
// treats a copy has to replace files, never to write into them: the bench looks.
import {execFileSync, spawnSync} from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
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

// `ghostfix:--without=schema-lag` and the like are treatments too.
export function ghostfix(root, options = []) {
    if (!fs.existsSync(GHOSTFIX)) throw new Infrastructure('ghostfix', `${GHOSTFIX} is not there: run make build first`);
    const {status, stdout, stderr} = spawnSync(GHOSTFIX, ['patch', '--root', root, ...options], {encoding: 'utf8'});
    if (status !== 0) throw new Refused(`ghostfix patch: exit ${status}: ${`${stdout}\n${stderr}`.trim().slice(0, 1500)}`);
    return stdout;
}
export class Refused extends Error {}

const digest = (file) => crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex');

export function nodeFor(version) {
    const ready = path.join(BENCH, 'ghosts', `${version}.ready`);
    if (!fs.existsSync(ready)) {
        throw new Infrastructure('ghost', `Ghost ${version} is not set up: run tests/bench/setup ${version} first`);
    }
    return path.join(BENCH, 'tools', `node-${fs.readFileSync(ready, 'utf8').trim()}`, 'bin/node');
}

// A copy in `name` below .bench/trees, made anew.
export function makeTree(version, treatment, name = `${version}-${treatment.replace(/[^a-z0-9.]+/g, '-')}`) {
    const node = nodeFor(version);
    const pristine = path.join(BENCH, 'ghosts', version);
    const root = path.join(BENCH, 'trees', name);
    fs.rmSync(root, {recursive: true, force: true});
    fs.mkdirSync(path.dirname(root), {recursive: true});
    execFileSync('cp', ['-al', pristine, root]);
    const before = digest(path.join(pristine, MIGRATOR));
    const [kind, ...options] = treatment.split(':');
    const treat = kind === 'ghostfix' && options.length ? () => ghostfix(root, options) : TREATMENTS[kind];
    if (!treat) throw new Error(`no such treatment: ${treatment} (there are ${Object.keys(TREATMENTS).join(', ')})`);
    const said = treat(root);
    if (digest(path.join(pristine, MIGRATOR)) !== before) {
        throw new Infrastructure('trees', `${treatment} wrote through a hard link into ${pristine}`);
    }
    return {version, treatment, root, node, said};
}
