// Boots a Ghost as the image does, and says whether it booted: the home page
// answers 200, the log has no error, and writes through the Admin API succeed.
// "Your site is now available" in the log proves nothing: it comes first.
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {BENCH, end, freePort, freshDirectory, isAlive, sleep, start, user} from './servers/processes.mjs';
import {counters, resetCounters} from './servers/edge.mjs';
import {openLog, readErrors} from './life/log.mjs';
import {login, setUpOwner, waitForSite} from './life/index.mjs';

// A content directory of Ghost's own, filled as the image's entry point does.
export function makeContent(tree, name) {
    const dir = freshDirectory(path.join(BENCH, 'content', name), 'ghostfix-ghost');
    execFileSync('cp', ['-a', `${tree.root}/content/.`, dir]);
    for (const d of ['logs', 'data', 'images', 'files', 'media', 'settings', 'public', 'adapters']) {
        fs.mkdirSync(path.join(dir, d), {recursive: true});
    }
    const {uid, gid} = user('ghostfix-ghost');
    execFileSync('chown', ['-R', `${uid}:${gid}`, dir]);
    return dir;
}

// Starts `node index.js` and comes back at once.
export async function launch(tree, {connection, smtp, name = 'ghost', content = makeContent(tree, name), env = {}, preload, port, hosts}) {
    port ??= await freePort();
    const url = `http://127.0.0.1:${port}`;
    const logs = freshDirectory(path.join(BENCH, 'run', `${name}-logs`), 'ghostfix-ghost');
    const settings = {
        NODE_ENV: 'production',
        database__client: 'mysql',
        ...Object.fromEntries(Object.entries(connection).map(([k, v]) =>
            [`database__connection__${k}`, typeof v === 'object' ? JSON.stringify(v) : String(v)])),
        url,
        server__host: '127.0.0.1',
        server__port: String(port),
        paths__contentPath: content,
        logging__path: logs,
        logging__level: 'info',
        logging__transports: '["file"]',
        mail__transport: 'SMTP',
        mail__from: 'ghost@example.com',
        mail__options__host: '127.0.0.1',
        mail__options__port: String(smtp?.port ?? 9),
        mail__options__secure: 'false',
        mail__options__ignoreTLS: 'true',
        privacy__useUpdateCheck: 'false',
        privacy__useGravatar: 'false',
        // Ghosts that are installed without their optional dependencies have no sharp.
        imageOptimization__resize: 'false',
        HOME: content,
        ...env,
    };
    const process = start('ghost', [tree.node, ...(preload ? ['--require', preload] : []), 'index.js'], {
        as: 'ghostfix-ghost', cwd: tree.root, env: settings, hosts, log: path.join(BENCH, 'log', `${name}.log`),
    });
    return {process, url, port, content, logs, log: openLog(logs), stop: () => end(process, {patience: 30_000})};
}

// Logged as errors, and none: a log-in from a new device is asked for a code, and
// newer Ghosts call no webhook on a private address, which the bench's is.
const NO_FAULT = /\b(2FA_NEW_DEVICE_DETECTED|2FA_TOKEN_REQUIRED|URL_PRIVATE_INVALID)\b/;
export const faults = (errors) => errors.filter((e) => !NO_FAULT.test(e.message));

// The errors in Ghost's own log, as the server worded them.
export function errorsOf(ghost) {
    const record = {expectedRefusals: new Set(), stepOfRequest: new Map()};
    return faults(readErrors(ghost.log, record).errors).map((e) => e.message.replace(/^(.*?) \| (\1 \| )+/s, '$1 | '));
}

// The first error of Ghost's log. Its errno is rarely there; what the edge
// answered tells it, and also what Ghost kept to itself.
export function databaseError(ghost) {
    for (const file of fs.readdirSync(ghost.logs).filter((f) => f.endsWith('.error.log'))) {
        for (const line of fs.readFileSync(path.join(ghost.logs, file), 'utf8').split('\n')) {
            if (!line.startsWith('{')) continue;
            const {err, msg} = JSON.parse(line);
            if (!err) continue;
            const message = oneLine(err.message || msg);
            const said = serverErrors(ghost).findLast((e) => e.message && message.includes(e.message.slice(0, 80)));
            return {
                errno: err.errno ?? said?.errno ?? printedErrno(ghost), code: err.code ?? null,
                message: said ? abridge(message, said.message) : message,
            };
        }
    }
    return null;
}

// knex puts the statement before the server's words: a long one is cut, they are not.
function abridge(message, words) {
    const at = message.indexOf(words.slice(0, 80));
    return at > 160 ? `${message.slice(0, 120)} … - ${message.slice(at)}` : message;
}

// A plain server has no edge; Ghost prints the error it dies of.
function printedErrno(ghost) {
    const printed = /\berrno: (\d+)/.exec(fs.readFileSync(ghost.process.log, 'utf8'));
    return printed ? Number(printed[1]) : null;
}

