// The judge at the edge: Vitess in PlanetScale's form, sites that the older Ghost has booted, the newer one treated by
// ghostfix. What arrives is what the edge has written down, statement by statement.
import fs from 'node:fs';
import path from 'node:path';
import {spawnSync} from 'node:child_process';
import {BENCH, Infrastructure, end, isAlive, onExit, sleep} from '../servers/processes.mjs';
import * as servers from '../servers.mjs';
import {CA} from '../servers/edge.mjs';
import {PASSWORDS} from '../servers/vtcombo.mjs';
import {withConnection} from '../servers/mysql.mjs';
import {GHOSTFIX, makeTree} from '../trees.mjs';
import {keepSite} from '../matrix/scenarios.mjs';
import {startSmtp} from '../life/index.mjs';
import {migrator, recordOf} from './migrator.mjs';

// What vtgate says of every write where a table's keys lead back to it.
const CYCLE = /VT09019/;

export async function raise(name) {
    const stand = await servers.raise(name);
    onExit(() => servers.lower(stand));
    const trees = new Map();
    const treated = (version) => {
        if (!trees.has(version)) {
            const made = makeTree(version, 'ghostfix', `${name}-${version}`).then(haltable);
            trees.set(version, made);
            onExit(async () => fs.rmSync((await made).root, {recursive: true, force: true}));
        }
        return trees.get(version);
    };
    return {
        words: 'the edge, Vitess with foreign keys managed, Ghosts treated by ghostfix',
        // The other mode, for an upgrade that dies of a cycle: what else it would have sent is seen there.
        otherwise: 'unmanaged',
        // With `halts`, the upgrade stops after each of these versions, and `prepare` finds the tables of then. With
        // `killAfter`, it is killed when that many migrations are recorded, and goes on once somebody has freed the lock.
        async upgrade({from, to, prepare, halts = [], killAfter = 0, foreignKeys = 'managed'}) {
            const fill = () => withConnection({...stand.mysql.admin, database: 'ghost', multipleStatements: false}, prepare);
            await servers.restore(stand, await site(stand, name, from));
            await fill();
            await servers.enter(stand, {foreignKeys});
            const connection = servers.connectionTo(stand);
            const asked = ask(to, stand.edge.port);
            const before = fs.readFileSync(stand.edge.journal).length;
            const arrived = () => {
                const text = fs.readFileSync(stand.edge.journal).subarray(before).toString('utf8');
                // The last line may be half written.
                return text.slice(0, text.lastIndexOf('\n') + 1).split('\n').filter(Boolean);
            };
            const migrate = async (as, watch) => {
                const done = await migrator(await treated(to), 'knex-migrator-migrate', ['--init'], connection,
                    {env: as ? {MIGRATE_AS: as} : {}, watch});
                servers.demandAlive(stand);
                return done;
            };
            let {code, words} = {code: 0};
            for (const as of halts) {
                ({code, words} = await migrate(as));
                if (code !== 0) break;
                await fill();
            }
            let killed;
            if (killAfter) {
                const records = () => arrived().filter((line) => recordOf(JSON.parse(line).sql));
                await migrate(undefined, async (p) => {
                    while (isAlive(p) && records().length < killAfter) await sleep(10);
                    await end(p, {signal: 'SIGKILL'});
                });
                await sleep(500); // what the server is still at
                killed = {asked: ask(to, stand.edge.port), recorded: records().length};
                await withConnection({...stand.mysql.admin, database: 'ghost'}, (c) => c.query('UPDATE migrations_lock SET locked = 0'));
            }
            if (code === 0) ({code, words} = await migrate());
            const entries = arrived().map((line) => JSON.parse(line));
            const errors = entries.filter((entry) => entry.error);
            const last = errors.findLast((entry) => CYCLE.test(entry.error)) ?? errors.at(-1);
            return {
                asked, killed, log: entries.map((entry) => entry.sql), refused: errors.length, cycle: errors.some((entry) => CYCLE.test(entry.error)),
                failed: code === 0 ? null : `${last?.error ?? words}`.replace(/\s+/g, ' ').slice(0, 300),
            };
        },
    };
}

// knex-migrator leaves alone what is of a later version than the Ghost that it is run for: that version can be told.
function haltable(tree) {
    const file = path.join(tree.root, 'MigratorConfig.js');
    const before = fs.readFileSync(file, 'utf8');
    const after = before.replace('ghostVersion.safe', 'process.env.MIGRATE_AS || ghostVersion.safe');
    if (after === before) throw new Infrastructure('trees', `${file} is not what it was`);
    fs.rmSync(file); // the tree is one of hard links
    fs.writeFileSync(file, after);
    return tree;
}

// A site that was kept by `make e2e-full`, whichever patches made it, or one made now.
async function site(stand, name, version) {
    const kept = path.join(BENCH, 'snapshots');
    const found = fs.existsSync(kept) && fs.readdirSync(kept).find((n) => n.startsWith(`site-${version}_`) && !n.endsWith('.new'));
    if (found) return found;
    const smtp = await startSmtp();
    try {
        return await keepSite({stand, smtp, name}, version);
    } finally {
        await smtp.stop();
    }
}

// What `--from database` says of the very database that is upgraded next.
function ask(to, port) {
    const {status, stdout, stderr} = spawnSync(GHOSTFIX, ['check', path.join(BENCH, 'ghosts', to), '--from', 'database', '--format', 'json'], {
        encoding: 'utf8', maxBuffer: 1 << 28, timeout: 120_000, env: {
            PATH: process.env.PATH, HOME: process.env.HOME, NODE_ENV: 'production', url: 'http://127.0.0.1:2368',
            database__client: 'mysql', database__connection__host: 'localhost', database__connection__port: String(port),
            database__connection__user: 'ghost', database__connection__password: PASSWORDS.ghost,
            database__connection__database: 'ghost',
            database__connection__ssl: JSON.stringify({ca: fs.readFileSync(CA, 'utf8'), rejectUnauthorized: true, verifyIdentity: true}),
        },
    });
    try {
        const [target] = JSON.parse(stdout).targets;
        return {migrations: target.migrations, upgrade: target.upgrade};
    } catch {
        throw new Infrastructure('ghostfix', `check --from database: exit ${status}: ${stderr.slice(0, 600)}`);
    }
}
