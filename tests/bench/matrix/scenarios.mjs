// The states of the matrix: what each does with a Ghost, a treatment and servers.
// A result is {booted, words, boots: [...]}: what happened, in the server's words.
import fs from 'node:fs';
import {end, freePort, isAlive, onExit, sleep} from '../servers/processes.mjs';
import * as servers from '../servers.mjs';
import {boot, launch, own, waitForBoot, databaseError, describe} from '../boot.mjs';
import {digestOf, makeTree, Refused} from '../trees.mjs';
import {count, difference, readRows} from '../rows.mjs';

const LIMIT_MS = 15 * 60_000;

const told = (r) => (r.booted
    ? `${r.seconds} s, ${r.statements} statements, longest transaction ${(r.longestTransactionMs / 1000).toFixed(1)} s`
    : r.error);

// A tree is 70,000 names, slow to make and slow to remove: the last ones are kept for
// the next cells. A cell has two at a time at most, its site's and its own.
const KEPT_TREES = 3;
const trees = new Map();
const remove = (made) => made.then(({root}) => fs.promises.rm(root, {recursive: true, force: true}), () => {});
onExit(() => Promise.all([...trees.values()].map(remove)));
async function treeFor({version, treatment, name}) {
    const key = `${name}-${version}-${treatment}`;
    if (!trees.has(key)) {
        const mine = [...trees.keys()].filter((k) => k.startsWith(`${name}-`));
        if (mine.length >= KEPT_TREES) {
            const oldest = trees.get(mine[0]);
            trees.delete(mine[0]);
            await remove(oldest);
        }
        const made = makeTree(version, treatment, key);
        trees.set(key, made);
        made.catch(() => trees.delete(key));
    }
    return trees.get(key);
}
async function withTree(cell, work) {
    try {
        return await work(await treeFor(cell));
    } catch (e) {
        if (e instanceof Refused) return {booted: false, words: e.message, refused: true, boots: []};
        throw e;
    }
}

async function bootOnce({stand, smtp, name, port}, made, state) {
    if (state) await servers.enter(stand, state);
    const {result, ghost} = await boot(made, {
        edge: stand.edge, connection: servers.connectionTo(stand), smtp, name, port, limitMs: LIMIT_MS,
        write: (url) => own(url, {smtp}),
    });
    await ghost.stop();
    return result;
}

// The first boot on an empty database.
const first = (title, state) => ({
    title,
    run: (cell) => withTree(cell, async (made) => {
        const result = await bootOnce(cell, made, {...state, fresh: true});
        return {booted: result.booted, words: told(result), boots: [result]};
    }),
});

// A site as ghostfix makes it, with an owner and a post, kept for other scenarios.
// Its name tells the patches that made it: other patches may make other tables.
const siteName = (version) => `site-${version}_${digestOf(version, 'ghostfix')}`;
const making = new Map();
export async function keepSite(cell, version) {
    const name = siteName(version);
    if (!making.has(name)) {
        making.set(name, servers.isKept(name) ? Promise.resolve() : makeSite(cell, version, name));
    }
    try {
        await making.get(name);
    } catch (e) {
        making.delete(name); // whoever needs it next tries again
        throw e;
    }
    return name;
}
const makeSite = (cell, version, name) => withTree({...cell, version, treatment: 'ghostfix'}, async (made) => {
    const result = await bootOnce(cell, made, {foreignKeys: 'managed', fresh: true});
    if (!result.booted) throw new Error(`no site of Ghost ${version} to start from: ${result.error ?? ''}`);
    servers.discard(`site-${version}_`);
    await servers.keep(cell.stand, name);
});
const site = async (cell, version) => servers.restore(cell.stand, await keepSite(cell, version));

// What a cell's result depends on: the patches of its own tree, and of the site's.
export function treatedBy({scenario, version, treatment}) {
    const [from, to = from] = version.split('→');
    const own = digestOf(to, treatment);
    return SCENARIOS[scenario].onSite ? `${own} on ${digestOf(from, 'ghostfix')}` : own;
}

// Safe migrations turned on under a site that has nothing to migrate.
const safe = {
    title: 'safe migrations, nothing pending',
    onSite: true,
    run: async (cell) => {
        await site(cell, cell.version);
        return withTree(cell, async (made) => {
            const result = await bootOnce(cell, made, {foreignKeys: 'managed', rtt: 20, directDdl: false});
            return {booted: result.booted, words: told(result), boots: [result]};
        });
    },
};

// The newer Ghost on the older one's database.
const upgrade = {
    title: 'upgrade, managed, 20 ms',
    onSite: true,
    run: async (cell) => {
        const [from, to] = cell.version.split('→');
        await site(cell, from);
        return withTree({...cell, version: to}, async (made) => {
            const result = await bootOnce(cell, made, {foreignKeys: 'managed', rtt: 20});
            return {booted: result.booted, words: told(result), boots: [result]};
        });
    },
};

const query = (stand, sql) => servers.withConnection(stand.mysql.admin, async (c) => (await c.query(sql))[0]);

async function inFixtures(stand) {
    try {
        // Committed or not: the tables come before, the settings after.
        const [{n}] = await query(stand, `SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED;
            SELECT COUNT(*) AS n FROM ghost.permissions`).then((r) => r.at(-1));
        return n > 20;
    } catch {
        return false;
    }
}

