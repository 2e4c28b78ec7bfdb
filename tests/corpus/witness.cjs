// Loads a lib/database.js in real Node with stand-ins for what it requires, and tells what it does in each case: a
// second opinion on the proof, which runs in another engine with other stand-ins.
//
//     node --experimental-vm-modules --no-warnings witness.cjs FILE
//
// prints {"loads": true, "cases": {"exists-1007": {"settles": "resolved", …}, …}} or {"loads": false, "problem": "…"}.

'use strict';

const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

const file = process.argv[2];
const STATEMENT = 'CREATE DATABASE `ghost` CHARACTER SET utf8mb4;';

// As mysql2 makes them and knex passes them on: knex puts the statement in front of the message.
const answered = (errno, code, sqlMessage, more = {}) => Object.assign(
    new Error(`${STATEMENT} - ${sqlMessage}`),
    {errno, code, sqlState: 'HY000', sqlMessage, sql: STATEMENT},
    more
);
const UNKNOWN = 'ER_UNKNOWN_ERROR';
const TLS = 'unknown error: Code: UNAVAILABLE\nserver does not allow insecure connections, client must use SSL/TLS\n.';
const VT06001 = "VT06001: cannot create database 'ghost'; database exists";
const OLDER = "Can't create database 'ghost'; database exists";

const without = (error, ...names) => {
    for (const name of names) {
        delete error[name];
    }
    return error;
};

// What the CREATE DATABASE statement (or, with `first`, the one before it) is answered with.
const CREATE = {
    'success': {},
    'exists-1007': {error: () => answered(1007, 'ER_DB_CREATE_EXISTS', OLDER)},
    'exists-1105-vt06001': {error: () => answered(1105, UNKNOWN, VT06001)},
    'exists-1105-older': {error: () => answered(1105, UNKNOWN, OLDER)},
    'exists-1105-in-message-only': {error: () => without(answered(1105, UNKNOWN, VT06001), 'sqlMessage', 'sqlState')},
    '1105-tls': {error: () => answered(1105, UNKNOWN, TLS, {fatal: true})},
    '1105-foreign-keys': {error: () => answered(1105, UNKNOWN, 'VT10001: foreign key constraints are not allowed')},
    '1105-cycle': {error: () => answered(1105, UNKNOWN, "VT09019: keyspace 'ghost' has cyclic foreign keys. Cycle exists between [ghost.comments.id ghost.comments.id]")},
    '1105-direct-ddl': {error: () => answered(1105, UNKNOWN, 'direct DDL is disabled')},
    '1105-no-message': {error: () => Object.assign(new Error(''), {errno: 1105, code: UNKNOWN})},
    '1044': {error: () => answered(1044, 'ER_DBACCESS_DENIED_ERROR', "Access denied for user 'ghost'@'%' to database 'database exists'", {sqlState: '42000'})},
    'no-errno': {error: () => Object.assign(new Error('read ECONNRESET'), {code: 'ECONNRESET'})},
    'undefined': {error: () => undefined},
    'tls-at-once': {first: true, error: () => answered(1105, UNKNOWN, TLS, {fatal: true})},
    'no-host': {first: true, error: () => Object.assign(new Error('getaddrinfo ENOTFOUND db'), {code: 'ENOTFOUND', errno: -3008})},
    'destroy-fails': {destroy: () => new Error('pool is busy')},
    'sqlite': {client: 'sqlite3'},
    'postgres': {client: 'pg'}
};
// What DROP DATABASE is answered with: no patch has any business there.
const DROP = {
    'drop-success': {},
    'drop-1049': {error: () => answered(1049, 'ER_BAD_DB_ERROR', "Unknown database 'ghost'")},
    'drop-1007': {error: () => answered(1007, 'ER_DB_CREATE_EXISTS', OLDER)},
    'drop-1105': {error: () => answered(1105, UNKNOWN, VT06001)},
    'drop-1044': {error: () => answered(1044, 'ER_DBACCESS_DENIED_ERROR', 'Access denied')}
};

