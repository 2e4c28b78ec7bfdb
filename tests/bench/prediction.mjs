// Is what `ghostfix check --from` predicts what an upgrade sends? For upgrades drawn from a printed seed: set a site
// up with the older Ghost, run the newer one's migrations with its own knex-migrator, and compare each migration's
// predicted changes with the statements in the server's general log.
//
//   node prediction.mjs [--sample 6] [--seed 1] [--versions 5.75.1,6.65.0,…] [--empty]
//
// Prints precision, recall and every miss; what is predicted and not sent only where it was not left to the data. Every
// upgrade is judged twice: of a site as it was set up, and with made-up rows in its empty tables; with --empty, once.
import fs from 'node:fs';
import path from 'node:path';
import {spawnSync} from 'node:child_process';
import {parseArgs} from 'node:util';
import {BENCH, Infrastructure, freshDirectory, main, onExit, start, tail} from './servers/processes.mjs';
import {startMariadb} from './servers/mariadb.mjs';
import {withConnection} from './servers/mysql.mjs';
import {GHOSTFIX, nodeFor} from './trees.mjs';
import {changes, predicted, writes} from './prediction/statements.mjs';
import {fill} from './prediction/rows.mjs';

const {values: o} = parseArgs({options: {
    sample: {type: 'string', default: '6'}, seed: {type: 'string', default: String(Date.now() % 1e6)},
    versions: {type: 'string'}, empty: {type: 'boolean', default: false},
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

// knex-migrator's own program, as the one who runs Ghost would use it.
async function migrator(version, program, args, db) {
    const root = path.join(BENCH, 'ghosts', version);
    const content = freshDirectory(path.join(BENCH, 'run', `prediction${process.pid}-content`), 'ghostfix-ghost');
    fs.mkdirSync(path.join(content, 'data'));
    fs.mkdirSync(path.join(content, 'logs'));
    for (const d of ['data', 'logs']) fs.chmodSync(path.join(content, d), 0o777);
    const log = path.join(BENCH, 'log', `prediction${process.pid}-${version}-${program}.log`);
    const p = start(program, [nodeFor(version), `node_modules/knex-migrator/bin/${program}`, ...args, '--mgpath', root], {
        as: 'ghostfix-ghost', cwd: root, log, env: {
            NODE_ENV: 'production', database__client: 'mysql', url: 'http://127.0.0.1:2368',
            database__connection__host: '127.0.0.1', database__connection__port: String(db.port),
            database__connection__user: 'ghost', database__connection__password: 'ghost-password',
            database__connection__database: 'ghost', database__connection__charset: 'utf8mb4',
            paths__contentPath: content, logging__path: path.join(content, 'logs'), logging__transports: '["stdout"]',
            disableJSBackups: 'true', HOME: content,
        },
    });
    const code = await p.ended;
    return {code, words: tail(log, 12)};
}

// The statements of each migration: knex-migrator records a migration right after it has run.
function byMigration(log) {
    const found = new Map();
    let open = [];
    for (const sql of log) {
        const record = /^insert into `migrations` \(`currentVersion`, `name`, `version`\) values \('[^']*', '([^']*)', '([^']*)'\)/i.exec(sql);
        if (record) {
            found.set(`${record[2]}/${record[1]}`, open);
            open = [];
        } else if (/^(select|update|insert into|alter table|create table)\b[^']*`migrations(_lock)?`/i.test(sql)) {
            // knex-migrator's own tables; taking the lock comes before everything.
            if (/^update `migrations_lock`/i.test(sql)) open = [];
        } else {
            open.push(sql);
        }
    }
    return {found, rest: open};
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
        empty: !prediction || (arrived.size > 0 && expected.size === 0 && prediction.unknown.length === 0),
        unknown: prediction?.unknown ?? [],
        transaction: prediction && statements.length && prediction.transactional !== null
            && prediction.transactional && !statements.some((s) => /^(begin|start transaction)/i.test(s)),
    };
}

async function upgrade(db, from, to, withRows) {
    await withConnection(db.admin, (c) => c.query(`SET GLOBAL general_log = OFF; TRUNCATE mysql.general_log;
        DROP DATABASE IF EXISTS ghost; CREATE DATABASE ghost CHARACTER SET utf8mb4`));
    const first = await migrator(from, 'knex-migrator-init', [], db);
    if (first.code !== 0) return {failed: `Ghost ${from} cannot set up a database: ${first.words}`};
    if (withRows) {
        await withConnection({...db.admin, database: 'ghost', multipleStatements: false}, (c) => fill(c, 'ghost'));
    }
    await withConnection(db.admin, (c) => c.query('SET GLOBAL log_output = \'TABLE\'; SET GLOBAL general_log = ON'));
    const second = await migrator(to, 'knex-migrator-migrate', ['--init'], db);
    const [log] = await withConnection(db.admin, (c) => c.query(`SET GLOBAL general_log = OFF;
        SELECT CONVERT(argument USING utf8mb4) AS sql_text FROM mysql.general_log
        WHERE command_type IN ('Query', 'Execute') AND user_host LIKE 'ghost%'`)).then(([r]) => [r[1]]);
    const {found, rest} = byMigration(log.map((r) => r.sql_text));
    return {found, rest, failed: second.code === 0 ? null : second.words};
}

await main(async () => {
    const pairs = sample();
    console.log(`seed ${o.seed}: ${pairs.map((p) => p.join('→')).join(', ')}`);
    const db = await startMariadb(`prediction${process.pid}`);
    onExit(() => db.stop());
    console.log(`server: MariaDB ${db.version}`);
    const total = {arrived: 0, hit: 0, predicted: 0, found: 0, sure: 0, sureHit: 0, empty: 0, migrations: 0, runs: 0, failed: 0};
    const seen = new Set();
    for (const withRows of o.empty ? [false] : [false, true]) {
        for (const [from, to] of pairs) {
            const prediction = new Map(predict(from, to).map((m) => [`${m.version}/${m.name}`, m]));
            const {found, failed} = await upgrade(db, from, to, withRows);
            const label = `${from}→${to}${withRows ? ', with rows' : ''}`;
            if (!found) {
                console.log(`${label}: not judged: ${failed}`);
                total.failed++;
                continue;
            }
            const judged = [...found].map(([name, statements]) => judge(name, prediction.get(name), statements));
            const notRun = [...prediction.keys()].filter((name) => !found.has(name));
            const outOfOrder = [...found.keys()].some((name, i) => [...prediction.keys()][i] !== name);
            const sum = (key) => judged.reduce((n, j) => n + j[key], 0);
            for (const key of ['arrived', 'hit', 'predicted', 'found', 'sure', 'sureHit']) total[key] += sum(key);
            const empty = judged.filter((j) => j.empty).length;
            total.empty += empty;
            total.migrations += judged.length;
            total.runs++;
            console.log(`${label}: ${judged.length} migrations ran, ${prediction.size} predicted${outOfOrder ? ', in another order' : ''}; `
                + `recall ${sum('hit')}/${sum('arrived')}, precision ${sum('found')}/${sum('predicted')}, `
                + `of what is not left to the data ${sum('sureHit')}/${sum('sure')}; empty predictions ${empty}`
                + (failed ? `; STOPPED: ${failed}` : ''));
            for (const name of notRun) console.log(`  predicted and not run: ${name}`);
            for (const j of judged) {
                if (!prediction.has(j.name)) console.log(`  run and not predicted: ${j.name}`);
                if (j.transaction) console.log(`  ${j.name}: said to be in a transaction, and there was none`);
                for (const miss of j.misses) console.log(`  ${j.name}: missed: ${miss}`);
                for (const extra of j.extra) {
                    const line = `  ${j.name}: not sent: ${extra}`;
                    if (!extra.endsWith('(depends)') && !seen.has(line)) console.log(line);
                    seen.add(line);
                }
                if (j.unknown.length) console.log(`  ${j.name}: said to be not understood: ${j.unknown.join(', ')}`);
            }
        }
    }
    const share = (a, b) => (b ? `${(100 * a / b).toFixed(1)} % (${a} of ${b})` : 'nothing to judge');
    const recall = share(total.hit, total.arrived + total.empty);
    console.log(`seed ${o.seed}, ${total.runs} upgrades, ${total.migrations} migrations: recall ${recall}, precision ${share(total.found, total.predicted)}, `
        + `precision of what is not left to the data ${share(total.sureHit, total.sure)}, empty predictions ${total.empty}, upgrades not judged ${total.failed}`);
    return total.runs > 0 && total.hit === total.arrived && total.empty === 0 ? 0 : 1;
});
