//! A reader that reads ahead in a thread of its own: the network waits while the processor unpacks, and the other
//! way round, unless they take turns.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread::JoinHandle;

use super::failure::Failure;
use super::integrity::{Algorithm, Integrity, Verifier};

/// One piece, and how many may wait: 4 MB bridge the pauses of either side.
const PIECE: usize = 128 * 1024;
const WAITING: usize = 32;

/// The far end of a stream that is digested as it comes.
pub struct Prefetch {
    pieces: Option<Receiver<Vec<u8>>>,
    /// The way back of pieces that were read: fresh memory for each would cost more than the copying.
    emptied: Sender<Vec<u8>>,
    piece: Vec<u8>,
    position: usize,
    /// Whether what is left is to be read for its digest though nobody unpacks it.
    draining: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<Integrity, Failure>>>,
    verdict: Option<Result<Integrity, Failure>>,
}

impl Prefetch {
    /// Starts to read `source`: at most `limit` bytes of `what`, which must have one of the digests in `accepted`.
    ///
    /// Dropped without [`finish`](Self::finish), it stops reading at the next piece.
    pub fn start(
        source: impl Read + Send + 'static,
        algorithm: Algorithm,
        accepted: Vec<Integrity>,
        limit: u64,
        what: &'static str,
    ) -> Self {
        let (sender, receiver) = sync_channel::<Vec<u8>>(WAITING);
        let (emptied, spare) = channel::<Vec<u8>>();
        let draining = Arc::new(AtomicBool::new(false));
        let drain = Arc::clone(&draining);
        let thread = std::thread::spawn(move || {
            let mut source = Verifier::new(source, algorithm, limit, what);
            loop {
                let mut piece = spare.try_recv().unwrap_or_default();
                piece.resize(PIECE, 0);
                let mut filled = 0;
                // Small reads are gathered: one message for each would cost more than the bytes.
                while filled < PIECE {
                    match source.read(&mut piece[filled..])? {
                        0 => break,
                        count => filled += count,
                    }
                }
                if filled == 0 {
                    return source.finish(&accepted);
                }
                piece.truncate(filled);
                if sender.send(piece).is_err() {
                    return if drain.load(Ordering::SeqCst) {
                        source.finish(&accepted)
                    } else {
                        Err(Failure::Damaged {
                            why: "it was not read to its end".to_owned(),
                        })
                    };
                }
            }
        });
        Self {
            pieces: Some(receiver),
            emptied,
            piece: Vec::new(),
            position: 0,
            draining,
            thread: Some(thread),
            verdict: None,
        }
    }

    /// Lets the rest pass unread, and gives the verdict on all of it.
    pub fn finish(mut self) -> Result<Integrity, Failure> {
        self.draining.store(true, Ordering::SeqCst);
        self.pieces = None;
        self.verdict()
    }

    fn verdict(&mut self) -> Result<Integrity, Failure> {
        if let Some(thread) = self.thread.take() {
            // The thread only reads and digests: it panics where a reader does, which is damage.
            let ended_early = |_| {
                Err(Failure::Damaged {
                    why: "reading it ended early".to_owned(),
                })
            };
            self.verdict = Some(thread.join().unwrap_or_else(ended_early));
        }
        self.verdict
            .clone()
            .expect("set when the thread was joined, which happens once")
    }
}

impl BufRead for Prefetch {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.position == self.piece.len() {
            let Some(next) = self.pieces.as_ref().and_then(|pieces| pieces.recv().ok()) else {
                // The end, or a failure: the thread knows which.
                self.pieces = None;
                return self.verdict().map(|_| &[][..]).map_err(Failure::into_io);
            };
            let read = std::mem::replace(&mut self.piece, next);
            self.position = 0;
            // Where the thread is done, nobody needs it.
            let _ = self.emptied.send(read);
        }
        Ok(&self.piece[self.position..])
    }

    fn consume(&mut self, count: usize) {
        self.position += count;
    }
}

impl Read for Prefetch {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let waiting = self.fill_buf()?;
        let count = buffer.len().min(waiting.len());
        buffer[..count].copy_from_slice(&waiting[..count]);
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::{PIECE, Prefetch, WAITING};
    use crate::ghost::Failure;
    use crate::ghost::integrity::{Algorithm, Integrity};
    use std::io::{Cursor, Read};

    /// More than what waits at one time.
    const LENGTH: usize = PIECE * (WAITING + 3) + 1;

    fn start(accepted: Vec<Integrity>) -> Prefetch {
        Prefetch::start(
            Cursor::new(vec![7; LENGTH]),
            Algorithm::Sha512,
            accepted,
            LENGTH as u64,
            "the file",
        )
    }

    #[test]
    fn all_bytes_arrive_in_order_and_are_verified() {
        let digest = Integrity::of_bytes(Algorithm::Sha512, &vec![7; LENGTH]);
        let mut prefetch = start(vec![digest.clone()]);
        let mut bytes = Vec::new();
        prefetch.read_to_end(&mut bytes).expect("all of it");
        assert!(bytes == vec![7; LENGTH]);
        assert_eq!(prefetch.finish(), Ok(digest));
    }

    #[test]
    fn the_unread_rest_is_verified_too() {
        let digest = Integrity::of_bytes(Algorithm::Sha512, &vec![7; LENGTH]);
        let mut prefetch = start(vec![digest.clone()]);
        prefetch.read_exact(&mut [0; 10]).expect("ten bytes");
        assert_eq!(prefetch.finish(), Ok(digest));
    }

    #[test]
    fn a_wrong_digest_is_an_error_of_the_last_read_and_of_the_verdict() {
        let wrong = Integrity::of_bytes(Algorithm::Sha512, b"other");
        let mut prefetch = start(vec![wrong]);
        let error = prefetch
            .read_to_end(&mut Vec::new())
            .expect_err("a wrong digest");
        assert!(matches!(Failure::from(error), Failure::Digest { .. }));
        assert!(matches!(prefetch.finish(), Err(Failure::Digest { .. })));
    }
}
