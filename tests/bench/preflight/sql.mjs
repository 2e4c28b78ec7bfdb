// What states of the database are made of, as SQL for the server itself.

// The key from a comment to its parent, made anew with this rule.
const parent = (rule) => async (c) => {
    const [keys] = await c.query(`SELECT constraint_name AS name FROM information_schema.key_column_usage
        WHERE table_schema = 'ghost' AND table_name = 'comments' AND column_name = 'parent_id' AND referenced_table_name = 'comments'`);
    for (const {name} of keys) await c.query(`ALTER TABLE comments DROP FOREIGN KEY \`${name}\``);
    await c.query(`ALTER TABLE comments ADD CONSTRAINT comments_parent_id_foreign
        FOREIGN KEY (parent_id) REFERENCES comments (id) ON DELETE ${rule}`);
};

export const SQL = {
    cascade: parent('CASCADE'),
    setNull: parent('SET NULL'),
    locked: "UPDATE migrations_lock SET locked = 1, acquired_at = '2026-01-02 03:04:05' WHERE lock_key = 'km01'",
    noLockRow: "DELETE FROM migrations_lock WHERE lock_key = 'km01'",
    noLockTable: 'DROP TABLE migrations_lock',
    noLockKey: 'ALTER TABLE migrations_lock DROP PRIMARY KEY',
    noInitRows: "DELETE FROM migrations WHERE version = 'init'",
    noRows: 'DELETE FROM migrations',
    oneInitRow: "DELETE FROM migrations WHERE name = '2-create-fixtures.js'",
    newer: "INSERT INTO migrations (name, version, currentVersion) VALUES ('2027-01-01-from-the-future.js', '6.99', '6.99')",
    moreOfTheSame: "INSERT INTO migrations (name, version, currentVersion) VALUES ('2027-01-01-one-more.js', '6.65', '6.65')",
    otherProgram: 'CREATE TABLE wp_posts (id INT PRIMARY KEY)',
    // What is there when an upgrade is killed between two statements of one migration, and its lock is then released by hand.
    halfMigrated: `ALTER TABLE automated_email_recipients ADD COLUMN mailgun_message_id VARCHAR(1000) NULL;
        ALTER TABLE automated_email_recipients ADD COLUMN delivered_at DATETIME NULL`,
    collation: `SET FOREIGN_KEY_CHECKS = 0;
        ALTER TABLE posts CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci; SET FOREIGN_KEY_CHECKS = 1`,
};
