// `make e2e-full`: which Ghost boots in which state of the database with which
// treatment. Every cell is a run; its result is a file, so that the matrix goes on
// where it was stopped, and the table is written from the files.
//
//   node matrix.mjs [--set-up] [--jobs 2] [--only REGEXP] [--anew] [--table-only] [--write FILE] [--list]
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {BENCH, EX_INFRASTRUCTURE, main, interrupted, onExit, repository} from './servers/processes.mjs';
import * as servers from './servers.mjs';
import {startSmtp} from './life/index.mjs';
import {SCENARIOS, treatedBy} from './matrix/scenarios.mjs';
import {costs, markdown, writeBetweenMarkers} from './matrix/table.mjs';

const {values: options} = parseArgs({options: {
    'set-up': {type: 'boolean', default: false}, jobs: {type: 'string', default: '2'}, only: {type: 'string'},
    anew: {type: 'boolean', default: false}, 'table-only': {type: 'boolean', default: false},
    write: {type: 'string', multiple: true, default: []}, list: {type: 'boolean', default: false},
}});

const BOTH = ['6.65.0', '5.75.1'];
const OTHERS = ['6.50.0', '6.0.0', '5.130.6', '5.2.4'];
const TREATMENTS = ['nothing', 'sed', 'ghostfix'];
// The most telling cells first: the newest Ghost as published and treated, in the
// state that PlanetScale's enrolment gives; then the older ones, then the copied script.
function cells(only = options.only) {
    const list = [];
    const add = (treatments, scenarios, versions) => {
        for (const scenario of scenarios) for (const version of versions) for (const treatment of treatments) {
            list.push({id: [scenario, version.replace('→', '-to-'), treatment].join('_'), scenario, version, treatment});
        }
    };
    const [newest, older] = BOTH;
    const upgrades = [`${older}→${newest}`, `6.50.0→${newest}`];
    const telling = ['nothing', 'ghostfix'];
    add(telling, ['managed-20', 'safe'], BOTH);
    add(telling, ['upgrade'], upgrades);
    add(telling, ['unmanaged', 'disallow', 'killed', 'two', 'managed', 'managed-60'], BOTH);
    add(telling, ['managed-20', 'safe'], OTHERS);
    add(['sed'], ['managed-20', 'safe', 'unmanaged'], BOTH);
    add(['sed'], ['upgrade'], upgrades);
    add(['sed'], ['disallow', 'killed', 'two', 'managed', 'managed-60'], BOTH);
    add(['sed'], ['managed-20', 'safe'], OTHERS);
    // On the newest the copied script's lines are in the wrong function; where they belong it goes further.
    add(['sed-moved'], ['managed-20', 'safe', 'unmanaged', 'disallow'], [newest]);
    // Two obstacles apart: without a cycle the fixtures' one transaction is what is left of them.
    add(TREATMENTS, ['unmanaged-20'], BOTH);
    add(['sed-moved'], ['unmanaged-20'], [newest]);
    return list.filter((c) => !only || new RegExp(only).test(c.id));
}

const results = path.join(BENCH, 'matrix');
const fileOf = (cell) => path.join(results, `${cell.id}.json`);
const read = (cell) => JSON.parse(fs.readFileSync(fileOf(cell), 'utf8'));
// A result stands as long as the treatment does the same to the same version.
function stands(cell) {
    if (!fs.existsSync(fileOf(cell))) return false;
    try {
        return read(cell).treated === treatedBy(cell);
    } catch (e) {
        if (e.part === 'ghost') return false; // its Ghost is not set up: nothing to compare with
        throw e;
    }
}

// The table is of all cells that are there, whichever were asked for now; what other
// patches did is no part of it.
function report() {
    const done = cells('').filter(stands).map(read);
    const parts = {matrix: markdown(done), costs: costs(done)};
    fs.writeFileSync(path.join(results, 'table.md'), `${parts.matrix}\n${parts.costs}`);
    for (const file of options.write) writeBetweenMarkers(file, parts);
    return done;
}

await main(async () => {
    fs.mkdirSync(results, {recursive: true});
    const list = cells();
    if (options.list) {
        for (const c of list) console.log(`${stands(c) ? 'done' : '    '}  ${c.id}`);
        return 0;
    }
    if (options['table-only']) {
        report();
        return 0;
    }
    if (options['set-up']) {
        const {status} = spawnSync(path.join(repository, 'tests/bench/setup'), [...BOTH, ...OTHERS], {stdio: 'inherit'});
        // A Ghost that cannot be had leaves its cells open; without servers there is nothing to do.
        if (status !== 0 && !fs.existsSync(path.join(BENCH, 'done/vtcombo'))) return EX_INFRASTRUCTURE;
    }
    const smtp = await startSmtp();
    onExit(() => smtp.stop());
    const open = list.filter((c) => options.anew || !stands(c));
    console.log(`${list.length} cells, ${open.length} open`);
    let broken = 0;
    const worker = async (n) => {
        const instance = `m${process.pid}-${n}`;
        let stand = null;
        onExit(() => stand && servers.lower(stand));
        for (let cell; !interrupted() && (cell = open.shift());) {
            const begin = Date.now();
            try {
                stand ??= await servers.raise(instance);
                const result = await SCENARIOS[cell.scenario].run({...cell, stand, smtp, name: instance});
                if (interrupted()) return;
                if (!result.booted) servers.demandAlive(stand);
                Object.assign(result, {...cell, minutes: (Date.now() - begin) / 60_000, treated: treatedBy(cell), at: new Date().toISOString()});
                fs.writeFileSync(`${fileOf(cell)}.new`, JSON.stringify(result, null, 1));
                fs.renameSync(`${fileOf(cell)}.new`, fileOf(cell));
                console.log(`${cell.id}  ${((Date.now() - begin) / 1000).toFixed(0)} s  ${result.booted ? 'boots' : 'does not boot'}: ${result.words}`);
                report();
            } catch (e) {
                if (interrupted()) return;
                broken++;
                console.error(`${cell.id}: ${e.part ? e.message : e.stack}`);
                // The next cell starts on servers of its own.
                if (stand) await servers.lower(stand).catch(() => {});
                stand = null;
            }
        }
        if (stand) await servers.lower(stand);
        stand = null;
    };
    await Promise.all(Array.from({length: Number(options.jobs)}, (_, n) => worker(n)));
    const done = report();
    console.log(`${done.length} cells are there, ${broken} could not be run: ${path.join(results, 'table.md')}`);
    return broken ? EX_INFRASTRUCTURE : 0;
});
