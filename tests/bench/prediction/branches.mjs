// Rows that make migrations take the branches that rows of just any kind do not: what their code looks for. Made of rows
// that are there, so that they fit every version; where a table or a column is not there yet, left out.

const set = (table, changes, where = '1') => ({table, changes, where});
const like = (table, of, changes) => ({table, of, changes, copy: true});

const BRANCHES = [
    // A paid tier without a price, one without a currency, and settings that say otherwise than the free tier.
    like('products', 'type = \'paid\'', {slug: 'branch-tier', name: 'Branch', type: 'paid', monthly_price_id: null, yearly_price_id: null, currency: null}),
    set('products', {currency: null}, 'slug = \'branch-tier\''),
    set('products', {visibility: 'public'}, 'type = \'free\''),
    set('settings', {value: '["monthly"]'}, '`key` = \'portal_plans\''),
    // Members: one that pays and whose tier ends, one that pays and has lost its tier, one without a uuid.
    set('members', {status: 'paid'}),
    set('members_product_events', {action: 'added'}),
    set('members_products', {expiry_at: '2030-01-01 00:00:00'}),
    {table: 'members_products', sql: 'DELETE FROM members_products WHERE member_id = (SELECT MAX(member_id) FROM members_product_events)'},
    set('members', {uuid: null}),
    // Both events of a member within minutes of each other.
    {table: 'members_subscription_created_events', sql: `UPDATE members_subscription_created_events AS s
        JOIN members_created_events AS m ON m.member_id = s.member_id SET s.created_at = m.created_at`},
    // Addresses that mail does not reach, with newsletters nevertheless.
    {table: 'suppressions', sql: `UPDATE IGNORE suppressions AS s JOIN (SELECT MIN(email) AS email FROM members) AS m SET s.email = m.email`},
    // A subscription with an offer that nobody has redeemed.
    {table: 'members_stripe_customers_subscriptions', sql: 'UPDATE members_stripe_customers_subscriptions SET offer_id = (SELECT MIN(id) FROM offers)'},
    {table: 'offer_redemptions', sql: 'DELETE FROM offer_redemptions'},
    // What a migration adds or renames and an earlier Ghost, or a rolled back upgrade, has left behind.
    like('settings', '1', {key: 'announcement_visibility', value: '[]'}),
    like('integrations', 'slug <> \'self-serve-migration\'', {slug: 'self-serve-migration', name: 'Self-Serve Migration Integration', type: 'core'}),
    {table: 'api_keys', sql: `UPDATE api_keys AS k JOIN integrations AS i ON i.id = k.integration_id SET k.type = 'core'
        WHERE i.slug = 'self-serve-migration'`},
    ...['resetAll', 'revokeAll', 'removeAll'].map((action) =>
        like('permissions', '1', {name: `${action} gift links`, object_type: 'gift_link', action_type: action})),
    set('posts', {featured: 1}, 'type = \'post\''),
    set('members_custom_fields', {key: '_own-'}),
    {table: 'automation_runs', index: 'automation_runs_automation_id_index', sql: 'CREATE INDEX automation_runs_automation_id_index ON automation_runs (automation_id)'},
    {table: 'redirects', column: 'automation_action_revision_id', index: 'redirects_automation_action_revision_id_index',
        sql: 'CREATE INDEX redirects_automation_action_revision_id_index ON redirects (automation_action_revision_id)'},
    set('welcome_email_automated_emails', {sender_name: 'Branch', sender_email: 'branch@example.com'}),
    set('email_design_settings', {sender_name: null, sender_email: null, sender_reply_to: null}),
    {table: 'welcome_email_automated_emails', column: 'email_design_setting_id',
        sql: 'UPDATE welcome_email_automated_emails SET email_design_setting_id = (SELECT MIN(id) FROM email_design_settings)'},
];

export async function takeBranches(connection, database) {
    const ask = async (sql, values) => (await connection.query(sql, values))[0];
    const columns = new Map();
    for (const {t, c} of await ask('SELECT table_name AS t, column_name AS c FROM information_schema.columns WHERE table_schema = ?', [database])) {
        columns.set(t, (columns.get(t) ?? new Set()).add(c));
    }
    const indexes = new Set((await ask('SELECT index_name AS name FROM information_schema.statistics WHERE table_schema = ?', [database])).map((r) => r.name));
    await connection.query('SET FOREIGN_KEY_CHECKS = 0, SESSION sql_mode = \'\'');
    let number = 0;
    for (const {table, changes, where, of, copy, sql, column, index} of BRANCHES) {
        number++;
        const there = columns.get(table);
        if (!there || (column && !there.has(column)) || (index && indexes.has(index))) continue;
        if (sql) {
            // Some name a second table, which may not be there yet.
            await connection.query(sql).catch((e) => {
                if (!['ER_NO_SUCH_TABLE', 'ER_BAD_FIELD_ERROR'].includes(e.code)) throw e;
            });
            continue;
        }
        const fitting = Object.fromEntries(Object.entries(changes).filter(([name]) => there.has(name)));
        if (Object.keys(fitting).length === 0) continue;
        if (copy) {
            const [row] = await ask(`SELECT * FROM ?? WHERE ${of} LIMIT 1`, [table]);
            if (row) await connection.query('INSERT IGNORE INTO ?? SET ?', [table, {...row, id: `5fbb${String(number).padStart(20, '0')}`, ...fitting}]);
        } else {
            await connection.query(`UPDATE IGNORE ?? SET ? WHERE ${where}`, [table, fitting]);
        }
    }
}
