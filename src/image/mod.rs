//! The files of a Ghost installation: where they are, what they hold, and how they are replaced.
