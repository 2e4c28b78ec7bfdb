// Connects, acquires a raw connection as knex's pool does, and sends one statement that the server answers as the case says.
async (load, given, proof) => {
    const seen = { asked: 0 };
    const failure = ({ sqlMessage, ...rest }) => Object.assign(new Error(sqlMessage), { sqlMessage, ...rest });
    const server = given['without-query']
        ? { prepare: () => 'prepared' }
        : {
              query(sql, values, done) {
                  seen.asked += 1;
                  const fails = given.error && (given.times === undefined || seen.asked <= given.times);
                  if (this !== server) throw new Error('the connection is not itself');
                  if (typeof done === 'function') {
                      const { error } = given;
                      Promise.resolve().then(() => (fails ? done(failure(error)) : done(null, [{ affected: 1 }], ['fields'])));
                  }
                  return { sql: sql.sql, values };
              },
          };
    const client = {
        acquireRawConnection() {
            if (this !== client) throw new Error('the client is not itself');
            return Promise.resolve(server);
        },
    };
    const instance = Object.assign(() => proof.anything, { client, raw: () => Promise.resolve([]) });
    const knex = Object.assign(() => instance, { default: () => instance });
    const Bluebird = class extends Promise {};
    Bluebird.promisify = () => proof.anything;
    const modules = { knex, bluebird: Bluebird, debug: () => () => {} };
    const subject = load((name) => (name in modules ? modules[name] : proof.anything));
    const told = await proof.outcome(async () => {
        const connected = subject.connect({ client: 'mysql', connection: { host: '127.0.0.1', user: 'ghost', database: 'ghost' } });
        if (connected !== instance) throw new Error('connect gives another object');
        const connection = await connected.client.acquireRawConnection();
        if (given['without-query']) return connection.prepare();
        if (given.streams) return connection.query({ sql: 'select 1' }, []).sql;
        return new Promise((resolve, reject) =>
            connection.query({ sql: 'update `newsletters` set `link_color` = ?' }, ['accent'], (err, rows, fields) => (err ? reject(err) : resolve([rows, fields]))),
        );
    });
    return { ...told, ...seen, waited: proof.elapsed() };
}
