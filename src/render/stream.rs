//! The two streams. Whoever closes standard output has read enough: that is a quiet end, and the exit code stays what
//! the command answered. Any other failure to deliver a result is an error.

use std::io::{ErrorKind, Write};

use anstream::{AutoStream, ColorChoice};

use crate::error::{Error, Result};
use crate::settings::{Format, Output};

/// Writes a result to standard output; its colours are dropped where they are not wanted.
///
/// # Errors
///
/// Where the result cannot be written and somebody still waits for it: a full disk.
pub fn print(text: impl AsRef<[u8]>, output: &Output) -> Result<()> {
    let color = match output.format {
        Format::Human => output.color,
        // These have no colours to drop, and are to arrive as they are.
        Format::Json
        | Format::Github
        | Format::Sarif
        | Format::Junit
        | Format::Markdown
        | Format::Html => ColorChoice::AlwaysAnsi,
    };
    let mut stream = AutoStream::new(std::io::stdout().lock(), color);
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
pub fn diagnose(text: &str, output: &Output) {
    let mut stream = AutoStream::new(std::io::stderr().lock(), output.color);
    let _ = stream
        .write_all(text.as_bytes())
        .and_then(|()| stream.flush());
}
