//! Does somebody listen at each address?

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::connection::driver::Address;
use crate::mysql::stream::{Duplex, Failure, connect, connect_socket};
use crate::preflight::facts::Reached;

/// More addresses than this are not tried.
const MOST: usize = 16;

/// All of them side by side, and a connection to the first that answers, in the resolver's order.
pub(super) async fn reach(
    address: &Address,
    addresses: &[IpAddr],
    limit: Duration,
) -> (Vec<Reached>, Option<Box<dyn Duplex>>) {
    let port = match address {
        Address::Socket(path) => {
            let begun = Instant::now();
            let tried = connect_socket(path, limit).await;
            return one(path.display().to_string(), begun, tried);
        }
        Address::Host { port, .. } => *port,
    };
    let mut tries = JoinSet::new();
    for (number, ip) in addresses.iter().take(MOST).copied().enumerate() {
        tries.spawn(async move {
            let begun = Instant::now();
            let tried = connect(SocketAddr::new(ip, port), limit).await;
            let (reached, stream) = one(ip.to_string(), begun, tried);
            (number, reached, stream)
        });
    }
    let mut all = Vec::new();
    while let Some(tried) = tries.join_next().await {
        all.extend(tried.ok());
    }
    all.sort_by_key(|(number, ..)| *number);
    let mut reached = Vec::new();
    let mut first = None;
    for (_, one, stream) in all {
        reached.extend(one);
        first = first.or(stream);
    }
    (reached, first)
}

fn one(
    address: String,
    begun: Instant,
    tried: Result<Box<dyn Duplex>, Failure>,
) -> (Vec<Reached>, Option<Box<dyn Duplex>>) {
    let milliseconds = u64::try_from(begun.elapsed().as_millis()).ok();
    match tried {
        Ok(stream) => (
            vec![Reached {
                address,
                milliseconds,
                failure: None,
            }],
            Some(stream),
        ),
        Err(failure) => (
            vec![Reached {
                address,
                milliseconds: None,
                failure: Some(failure.to_string()),
            }],
            None,
        ),
    }
}