// What the database answered to this Ghost with an error, in order.
export function serverErrors(ghost) {
    if (!ghost.journal || !fs.existsSync(ghost.journal)) return [];
    return fs.readFileSync(ghost.journal).subarray(ghost.journalStart).toString('utf8').split('\n')
        .filter((line) => line.includes('"error":')).map((line) => {
            const {error, sql} = JSON.parse(line);
            const [, message, errno] = /^(.*?) \(errno (\d+)\) \(sqlstate \w+\)/s.exec(error) ?? [null, error, null];
            return {errno: errno && Number(errno), message: oneLine(message), sql: oneLine(sql).slice(0, 300)};
        });
}
export const oneLine = (s) => String(s ?? '').replace(/\s+/g, ' ').trim();

async function homePage(url) {
    try {
        const answer = await fetch(url, {signal: AbortSignal.timeout(20_000), redirect: 'manual'});
        await answer.arrayBuffer();
        return answer.status;
    } catch {
        return 0;
    }
}

// Waits until the home page answers 200 or Ghost has died of it. A Ghost whose log
// has an error and which comes to nothing for `afterErrorMs` more does not come up.
export async function waitForBoot(ghost, limitMs = 300_000, {afterErrorMs = Infinity} = {}) {
    const begin = Date.now();
    let failing = null;
    while (Date.now() - begin < limitMs) {
        if (!isAlive(ghost.process)) return {up: false, why: `Ghost ended with code ${await ghost.process.ended}`};
        if ((await homePage(ghost.url)) === 200) return {up: true};
        if (afterErrorMs !== Infinity) failing ??= errorsOf(ghost).length ? Date.now() : null;
        if (failing && Date.now() - failing > afterErrorMs) {
            return {up: false, why: `its log has an error, and nothing came of it in ${afterErrorMs / 1000} s more`};
        }
        await sleep(200);
    }
    return {up: false, why: `no 200 from the home page in ${limitMs / 1000} s`};
}

// One boot, judged. `write` is what has to succeed through the Admin API (it gets
// the address); what it answers is handed on. The caller ends `ghost`.
export async function boot(tree, {edge, write, limitMs, ...launching}) {
    if (edge) await resetCounters(edge);
    const begin = Date.now();
    const journalStart = edge && fs.existsSync(edge.journal) ? fs.statSync(edge.journal).size : 0;
    const ghost = Object.assign(await launch(tree, launching), {journal: edge?.journal, journalStart});
    const waited = await waitForBoot(ghost, limitMs);
    const seconds = Math.round((Date.now() - begin) / 100) / 10;
    const counted = edge ? await counters(edge) : null;
    const result = {
        booted: false, seconds, error: null,
        ...(counted && {
            statements: counted.queries, transactions: counted.transactions,
            longestTransactionMs: counted.longest_transaction_ms, longestTransactionStatements: counted.longest_transaction_queries,
        }),
    };
    let written;
    if (!waited.up) {
        await sleep(isAlive(ghost.process) ? 0 : 200);
        const e = databaseError(ghost);
        const said = serverErrors(ghost).at(-1);
        result.error = e ? describe(e)
            + (e.errno === null && said ? ` (the server's last error: errno ${said.errno}: ${said.message.slice(0, 400)})` : '') : `${waited.why}: ${lastWords(ghost)}`;
        if (isAlive(ghost.process)) result.error = `${waited.why}; ${result.error}`;
        return {result, ghost};
    }
    try {
        written = write ? await write(ghost.url, ghost) : undefined;
    } catch (e) {
        result.error = `the site answers 200, a write fails: ${oneLine(e.message).slice(0, 700)}`;
        const logged = databaseError(ghost);
        if (logged && !result.error.includes(logged.message.slice(0, 60))) result.error += `; log: ${describe(logged)}`;
        return {result, ghost};
    }
    const errors = errorsOf(ghost);
    if (errors.length) result.error = `the site answers 200, the log has an error: ${oneLine(errors[0]).slice(0, 700)}`;
    result.booted = result.error === null;
    return {result, ghost, written};
}

// The write that a boot is judged by: the owner and a post, or on a site that has
// an owner a log-in (a new session) and a post.
export async function own(url, {smtp}) {
    await waitForSite(url);
    const {setup} = await (await fetch(`${url}/ghost/api/admin/authentication/setup/`)).json();
    if (!setup[0].status) return setUpOwner(url, {smtp});
    const session = await login(url, {smtp});
    const {json} = await session.client.post('/ghost/api/admin/posts/?source=html',
        {posts: [{title: 'Another post', html: '<p>Written after a boot.</p>', status: 'published'}]}, {expect: 201});
    [session.firstPost] = json.posts;
    return session;
}

export const describe = (e) => `${e.errno ? `errno ${e.errno}` : 'no errno'}${e.code ? ` ${e.code}` : ''}: ${e.message.slice(0, 700)}`;

function lastWords(ghost) {
    try {
        return oneLine(fs.readFileSync(ghost.process.log, 'utf8')).slice(-500) || 'no words';
    } catch {
        return 'no words';
    }
}
