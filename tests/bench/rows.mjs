// All rows of a database in a form that two runs of Ghost can be compared in: ids,
// times, keys and addresses apart. An id that points to a row is replaced by what
// that row says, so that relations are compared too.
import {withConnection} from './servers.mjs';

const VOLATILE_COLUMN = /^(id|uuid|password|token|secret|hash|acquired_at|released_at|.*_uuid)$|_at(_ts)?$/;
const MASKS = [
    [/-----BEGIN [A-Z ]+-----[\s\S]*?-----END [A-Z ]+-----/g, '<key>'],
    [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '<uuid>'],
    [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?/g, '<time>'],
    [/(localhost|127\.0\.0\.1):\d+/g, '<address>'],
    [/[0-9a-f]{24,}/gi, '<hex>'],
    [/[A-Za-z0-9+/_-]{40,}={0,2}/g, '<secret>'],
];
// Rows of log-ins, and of jobs that run when their time comes.
const LEFT_OUT = new Set(['sessions', 'brute', 'actions', 'jobs', 'milestones', 'migrations_lock', 'email_recipients']);

export const mask = (text) => MASKS.reduce((t, [from, to]) => t.replace(from, to), text);

export async function readRows(admin, {database = 'ghost', leftOut = LEFT_OUT} = {}) {
    return withConnection({...admin, dateStrings: true}, async (c) => {
        const [tables] = await c.query('SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ? AND table_type = "BASE TABLE"', [database]);
        const all = new Map();
        const said = new Map(); // id -> what its row says
        for (const {name} of tables.filter((t) => !leftOut.has(t.name))) {
            const [rows] = await c.query('SELECT * FROM ??', [`${database}.${name}`]);
            all.set(name, rows);
            for (const row of rows) if (typeof row.id === 'string') said.set(row.id, `${name} ${plain(row, () => null)}`);
        }
        const result = {};
        for (const [name, rows] of all) result[name] = rows.map((r) => plain(r, (v) => said.get(v) ?? (v && '<id>'))).sort();
        return result;
    });
}

function plain(row, resolve) {
    return JSON.stringify(Object.keys(row).sort().filter((k) => !VOLATILE_COLUMN.test(k)).map((k) => {
        const v = row[k];
        if (/_(id|by)$/.test(k)) return [k, resolve(v)];
        return [k, Buffer.isBuffer(v) ? `<${v.length} bytes>` : typeof v === 'string' ? mask(v) : v];
    }));
}

// What differs, table by table: [{table, missing: [...], extra: [...]}].
export function difference(expected, actual) {
    const differences = [];
    for (const table of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
        const left = [...(expected[table] ?? [])];
        const extra = [];
        for (const row of actual[table] ?? []) {
            const at = left.indexOf(row);
            if (at < 0) extra.push(row);
            else left.splice(at, 1);
        }
        const absent = [expected, actual].map((rows) => !(table in rows));
        if (left.length || extra.length || absent[0] !== absent[1]) differences.push({table, missing: left, extra, tableMissing: absent[1] && !absent[0], tableExtra: absent[0]});
    }
    return differences;
}

export const count = (rows) => Object.values(rows).reduce((n, r) => n + r.length, 0);
