// The states that preflight is tried on, each with what it has to find, written down before it is run.
//
// `expected` names every check that must not be fine, with its level; all others have to be passed or a notice (with
// `'*': 'unknown'` they may be unknown too). `starts` is whether Ghost starts in that state: preflight has to say that it
// does not exactly where it is false, and nothing is held against it where it is null.
//
// Ghost is booted in every state, from the tree that preflight saw (or the one in `boots`), but where `unbootable` says why
// not. Preflight has to end `within` so many seconds (20), a boot in `patience` seconds (240).
import {SQL} from './sql.mjs';

const VERIFY = {rejectUnauthorized: true, verifyIdentity: true};
const NEW = {data: 'new'};
const SITE = {data: 'site'};
const unreached = {starts: false};

// An account of MySQL for one state, and how it is told to Ghost.
const account = (name, terms) => ({
    before: [`CREATE USER '${name}'@'%' IDENTIFIED BY '${name}-password' ${terms}; GRANT ALL ON ghost.* TO '${name}'@'%'`],
    after: [`DROP USER '${name}'@'%'`],
    connection: {user: name, password: `${name}-password`},
});
const set = (name, value, back = 'DEFAULT') => ({before: [`SET GLOBAL ${name} = ${value}`], after: [`SET GLOBAL ${name} = ${back}`]});

// Vitess: `foreignKeys`, `directDdl`, `appUser`, `rtt`, `fault`, `certificate`. `tree`: treated, nothing, none.
const vitess = (more = {}) => ({server: 'edge', foreignKeys: 'managed', tree: 'treated', ...NEW, ...more});
// Where only the way to it counts, it is in use: a first boot costs forty seconds.
const edge = (more = {}) => vitess({...SITE, sql: [SQL.setNull], ...more});
const mysql = (more = {}) => ({server: 'mysql', tree: 'treated', ...NEW, ...more});
const mariadb = (more = {}) => ({server: 'mariadb', tree: 'treated', ...NEW, ...more});