// Killed in the fixtures, its lock released as an operator would, started again.
const killed = {
    title: 'killed in the fixtures, restarted',
    run: (cell) => withTree(cell, async (made) => {
        const {stand, smtp, name} = cell;
        const state = {foreignKeys: 'managed', rtt: 20, fresh: true};
        await servers.enter(stand, state);
        cell.port = await freePort(); // a container that is started again has the same address
        const launching = {connection: servers.connectionTo(stand), smtp, name, port: cell.port};
        const ghost = await launch(made, launching);
        Object.assign(ghost, {journal: stand.edge.journal, journalStart: 0});
        const begin = Date.now();
        while (isAlive(ghost.process) && !(await inFixtures(stand))) {
            if (Date.now() - begin > LIMIT_MS) {
                await ghost.stop();
                return {booted: false, words: `no fixtures after ${LIMIT_MS / 60_000} minutes`, boots: []};
            }
            await sleep(100);
        }
        if (!isAlive(ghost.process)) {
            const e = databaseError(ghost);
            return {booted: false, words: `dies before it can be killed: ${e ? describe(e) : 'no error in the log'}`, boots: []};
        }
        await end(ghost.process, {signal: 'SIGKILL'});
        await sleep(1000);
        const [before] = await query(stand, 'SELECT locked FROM ghost.migrations_lock');
        const locked = await bootOnce(cell, made);
        await query(stand, "UPDATE ghost.migrations_lock SET locked = 0, acquired_at = NULL, released_at = NULL WHERE lock_key = 'km01'");
        const again = await bootOnce(cell, made);
        const steps = [`killed; the lock is ${before?.locked ? 'held' : 'not held'}`, `restart: ${told(locked)}`, 'the lock released by hand',
            `restart: ${told(again)}`];
        let same = null;
        if (again.booted) {
            const rows = await readRows(stand.mysql.admin);
            const undisturbed = await bootOnce(cell, made, state);
            if (!undisturbed.booted) return {booted: false, words: `the undisturbed boot failed: ${undisturbed.error}`, boots: [again, undisturbed]};
            const expected = await readRows(stand.mysql.admin);
            same = difference(expected, rows);
            steps.push(same.length === 0 ? `the same ${count(rows)} rows as an undisturbed boot`
                : `other rows than an undisturbed boot: ${same.map((d) => `${d.table} -${d.missing.length} +${d.extra.length}`).join(', ')}`);
        }
        return {booted: again.booted && same?.length === 0, words: steps.join('; '), boots: [locked, again], difference: same};
    }),
};

// Two containers at once on an empty database; the one that ends is started again, as Docker does.
const two = {
    title: 'two containers at once',
    run: (cell) => withTree(cell, async (made) => {
        const {stand, smtp, name} = cell;
        await servers.enter(stand, {foreignKeys: 'managed', rtt: 20, fresh: true});
        const one = (n) => launch(made, {connection: servers.connectionTo(stand), smtp, name: `${name}-${n}`});
        const ghosts = await Promise.all([one(1), one(2)]);
        for (const g of ghosts) Object.assign(g, {journal: stand.edge.journal, journalStart: 0});
        const words = [];
        const outcomes = await Promise.all(ghosts.map(async (g, n) => {
            const begin = Date.now();
            let restarts = 0;
            for (;;) {
                const {up, why} = await waitForBoot(g, LIMIT_MS);
                const seconds = Math.round((Date.now() - begin) / 1000);
                if (up) return {up, restarts, seconds};
                const e = databaseError(g);
                words.push(e ? describe(e) : why);
                if (++restarts > 5) return {up: false, restarts, seconds};
                await sleep(10_000);
                Object.assign(g, await launch(made, {connection: servers.connectionTo(stand), smtp, name: `${name}-${n + 1}`}));
            }
        }));
        const writes = [];
        for (const [n, g] of ghosts.entries()) {
            if (!outcomes[n].up) continue;
            try {
                await own(g.url, {smtp});
                writes.push(true);
            } catch (e) {
                writes.push(false);
                words.push(`a write fails: ${e.message.slice(0, 300)}`);
            }
        }
        for (const g of ghosts) await g.stop();
        const booted = outcomes.every((o) => o.up) && writes.every(Boolean);
        const summary = outcomes.map((o, n) => `container ${n + 1} ${o.up ? 'up' : 'not up'} after ${o.seconds} s and ${o.restarts} restarts`);
        const met = [...new Set(words)];
        return {booted, words: `${summary.join('; ')}${met.length ? `; on the way: ${met.slice(0, 4).join('; ')}` : ''}`, boots: outcomes};
    }),
};

export const SCENARIOS = {
    disallow: first('foreign keys not allowed', {foreignKeys: 'disallow'}),
    unmanaged: first('foreign keys unmanaged', {foreignKeys: 'unmanaged'}),
    'unmanaged-20': first('unmanaged, 20 ms', {foreignKeys: 'unmanaged', rtt: 20}),
    managed: first('foreign keys managed', {foreignKeys: 'managed'}),
    'managed-20': first('managed, 20 ms', {foreignKeys: 'managed', rtt: 20}),
    'managed-60': first('managed, 60 ms', {foreignKeys: 'managed', rtt: 60}),
    safe, upgrade, killed, two,
};
