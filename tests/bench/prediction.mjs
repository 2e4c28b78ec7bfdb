// Is what `ghostfix check --from` predicts what an upgrade sends? For upgrades drawn from a printed seed: take a site of
// the older Ghost, run the newer one's migrations with its own knex-migrator, and compare each migration's predicted
// changes with the statements that arrived.
//
//   node prediction.mjs [--judge edge|mariadb] [--sample 8] [--seed 1] [--versions 5.75.1,6.65.0,…] [--only FROM,TO]
//                       [--empty] [--all]
//
// Prints precision, recall and every miss; what is predicted and not sent only where it was not left to the data (with
// --all, always). Every upgrade runs on a site as it was set up, and with rows made up before every version that depends on
// rows (the MariaDB: once, at the start; with --empty, never). At the edge what `--from database` says of that very database
// has to be what runs, also of one whose upgrade was killed half-way; an upgrade that dies of a cycle of foreign keys, which
// has to be predicted, is judged to its end where keys are unmanaged.
import fs from 'node:fs';
import path from 'node:path';
import {spawnSync} from 'node:child_process';
import {parseArgs} from 'node:util';
import {BENCH, Infrastructure, main} from './servers/processes.mjs';
import {GHOSTFIX} from './trees.mjs';
import {changes, predicted, writes} from './prediction/statements.mjs';
import {byMigration} from './prediction/migrator.mjs';
import {fill} from './prediction/rows.mjs';
import {takeBranches} from './prediction/branches.mjs';

const {values: o} = parseArgs({options: {
    judge: {type: 'string', default: 'edge'}, sample: {type: 'string', default: '8'},
    seed: {type: 'string', default: String(Date.now() % 1e6)}, versions: {type: 'string'}, only: {type: 'string'},
    empty: {type: 'boolean', default: false}, all: {type: 'boolean', default: false},
}});

const numbers = (v) => v.split('.').map(Number);
const older = (a, b) => numbers(a).reduce((d, n, i) => d || n - numbers(b)[i], 0);

// A generator of its own: the same seed draws the same upgrades everywhere.
function draw(seed) {
    let state = seed >>> 0;
    return () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let t = Math.imul(state ^ (state >>> 15), state | 1);
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
        return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    };
}

function sample() {
    if (o.only) return [o.only.split(',')];
    const versions = (o.versions?.split(',') ?? fs.readdirSync(path.join(BENCH, 'ghosts'))
        .filter((f) => f.endsWith('.ready')).map((f) => f.slice(0, -'.ready'.length))).sort(older);
    const pairs = versions.flatMap((from, i) => versions.slice(i + 1).map((to) => [from, to]));
    const next = draw(Number(o.seed));
    for (let i = pairs.length - 1; i > 0; i--) {
        const j = Math.floor(next() * (i + 1));
        [pairs[i], pairs[j]] = [pairs[j], pairs[i]];
    }
    return pairs.slice(0, Number(o.sample));
}

function predict(from, to) {
    const {status, stdout, stderr} = spawnSync(GHOSTFIX, ['check', path.join(BENCH, 'ghosts', to),
        '--from', path.join(BENCH, 'ghosts', from), '--format', 'json'], {encoding: 'utf8', maxBuffer: 1 << 28});
    try {
        return JSON.parse(stdout).targets[0].migrations;
    } catch {
        throw new Infrastructure('ghostfix', `check: exit ${status}: ${stderr.slice(0, 600)}`);
    }
}

