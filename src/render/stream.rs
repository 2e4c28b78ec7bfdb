//! The two streams. Whoever closes standard output has read enough: that is a quiet end, and the exit code stays what
//! the command answered. Any other failure to deliver a result is an error.

use std::io::{ErrorKind, Write};

use anstream::{AutoStream, ColorChoice};

use crate::error::{Error, Result};

/// Writes a result to standard output; its colours are dropped where they are not wanted.
pub fn print(text: impl AsRef<[u8]>, color: ColorChoice) -> Result<()> {
    let mut stream = AutoStream::new(std::io::stdout(), color);
    match stream
        .write_all(text.as_ref())
        .and_then(|()| stream.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::file_system(
            "write the result to",
            "standard output",
            error,
        )),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes words to standard error. Where that fails there is nobody left to tell.
pub fn diagnose(text: &str, color: ColorChoice) {
    let mut stream = AutoStream::new(std::io::stderr(), color);
    let _ = stream
        .write_all(text.as_bytes())
        .and_then(|()| stream.flush());
}
