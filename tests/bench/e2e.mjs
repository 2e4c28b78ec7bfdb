// `make e2e`: a real Ghost 6.65.0 on a real Vitess with managed foreign keys, 20 ms
// away. Untreated it has to die, with ghostfix's patches to boot and to live; and
// with safe migrations on and nothing pending the same again.
import fs from 'node:fs';
import path from 'node:path';
import {BENCH, main, onExit} from './servers/processes.mjs';
import * as servers from './servers.mjs';
import {boot, faults, own} from './boot.mjs';
import {makeTree, Refused} from './trees.mjs';
import {liveWithGhost, signOutAllUsers, startSmtp} from './life/index.mjs';

const GHOST = '6.65.0';
const ROUND_TRIP_MS = 20;
const TRANSACTION_LIMIT_MS = 20_000;

let [passed, failed] = [0, 0];
let stand;
// One check, one line: what it is, how long it took, what happened.
async function check(name, work) {
    const begin = Date.now();
    let [verdict, words] = ['passed', ''];
    try {
        words = await work();
        passed++;
    } catch (e) {
        if (e.part) throw e; // the infrastructure's
        servers.demandAlive(stand);
        [verdict, words] = ['FAILED', e.message];
        failed++;
    }
    console.log(`${verdict}  ${name}  ${((Date.now() - begin) / 1000).toFixed(1)} s  ${words}`);
    return verdict === 'passed';
}
function demand(condition, words) {
    if (!condition) throw new Error(words);
}
const cost = (r) => `${r.statements} statements, longest transaction ${r.longestTransactionMs} ms`;

await main(async () => {
    const begin = Date.now();
    const smtp = await startSmtp();
    onExit(() => smtp.stop());
    stand = await servers.raise(`e2e${process.pid}`);
    onExit(() => servers.lower(stand));
    console.log(`Ghost ${GHOST}, MySQL ${stand.mysql.version}, ${fs.readFileSync(path.join(BENCH, 'log/setup-vitess.log'), 'utf8').trim()}, `
        + `managed foreign keys, ${ROUND_TRIP_MS} ms`);
    const untreated = await makeTree(GHOST, 'nothing', 'e2e-untreated');
    let treated;
    const launching = () => ({edge: stand.edge, connection: servers.connectionTo(stand), smtp, name: 'e2e'});
    const managed = {foreignKeys: 'managed', rtt: ROUND_TRIP_MS};

    await check('ghostfix patches the tree', async () => {
        try {
            treated = await makeTree(GHOST, 'ghostfix', 'e2e-treated');
        } catch (e) {
            if (e instanceof Refused) throw new Error(e.message);
            throw e;
        }
        return treated.said.split('\n').find((line) => /^Applied/.test(line)) ?? '';
    });

    if (treated) {
        await check("the patched files are those that `make demo` leaves", async () => {
            const {files} = JSON.parse(fs.readFileSync(path.join(treated.root, '.ghostfix/receipt.json'), 'utf8'));
            demand(files.length > 0, 'the receipt names no file');
            const other = files.filter(({path: file}) =>
                !fs.readFileSync(path.join(treated.root, file)).equals(fs.readFileSync(path.join(BENCH, 'demo/current', file))));
            demand(other.length === 0, `they differ: ${other.map(({path: file}) => file).join(', ')}`);
            return `${files.length} files`;
        });
    }

    await check('untreated, it dies of "database exists"', async () => {
        await servers.enter(stand, {...managed, fresh: true});
        const {result, ghost} = await boot(untreated, launching());
        await ghost.stop();
        demand(!result.booted && /^errno 1105 .*database exists/.test(result.error), `it did not: ${result.error ?? 'it booted'}`);
        return result.error;
    });
    if (!treated) return conclude(begin);

    let running, session;
    await check('treated, it boots', async () => {
        await servers.enter(stand, {...managed, fresh: true});
        const {result, ghost, written} = await boot(treated, {...launching(), write: (url) => own(url, {smtp})});
        [running, session] = [ghost, written];
        demand(result.booted, result.error);
        demand(result.longestTransactionMs < TRANSACTION_LIMIT_MS, `a transaction took ${result.longestTransactionMs} ms`);
        return `in ${result.seconds} s: ${cost(result)}`;
    });
    if (session) {
        await check('treated, it lives', async () => {
            const life = await liveWithGhost(running.url, {session, smtp, log: running.logs});
            const logged = faults(life.logErrors);
            for (const s of life.steps.filter((s) => !s.ok)) console.log(`        ${s.name}: ${s.status ?? ''} ${s.error ?? ''}`.slice(0, 600));
            for (const e of [...life.serverErrors, ...logged]) console.log(`        ${JSON.stringify(e).slice(0, 600)}`);
            fs.writeFileSync(path.join(BENCH, 'log/e2e-life.json'), JSON.stringify(life, null, 1));
            const bad = life.steps.filter((s) => !s.ok).length;
            demand(bad === 0, `${bad} of ${life.steps.length} steps failed`);
            demand(life.serverErrors.length === 0, `${life.serverErrors.length} answers of 5xx`);
            demand(logged.length === 0, `${logged.length} errors in the log`);
            return `${life.steps.length} steps, ${life.requests ?? '?'} requests, no 5xx, no error in the log, ${life.refused.length} refused`;
        });
        await running.stop();

        const safe = {...managed, directDdl: false};
        await check('safe migrations on, nothing pending: untreated, it dies', async () => {
            await servers.enter(stand, safe);
            const {result, ghost} = await boot(untreated, launching());
            await ghost.stop();
            demand(!result.booted && /direct DDL is disabled/.test(result.error), `it did not: ${result.error ?? 'it booted'}`);
            return result.error;
        });
        let signedIn;
        await check('safe migrations on, nothing pending: treated, it boots', async () => {
            await servers.enter(stand, safe);
            const {result, ghost, written} = await boot(treated, {...launching(), write: (url) => own(url, {smtp})});
            [running, signedIn] = [ghost, written];
            demand(result.booted, result.error);
            return `in ${result.seconds} s: ${cost(result)}`;
        });
        if (signedIn) {
            await check('safe migrations on: "sign out all users" signs them out', async () => {
                const {status, text, alive} = await signOutAllUsers(signedIn);
                demand(status < 300, `answered ${status}: ${text.slice(0, 300)}`);
                demand(!alive, 'the session is still alive');
                return `answered ${status}, the session is dead`;
            });
        }
        await running.stop();
    }
    return conclude(begin);
});

function conclude(begin) {
    console.log(`${passed} passed, ${failed} failed in ${Math.round((Date.now() - begin) / 1000)} s`);
    return failed ? 1 : 0;
}
