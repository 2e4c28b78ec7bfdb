//! The MySQL protocol as far as it is needed to ask a server questions: where it listens, how it greets, what its
//! certificate is, and statements one by one. Every wait has an end.

pub mod certificate;
pub mod errno;
pub mod greeting;
pub mod roots;
pub mod session;
pub mod stream;
pub mod tls;