function world(scenario) {
    const seen = {opened: 0, destroyed: 0, statements: []};

    const connect = () => {
        seen.opened += 1;
        let open = true;
        const run = (sql) => {
            if (!open) {
                return Promise.reject(new Error('Unable to acquire a connection'));
            }
            seen.statements.push(sql);
            const first = seen.statements.length === 1;
            const create = /^\s*create\s+database/i.test(sql);
            const drop = /^\s*drop\s+database/i.test(sql);
            const hit = scenario.drop ? drop : create;
            if (scenario.error && (scenario.first ? first : hit)) {
                return Promise.reject(scenario.error());
            }
            return Promise.resolve([[], []]);
        };
        // knex sends nothing before somebody waits for the answer.
        const builder = sql => ({
            then: (done, failed) => run(sql).then(done, failed),
            catch: failed => run(sql).catch(failed),
            finally: always => run(sql).finally(always)
        });
        const connection = Object.assign(() => builder('select'), {
            raw: builder,
            client: {config: {client: 'mysql2'}},
            schema: {hasTable: async () => true, createTable: async () => {}, dropTableIfExists: async () => {}},
            transaction: async work => work({}),
            destroy(callback) {
                seen.destroyed += 1;
                open = false;
                const problem = scenario.destroy && scenario.destroy();
                if (callback) {
                    setImmediate(() => callback(problem));
                    return;
                }
                return problem ? Promise.reject(problem) : Promise.resolve();
            }
        });
        return connection;
    };

    // @tryghost/errors and its ancestors copy the cause's own properties.
    const kinds = {};
    const errors = new Proxy(kinds, {
        get: (target, name) => {
            target[name] ??= class extends Error {
                constructor(options = {}) {
                    super(options.message);
                    this.name = String(name);
                    const {err, ...rest} = options;
                    Object.assign(this, rest);
                    for (const property of Object.getOwnPropertyNames(err ?? {})) {
                        if (!['name', 'message', 'stack'].includes(property)) {
                            this[property] ??= err[property];
                        }
                    }
                }
            };
            return target[name];
        }
    });
    const sqlite = config => /sqlite3$/.test(config.client);
    const mysql = config => /^mysql2?$/.test(config.client);
    class Bluebird extends Promise {
        static each(list, work) {
            return [...list].reduce((before, item) => before.then(() => work(item)), Bluebird.resolve());
        }

        static promisify(work) {
            return (...given) => new Bluebird((resolve, reject) => {
                work(...given, (problem, value) => (problem ? reject(problem) : resolve(value)));
            });
        }
    }
    const omit = (object, names) => Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
    const modules = {
        knex: connect,
        bluebird: Bluebird,
        lodash: {omit},
        'lodash/omit': omit,
        debug: () => () => {},
        fs: {unlink: () => {}},
        path,
        './errors': errors,
        './errors.js': errors,
        '@tryghost/database-info': {
            isMySQLConfig: mysql,
            isSQLiteConfig: sqlite,
            isMySQL: () => true,
            isSQLite: () => false
        },
        '@tryghost/promise': {sequence: tasks => tasks.reduce((before, task) => before.then(task), Promise.resolve())}
    };
    const require = (name) => {
        if (!(name in modules)) {
            throw Object.assign(new Error(`Cannot find module '${name}'`), {code: 'MODULE_NOT_FOUND'});
        }
        return modules[name];
    };
    require.resolve = name => name;
    return {seen, connect, require, modules};
}

const source = fs.readFileSync(file, 'utf8').replace(/^\uFEFF/, '').replace(/^#!/, '//');
const isModule = /^\s*(import|export)\s/m.test(source);

async function load(scene) {
    if (!isModule) {
        const module = {exports: {}};
        // As Node wraps it: the body of a function, sloppy unless it says otherwise.
        const wrapped = vm.compileFunction(source, ['exports', 'require', 'module', '__filename', '__dirname'], {filename: file});
        wrapped.call(module.exports, module.exports, scene.require, module, file, path.dirname(file));
        return module.exports;
    }
    const main = new vm.SourceTextModule(source, {identifier: file});
    await main.link((name) => {
        const exported = scene.require(name);
        const names = new Set(['default', ...(name.endsWith('database-info') ? Object.keys(exported) : [])]);
        return new vm.SyntheticModule([...names], function () {
            for (const each of names) {
                this.setExport(each, each === 'default' ? exported : exported[each]);
            }
        });
    });
    await main.evaluate();
    return main.namespace;
}

const described = error => (error instanceof Error
    ? {name: error.name, code: error.code, errno: error.errno, message: error.message, sqlMessage: error.sqlMessage}
    : {value: String(error)});

// When nothing is left to do and the promise has not settled, it never will: no clock is needed to tell.
let idle = () => {};
process.on('beforeExit', () => idle());

async function outcome(call) {
    const never = Symbol('never');
    const wait = new Promise((resolve) => {
        idle = () => resolve(never);
    });
    try {
        const value = await Promise.race([call(), wait]);
        if (value === never) {
            return {settles: 'never'};
        }
        return {settles: 'resolved', value: value instanceof Error ? described(value) : value ?? null};
    } catch (error) {
        return {settles: 'rejected', error: described(error)};
    }
}

async function main() {
    const unhandled = [];
    process.on('unhandledRejection', reason => unhandled.push(String(reason)));
    const cases = {};
    const all = [
        ...Object.entries(CREATE),
        ...Object.entries(DROP).map(([name, scenario]) => [name, {...scenario, drop: true}])
    ];
    for (const [name, scenario] of all) {
        const scene = world(scenario);
        const database = await load(scene);
        const config = {
            client: scenario.client ?? 'mysql',
            connection: {host: 'db', user: 'ghost', password: 'secret', database: 'ghost'}
        };
        let result;
        if (scenario.drop) {
            if (typeof database.drop !== 'function') {
                continue;
            }
            result = await outcome(async () => database.drop({connection: scene.connect(), dbConfig: config}));
        } else {
            result = await outcome(async () => database.createDatabaseIfNotExist(config));
        }
        await new Promise(setImmediate);
        cases[name] = {...result, ...scene.seen, unhandled: unhandled.splice(0).length};
    }
    return {loads: true, cases};
}

main().catch(error => ({loads: false, problem: String(error)})).then((answer) => {
    fs.writeSync(1, JSON.stringify(answer));
    process.exit(0);
});
