// Calls the session model's destroyAll with a query builder that tells which methods were called on which table.
async (load, given, proof) => {
    const calls = [];
    const query = (table) =>
        new Proxy(
            {},
            {
                get: (target, method) =>
                    method === 'then'
                        ? undefined
                        : () => {
                              calls.push(`${table}.${String(method)}`);
                              return given.fails ? Promise.reject(new Error('refused')) : Promise.resolve(1);
                          },
            },
        );
    const knex = (table) => query(table);
    let statics = {};
    const extend = (own, shared) => {
        if (shared && shared.destroyAll) statics = shared;
        return { ...own, ...shared };
    };
    const base = new Proxy(
        { knex, Model: { extend }, Collection: { extend }, model: () => proof.anything, collection: () => proof.anything },
        { get: (known, name) => (name in known ? known[name] : proof.anything) },
    );
    load((name) => (/(^|\/)base$/.test(name) ? base : proof.anything));
    const told = await proof.outcome(() => statics.destroyAll({}));
    return { settles: told.settles, message: told.message, calls: calls.join(' ') };
}
