// An upgrade, again and again: does it boot, and does the data come out as on plain
// MySQL? Shows the race that schema-lag cures, with and without the patch.
//
//   node repeat.mjs --from 5.75.1 --to 6.65.0 --treatment ghostfix[:--without=schema-lag] --runs 10 [--slow-tracker] [--rtt 20]
import fs from 'node:fs';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {BENCH, interrupted, main, onExit} from './servers/processes.mjs';
import * as servers from './servers.mjs';
import {boot, own, serverErrors} from './boot.mjs';
import {makeTree} from './trees.mjs';
import {difference, readRows, count} from './rows.mjs';
import {keepSite} from './matrix/scenarios.mjs';
import {startSmtp} from './life/index.mjs';

const {values: o} = parseArgs({options: {
    from: {type: 'string', default: '5.75.1'}, to: {type: 'string', default: '6.65.0'}, treatment: {type: 'string', default: 'ghostfix'},
    runs: {type: 'string', default: '10'}, rtt: {type: 'string', default: '20'}, 'slow-tracker': {type: 'boolean', default: false},
}});

await main(async () => {
    const smtp = await startSmtp();
    onExit(() => smtp.stop());
    const name = `repeat${process.pid}`;
    const stand = await servers.raise(name);
    onExit(() => servers.lower(stand));
    const tree = await makeTree(o.to, o.treatment, `${name}-${o.to}`);
    onExit(() => Promise.resolve(fs.rmSync(tree.root, {recursive: true, force: true})));
    const site = await keepSite({stand, smtp, name}, o.from);
    const program = o['slow-tracker'] ? path.join(BENCH, 'bin/vtcombo-slow-tracker') : undefined;

    // The same upgrade where there is no vtgate.
    await servers.restore(stand, site);
    // Read before the write: what follows it depends on the hour.
    const write = async (url) => {
        const rows = await readRows(stand.mysql.admin);
        await own(url, {smtp});
        return rows;
    };
    const plain = await boot(tree, {connection: servers.connectionTo(stand, 'mysql'), smtp, name, write});
    await plain.ghost.stop();
    if (!plain.result.booted) throw new Error(`on plain MySQL the upgrade fails: ${plain.result.error}`);
    const expected = plain.written;
    console.log(`plain MySQL: ${plain.result.seconds} s, ${count(expected)} rows`);

    const results = [];
    for (let run = 1; run <= Number(o.runs) && !interrupted(); run++) {
        await servers.restore(stand, site);
        await servers.enter(stand, {foreignKeys: 'managed', rtt: Number(o.rtt), program});
        const {result, ghost, written} = await boot(tree, {
            edge: stand.edge, connection: servers.connectionTo(stand), smtp, name, write,
        });
        await ghost.stop();
        if (interrupted()) break;
        const lagged = serverErrors(ghost).filter((e) => /^column '.*' not found in table '.*'$/.test(e.message));
        const lost = result.booted ? difference(expected, written) : null;
        results.push({...result, lagged: lagged.length, lost});
        console.log(`run ${run}: ${result.booted ? `boots in ${result.seconds} s` : result.error}; refused for lag ${lagged.length} times, which cost ${(lagged.length / 4).toFixed(1)} s${
            lost ? `; ${lost.length === 0 ? 'the same rows as on plain MySQL' : `other rows: ${JSON.stringify(lost).slice(0, 600)}`}` : ''}`);
    }
    const good = results.filter((r) => r.booted);
    console.log(`${o.from}→${o.to}, ${o.treatment}${program ? ', slow tracker' : ''}: ${good.length} of ${results.length} boot, ${
        good.filter((r) => r.lost.length === 0).length} of them with all data`);
    fs.mkdirSync(path.join(BENCH, 'repeat'), {recursive: true});
    fs.writeFileSync(path.join(BENCH, 'repeat', `${o.from}-to-${o.to}_${o.treatment.replace(/[^a-z0-9.]+/g, '-')}${program ? '_slow' : ''}.json`),
        JSON.stringify(results, null, 1));
    return 0;
});
