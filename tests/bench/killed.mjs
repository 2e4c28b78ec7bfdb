// A first boot that is killed at many places among the fixtures, its lock released,
// started again: does it boot, and with the rows of an undisturbed one?
//
//   node killed.mjs [--ghost 6.65.0] [--treatment ghostfix] [--before 5,14,15,...]
import fs from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {BENCH, freePort, interrupted, isAlive, main, onExit, sleep} from './servers/processes.mjs';
import * as servers from './servers.mjs';
import {boot, launch, own} from './boot.mjs';
import {makeTree} from './trees.mjs';
import {count, difference, readRows} from './rows.mjs';
import {startSmtp} from './life/index.mjs';

const {values: o} = parseArgs({options: {
    ghost: {type: 'string', default: '6.65.0'}, treatment: {type: 'string', default: 'ghostfix'},
    before: {type: 'string', default: '5,12,13,30,160,161,162,164,170,300'},
}});
const PRELOAD = path.join(path.dirname(fileURLToPath(import.meta.url)), 'killed/after.cjs');
const LIMIT_MS = 5 * 60_000;

await main(async () => {
    const smtp = await startSmtp();
    onExit(() => smtp.stop());
    const name = `killed${process.pid}`;
    const stand = await servers.raise(name);
    onExit(() => servers.lower(stand));
    const tree = await makeTree(o.ghost, o.treatment, name);
    onExit(() => Promise.resolve(fs.rmSync(tree.root, {recursive: true, force: true})));
    const state = {foreignKeys: 'managed', fresh: true};
    const port = await freePort(); // the site's address stays
    const launching = () => ({edge: stand.edge, connection: servers.connectionTo(stand), smtp, name, port});
    const write = (url) => own(url, {smtp});
    const once = async () => {
        const {result, ghost} = await boot(tree, {...launching(), write});
        await ghost.stop();
        return result;
    };
    const ask = (sql) => servers.withConnection(stand.mysql.admin, async (c) => (await c.query(sql))[0]);

    await servers.enter(stand, state);
    const undisturbed = await once();
    if (!undisturbed.booted) throw new Error(`undisturbed: ${undisturbed.error}`);
    const expected = await readRows(stand.mysql.admin);
    console.log(`undisturbed: ${undisturbed.seconds} s, ${count(expected)} rows`);

    const results = [];
    for (const before of o.before.split(',')) {
        if (interrupted()) break;
        await servers.enter(stand, state);
        const ghost = await launch(tree, {...launching(), preload: PRELOAD, env: {GHOSTFIX_KILL_BEFORE: before}});
        const begin = Date.now();
        while (isAlive(ghost.process) && Date.now() - begin < LIMIT_MS) await sleep(100);
        if (isAlive(ghost.process)) {
            await ghost.stop();
            throw new Error(`there is no insert number ${before}`);
        }
        const code = await ghost.process.ended;
        const [{n}] = await ask('SELECT (SELECT COUNT(*) FROM ghost.users) * 10000 + (SELECT COUNT(*) FROM ghost.permissions) AS n');
        await ask("UPDATE ghost.migrations_lock SET locked = 0, acquired_at = NULL, released_at = NULL WHERE lock_key = 'km01'");
        const again = await once();
        const lost = again.booted ? difference(expected, await readRows(stand.mysql.admin)) : null;
        results.push({before: Number(before), code, again, lost});
        console.log(`before insert ${before} (${code}; ${Math.floor(n / 10000)} users, ${n % 10000} permissions there): ${again.booted ? `boots in ${again.seconds} s` : again.error}${
            lost ? `; ${lost.length ? `other rows: ${lost.map((d) => `${d.table} -${d.missing.length} +${d.extra.length}`).join(', ')}` : 'the same rows'}` : ''}`);
    }
    fs.mkdirSync(path.join(BENCH, 'repeat'), {recursive: true});
    fs.writeFileSync(path.join(BENCH, 'repeat', `killed-${o.ghost}.json`), JSON.stringify(results, null, 1));
    const bad = results.filter((r) => !r.again.booted || r.lost.length).length;
    return bad ? 1 : 0;
});