export const STATES = [
    // Healthy: nothing may be held against them.
    {name: 'vitess managed, new, patched', ...vitess(), expected: {}, starts: true},
    {name: 'vitess managed, in use, patched', ...vitess({...SITE, sql: [SQL.setNull]}), expected: {}, starts: true},
    {name: 'vitess unmanaged, new, patched', ...vitess({foreignKeys: 'unmanaged'}), expected: {}, starts: true},
    {name: 'vitess unmanaged, in use, patched', ...vitess({foreignKeys: 'unmanaged', ...SITE}), expected: {}, starts: true},
    {name: 'vitess managed, new, patched, 20 ms', ...vitess({rtt: 20}), expected: {}, starts: true},
    {name: 'vitess managed, new, patched, 60 ms', ...vitess({rtt: 60}), expected: {}, starts: true},
    {name: 'vitess managed, safe migrations, in use, patched', ...vitess({...SITE, sql: [SQL.setNull], directDdl: false}), expected: {}, starts: true},
    {name: 'edge, identity checked', ...edge({ssl: VERIFY}), expected: {}, starts: true},
    {name: 'mysql, new, patched', ...mysql(), expected: {}, starts: true},
    {name: 'mysql, new, as published', ...mysql({tree: 'nothing'}), expected: {}, starts: true},
    {name: 'mysql, in use, as published', ...mysql({tree: 'nothing', ...SITE}), expected: {}, starts: true},
    {name: 'mysql over TLS', ...mysql({ssl: {rejectUnauthorized: true}, ca: 'mysql'}), expected: {}, starts: true},
    {name: 'mysql, first boot interrupted', ...mysql({...SITE, sql: [SQL.oneInitRow]}), expected: {}, starts: true},
    {name: 'mysql, an old lock without its table', ...mysql({...SITE, sql: [SQL.noLockTable]}), expected: {}, starts: true},
    {name: 'mariadb, new, as published', ...mariadb({tree: 'nothing'}), expected: {}, starts: true},
    {name: 'mariadb over TLS', ...mariadb({ssl: {rejectUnauthorized: true}}), expected: {}, starts: true},
    {name: 'mysql, no installation', ...mysql({tree: 'none', boots: 'nothing'}), expected: {patches: 'unknown'}, starts: true},
    {name: 'mysql by its socket', ...mysql({connection: {socketPath: 'socket'}}), expected: {}, starts: true},
    {name: 'mysql, a database that Ghost makes itself', ...mysql({
        before: ["GRANT ALL ON elsewhere.* TO 'ghost'@'%'"], after: ["DROP DATABASE IF EXISTS elsewhere; REVOKE ALL ON elsewhere.* FROM 'ghost'@'%'"],
        connection: {database: 'elsewhere'}}), expected: {}, starts: true},
    {name: 'mysql, tables have to have primary keys', ...mysql(set('sql_require_primary_key', 'ON')), expected: {}, starts: true},
    {name: 'mysql, killed in an upgrade, the lock released', ...mysql({data: 'older', sql: [SQL.halfMigrated]}), expected: {}, starts: true},
    {name: 'mysql, an account with a certificate, which is shown', ...mysql({
        ...account('certified', 'REQUIRE X509'), ssl: {rejectUnauthorized: true, client: 'mysql'}, ca: 'mysql'}), expected: {}, starts: true},
    {name: 'vitess managed, first boot interrupted', ...vitess({...SITE, sql: [SQL.setNull, SQL.oneInitRow]}), expected: {}, starts: true},
    {name: 'vitess managed, in use, as published', ...vitess({...SITE, sql: [SQL.setNull], tree: 'nothing'}), expected: {}, starts: true},
    {name: 'mariadb, new, patched', ...mariadb(), expected: {}, starts: true},
    {name: 'edge, a name of two addresses, the first one dead', ...edge({hosts: {'two.test': ['127.0.0.66', '127.0.0.1']},
        connection: {host: 'two.test'}}), expected: {}, starts: true},
    {name: 'edge, a name with an address of version 6 where nobody listens', ...edge({hosts: {'both.test': ['::1', '127.0.0.1']},
        connection: {host: 'both.test'}}), expected: {}, starts: true},
    {name: 'edge, each answer 3 s late, in use', ...edge({fault: 'late', within: 90, patience: 600}),
        expected: {}, starts: true},

    // Vitess as it is met.
    {name: 'vitess managed, new, as published', ...vitess({tree: 'nothing'}),
        expected: {'create-database': 'error', 'foreign-key-cycle': 'error', patches: 'error'}, starts: false},
    {name: 'vitess unmanaged, new, as published', ...vitess({tree: 'nothing', foreignKeys: 'unmanaged'}),
        expected: {'create-database': 'error', patches: 'error'}, starts: false},
    {name: 'vitess managed, new, as published, 40 ms', ...vitess({tree: 'nothing', rtt: 40}),
        expected: {'create-database': 'error', 'foreign-key-cycle': 'error', 'transaction-limit': 'error', patches: 'error'}, starts: false},
    {name: 'vitess managed, new, no installation', ...vitess({tree: 'none', unbootable: 'a patched Ghost starts and a published one does not: no Ghost was looked at'}),
        expected: {'create-database': 'warning', 'foreign-key-cycle': 'warning', patches: 'unknown'}, starts: true},
    {name: 'vitess, foreign keys not allowed, new', ...vitess({foreignKeys: 'disallow'}), expected: {'foreign-keys': 'error'}, starts: false},
    {name: 'vitess, foreign keys not allowed, in use', ...vitess({foreignKeys: 'disallow', ...SITE}), expected: {'foreign-keys': 'warning'}, starts: true},
    {name: 'vitess managed after unmanaged: cascading comments', ...vitess({...SITE, sql: [SQL.cascade]}),
        expected: {'foreign-key-cycle': 'error'}, starts: true},
    {name: 'vitess managed, safe migrations, new', ...vitess({directDdl: false}), expected: {'direct-ddl': 'error'}, starts: false},
    {name: 'vitess managed, safe migrations, in use, as published', ...vitess({...SITE, sql: [SQL.setNull], directDdl: false, tree: 'nothing'}),
        expected: {'direct-ddl': 'error', patches: 'error'}, starts: false},
    {name: 'vitess managed, safe migrations, upgrade', ...vitess({data: 'older', directDdl: false, sql: [SQL.cascade]}),
        expected: {'direct-ddl': 'error', 'foreign-key-cycle': 'error'}, starts: false},
    {name: 'vitess, an account without ALTER, new', ...vitess({appUser: 'writer'}), expected: {privileges: 'error'}, starts: false},
    {name: 'vitess, an account that only reads, in use', ...vitess({appUser: 'reader', ...SITE, sql: [SQL.setNull], tree: 'nothing'}),
        expected: {privileges: 'error', patches: 'error'}, starts: false},
    {name: 'vitess, lock held', ...vitess({...SITE, sql: [SQL.setNull, SQL.locked]}), expected: {'migration-lock': 'error'}, starts: false},
    {name: 'vitess, lock without its row', ...vitess({...SITE, sql: [SQL.setNull, SQL.noLockRow]}), expected: {'migration-lock': 'error'}, starts: false},
    {name: 'vitess, the server beneath is read only, in use', ...vitess({...SITE, sql: [SQL.setNull], ...set('super_read_only', 'ON', 'OFF'),
        after: ['SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF']}), expected: {'read-only': 'error'}, starts: true},
    {name: 'vitess, another database', ...vitess({connection: {database: 'elsewhere'}}), expected: {database: 'error'}, starts: false},
    {name: 'vitess, init rows gone', ...vitess({...SITE, sql: [SQL.setNull, SQL.noInitRows]}), expected: {'init-rows': 'error'}, starts: true},
    {name: 'vitess, newer database', ...vitess({...SITE, sql: [SQL.setNull, SQL.newer]}), expected: {'newer-database': 'error'}, starts: true},
    {name: 'vitess managed, read-only run', ...vitess({options: ['--read-only']}),
        expected: {'create-database': 'unknown', 'direct-ddl': 'unknown', views: 'unknown', 'recursive-cte': 'unknown', privileges: 'unknown'}, starts: true},

    // TLS.
    {name: 'edge, no ssl', ...vitess({ssl: null}), expected: {tls: 'error'}, ...unreached},
    {name: 'edge, ssl true', ...vitess({ssl: true}), expected: {'ssl-value': 'error'}, ...unreached},
    {name: 'edge, ssl a word', ...vitess({ssl: 'require'}), expected: {'ssl-value': 'error'}, ...unreached},
    {name: 'edge, ssl an array', ...edge({ssl: [{rejectUnauthorized: true}], extra: true}), expected: {'ssl-value': 'warning'}, starts: true},
    {name: 'edge, not verified', ...edge({ssl: {rejectUnauthorized: false}}), expected: {'ssl-value': 'warning'}, starts: true},
    {name: 'edge, authority not known', ...vitess({ssl: {rejectUnauthorized: true}, ca: null}), expected: {tls: 'error'}, ...unreached},
    {name: 'edge, ca a path', ...vitess({ssl: {ca: '/etc/ssl/ca.pem'}, ca: null}), expected: {'ssl-value': 'error', tls: 'error'}, ...unreached},
    {name: 'edge, ca with written line ends', ...vitess({ssl: {ca: 'escaped'}, ca: null}), expected: {'ssl-value': 'error', tls: 'error'}, ...unreached},
    {name: 'edge, certificate expired', ...vitess({certificate: 'expired'}), expected: {tls: 'error'}, ...unreached},
    {name: 'edge, certificate self-signed', ...vitess({certificate: 'self-signed'}), expected: {tls: 'error'}, ...unreached},
    {name: 'edge, certificate by somebody else', ...vitess({certificate: 'unknown-ca'}), expected: {tls: 'error'}, ...unreached},
    {name: 'edge, certificate of another host, not checked', ...edge({certificate: 'wrong-host'}), expected: {}, starts: true},
    {name: 'edge, certificate of another host, checked', ...vitess({certificate: 'wrong-host', ssl: VERIFY}), expected: {'tls-identity': 'error'}, ...unreached},
    {name: 'edge, certificate of another host, accepted', ...edge({certificate: 'wrong-host', ssl: {rejectUnauthorized: false, verifyIdentity: true}}),
        expected: {'ssl-value': 'warning'}, starts: true},

    // The network.
    {name: 'nobody listens', ...vitess({connection: {port: 'closed'}}), expected: {tcp: 'error'}, ...unreached},
    {name: 'a name that nobody knows', ...vitess({connection: {host: 'nowhere.invalid'}}), expected: {dns: 'error'}, ...unreached},
    {name: 'edge, black hole', ...vitess({fault: 'black-hole', connection: {connectTimeout: 2000}}), expected: {server: 'error'}, ...unreached},
    {name: 'edge, garbage', ...vitess({fault: 'garbage'}), expected: {server: 'error'}, ...unreached},
    {name: 'edge, a web server', ...vitess({fault: 'http'}), expected: {server: 'error'}, ...unreached},
    {name: 'edge, reset in the handshake', ...vitess({fault: 'reset'}), expected: {tls: 'error'}, ...unreached},
    // In use, since a first boot's 1500 statements would take half an hour.
    {name: 'edge, slow', ...edge({fault: 'slow', connection: {connectTimeout: 9000}, within: 60, patience: 600}),
        expected: {}, starts: true},
    // A result's first 6 KB, and then the end of the connection: every time.
    {name: 'edge, cut in the middle of a result', ...edge({fault: 'cut'}),
        expected: {server: 'error', '*': 'unknown'}, ...unreached},
    {name: 'edge, a name of two addresses, both dead', ...vitess({hosts: {'two.test': ['127.0.0.66', '127.0.0.67']},
        connection: {host: 'two.test'}}), expected: {tcp: 'error'}, ...unreached},
    {name: 'mysql, no such socket', ...mysql({connection: {socketPath: '/nowhere/mysql.sock'}}), expected: {tcp: 'error'}, ...unreached},
    {name: 'mysql, encrypted connections only', ...mysql(set('require_secure_transport', 'ON', 'OFF')), expected: {tls: 'error'}, ...unreached},
    {name: 'mysql, no encryption offered', ...mysql({ssl: {rejectUnauthorized: true}, ca: 'mysql',
        before: ["SET GLOBAL tls_version = ''; ALTER INSTANCE RELOAD TLS NO ROLLBACK ON ERROR"], after: ['SET GLOBAL tls_version = DEFAULT; ALTER INSTANCE RELOAD TLS']}),
        expected: {tls: 'error'}, ...unreached},
    {name: 'mysql, no connection left', ...mysql({...set('max_connections', 1, 400), held: [{user: 'writer'}]}), expected: {login: 'error'}, ...unreached},

    // The account.
    {name: 'vitess, wrong password', ...vitess({connection: {password: 'wrong-password'}}), expected: {login: 'error'}, ...unreached},
    {name: 'mysql, wrong password', ...mysql({connection: {password: 'wrong-password'}}), expected: {login: 'error'}, ...unreached},
    {name: 'mysql, no password', ...mysql({connection: {password: ''}}), expected: {login: 'error'}, ...unreached},
    {name: 'mysql, a password of digits', ...mysql({connection: {password: '12345678'}}), expected: {config: 'error'}, ...unreached},
    {name: 'mysql, an account with a certificate, which is not shown', ...mysql({
        ...account('certified', 'REQUIRE X509'), ssl: {rejectUnauthorized: true}, ca: 'mysql'}), expected: {login: 'error'}, ...unreached},
    {name: 'mysql, an account with no connection left', ...mysql({
        ...account('few', 'WITH MAX_USER_CONNECTIONS 1'), held: [{user: 'few', password: 'few-password'}]}), expected: {login: 'error'}, ...unreached},
    {name: 'mysql, an account with three connections, in use', ...mysql({...SITE, ...account('few', 'WITH MAX_USER_CONNECTIONS 3')}),
        expected: {pool: 'error'}, starts: false},
    // What preflight's advice leads to.
    {name: 'mysql, an account with three connections, a pool of two', ...mysql({...account('few', 'WITH MAX_USER_CONNECTIONS 3'), pool: 2}),
        expected: {}, starts: true},
    {name: 'mysql, a pool of one', ...mysql({pool: 1}), expected: {pool: 'error'}, starts: false},
    {name: 'mysql, a locked account', ...mysql(account('locked', 'ACCOUNT LOCK')), expected: {login: 'error'}, ...unreached},
    {name: 'mysql, a password that has run out', ...mysql(account('old', 'PASSWORD EXPIRE')), expected: {login: 'error'}, ...unreached},
    {name: 'mysql, an account for another machine', ...mysql({
        before: ["RENAME USER 'ghost'@'%' TO 'ghost'@'10.9.9.9'"], after: ["RENAME USER 'ghost'@'10.9.9.9' TO 'ghost'@'%'"]}),
        expected: {login: 'error'}, ...unreached},
    {name: 'mariadb, wrong password', ...mariadb({connection: {password: 'wrong-password'}}), expected: {login: 'error'}, ...unreached},
    {name: 'mysql, an account that only writes rows, new', ...mysql({account: 'writer'}),
        expected: {privileges: 'error', 'create-database': 'error'}, starts: false},
    {name: 'mysql, an account that only writes rows, in use, as published', ...mysql({account: 'writer', ...SITE, tree: 'nothing'}),
        expected: {privileges: 'error', patches: 'error'}, starts: false},
    {name: 'mysql, an account that only writes rows, in use, patched', ...mysql({account: 'writer', ...SITE}), expected: {privileges: 'warning'}, starts: true},
    {name: 'mysql, an account that only reads', ...mysql({account: 'reader', ...SITE, tree: 'nothing'}),
        expected: {privileges: 'error', patches: 'error'}, starts: false},
    {name: 'mysql, another database, not allowed', ...mysql({connection: {database: 'elsewhere'}}), expected: {database: 'error'}, starts: false},

    // The server and its data.
    {name: 'mysql, read only', ...mysql({...SITE, before: ['SET GLOBAL read_only = ON'], after: ['SET GLOBAL read_only = OFF']}),
        expected: {'read-only': 'error'}, starts: true},
    {name: 'mysql, super read only, new', ...mysql({...set('super_read_only', 'ON', 'OFF'), after: ['SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF']}),
        expected: {'read-only': 'error'}, starts: false},
    {name: 'mysql, transactions are read only, in use', ...mysql({...SITE, ...set('transaction_read_only', 'ON', 'OFF')}), expected: {'read-only': 'error'}, starts: true},
    {name: 'mysql, the database is read only, in use', ...mysql({...SITE, before: ['ALTER DATABASE ghost READ ONLY = 1'], after: ['ALTER DATABASE ghost READ ONLY = 0']}),
        expected: {'read-only': 'error'}, starts: true},
    {name: 'mariadb, read only, new', ...mariadb(set('read_only', 'ON', 'OFF')), expected: {'read-only': 'error'}, starts: false},
    // A backup that stops all writes: reading goes on, and what would change a table waits.
    {name: 'mysql, locked for a backup, in use', ...mysql({...SITE, held: [{admin: true, sql: 'FLUSH TABLES WITH READ LOCK'}], within: 30, patience: 60}),
        expected: {'read-only': 'error', '*': 'unknown'}, starts: false},
    {name: 'mysql, an upgrade under way', ...mysql({data: 'older', sql: [SQL.halfMigrated, SQL.locked]}), expected: {'migration-lock': 'error'}, starts: false},
    {name: 'mysql, lock held', ...mysql({...SITE, sql: [SQL.locked]}), expected: {'migration-lock': 'error'}, starts: false},
    {name: 'mysql, lock without its row', ...mysql({...SITE, sql: [SQL.noLockRow]}), expected: {'migration-lock': 'error'}, starts: false},
    {name: 'mysql, init rows gone', ...mysql({...SITE, sql: [SQL.noInitRows]}), expected: {'init-rows': 'error'}, starts: true},
    {name: 'mysql, all rows gone', ...mysql({...SITE, sql: [SQL.noRows]}), expected: {'init-rows': 'error'}, starts: true},
    {name: 'mysql, newer database', ...mysql({...SITE, sql: [SQL.newer]}), expected: {'newer-database': 'error'}, starts: true},
    {name: 'mysql, more migrations of this version', ...mysql({...SITE, sql: [SQL.moreOfTheSame]}), expected: {'newer-database': 'error'}, starts: false},
    {name: 'mysql, another program\'s tables', ...mysql({sql: [SQL.otherProgram]}), expected: {database: 'warning'}, starts: true},
    {name: 'mysql, tables of two collations', ...mysql({...SITE, sql: [SQL.collation]}), expected: {collation: 'warning'}, starts: true},
    {name: 'mysql, another default collation', ...mysql({...SITE, before: ["SET GLOBAL default_collation_for_utf8mb4 = 'utf8mb4_general_ci'"],
        after: ["SET GLOBAL default_collation_for_utf8mb4 = 'utf8mb4_0900_ai_ci'"]}), expected: {collation: 'warning'}, starts: true},
    {name: 'mysql, an upgrade, another default collation', ...mysql({data: 'older', ...set('default_collation_for_utf8mb4', "'utf8mb4_general_ci'", "'utf8mb4_0900_ai_ci'")}),
        expected: {collation: 'error'}, starts: false},
    {name: 'mysql, double quotes are names', ...mysql(set('sql_mode', "'ANSI_QUOTES'")), expected: {'sql-mode': 'warning'}, starts: true},
    {name: 'mysql, backslashes are plain, in use', ...mysql({...SITE, ...set('sql_mode', "'NO_BACKSLASH_ESCAPES'")}), expected: {'sql-mode': 'error'}, starts: true},
    {name: 'mysql, few connections', ...mysql({before: ['SET GLOBAL max_connections = 12'], after: ['SET GLOBAL max_connections = 400'], pool: 20}),
        expected: {pool: 'warning'}, starts: true},
    {name: 'mysql, backslashes are plain', ...mysql({before: ["SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES'"], after: ['SET GLOBAL sql_mode = DEFAULT']}),
        expected: {'sql-mode': 'error'}, starts: false},
    {name: 'mysql, an upgrade', ...mysql({data: 'older', tree: 'nothing'}), expected: {}, starts: true},
    {name: 'vitess managed, an upgrade, patched', ...vitess({data: 'older', sql: [SQL.setNull]}), expected: {}, starts: true},
    {name: 'vitess managed, an upgrade, without schema-lag', ...vitess({data: 'older', sql: [SQL.setNull], tree: 'nothing'}),
        // A race: mostly it dies, sometimes it only loses data.
        expected: {patches: 'error'}, starts: null},
];

