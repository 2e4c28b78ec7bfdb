//! The slowest that a server may send: one that drips a byte within every time limit would never be given up on.
//!
//! Measured at the socket, beneath TLS, chunks and compression. Each of them can take in bytes for hours before a reader
//! above it is given one, and all that while it would be in one and the same read.

use std::time::{Duration, Instant};

use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// What has to come in a second, on the average of a window: curl's `--speed-limit` beside its `--speed-time`.
///
/// GPRS and a modem of 56 kbit/s have five times that, and Ghost's 24 MB take six and a half hours at it. A drip of a
/// byte a second would take nine months.
pub(super) const FLOOR: u64 = 1024;

/// Less than the floor came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{received} bytes in {waited:?}")]
pub(super) struct TooSlow {
    pub(super) received: u64,
    pub(super) waited: Duration,
}

/// What came since the window opened, and how long it was waited for.
///
/// Only the waiting counts: while the reader is busy with what it has, the server may be as fast as it likes and nobody
/// takes anything from it.
#[derive(Debug)]
struct Pace {
    window: Duration,
    waited: Duration,
    received: u64,
}

impl Pace {
    fn new(window: Duration) -> Self {
        Self {
            window,
            waited: Duration::ZERO,
            received: 0,
        }
    }

    /// Counts one read, and judges where that fills the window.
    fn count(&mut self, waited: Duration, received: usize) -> Result<(), TooSlow> {
        // No read waits longer than a window; a program that was stopped meanwhile only finds that the clock went on.
        self.waited += waited.min(self.window);
        self.received += received as u64;
        if self.waited < self.window {
            return Ok(());
        }
        let over = std::mem::replace(self, Self::new(self.window));
        let (received, waited) = (over.received, over.waited);
        if u128::from(received) * 1000 < u128::from(FLOOR) * waited.as_millis() {
            return Err(TooSlow { received, waited });
        }
        Ok(())
    }
}

/// Puts the floor under every connection.
#[derive(Debug)]
pub(super) struct Floor {
    pub(super) window: Duration,
}

impl<In: Transport> Connector<In> for Floor {
    type Out = Paced<In>;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        Ok(chained.map(|socket| Paced {
            socket,
            pace: Pace::new(self.window),
        }))
    }
}

/// A connection whose bodies come no slower than the floor.
#[derive(Debug)]
pub(super) struct Paced<T> {
    socket: T,
    pace: Pace,
}

impl<T: Transport> Transport for Paced<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.socket.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.socket.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        // What has to be over by some time needs no floor: the connecting, and the head of an answer. A body has no end
        // that is known, and begins behind a head.
        if !timeout.after.is_not_happening() {
            self.pace = Pace::new(self.pace.window);
            return self.socket.await_input(timeout);
        }
        let before = self.socket.buffers().input().len();
        let begun = Instant::now();
        let came = self.socket.await_input(timeout)?;
        let waited = begun.elapsed();
        // A connection that ends has brought what it had.
        if came {
            let received = self.socket.buffers().input().len().saturating_sub(before);
            self.pace
                .count(waited, received)
                .map_err(|slow| ureq::Error::Other(Box::new(slow)))?;
        }
        Ok(came)
    }

    fn is_open(&mut self) -> bool {
        self.socket.is_open()
    }

    fn is_tls(&self) -> bool {
        self.socket.is_tls()
    }
}

#[cfg(test)]
mod tests {
    use super::{FLOOR, Pace, TooSlow};
    use std::time::Duration;

    const WINDOW: Duration = Duration::from_secs(30);
    const ENOUGH: usize = 30 * FLOOR as usize;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_window_with_less_than_the_floor_is_too_slow() {
        for (last, expected) in [
            (ENOUGH - 1000, Ok(())),
            (
                ENOUGH - 1001,
                Err(TooSlow {
                    received: ENOUGH as u64 - 1,
                    waited: WINDOW,
                }),
            ),
        ] {
            let mut pace = Pace::new(WINDOW);
            assert_eq!(pace.count(seconds(10), 1000), Ok(()));
            // Nothing is said before it is over.
            assert_eq!(pace.count(seconds(19), 0), Ok(()));
            assert_eq!(pace.count(seconds(1), last), expected);
        }
    }

    #[test]
    fn what_a_window_had_too_much_does_not_help_the_next() {
        let mut pace = Pace::new(WINDOW);
        assert_eq!(pace.count(seconds(30), 100 * ENOUGH), Ok(()));
        for _ in 0..29 {
            assert_eq!(pace.count(seconds(1), 1), Ok(()));
        }
        assert_eq!(
            pace.count(seconds(1), 1),
            Err(TooSlow {
                received: 30,
                waited: WINDOW
            })
        );
    }

    #[test]
    fn a_window_may_be_longer_than_it_should() {
        let mut pace = Pace::new(WINDOW);
        assert_eq!(pace.count(seconds(29), 1), Ok(()));
        assert_eq!(
            pace.count(seconds(29), ENOUGH),
            Err(TooSlow {
                received: ENOUGH as u64 + 1,
                waited: seconds(58)
            })
        );
    }

    #[test]
    fn time_in_which_the_program_stood_still_is_not_the_servers() {
        let mut pace = Pace::new(WINDOW);
        assert_eq!(pace.count(seconds(3600), ENOUGH), Ok(()));
    }
}
