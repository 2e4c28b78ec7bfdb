// The edge in front of vtgate: MySQL with TLS to the client, gRPC to vtgate.
import fs from 'node:fs';
import path from 'node:path';
import {BENCH, end, freePort, freshDirectory, start, until, user} from './processes.mjs';
import {PASSWORDS} from './vtcombo.mjs';

// What Ghost is told of the edge, and what a client needs.
export const CA = path.join(BENCH, 'certificates/ca.pem');

export async function startEdge(instance, vtgate, {rtt = 0, statements = false, stay = false} = {}) {
    const home = freshDirectory(path.join(BENCH, 'run', instance, 'edge'), 'ghostfix-vitess', 0o755);
    const users = path.join(home, 'users.json');
    fs.writeFileSync(users, JSON.stringify(PASSWORDS), {mode: 0o640});
    fs.chownSync(users, 0, user('ghostfix-vitess').gid);
    const [port, control] = [await freePort(), await freePort()];
    const journal = path.join(home, 'statements.jsonl');
    const process = start('edge', [
        path.join(BENCH, 'bin/edge'), '--listen', `127.0.0.1:${port}`, '--control', `127.0.0.1:${control}`,
        '--vtgate', `127.0.0.1:${vtgate.grpc}`, '--certificates', path.join(BENCH, 'certificates'), '--users', users,
        '--rtt', `${rtt}ms`, ...(statements ? ['--statements', journal] : []),
    ], {as: 'ghostfix-vitess', log: path.join(BENCH, `log/edge-${instance}.log`), stay, cwd: home});
    const edge = {process, port, control, journal, stop: () => end(process)};
    await until('edge', process, 60_000, async () => (await counters(edge)).queries === 0);
    return edge;
}

const call = async (edge, method, resource, body) => {
    const answer = await fetch(`http://127.0.0.1:${edge.control}${resource}`, {
        method, body: body && JSON.stringify(body), signal: AbortSignal.timeout(30_000),
    });
    if (!answer.ok) throw new Error(`${method} ${resource}: ${await answer.text()}`);
    return answer.json();
};
export const counters = (edge) => call(edge, 'GET', '/counters');
export const resetCounters = (edge) => call(edge, 'POST', '/counters/reset');
export const settings = (edge) => call(edge, 'GET', '/settings');
// rtt_ms, certificate, fault: what is left out stays.
export const change = (edge, what) => call(edge, 'PUT', '/settings', what);
export const hangUp = (edge) => call(edge, 'POST', '/hang-up');

export const connection = (edge, user = 'ghost') => ({
    host: '127.0.0.1', port: edge.port, user, password: PASSWORDS[user], database: 'ghost',
    ssl: {ca: fs.readFileSync(CA, 'utf8')},
});
