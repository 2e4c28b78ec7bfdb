// The bench by hand: `make bench-up`, `make bench-boot`, `make bench-down`.
//   node stand.mjs up|boot|down       what is wanted comes from the environment
import path from 'node:path';
import {BENCH, main, onExit, isAlive, sleep, Infrastructure} from './servers/processes.mjs';
import * as servers from './servers.mjs';
import {settings} from './servers/edge.mjs';
import {boot, faults, own, serverErrors} from './boot.mjs';
import {makeTree} from './trees.mjs';
import {liveWithGhost, startSmtp} from './life/index.mjs';

const {STATE = 'managed', RTT = '20', DDL = 'on', FRESH = 'yes', APP_USER, TRANSACTION_LIMIT = '20s', GHOST = '6.65.0',
    TREATMENT = 'ghostfix', SERVER = 'edge', KEEP = 'no', LIFE, STAND = 'hand'} = process.env;
if (!/^[a-z0-9-]{1,20}$/.test(STAND)) {
    console.error(`STAND='${STAND}': a name of small letters, figures and dashes is wanted`);
    process.exit(64);
}
const INSTANCE = STAND;

async function up() {
    if (!servers.FOREIGN_KEYS.includes(STATE)) throw new Infrastructure('STATE', `'${STATE}': one of ${servers.FOREIGN_KEYS.join(', ')}`);
    let stand = servers.recall(INSTANCE);
    if (stand && !isAlive(stand.mysql.process)) stand = null;
    const fresh = FRESH === 'yes' || !stand;
    stand ??= await servers.raise(INSTANCE, {stay: true});
    const state = {foreignKeys: STATE, rtt: Number(RTT), directDdl: DDL === 'on', transactionTimeout: TRANSACTION_LIMIT, appUser: APP_USER};
    servers.remember(stand, null); // so that `down` finds what is there if the next lines fail
    await servers.enter(stand, {...state, fresh});
    if (SERVER === 'mariadb') await servers.addMariadb(stand);
    servers.remember(stand, state);
    const {port} = stand.edge;
    console.log(`foreign keys ${STATE}, ${RTT} ms, direct DDL ${DDL}, transactions up to ${TRANSACTION_LIMIT}, the database ${fresh ? 'made anew' : 'as it was'}
edge     127.0.0.1:${port}  (TLS; user ghost, password ghost-password, database ghost; CA ${path.join(BENCH, 'certificates/ca.pem')})
control  http://127.0.0.1:${stand.edge.control}/settings  /counters
vtgate   127.0.0.1:${stand.vtcombo.direct}  (plain vtgate, without the edge)
mysql    ${stand.mysql.socket}  (user vt_dba), 127.0.0.1:${stand.mysql.port}${
    stand.mariadb ? `\nmariadb  127.0.0.1:${stand.mariadb.port}` : ''}
all of it as JSON: ${servers.rememberedIn(INSTANCE)}`);
}

function standing() {
    const stand = servers.recall(INSTANCE);
    if (!stand?.edge || !isAlive(stand.edge.process)) throw new Infrastructure('bench', 'not up: run make bench-up first');
    return stand;
}

async function bootOne() {
    const stand = standing();
    const smtp = await startSmtp();
    onExit(() => smtp.stop());
    console.error(`Ghost ${GHOST}, treatment: ${TREATMENT}, server: ${SERVER}, ${JSON.stringify(await settings(stand.edge))}`);
    const tree = await makeTree(GHOST, TREATMENT, `${INSTANCE}-${GHOST}`);
    const {result, ghost, written: session} = await boot(tree, {
        edge: stand.edge, connection: servers.connectionTo(stand, SERVER), smtp, name: INSTANCE,
        write: (url) => own(url, {smtp}),
    });
    console.log(JSON.stringify(result, null, 1));
    if (LIFE && session) {
        const life = await liveWithGhost(ghost.url, {
            session, smtp, log: ghost.logs, only: LIFE === 'yes' ? undefined : new RegExp(LIFE),
            onStep: (s) => console.error(`${s.ok ? 'ok    ' : 'FAILED'}  ${s.name}  ${s.ms} ms  ${s.skipped ?? s.error ?? ''}`.slice(0, 500)),
        });
        for (const e of [...life.serverErrors, ...faults(life.logErrors), ...life.refused]) console.error(JSON.stringify(e));
    }
    const said = [...new Map(serverErrors(ghost).map((e) => [`${e.errno}${e.message}`, e])).values()];
    if (said.length) console.error(`What the server refused meanwhile:\n${said.map((e) => `  ${e.errno} ${e.message}`).join('\n')}`);
    console.error(`Ghost's log: ${ghost.logs}`);
    if (KEEP === 'yes' && isAlive(ghost.process)) {
        console.error(`It runs on ${ghost.url} until Ctrl-C`);
        while (isAlive(ghost.process)) await sleep(500);
    }
    await ghost.stop();
    return result.booted ? 0 : 1;
}

async function down() {
    const stand = servers.recall(INSTANCE);
    if (stand) await servers.lower(stand);
    servers.forget(INSTANCE);
    console.log(stand ? 'ended' : 'nothing was up');
}

const what = {up, boot: bootOne, down}[process.argv[2]];
if (!what) {
    console.error('usage: stand.mjs up|boot|down');
    process.exit(64);
}
await main(what);