// One migration's prediction against what arrived: each kind of change to each place counts once.
function judge(name, prediction, statements) {
    const arrived = new Set(statements.flatMap(changes));
    const expected = new Map((prediction?.changes ?? []).map((c) => [predicted(c), c]));
    const matches = (c) => expected.has(c) || [...expected.values()].some((p) => writes(p, c));
    const isHit = ([text, change]) => arrived.has(text) || [...arrived].some((c) => writes(change, c));
    const misses = [...arrived].filter((c) => !matches(c));
    const extra = [...expected].filter((entry) => !isHit(entry));
    const sure = [...expected].filter(([, c]) => c.when !== 'depends');
    return {
        name, arrived: arrived.size, predicted: expected.size, found: expected.size - extra.length,
        hit: arrived.size - misses.length, misses,
        extra: extra.map(([c, {when}]) => `${c} (${when})`),
        sure: sure.length, sureHit: sure.filter(isHit).length,
        open: [...expected].filter(([, c]) => c.when === 'depends').map((entry) => [entry[0], isHit(entry)]),
        empty: !prediction || (arrived.size > 0 && expected.size === 0 && prediction.unknown.length === 0),
        unknown: prediction?.unknown ?? [],
        transaction: prediction && statements.length && prediction.transactional !== null
            && prediction.transactional && !statements.some((s) => /^(begin|start transaction)/i.test(s)),
    };
}

// The versions after which rows are made up again: those before a migration that depends on rows.
function haltsOf(migrations) {
    const versions = [...new Set(migrations.map((m) => m.version))];
    const depends = (v) => migrations.some((m) => m.version === v && m.changes.some((c) => c.when === 'depends'));
    return versions.slice(0, -1).filter((v, i) => depends(versions[i + 1]));
}

const place = (m) => `${m.version}/${m.name}`;

