//! Which addresses does the host's name stand for?

use std::net::IpAddr;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::timeout;

use crate::preflight::facts::Fact;

/// All of them, of both kinds, in the resolver's order.
pub(super) async fn resolve(host: &str, port: u16, limit: Duration) -> Fact<Vec<IpAddr>> {
    match timeout(limit, lookup_host((host, port))).await {
        Err(_) => Fact::Unknown(format!("no answer within {} s", limit.as_secs())),
        Ok(Err(error)) => {
            let words = error.to_string();
            let plain = words.strip_prefix("failed to lookup address information: ");
            Fact::Unknown(plain.unwrap_or(&words).to_owned())
        }
        Ok(Ok(addresses)) => {
            let mut found: Vec<IpAddr> = Vec::new();
            for address in addresses {
                if !found.contains(&address.ip()) {
                    found.push(address.ip());
                }
            }
            Fact::Known(found)
        }
    }
}
