// The judge that is quick: a MariaDB with its general log on, and Ghosts as published.
import path from 'node:path';
import {BENCH, onExit} from '../servers/processes.mjs';
import {startMariadb} from '../servers/mariadb.mjs';
import {withConnection} from '../servers/mysql.mjs';
import {PASSWORDS} from '../servers/vtcombo.mjs';
import {nodeFor} from '../trees.mjs';
import {migrator} from './migrator.mjs';

export async function raise(name) {
    const db = await startMariadb(name);
    onExit(() => db.stop());
    const connection = {host: '127.0.0.1', port: db.port, user: 'ghost', password: PASSWORDS.ghost, database: 'ghost'};
    const tree = (version) => ({version, node: nodeFor(version), root: path.join(BENCH, 'ghosts', version)});
    return {
        words: `MariaDB ${db.version}, Ghosts as published`,
        // The log of the upgrade; `prepare` fills the older Ghost's database.
        async upgrade({from, to, prepare}) {
            await withConnection(db.admin, (c) => c.query(`SET GLOBAL general_log = OFF; TRUNCATE mysql.general_log;
                DROP DATABASE IF EXISTS ghost; CREATE DATABASE ghost CHARACTER SET utf8mb4`));
            const first = await migrator(tree(from), 'knex-migrator-init', [], connection);
            if (first.code !== 0) return {notJudged: `Ghost ${from} cannot set up a database: ${first.words}`};
            await withConnection({...db.admin, database: 'ghost', multipleStatements: false}, prepare);
            await withConnection(db.admin, (c) => c.query('SET GLOBAL log_output = \'TABLE\'; SET GLOBAL general_log = ON'));
            const second = await migrator(tree(to), 'knex-migrator-migrate', ['--init'], connection);
            const [results] = await withConnection(db.admin, (c) => c.query(`SET GLOBAL general_log = OFF;
                SELECT CONVERT(argument USING utf8mb4) AS sql_text FROM mysql.general_log
                WHERE command_type IN ('Query', 'Execute') AND user_host LIKE 'ghost%'`));
            return {log: results[1].map((r) => r.sql_text), failed: second.code === 0 ? null : second.words};
        },
    };
}
