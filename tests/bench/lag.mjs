// What schema-lag does to single statements, with managed keys: a column that was
// just added is written, and one that is really missing. On the connection that
// knex-migrator opens, in a tree with the patch and in one without it.
//
//   node lag.mjs [--ghost 6.65.0]
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {BENCH, main, onExit, sleep} from './servers/processes.mjs';
import * as servers from './servers.mjs';
import {makeTree} from './trees.mjs';

const {values: o} = parseArgs({options: {ghost: {type: 'string', default: '6.65.0'}}});
const ASK = path.join(path.dirname(fileURLToPath(import.meta.url)), 'lag/ask.cjs');
const SLOW = path.join(BENCH, 'bin/vtcombo-slow-tracker');
const TRACKER_MS = 8_000;

await main(async () => {
    const stand = await servers.raise(`lag${process.pid}`);
    onExit(() => servers.lower(stand));
    const results = [];
    for (const program of [undefined, SLOW].filter((p) => !p || fs.existsSync(p))) {
        for (const treatment of ['ghostfix:--without=schema-lag', 'ghostfix']) {
            const tree = await makeTree(o.ghost, treatment, `lag-${process.pid}`);
            await servers.enter(stand, {foreignKeys: 'managed', fresh: true, program});
            const connection = servers.connectionTo(stand);
            await servers.withConnection(connection, async (c) => {
                await c.query('CREATE TABLE parents (id INT PRIMARY KEY)');
                await c.query('CREATE TABLE children (id INT PRIMARY KEY, parent_id INT, FOREIGN KEY (parent_id) REFERENCES parents (id) ON DELETE CASCADE)');
            });
            await sleep(TRACKER_MS); // so that vtgate knows these two
            const said = JSON.parse(execFileSync(tree.node, [ASK, tree.root, JSON.stringify(connection),
                'UPDATE children SET parent_id = NULL',
                'ALTER TABLE children ADD COLUMN fresh INT', 'UPDATE children SET fresh = 1',
                'UPDATE children SET missing = 1'], {encoding: 'utf8', timeout: 120_000}));
            fs.rmSync(tree.root, {recursive: true, force: true});
            results.push({tracker: program ? 'slow' : 'as it is', treatment, said});
            console.log(`\ntracker ${program ? '3 s late' : '1 s late, as it is'}; ${treatment}`);
            for (const s of said) console.log(`  ${String(s.ms).padStart(5)} ms  ${s.sql}: ${s.said}`);
        }
    }
    fs.mkdirSync(path.join(BENCH, 'repeat'), {recursive: true});
    fs.writeFileSync(path.join(BENCH, 'repeat/lag.json'), JSON.stringify(results, null, 1));
    return 0;
});
