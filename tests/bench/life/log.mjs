// Reads what a running Ghost has written to its log since a moment: the lines of
// level error and above, each with the request and step that caused it where known.
import fs from 'node:fs';
import path from 'node:path';

const ERROR = 50;
// Ghost pings and looks up the Internet in places; a machine without it is not a fault of the database.
const UNREACHABLE = /\b(ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|cacheableLookup)\b/;

// Ghost's own faults, seen on plain MySQL and MariaDB alike: each with its reason, none from a database.
const KNOWN = [
    [/reading 'throttle'/, 'without a payment provider Ghost’s listener for tiers and offers fails'],
    [/^URLSERVICE_RESOURCE_DUPLICATE|\| URLSERVICE_RESOURCE_DUPLICATE/, 'Ghost 5 registers a post twice while routes or themes change'],
];
// Comes one line before the error it is about, which is the one to judge.
const ANNOUNCEMENT = /^Unhandled error in event handler for event: (Tier|Offer)/;

function filesOf(where) {
    return [where].flat().flatMap((place) => {
        if (!fs.existsSync(place)) return [];
        if (!fs.statSync(place).isDirectory()) return [place];
        const names = fs.readdirSync(place).filter((name) => name.endsWith('.log'));
        // X.error.log repeats the errors of X.log, with times of its own.
        const repeats = (name) => names.includes(name.replace(/\.error\.log$/, '.log'));
        return names
            .filter((name) => !name.endsWith('.error.log') || !repeats(name))
            .map((name) => path.join(place, name));
    });
}

/** `where`: Ghost's log file, several, or the directory of them. Remembers where they end now. */
export function openLog(where) {
    const ends = new Map();
    for (const file of where ? filesOf(where) : []) ends.set(file, fs.statSync(file).size);
    return { where, ends };
}

/**
 * What has been written since: `errors`, and apart from them what only tells that a
 * host of the Internet could not be reached, and what is `known` as Ghost's own fault. Answers of 4xx that the life asked for on
 * purpose are left out (Ghost logs every 4xx but 404 as an error).
 */
export function readErrors({ where, ends }, record) {
    const errors = [];
    const unreachable = [];
    const known = [];
    for (const file of where ? filesOf(where) : []) {
        const size = fs.statSync(file).size;
        const start = Math.min(ends.get(file) ?? 0, size);
        const bytes = Buffer.alloc(size - start);
        const handle = fs.openSync(file);
        fs.readSync(handle, bytes, 0, bytes.length, start);
        fs.closeSync(handle);
        for (const line of bytes.toString('utf8').split('\n')) {
            const entry = errorIn(line);
            if (entry === null) continue;
            if (record.expectedRefusals.has(entry.requestId)) continue;
            entry.step = record.stepOfRequest.get(entry.requestId) ?? null;
            const reason = KNOWN.find(([pattern]) => pattern.test(entry.message))?.[1];
            if (reason !== undefined) {
                if (/throttle/.test(entry.message) && ANNOUNCEMENT.test(errors.at(-1)?.message ?? '')) errors.pop();
                known.push({ ...entry, reason });
            } else if (UNREACHABLE.test(entry.message)) unreachable.push(entry);
            else errors.push(entry);
        }
    }
    return { errors, unreachable, known };
}

function errorIn(line) {
    if (!line.startsWith('{')) return null;
    let entry;
    try {
        entry = JSON.parse(line);
    } catch {
        return null; // the last line may still be under way
    }
    if (!(entry.level >= ERROR)) return null;
    const err = entry.err ?? {};
    // The database's own words are often in the stack or in the context alone.
    const words = [err.message, err.context, err.code, entry.msg, err.stack?.split('\n', 2)[0]]
        .filter((w) => typeof w === 'string' && w !== '')
        .join(' | ');
    return {
        time: entry.time,
        message: words.slice(0, 1000),
        code: err.code ?? null,
        errno: err.errno ?? null,
        request: entry.req ? `${entry.req.method} ${entry.req.originalUrl}` : null,
        requestId: entry.req?.meta?.requestId ?? null,
    };
}
