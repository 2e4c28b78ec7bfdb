// Loaded before Ghost: ends it, as the kernel would, before the insert of that number
// is sent (GHOSTFIX_KILL_BEFORE). The bookkeeping of migrations is not counted.
const {createRequire} = require('node:module');
const {Connection} = createRequire(`${process.cwd()}/`)('mysql2');
const wanted = Number(process.env.GHOSTFIX_KILL_BEFORE);
const {query} = Connection.prototype;
let inserts = 0;
Connection.prototype.query = function (sql, ...rest) {
    const text = typeof sql === 'string' ? sql : sql?.sql ?? '';
    if (/^insert into `(?!migrations)/i.test(text) && ++inserts === wanted) process.kill(process.pid, 'SIGKILL');
    return query.call(this, sql, ...rest);
};
