// Rows for every table that a new site leaves empty, so that migrations that depend on rows find some. Made from the
// schema: whatever a column's type and keys allow, and references that hold.

const ROWS = 2;

export async function fill(connection, database) {
    const ask = async (sql, values = [database]) => (await connection.query(sql, values))[0];
    const tables = (await ask(`SELECT table_name AS name FROM information_schema.tables
        WHERE table_schema = ? AND table_type = 'BASE TABLE' AND table_name NOT LIKE 'migrations%' ORDER BY table_name`)).map((r) => r.name);
    const columns = await ask(`SELECT table_name AS t, column_name AS c, data_type AS type, character_maximum_length AS length,
        is_nullable AS nullable, extra FROM information_schema.columns WHERE table_schema = ? ORDER BY t, ordinal_position`);
    const keys = await ask(`SELECT table_name AS t, column_name AS c, referenced_table_name AS parent, referenced_column_name AS pc
        FROM information_schema.key_column_usage WHERE table_schema = ? AND referenced_table_name IS NOT NULL`);
    const there = new Map();
    for (const t of tables) {
        there.set(t, (await ask(`SELECT * FROM \`${t}\` LIMIT ${ROWS}`, [])));
    }
    await connection.query('SET FOREIGN_KEY_CHECKS = 0, SESSION sql_mode = \'\'');
    let filled = 0;
    // Parents are filled before or after their children: what a row of theirs will be is known beforehand.
    const value = (t, column, n) => {
        const {c, type, length} = column;
        const key = keys.find((k) => k.t === t && k.c === c);
        if (key && key.parent !== t) {
            const rows = there.get(key.parent) ?? [];
            if (rows.length) return rows[n % rows.length][key.pc];
            const parent = columns.find((o) => o.t === key.parent && o.c === key.pc);
            return value(key.parent, parent, n);
        }
        if (key) return null;
        switch (type) {
        case 'varchar': case 'char': {
            const text = c === 'id' ? `5f${t.length.toString(16).padStart(2, '0')}${String(n).padStart(20, '0')}` : `${c[0]}${n}`;
            return text.slice(0, Number(length));
        }
        case 'text': case 'mediumtext': case 'longtext': return '{}';
        case 'datetime': case 'timestamp': case 'date': return '2024-01-02 03:04:05';
        case 'varbinary': case 'binary': case 'blob': return Buffer.from([n]);
        default: return n;
        }
    };
    for (const t of tables.filter((name) => there.get(name).length === 0)) {
        for (let n = 1; n <= ROWS; n++) {
            const row = Object.fromEntries(columns
                .filter((c) => c.t === t && !/auto_increment|GENERATED/.test(c.extra))
                .map((c) => [c.c, value(t, c, n)]));
            await connection.query('INSERT IGNORE INTO ?? SET ?', [t, row]);
        }
        filled++;
    }
    return filled;
}
