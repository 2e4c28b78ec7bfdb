// Runs the lock table's primary key migration with a connection whose ALTER TABLE is answered as the case says, and
// which tells truly whether the key is there, in each of the ways that code may ask.
async (load, given, proof) => {
    const seen = { alters: 0 };
    const failure = ({ sqlMessage, ...rest }) => Object.assign(new Error(sqlMessage), { sqlMessage, ...rest });
    const knex = {
        client: { config: { client: 'mysql', connection: { database: 'ghost' } } },
        raw(sql) {
            const text = String(sql);
            if (/^\s*alter table/i.test(text)) return alter();
            if (given.looking) return Promise.reject(failure(given.looking));
            const table = /table_constraints|show (keys|index|indexes)|statistics|key_column_usage/i.test(text);
            return Promise.resolve([table && given.key ? [{ Key_name: 'PRIMARY' }] : [], []]);
        },
        schema: {
            table(name, build) {
                build(new Proxy({}, { get: () => () => proof.anything }));
                return alter();
            },
            hasTable: () => Promise.resolve(true),
        },
    };
    knex.schema.alterTable = knex.schema.table;
    function alter() {
        seen.alters += 1;
        return given.error ? Promise.reject(failure(given.error)) : Promise.resolve();
    }
    const modules = {
        debug: () => () => {},
        '@tryghost/database-info': { isSQLite: () => false, isMySQL: () => true },
    };
    const subject = load((name) => (name in modules ? modules[name] : proof.anything));
    const told = await proof.outcome(() => subject.up(knex));
    return { ...told, ...seen };
}