await main(async () => {
    const pairs = sample();
    console.log(`seed ${o.seed}: ${pairs.map((p) => p.join('→')).join(', ')}`);
    const {raise} = await import(`./prediction/${o.judge}.mjs`);
    const server = await raise(`prediction${process.pid}`);
    console.log(`judge: ${server.words}`);
    const total = {arrived: 0, hit: 0, predicted: 0, found: 0, sure: 0, sureHit: 0, empty: 0, migrations: 0, runs: 0, notJudged: 0, stopped: 0, unforeseen: 0, wrongPlans: 0};
    const seen = new Set();
    // What was left to the data, and whether it was ever sent.
    const open = new Map();
    for (const [from, to] of pairs) {
        const prediction = new Map(predict(from, to).map((m) => [place(m), m]));
        const cyclic = [...prediction.values()].find((m) => m.hazards.some((h) => h.id === 'foreign-key-cycle'));
        let foreignKeys;
        for (const runs = ['as booted', ...(o.empty ? [] : ['with rows']), ...(o.judge === 'edge' ? ['killed'] : [])]; runs.length;) {
            const run = runs.shift();
            const withRows = run === 'with rows';
            const label = `${from}→${to}, ${run}${foreignKeys ? `, foreign keys ${foreignKeys}` : ''}`;
            const {log, asked, killed, refused = 0, cycle, failed, notJudged} = await server.upgrade({
                from, to, foreignKeys, halts: withRows ? haltsOf([...prediction.values()]) : [],
                killAfter: run === 'killed' ? Math.ceil(prediction.size / 2) : 0,
                prepare: async (c) => {
                    if (!withRows) return;
                    await fill(c, 'ghost');
                    await takeBranches(c, 'ghost');
                },
            });
            if (notJudged) {
                console.log(`${label}: not judged: ${notJudged}`);
                total.notJudged++;
                continue;
            }
            const {found} = byMigration(log);
            const judged = [...found].map(([name, statements]) => judge(name, prediction.get(name), statements));
            const order = [...found.keys()];
            const outOfOrder = order.some((name, i) => [...prediction.keys()][i] !== name);
            const sum = (key) => judged.reduce((n, j) => n + j[key], 0);
            // What the killed one had sent of the migration under way is not told apart: it is judged by its plan and its misses.
            for (const key of ['arrived', 'hit', ...(killed ? [] : ['predicted', 'found', 'sure', 'sureHit'])]) total[key] += sum(key);
            const empty = judged.filter((j) => j.empty).length;
            total.empty += empty;
            total.migrations += judged.length;
            total.runs++;
            console.log(`${label}: ${judged.length} migrations ran, ${prediction.size} predicted${outOfOrder ? ', in another order' : ''}; `
                + `recall ${sum('hit')}/${sum('arrived')}, precision ${sum('found')}/${sum('predicted')}, `
                + `of what is not left to the data ${sum('sureHit')}/${sum('sure')}; empty predictions ${empty}`
                + `${refused ? `; ${refused} statements refused on the way` : ''}${failed ? `; STOPPED: ${failed}` : ''}`);
            if (failed) {
                total.stopped++;
                const foreseen = cycle && cyclic && (found.has(place(cyclic)) || [...prediction.keys()][found.size] === place(cyclic));
                if (!foreseen) total.unforeseen++;
                console.log(`  ${foreseen ? `as the hazard foreign-key-cycle of ${place(cyclic)} says` : 'NOT FORESEEN'}`);
                if (cycle && !foreignKeys && server.otherwise) {
                    foreignKeys = server.otherwise;
                    runs.unshift(run);
                }
            }
            if (asked) {
                const plan = asked.migrations.map(place);
                // Where the upgrade stops, the plan is longer.
                const right = failed ? order.every((name, i) => plan[i] === name) : plan.join() === order.join();
                const {state, migrated_by: by, lock, rows} = asked.upgrade.database;
                if (!right) total.wrongPlans++;
                console.log(`  --from database: ${state}, by ${by}, lock ${lock}, ${rows} rows, ${plan.length} migrations: ${right ? 'as it ran' : 'NOT AS IT RAN'}`);
            }
            if (killed) {
                const plan = killed.asked.migrations.map(place);
                const {database: {state, lock}, hazards} = killed.asked.upgrade;
                const ids = hazards.map((h) => h.id);
                const right = plan.join() === order.slice(killed.recorded).join() && lock === 'held'
                    && ids.includes('migration-lock') && ids.includes('upgrade-unfinished');
                if (!right) total.wrongPlans++;
                console.log(`  killed after ${killed.recorded}: ${state}, lock ${lock}, ${ids.slice(0, 2).join(', ')}, ${plan.length} migrations: ${right ? 'as it went on' : 'NOT AS IT WENT ON'}`);
            }
            if (!failed) for (const name of prediction.keys()) if (!found.has(name)) console.log(`  predicted and not run: ${name}`);
            for (const j of judged) {
                if (!prediction.has(j.name)) console.log(`  run and not predicted: ${j.name}`);
                if (j.transaction) console.log(`  ${j.name}: said to be in a transaction, and there was none`);
                for (const miss of j.misses) console.log(`  ${j.name}: missed: ${miss}`);
                for (const extra of killed ? [] : j.extra) {
                    const line = `  ${j.name}: not sent: ${extra}`;
                    if (!extra.endsWith('(depends)') && !seen.has(line)) console.log(line);
                    seen.add(line);
                }
                for (const [change, sent] of j.open) {
                    const key = `${j.name}: ${change}`;
                    open.set(key, open.get(key) || sent);
                }
                if (j.unknown.length) console.log(`  ${j.name}: said to be not understood: ${j.unknown.join(', ')}`);
            }
        }
    }
    const never = [...open].filter(([, sent]) => !sent).map(([change]) => change);
    console.log(`left to the data: ${open.size} changes, ${open.size - never.length} of them sent at least once`);
    if (o.all) for (const change of never) console.log(`  never sent: ${change}`);
    const share = (a, b) => (b ? `${(100 * a / b).toFixed(1)} % (${a} of ${b})` : 'nothing to judge');
    const recall = share(total.hit, total.arrived + total.empty);
    console.log(`seed ${o.seed}, ${total.runs} upgrades, ${total.migrations} migrations: recall ${recall}, precision ${share(total.found, total.predicted)}, `
        + `precision of what is not left to the data ${share(total.sureHit, total.sure)}, empty predictions ${total.empty}, `
        + `stopped ${total.stopped} (unforeseen ${total.unforeseen}), not judged ${total.notJudged}, plans of --from database that ran otherwise ${total.wrongPlans}`);
    return total.runs > 0 && total.hit === total.arrived && total.empty === 0 && total.wrongPlans === 0 ? 0 : 1;
});
