// Starting, watching and ending processes. The bench ends only what it started:
// a process is known by its id together with the time the kernel started it.
import {spawn, execFileSync} from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';

export {sleep};
export const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const BENCH = path.resolve(process.env.GHOSTFIX_BENCH || path.join(repository, '.bench'));
export const EX_INFRASTRUCTURE = 75;

// What the bench could not set up or start: never to be taken for a result.
export class Infrastructure extends Error {
    constructor(part, words) {
        super(`infrastructure: ${part}: ${words}`);
        this.part = part;
    }
}

const ids = new Map();
export function user(name) {
    if (!ids.has(name)) {
        try {
            const id = (flag) => Number(execFileSync('id', [flag, name], {stdio: 'pipe'}));
            ids.set(name, {uid: id('-u'), gid: id('-g')});
        } catch {
            throw new Infrastructure('users', `there is no user ${name}: run tests/bench/setup first`);
        }
    }
    return ids.get(name);
}

// A directory of the user's own, empty.
export function freshDirectory(dir, owner, mode = 0o755) {
    fs.rmSync(dir, {recursive: true, force: true});
    fs.mkdirSync(dir, {recursive: true, mode});
    fs.chmodSync(dir, mode);
    if (owner) {
        const {uid, gid} = user(owner);
        fs.chownSync(dir, uid, gid);
    }
    return dir;
}

const taken = new Set();
export async function freePort() {
    for (;;) {
        const port = await new Promise((resolve, reject) => {
            const s = net.createServer().once('error', reject);
            s.listen(0, '127.0.0.1', () => {
                const {port} = s.address();
                s.close(() => resolve(port));
            });
        });
        if (!taken.has(port)) {
            taken.add(port);
            return port;
        }
    }
}

function startTime(pid) {
    try {
        const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return fields[0] === 'Z' ? null : fields[19];
    } catch {
        return null;
    }
}

// What is needed to find the process again, and to end it: also from a file.
export const isAlive = (p) => p.started !== null && startTime(p.pid) === p.started;

const running = new Set();

// What to put before a command so that it, and nobody else, reads this file for /etc/hosts.
export const withHosts = (file) => (file ? ['unshare', '--mount', '--', 'sh', '-c',
    'mount --bind "$1" /etc/hosts && shift && exec "$@"', 'sh', file] : []);

// Runs a program as a user of its own, in a process group of its own, its
// output in a file. Unless told to stay, it goes when the driver goes.
export function start(name, command, {as, root, env, cwd, log, hosts, stay = false, mode = 'w'}) {
    const {uid, gid} = user(as);
    const wrapped = [
        ...withHosts(hosts),
        ...(root ? ['chroot', root] : []),
        'setpriv', '--reuid', uid, '--regid', gid, '--clear-groups', '--no-new-privs',
        ...(stay ? [] : ['--pdeathsig', 'TERM']), '--', ...command,
    ].map(String);
    const out = fs.openSync(log, mode);
    const child = spawn(wrapped[0], wrapped.slice(1), {
        cwd: cwd ?? '/', detached: true, stdio: ['ignore', out, out],
        env: {PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', ...env},
    });
    fs.closeSync(out);
    const p = {name, pid: child.pid, started: child.pid ? startTime(child.pid) : null, log, code: undefined};
    p.ended = new Promise((resolve) => {
        child.once('error', (e) => resolve((p.code = `could not be run: ${e.message}`)));
        child.once('exit', (code, signal) => resolve((p.code = code ?? signal)));
    });
    if (stay) child.unref();
    else running.add(p);
    p.ended.then(() => running.delete(p));
    return p;
}

export async function end(p, {patience = 20_000, signal = 'SIGTERM'} = {}) {
    if (!p || !isAlive(p)) return;
    const group = (s) => {
        try {
            process.kill(-p.pid, s);
        } catch { /* gone meanwhile */ }
    };
    group(signal);
    for (const until = Date.now() + patience; isAlive(p) && Date.now() < until;) await sleep(50);
    if (isAlive(p)) {
        group('SIGKILL');
        for (const until = Date.now() + 5000; isAlive(p) && Date.now() < until;) await sleep(50);
    }
    running.delete(p);
}

export function tail(file, lines = 3) {
    try {
        return fs.readFileSync(file, 'utf8').trim().split('\n').slice(-lines).join(' | ').slice(-600);
    } catch {
        return 'no log';
    }
}

// Asks until the answer is truthy; a process that ends meanwhile is a failure.
export async function until(part, p, limitMs, ask) {
    const begin = Date.now();
    let last = '';
    for (;;) {
        if (p && !isAlive(p)) throw new Infrastructure(part, `ended (${p.code ?? 'code unknown'}): ${tail(p.log)}`);
        try {
            const answer = await ask();
            if (answer) return answer;
        } catch (e) {
            last = e.message;
        }
        if (Date.now() - begin > limitMs) {
            throw new Infrastructure(part, `not ready after ${limitMs / 1000} s (${last}): ${p ? tail(p.log) : ''}`);
        }
        await sleep(50);
    }
}

const undo = [];
// What else has to be done when the driver is interrupted, last one first.
export const onExit = (f) => undo.push(f);

export async function endAll() {
    for (const f of undo.splice(0).reverse()) await Promise.resolve(f()).catch(() => {});
    // The database last: the others hold connections to it.
    for (const p of [...running].reverse()) await end(p, {patience: 10_000});
}

// What is seen after an interrupt is its doing, and no result.
let told = false;
export const interrupted = () => told;

export function cleanUpOnInterrupt() {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
        process.once(signal, async () => {
            told = true;
            process.stderr.write(`\n${signal}: ending what was started\n`);
            await endAll();
            process.exit(signal === 'SIGINT' ? 130 : 143);
        });
    }
}

// The way out of every driver: a failure of the infrastructure has its own code.
export async function main(work) {
    cleanUpOnInterrupt();
    let code;
    try {
        if (process.getuid() !== 0) {
            throw new Infrastructure('root', 'the bench needs root, to run the servers and Ghost as users of their own');
        }
        code = (await work()) ?? 0;
    } catch (e) {
        if (e instanceof Infrastructure) {
            console.error(e.message);
            code = EX_INFRASTRUCTURE;
        } else {
            console.error(e);
            code = 70;
        }
    }
    if (told) await new Promise(() => {}); // the handler ends it
    await endAll();
    process.exit(code);
}