// What CI tries in some minutes: each kind of server, network and finding once, in an order in which little has to be made
// anew; a site is made, and kept, by a boot of its own.
export const SHORT = [
    {name: 'vitess managed, new, patched'},
    {name: 'vitess managed, new, as published'},
    {name: 'vitess managed, new, no installation'},
    {name: 'vitess managed, read-only run'},
    {name: 'edge, no ssl', boots: true},
    {name: 'edge, ssl true'},
    {name: 'edge, authority not known'},
    {name: 'edge, certificate expired'},
    {name: 'edge, certificate of another host, checked'},
    {name: 'nobody listens'},
    {name: 'a name that nobody knows'},
    {name: 'edge, black hole'},
    {name: 'edge, garbage'},
    {name: 'edge, a web server'},
    {name: 'edge, reset in the handshake'},
    {name: 'vitess, wrong password'},
    {name: 'vitess, foreign keys not allowed, new'},
    {name: 'edge, identity checked'},
    {name: 'edge, ssl an array'},
    {name: 'edge, certificate of another host, not checked'},
    {name: 'vitess managed after unmanaged: cascading comments'},
    {name: 'vitess managed, safe migrations, in use, patched', boots: true},
    {name: 'vitess, lock held'},
    {name: 'mysql, in use, as published'},
    {name: 'mysql, init rows gone'},
    {name: 'mysql, wrong password'},
    {name: 'mysql, an account that only writes rows, new'},
    {name: 'mysql, new, as published', boots: true},
    {name: 'mariadb, new, patched'},
    {name: 'mariadb over TLS'},
];
