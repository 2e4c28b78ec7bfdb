// Calls createDatabaseIfNotExist as Ghost's first boot does (or what `given.call` says), with a connection whose
// CREATE DATABASE (or whichever statement begins with `given.at`) is answered as the case says.
async (load, given, proof) => {
    const at = new RegExp('^\\s*' + (given.at || 'CREATE DATABASE'), 'i');
    const seen = { statements: [], opened: 0, destroyed: 0, created: 0 };

    const failure = () => {
        if (given['rejects-with-undefined']) return undefined;
        const { message, ...rest } = given.error;
        // knex puts the statement in front of the server's words.
        const text = message !== undefined ? message : `CREATE DATABASE \`ghost\` CHARACTER SET utf8mb4; - ${rest.sqlMessage}`;
        return Object.assign(new Error(text), rest);
    };
    const connection = {
        client: { acquireRawConnection: () => Promise.resolve({}) },
        raw(sql) {
            const text = String(sql);
            seen.statements.push(text);
            if (/^\s*create database/i.test(text)) seen.created += 1;
            const fails = (given.error || given['rejects-with-undefined']) && at.test(text);
            return fails ? Promise.reject(failure()) : Promise.resolve([[], []]);
        },
        destroy(callback) {
            seen.destroyed += 1;
            if (callback) callback();
            return Promise.resolve();
        },
    };

    // Like the classes of ignition-errors and @tryghost/errors: options become properties, and so do the cause's own.
    const errorClass = (name) =>
        class extends Error {
            constructor(options = {}) {
                super(options.message || (options.err && options.err.message) || '');
                this.name = name;
                const { err, ...rest } = options;
                for (const key of Object.keys(err || {})) if (!(key in rest) && key !== 'code') this[key] = err[key];
                for (const key of Object.keys(rest)) if (rest[key] !== undefined) this[key] = rest[key];
            }
        };
    const errors = new Proxy({}, { get: (known, name) => (known[name] = known[name] || errorClass(String(name))) });
    const isMySQL = (config) => config === connection || /^mysql2?$/.test(config && config.client);
    const databaseInfo = {
        isMySQL,
        isSQLite: () => false,
        isMySQLConfig: isMySQL,
        isSQLiteConfig: (config) => /sqlite/.test(config && config.client),
    };
    const omit = (object, keys) => Object.fromEntries(Object.entries(object).filter(([key]) => ![].concat(keys).includes(key)));
    const Bluebird = class extends Promise {};
    Bluebird.promisify = () => proof.anything;
    const open = () => {
        seen.opened += 1;
        return connection;
    };
    const knex = Object.assign(open, { default: open });
    const modules = {
        knex,
        bluebird: Bluebird,
        lodash: { omit, each: (list, call) => Object.keys(list).forEach((key) => call(list[key], key)) },
        'lodash/omit': omit,
        debug: () => () => {},
        path: { resolve: (...parts) => parts.join('/'), join: (...parts) => parts.join('/') },
        './errors': errors,
        '@tryghost/database-info': databaseInfo,
    };
    const subject = load((name) => (name in modules ? modules[name] : proof.anything));

    const config = {
        client: 'mysql',
        connection: { host: '127.0.0.1', user: 'ghost', database: 'ghost', charset: 'utf8mb4' },
    };
    const told = await proof.outcome(() =>
        given.call === 'drop'
            ? subject.drop({ connection, dbConfig: config })
            : subject.createDatabaseIfNotExist(config),
    );
    return { ...told, ...seen };
}
