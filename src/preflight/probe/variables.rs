//! How is the server set up, as far as it matters to Ghost?

use super::rows;
use crate::mysql::session::{Session, column};
use crate::preflight::facts::{Fact, Server};

/// The settings that checks look at; a server leaves out those that it does not have.
const NAMES: [&str; 22] = [
    "version_comment",
    "sql_mode",
    "character_set_server",
    "collation_server",
    "collation_database",
    "default_collation_for_utf8mb4",
    "character_set_collations",
    "time_zone",
    "system_time_zone",
    "read_only",
    "super_read_only",
    "innodb_read_only",
    "transaction_read_only",
    "tx_read_only",
    "max_connections",
    "max_user_connections",
    "require_secure_transport",
    "lower_case_table_names",
    "sql_require_primary_key",
    "max_allowed_packet",
    "foreign_key_checks",
    "innodb_version",
];

pub(super) async fn ask(session: &mut Session, server: &mut Fact<Server>) {
    let Fact::Known(server) = server else { return };
    let names = NAMES.map(super::quoted).join(", ");
    let statement = format!("SHOW VARIABLES WHERE Variable_name IN ({names})");
    if let Fact::Known(rows) = rows(session, &statement).await {
        for row in &rows {
            if let (Some(name), Some(value)) = (column(row, "variable_name"), column(row, "value"))
            {
                server
                    .variables
                    .insert(name.to_ascii_lowercase(), value.to_owned());
            }
        }
    }
}
