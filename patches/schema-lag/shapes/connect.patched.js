const knex = require('knex');

exports.connect = function connect(options) {
    options = options || {};

    return ((knex) => {
        const client = knex.client;
        const acquire = client.acquireRawConnection;
        client.acquireRawConnection = async function() {
            const connection = await acquire.call(this);
            const query = connection.query;
            if (typeof query === 'function') {
                connection.query = function(sql, values, done) {
                    if (typeof done !== 'function') {
                        return query.apply(this, arguments);
                    }
                    let tries = 0;
                    const settle = (err, ...results) => {
                        const late = err && err.errno === 1105 && /^column '[^']*' not found in table '[^']*'$/.test(err.sqlMessage);
                        if (late && ++tries <= 20) {
                            setTimeout(ask, 250);
                            return;
                        }
                        done(err, ...results);
                    };
                    const ask = () => query.call(this, sql, values, settle);
                    return ask();
                };
            }
            return connection;
        };
        return knex;
    })(knex(options));
};
