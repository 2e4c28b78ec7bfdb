//! A connection to a server's port or socket.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

/// Something to speak over.
pub trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// What ended a step before its answer came.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nothing came in the time there was.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The operating system's or the other side's words.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Connects to an address.
///
/// # Errors
///
/// Where nobody listens, or nobody answers in time.
pub async fn connect(address: SocketAddr, limit: Duration) -> Result<Box<dyn Duplex>, Failure> {
    let stream = timeout(limit, TcpStream::connect(address))
        .await
        .map_err(|_| Failure::TimedOut(limit))??;
    stream.set_nodelay(true)?;
    Ok(Box::new(stream))
}

/// Connects to a socket of this machine.
///
/// # Errors
///
/// Where it is not there, or nobody answers in time.
pub async fn connect_socket(path: &Path, limit: Duration) -> Result<Box<dyn Duplex>, Failure> {
    let stream = timeout(limit, UnixStream::connect(path))
        .await
        .map_err(|_| Failure::TimedOut(limit))??;
    Ok(Box::new(stream))
}
