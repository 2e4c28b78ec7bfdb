// Drives every fault and every certificate of the edge once, and says what Ghost's
// driver makes of it. Ends with 1 where one of them is not what it is called.
import {main, onExit} from './servers/processes.mjs';
import * as servers from './servers.mjs';
import {change, hangUp} from './servers/edge.mjs';
import {withConnection} from './servers.mjs';

const LIMIT_MS = 8_000;

// What a client sees within its limit: an answer, an error's code, or nothing.
async function see(options, sql = 'SELECT 1') {
    const begin = Date.now();
    const took = () => Date.now() - begin;
    let timer;
    const silence = new Promise((resolve) => {
        timer = setTimeout(() => resolve({silent: true, ms: LIMIT_MS}), LIMIT_MS);
    });
    const asked = withConnection({connectTimeout: LIMIT_MS * 2, ...options}, async (c) => {
        const connected = took();
        const [rows] = await c.query(sql);
        return {rows: rows.length, connected, ms: took()};
    }).catch((e) => ({error: `${e.code ?? 'no code'}: ${e.message}`, ms: took()}));
    try {
        return await Promise.race([asked, silence]);
    } finally {
        clearTimeout(timer);
    }
}

const LARGE = `SELECT ${Array.from({length: 40}, (_, n) => `REPEAT('x', 1000) AS c${n}`).join(', ')}`;
const failed = (pattern) => (r) => pattern.test(r.error ?? '');

await main(async () => {
    const stand = await servers.raise(`faults${process.pid}`);
    onExit(() => servers.lower(stand));
    await servers.enter(stand, {foreignKeys: 'unmanaged', fresh: true});
    const {edge} = stand;
    const to = servers.connectionTo(stand);
    const strict = {...to, host: 'localhost', ssl: {...to.ssl, verifyIdentity: true}};
    const {ssl, ...plain} = to;

    const cases = [
        ['none', {fault: 'none'}, to, 'SELECT 1', (r) => r.rows === 1],
        ['20 ms', {rtt_ms: 20}, to, 'SELECT 1', (r) => r.rows === 1 && r.connected >= 60 && r.ms - r.connected >= 20],
        ['black-hole', {fault: 'black-hole'}, to, 'SELECT 1', (r) => r.silent],
        ['reset', {fault: 'reset'}, to, 'SELECT 1', failed(/ECONNRESET|PROTOCOL_CONNECTION_LOST|HANDSHAKE/)],
        ['slow', {fault: 'slow'}, to, 'SELECT 1', (r) => r.silent || r.ms > 3000],
        ['late', {fault: 'late'}, to, 'SELECT 1', (r) => r.rows === 1 && r.ms - r.connected >= 3000],
        ['cut', {fault: 'cut'}, to, LARGE, failed(/PROTOCOL_CONNECTION_LOST|ECONNRESET|EPIPE/)],
        ['garbage', {fault: 'garbage'}, to, 'SELECT 1', (r) => r.error && !/ECONNREFUSED/.test(r.error)],
        ['http', {fault: 'http'}, to, 'SELECT 1', (r) => r.error && !/ECONNREFUSED/.test(r.error)],
        ['no TLS', {}, plain, 'SELECT 1', failed(/secure|SSL|TLS/i)],
        ['certificate good, host checked', {certificate: 'good'}, strict, 'SELECT 1', (r) => r.rows === 1],
        ['certificate expired', {certificate: 'expired'}, to, 'SELECT 1', failed(/expired/)],
        ['certificate wrong-host, host not checked', {certificate: 'wrong-host'}, to, 'SELECT 1', (r) => r.rows === 1],
        ['certificate wrong-host, host checked', {certificate: 'wrong-host'}, strict, 'SELECT 1', failed(/altnames|ALTNAME/i)],
        ['certificate self-signed', {certificate: 'self-signed'}, to, 'SELECT 1', failed(/self-signed|self signed/)],
        ['certificate unknown-ca', {certificate: 'unknown-ca'}, to, 'SELECT 1', failed(/unable to (verify|get)/)],
    ];
    const usual = {rtt_ms: 0, certificate: 'good', fault: 'none'};
    let wrong = 0;
    const report = (name, ok, seen) => {
        if (!ok) wrong++;
        console.log(`${ok ? 'ok   ' : 'WRONG'}  ${name.padEnd(42)} ${JSON.stringify(seen).slice(0, 200)}`);
    };
    for (const [name, what, options, sql, expected] of cases) {
        await change(edge, {...usual, ...what});
        const seen = await see(options, sql);
        report(name, Boolean(expected(seen)), seen);
        await change(edge, usual);
    }
    // A front end that is started again, and one that is not there.
    const dropped = withConnection(to, async (c) => {
        await c.query('SELECT 1');
        report('hang-up', (await hangUp(edge)).dropped > 0, await c.query('SELECT 2').then(() => 'answered', (e) => e.code));
    });
    await dropped;
    const refused = await change(edge, {fault: 'nonsense'}).then(() => 'accepted', (e) => e.message);
    report('a fault that does not exist', /no such fault/.test(refused), refused);
    await edge.stop();
    report('refused', failed(/ECONNREFUSED/)(await see(to)), await see(to));
    return wrong ? 1 : 0;
});
