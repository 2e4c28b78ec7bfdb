//! A reader that reads ahead and digests in threads of their own: the network waits while the processor unpacks, and the
//! other way round, unless they take turns.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use super::failure::Failure;
use super::integrity::{Algorithm, Hasher, Integrity};
use super::priority::{Behind, make_way};

/// One piece, and how many may wait for being unpacked: 4 MB bridge the pauses of either side, and let all of it be digested
/// by the time when what came last is judged.
const PIECE: usize = 128 * 1024;
const WAITING: usize = 32;
/// How many may wait for being digested, which is as fast as any network.
const UNDIGESTED: usize = 4;

/// The far end of a stream that is digested as it comes.
pub struct Prefetch {
    pieces: Option<Receiver<Vec<u8>>>,
    /// The way back of pieces that were read: fresh memory for each would cost more than the copying.
    emptied: Sender<Vec<u8>>,
    piece: Vec<u8>,
    position: usize,
    /// Whether what is left is to be read for its digest though nobody unpacks it.
    draining: Arc<AtomicBool>,
    digesting: Option<JoinHandle<Result<Integrity, Failure>>>,
    verdict: Option<Result<Integrity, Failure>>,
    is_held: bool,
}

/// What comes out of the source. Where nothing comes any more and no end was told, reading was broken off.
enum Message {
    Piece(Vec<u8>),
    End(Result<(), Failure>),
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
        let (read, undigested) = sync_channel(UNDIGESTED);
        let (digested, pieces) = sync_channel(WAITING);
        let (emptied, spare) = channel();
        let draining = Arc::new(AtomicBool::new(false));
        let is_held = !accepted.is_empty();
        std::thread::spawn(move || {
            make_way(Behind::Unpacking);
            let end = read_pieces(source, limit, what, &spare, &read);
            // Where nobody listens any more, nobody wants to know.
            let _ = read.send(Message::End(end));
        });
        let drain = Arc::clone(&draining);
        let digesting = std::thread::spawn(move || {
            make_way(Behind::Unpacking);
            digest(algorithm, &accepted, &undigested, digested, &drain)
        });
        Self {
            pieces: Some(pieces),
            emptied,
            piece: Vec::new(),
            position: 0,
            draining,
            digesting: Some(digesting),
            verdict: None,
            is_held,
        }
    }

    /// Whether its end is an error where the bytes are not those that were published.
    pub fn is_held_against_a_digest(&self) -> bool {
        self.is_held
    }

    /// Lets the rest pass unread, and gives the verdict on all of it.
    pub fn finish(mut self) -> Result<Integrity, Failure> {
        self.draining.store(true, Ordering::SeqCst);
        self.pieces = None;
        self.verdict()
    }

    fn verdict(&mut self) -> Result<Integrity, Failure> {
        if let Some(thread) = self.digesting.take() {
            self.verdict = Some(thread.join().unwrap_or_else(|_| Err(broken_off())));
        }
        self.verdict
            .clone()
            .expect("set when the thread was joined, which happens once")
    }
}

/// Reads all of the source, as long as somebody takes it.
fn read_pieces(
    mut source: impl Read,
    limit: u64,
    what: &'static str,
    spare: &Receiver<Vec<u8>>,
    read: &SyncSender<Message>,
) -> Result<(), Failure> {
    let mut total = 0;
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
            return Ok(());
        }
        total += filled as u64;
        if total > limit {
            return Err(Failure::TooLarge {
                what,
                limit: format!("{} MB", limit >> 20),
            });
        }
        piece.truncate(filled);
        if read.send(Message::Piece(piece)).is_err() {
            return Ok(());
        }
    }
}

/// Digests what comes and hands it on; the verdict on all of it.
fn digest(
    algorithm: Algorithm,
    accepted: &[Integrity],
    undigested: &Receiver<Message>,
    digested: SyncSender<Vec<u8>>,
    draining: &AtomicBool,
) -> Result<Integrity, Failure> {
    let mut hasher = Hasher::new(algorithm);
    let mut digested = Some(digested);
    loop {
        match undigested.recv().map_err(|_| broken_off())? {
            Message::Piece(piece) => {
                hasher.update(&piece);
                if let Some(taken) = &digested
                    && taken.send(piece).is_err()
                {
                    if !draining.load(Ordering::SeqCst) {
                        return Err(Failure::Damaged {
                            why: "it was not read to its end".to_owned(),
                        });
                    }
                    digested = None;
                }
            }
            Message::End(end) => return end.and_then(|()| hasher.finish().one_of(accepted)),
        }
    }
}

/// The threads only read and digest: they panic where a reader does, which is damage.
fn broken_off() -> Failure {
    Failure::Damaged {
        why: "reading it ended early".to_owned(),
    }
}

impl BufRead for Prefetch {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.position == self.piece.len() {
            let Some(next) = self.pieces.as_ref().and_then(|pieces| pieces.recv().ok()) else {
                // The end, or a failure: the verdict knows which.
                self.pieces = None;
                return self.verdict().map(|_| &[][..]).map_err(Failure::into_io);
            };
            let read = std::mem::replace(&mut self.piece, next);
            self.position = 0;
            // Where all is read, nobody needs it.
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

    #[test]
    fn a_reader_that_breaks_off_is_never_taken_for_one_that_ends() {
        struct Breaks(bool);
        impl Read for Breaks {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                assert!(!self.0, "a panic while reading, as a library may have one");
                self.0 = true;
                buffer[0] = 7;
                Ok(1)
            }
        }
        let mut prefetch = Prefetch::start(
            Breaks(false),
            Algorithm::Sha512,
            Vec::new(),
            100,
            "the file",
        );
        let error = prefetch
            .read_to_end(&mut Vec::new())
            .expect_err("it broke off");
        assert!(matches!(Failure::from(error), Failure::Damaged { .. }));
    }

    #[test]
    fn no_more_is_read_than_the_limit() {
        let source = Cursor::new(vec![7; LENGTH]);
        let limit = LENGTH as u64 - 1;
        let mut prefetch =
            Prefetch::start(source, Algorithm::Sha512, Vec::new(), limit, "the file");
        let error = prefetch
            .read_to_end(&mut Vec::new())
            .expect_err("it is larger");
        assert!(matches!(
            Failure::from(error),
            Failure::TooLarge {
                what: "the file",
                ..
            }
        ));
    }
}
