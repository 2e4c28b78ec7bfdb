// Run by the engine before the cases of a file: the globals of Node that a CommonJS file may touch while it is loaded,
// and the road from the harness to its observation. Gives a function that gives
// `(harness, source, digest) => (given) => Promise<string>`. Nothing of length stands behind a parenthesis: the engine
// first reads all of that in search of an arrow.
void 0, function () {
    const nothing = () => {};
    // Answers to every access, call and `new` with itself, so that a require nobody cares about does no harm.
    const anything = new Proxy(function () {}, {
        get: (target, key) => (key === 'then' ? undefined : key === Symbol.toPrimitive ? () => '' : anything),
        apply: () => anything,
        construct: () => anything,
        has: () => true,
    });
    // Time passes only when all else rests: timers run in order of their due time, without waiting.
    const timers = [];
    let now = 0;
    let ids = 0;
    globalThis.setTimeout = (callback, delay = 0, ...values) => {
        timers.push({ id: ++ids, due: now + Math.max(0, Number(delay) || 0), callback, values });
        return ids;
    };
    globalThis.clearTimeout = (id) => {
        const at = timers.findIndex((timer) => timer.id === id);
        if (at >= 0) timers.splice(at, 1);
    };
    globalThis.setImmediate = (callback, ...values) => setTimeout(callback, 0, ...values);
    globalThis.console = { log: nothing, info: nothing, warn: nothing, error: nothing, debug: nothing };
    globalThis.process = { env: {}, argv: [], version: 'v22.0.0', platform: 'linux', cwd: () => '/', on: nothing, nextTick: (callback, ...values) => Promise.resolve().then(() => callback(...values)) };
    globalThis.global = globalThis;

    const proof = {
        anything,
        /** Virtual milliseconds since the case began. */
        elapsed: () => now,
        /** Waits for a promise, letting virtual time pass while nothing else is left to do. */
        async settle(promise) {
            let settled = false;
            const watched = Promise.resolve(promise).finally(() => { settled = true; });
            watched.catch(nothing);
            while (!settled) {
                for (let turn = 0; turn < 50 && !settled; turn++) await null;
                if (settled || timers.length === 0) break;
                timers.sort((one, other) => one.due - other.due || one.id - other.id);
                const timer = timers.shift();
                now = Math.max(now, timer.due);
                timer.callback(...timer.values);
            }
            return watched;
        },
        /** Calls and waits; tells `returns` with the value, or `throws` with the error's name, code and message. */
        async outcome(call) {
            try {
                const value = await proof.settle(call());
                return { settles: 'returns', value: value === undefined ? 'undefined' : JSON.stringify(value) ?? typeof value };
            } catch (error) {
                const told = { settles: 'throws', error: error === undefined ? 'undefined' : String(error && error.name) };
                for (const key of ['code', 'errno', 'message']) {
                    if (error && error[key] !== undefined) told[key] = String(error[key]);
                }
                return told;
            }
        },
    };

    return (harness, source, digest) => {
        /** Stands for a text of which it only matters whether it is another: an observation is told, sent and compared. */
        proof.digest = digest;
        const run = (0, eval)(`void 0, ${harness}`);
        let factory;
        let flaw;
        try {
            factory = (0, eval)(`void 0, function (exports, require, module, __filename, __dirname) {${source}\n}`);
        } catch (error) {
            flaw = error;
        }
        // The file is loaded anew for each case: its variables are its own, the compiled code is shared.
        const load = (require) => {
            const module = { exports: {}, id: '.', loaded: false };
            const required = Object.assign((name) => require(name), { resolve: (name) => name, cache: {} });
            try {
                if (flaw) throw flaw;
                factory.call(module.exports, module.exports, required, module, '/subject.js', '/');
            } catch (error) {
                throw Object.assign(new Error(`${error && error.name}: ${error && error.message}`), { subject: true });
            }
            return module.exports;
        };
        return async (given) => {
            timers.length = 0;
            now = 0;
            try {
                return JSON.stringify(await run(load, JSON.parse(given), proof));
            } catch (error) {
                if (error && error.subject) {
                    return JSON.stringify({ settles: 'cannot be loaded', message: error.message });
                }
                throw error;
            }
        };
    };
}
