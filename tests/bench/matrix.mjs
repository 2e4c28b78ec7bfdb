// `make e2e-full`: which Ghost boots in which state of the database with which
// treatment. Every cell is a run; its result is a file, so that the matrix goes on
// where it was stopped, and the table is written from the files.
//
//   node matrix.mjs [--set-up] [--jobs 2] [--only REGEXP] [--anew] [--table-only] [--write FILE] [--list]
import {spawnSync} from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {BENCH, EX_INFRASTRUCTURE, main, interrupted, onExit, repository} from './servers/processes.mjs';
import * as servers from './servers.mjs';
import {GHOSTFIX} from './trees.mjs';
import {startSmtp} from './life/index.mjs';
import {SCENARIOS} from './matrix/scenarios.mjs';
import {markdown, writeBetweenMarkers} from './matrix/table.mjs';

const {values: options} = parseArgs({options: {
    'set-up': {type: 'boolean', default: false}, jobs: {type: 'string', default: '2'}, only: {type: 'string'},
    anew: {type: 'boolean', default: false}, 'table-only': {type: 'boolean', default: false},
    write: {type: 'string', multiple: true, default: []}, list: {type: 'boolean', default: false},
}});

const BOTH = ['6.65.0', '5.75.1'];
const OTHERS = ['6.50.0', '6.0.0', '5.130.6', '5.2.4'];
const TREATMENTS = ['nothing', 'sed', 'ghostfix'];
// The copied script puts its lines beside the mark in these; done right it is told apart.
const treatmentsOf = (version) => (version === '6.65.0' ? [...TREATMENTS, 'sed-moved'] : TREATMENTS);

// The most telling cells first.
function cells(only = options.only) {
    const list = [];
    const add = (scenario, version, treatments = treatmentsOf(version)) => {
        for (const treatment of treatments) {
            list.push({id: [scenario, version.replace('→', '-to-'), treatment].join('_'), scenario, version, treatment});
        }
    };
    for (const scenario of ['managed-20', 'safe', 'unmanaged', 'managed', 'disallow', 'managed-60', 'unmanaged-20']) for (const v of BOTH) add(scenario, v);
    for (const v of ['5.75.1→6.65.0', '6.50.0→6.65.0']) add('upgrade', v);
    for (const scenario of ['killed', 'two']) for (const v of BOTH) add(scenario, v);
    for (const v of OTHERS) for (const scenario of ['managed-20', 'safe']) add(scenario, v);
    return list.filter((c) => !only || new RegExp(only).test(c.id));
}

const results = path.join(BENCH, 'matrix');
const fileOf = (cell) => path.join(results, `${cell.id}.json`);
const isDone = (cell) => !options.anew && fs.existsSync(fileOf(cell));

// The table is of all cells that are there, whichever were asked for now.
function report() {
    const done = cells('').filter((c) => fs.existsSync(fileOf(c))).map((c) => JSON.parse(fs.readFileSync(fileOf(c), 'utf8')));
    const table = markdown(done);
    fs.writeFileSync(path.join(results, 'table.md'), table);
    for (const file of options.write) writeBetweenMarkers(file, table);
    return done;
}

await main(async () => {
    fs.mkdirSync(results, {recursive: true});
    const list = cells();
    if (options.list) {
        for (const c of list) console.log(`${isDone(c) ? 'done' : '    '}  ${c.id}`);
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
    const binary = crypto.createHash('sha256').update(fs.readFileSync(GHOSTFIX)).digest('hex').slice(0, 12);
    const open = list.filter((c) => !isDone(c));
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
                Object.assign(result, {...cell, minutes: (Date.now() - begin) / 60_000, binary, at: new Date().toISOString()});
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
