//! What makes room for what while a package comes. Unpacking it takes longest, and nothing can be said before its last
//! byte has come: whatever else is done meanwhile makes way for that.

/// How far a thread stands back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behind {
    /// It reads and digests what is to be unpacked: mostly far ahead of that.
    Unpacking,
    /// It works on what came already, for later.
    Reading,
}

/// Gives this thread, and the processes that it starts, a lower priority for good.
pub fn make_way(behind: Behind) {
    // As `nice` counts, and Linux counts it for each thread: with 5 a third of the time of who has 0, with 10 a tenth.
    let steps = match behind {
        Behind::Unpacking => 5,
        Behind::Reading => 10,
    };
    // What cannot be made slower is only in the way.
    let _ = rustix::process::nice(steps);
}
