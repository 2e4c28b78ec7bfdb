//! What may the account do?

use super::rows;
use crate::mysql::session::Session;
use crate::preflight::facts::Fact;

/// The lines of `SHOW GRANTS`, the password's digest that old servers show cut off.
pub(super) async fn ask(session: &mut Session) -> Fact<Vec<String>> {
    match rows(session, "SHOW GRANTS").await {
        Fact::Known(rows) => Fact::Known(
            rows.iter()
                .filter_map(|row| row.first().and_then(|(_, value)| value.as_deref()))
                .map(without_digest)
                .collect(),
        ),
        Fact::Unknown(why) => Fact::Unknown(why),
        Fact::NotReached => Fact::NotReached,
    }
}

fn without_digest(grant: &str) -> String {
    let end = grant.find(" IDENTIFIED ").unwrap_or(grant.len());
    grant[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::without_digest;

    #[test]
    fn a_digest_of_a_password_is_cut_off() {
        assert_eq!(
            without_digest(
                "GRANT USAGE ON *.* TO `g`@`%` IDENTIFIED BY PASSWORD '*A4B6157319038724E3560894F7F932C8886EBFCF'"
            ),
            "GRANT USAGE ON *.* TO `g`@`%`"
        );
    }
}
