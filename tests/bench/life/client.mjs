// One HTTP client with its own cookies, and the record of what a Ghost answered.
// Every request carries an X-Request-ID, which Ghost writes into its log: so a
// line in the log can be traced to the request that caused it.
import crypto from 'node:crypto';

const REQUEST_LIMIT_MS = 90_000; // 60 ms to the database and a shared machine
const KEPT_TEXT = 600;

/** An answer that was not the expected one, or none at all. */
export class Refusal extends Error {
    constructor({ method, path, status, text }) {
        super(`${method} ${path}: ${status || 'no answer'} ${text}`);
        this.name = 'Refusal';
        this.status = status;
        this.text = text;
    }
}

/** Thrown by a step that this Ghost cannot do; the words are the reason in the report. */
export class Skip extends Error {}

/** What happened over all clients of one life. `step` is set by who runs the steps. */
export class Record {
    constructor() {
        this.step = null;
        // Where all of a life's requests say they come from: an address of its own, since Ghost
        // lets few people sign up from one; and in the short form, since Ghost asks a service on
        // the Internet about the others whenever somebody signs in, three times with pauses.
        this.from = `fd00::${crypto.randomInt(0x1000, 0xffff).toString(16)}:${crypto.randomInt(0x1000, 0xffff).toString(16)}`;
        this.serverErrors = [];
        this.refused = [];
        this.requests = 0;
        this.expectedRefusals = new Set(); // request ids
        this.stepOfRequest = new Map();
    }

    note({ id, method, path, status, text, expected }) {
        this.requests += 1;
        this.stepOfRequest.set(id, this.step);
        if (status >= 400 && expected) this.expectedRefusals.add(id);
        const entry = { step: this.step, method, path, status, text: text.slice(0, KEPT_TEXT) };
        if (status >= 500 || status === 0) this.serverErrors.push(entry);
        else if (status >= 400 && !expected) this.refused.push(entry);
    }
}

export class Client {
    /** `origin` is the site's own address: Ghost checks it, and a tunnel's differs from it. */
    constructor(baseUrl, { origin = baseUrl, record = new Record(), headers = {} } = {}) {
        this.baseUrl = baseUrl.replace(/\/+$/, '');
        this.origin = new URL(origin).origin;
        this.record = record;
        this.headers = headers;
        this.cookies = new Map();
        this.lastStatus = null;
    }

    /** A client of the same site without cookies: somebody else's browser. */
    stranger(headers = {}) {
        return new Client(this.baseUrl, { origin: this.origin, record: this.record, headers });
    }

    /**
     * `body`: an object is sent as JSON, a FormData as it is. `expect`: the statuses that are
     * right (default: any below 400). Answers {status, text, json, headers}; throws Refusal.
     */
    async request(method, path, { body, expect, headers = {}, timeout = REQUEST_LIMIT_MS } = {}) {
        const id = crypto.randomUUID();
        const sent = { origin: this.origin, 'x-request-id': id, 'x-forwarded-for': this.record.from, ...this.headers, ...headers };
        if (this.cookies.size > 0) {
            sent.cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
        }
        let payload = body;
        if (body !== undefined && !(body instanceof FormData)) {
            sent['content-type'] = 'application/json';
            payload = JSON.stringify(body);
        }
        const address = this.addressOf(path);
        const shown = address.pathname + address.search;
        let status = 0;
        let text = '';
        let answer;
        try {
            answer = await fetch(address, {
                method,
                headers: sent,
                body: payload,
                redirect: 'manual',
                signal: AbortSignal.timeout(timeout),
            });
            status = answer.status;
            text = await answer.text();
            this.#keepCookies(answer);
        } catch (error) {
            text = `${error.message}${error.cause ? `: ${error.cause.message}` : ''}`;
        }
        this.lastStatus = status;
        const right = expect === undefined ? status > 0 && status < 400 : [expect].flat().includes(status);
        this.record.note({ id, method, path: shown, status, text, expected: right });
        if (!right) throw new Refusal({ method, path: shown, status, text: text.slice(0, KEPT_TEXT) });
        return { status, text, json: parse(text), headers: answer.headers };
    }

    addressOf(path) {
        const address = new URL(path, `${this.baseUrl}/`);
        // Links in mails name the site's own address; we stay where we talk to it.
        const base = new URL(this.baseUrl);
        address.protocol = base.protocol;
        address.host = base.host;
        return address;
    }

    get(path, options) {
        return this.request('GET', path, options);
    }

    post(path, body, options) {
        return this.request('POST', path, { body, ...options });
    }

    put(path, body, options) {
        return this.request('PUT', path, { body, ...options });
    }

    delete(path, options) {
        return this.request('DELETE', path, options);
    }

    #keepCookies(answer) {
        for (const line of answer.headers.getSetCookie()) {
            const [pair, ...attributes] = line.split(';');
            const equals = pair.indexOf('=');
            const name = pair.slice(0, equals).trim();
            const value = pair.slice(equals + 1).trim();
            const expires = attributes.map((a) => /^\s*expires=(.*)$/i.exec(a)?.[1]).find(Boolean);
            if (value === '' || (expires && Date.parse(expires) < Date.now())) this.cookies.delete(name);
            else this.cookies.set(name, value);
        }
    }
}

function parse(text) {
    try {
        return JSON.parse(text);
    } catch {
        return null;
    }
}

/** A form with one file in it, as a browser sends it. */
export function fileForm(field, name, type, content, fields = {}) {
    const form = new FormData();
    for (const [key, value] of Object.entries(fields)) form.append(key, value);
    form.append(field, new Blob([content], { type }), name);
    return form;
}

/** Asks until `ask` answers something other than undefined; `what` is for the error. */
export async function until(what, ms, ask) {
    const end = Date.now() + ms;
    let last;
    for (;;) {
        try {
            const answer = await ask();
            if (answer !== undefined) return answer;
        } catch (error) {
            last = error;
        }
        if (Date.now() > end) {
            throw new Error(`${what}: not within ${ms} ms${last ? ` (last: ${last.message})` : ''}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 250));
    }
}

export function check(condition, words) {
    if (!condition) throw new Error(words);
}
