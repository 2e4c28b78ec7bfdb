// Reads what the migration asks knex-migrator for, or runs it with fixtures that tell what was called.
async (load, given, proof) => {
    const calls = [];
    const recorders = new WeakSet();
    const recorder = (path) => {
        const made = new Proxy(function () {}, {
            get(target, key) {
                // Lists in old versions: one fixture stands for all.
                if (key === Symbol.iterator) return [recorder(`${path}[]`)][Symbol.iterator].bind([recorder(`${path}[]`)]);
                if (key === Symbol.toPrimitive) return () => path;
                if (key === 'then' || typeof key === 'symbol') return undefined;
                return recorder(path ? `${path}.${key}` : String(key));
            },
            apply: (target, self, values) => {
                calls.push(path);
                if (given.fails) return Promise.reject(new Error('fixture'));
                // `fixtures.models` and the like are lists in old versions: callbacks among the values are called.
                const callbacks = values.filter((value) => typeof value === 'function' && !recorders.has(value));
                return Promise.all(callbacks.map((callback) => callback(recorder(`${path}()`)))).then(() => undefined);
            },
        });
        recorders.add(made);
        return made;
    };
    const Bluebird = class extends Promise {};
    Bluebird.mapSeries = async (list, call) => {
        for (const item of list) await call(item);
    };
    const fixtures = recorder('fixtures');
    const modules = {
        bluebird: Bluebird,
        lodash: { each: (list, call) => [].concat(list).forEach(call), merge: Object.assign, cloneDeep: (value) => value },
        '../../schema/fixtures': fixtures,
        '../../schema': { fixtures },
    };
    const subject = load((name) => (name in modules ? modules[name] : recorder(name)));
    if (given.ask === 'config') {
        return { settles: 'returns', transaction: subject.config && subject.config.transaction };
    }
    const told = await proof.outcome(() => subject.up({ transacting: {}, connection: {} }));
    return { settles: told.settles, message: told.message, calls: calls.length };
}
