//! Digests that were published, and readers that hold what they read against them.
//!
//! A reader that stops at the end of an archive has not seen the bytes behind it: only [`Verifier::finish`], which
//! reads on to the very end, is a verdict.

use std::fmt;
use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::failure::Failure;

/// A digest's algorithm, the stronger the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// 160 bits; all that the oldest npm packages have.
    Sha1,
    /// 256 bits; what images use.
    Sha256,
    /// 384 bits.
    Sha384,
    /// 512 bits; what npm uses.
    Sha512,
}

impl Algorithm {
    /// The name as in `sha512-…` and `sha256:…`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512]
            .into_iter()
            .find(|known| known.name() == name)
    }

    fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// One digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Integrity {
    algorithm: Algorithm,
    digest: Vec<u8>,
}

impl Integrity {
    /// The strongest digests of a subresource integrity text (`sha512-… sha1-…`); any one of them will do.
    #[must_use]
    pub fn of_subresource(text: &str) -> Vec<Self> {
        let mut found: Vec<Self> = text
            .split_whitespace()
            .filter_map(|entry| {
                let (algorithm, rest) = entry.split_once('-')?;
                let encoded = rest.split('?').next()?;
                Self::new(
                    Algorithm::of_name(algorithm)?,
                    STANDARD.decode(encoded).ok()?,
                )
            })
            .collect();
        let strongest = found.iter().map(|integrity| integrity.algorithm).max();
        found.retain(|integrity| Some(integrity.algorithm) == strongest);
        found
    }

    /// Whether a subresource integrity text has an entry that is none: without an algorithm, or with a digest that is
    /// not one of it. What is of an algorithm that nobody here knows is no mistake.
    #[must_use]
    pub fn is_malformed(text: &str) -> bool {
        text.split_whitespace().any(|entry| {
            let Some((algorithm, rest)) = entry.split_once('-') else {
                return true;
            };
            let encoded = rest.split('?').next().unwrap_or_default();
            Algorithm::of_name(algorithm).is_some_and(|algorithm| {
                let digest = STANDARD.decode(encoded).ok();
                digest
                    .and_then(|digest| Self::new(algorithm, digest))
                    .is_none()
            })
        })
    }

    /// A bare SHA-1 in hexadecimal: npm's `shasum`.
    #[must_use]
    pub fn of_shasum(text: &str) -> Option<Self> {
        Self::new(Algorithm::Sha1, from_hex(text.trim())?)
    }

    /// A digest in the form of images, `sha256:…`.
    #[must_use]
    pub fn of_image(text: &str) -> Option<Self> {
        let (algorithm, digits) = text.split_once(':')?;
        let algorithm =
            Algorithm::of_name(algorithm).filter(|algorithm| *algorithm >= Algorithm::Sha256)?;
        Self::new(algorithm, from_hex(digits)?)
    }

    fn new(algorithm: Algorithm, digest: Vec<u8>) -> Option<Self> {
        (digest.len() == algorithm.length()).then_some(Self { algorithm, digest })
    }

    /// The digest of some bytes.
    #[must_use]
    pub fn of_bytes(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// This digest, if it is one of `accepted`; an empty list accepts any.
    pub(super) fn one_of(self, accepted: &[Self]) -> Result<Self, Failure> {
        match accepted.first() {
            Some(expected) if !accepted.contains(&self) => Err(Failure::Digest {
                algorithm: self.algorithm.name(),
                expected: expected.hex(),
                found: self.hex(),
            }),
            _ => Ok(self),
        }
    }

    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digest in hexadecimal, as file names and images have it.
    #[must_use]
    pub fn hex(&self) -> String {
        use std::fmt::Write;
        self.digest.iter().fold(
            String::with_capacity(self.digest.len() * 2),
            |mut text, byte| {
                // Writing into a String cannot fail.
                let _ = write!(text, "{byte:02x}");
                text
            },
        )
    }
}

impl fmt::Display for Integrity {
    /// `sha512-…`, as npm writes it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}-{}",
            self.algorithm.name(),
            STANDARD.encode(&self.digest)
        )
    }
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok())
        .collect()
}

/// A digest in the making.
pub enum Hasher {
    /// SHA-1
    Sha1(Sha1),
    /// SHA-256
    Sha256(Sha256),
    /// SHA-384
    Sha384(Sha384),
    /// SHA-512
    Sha512(Sha512),
}

impl Hasher {
    /// Nothing digested yet.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha384 => Self::Sha384(Sha384::new()),
            Algorithm::Sha512 => Self::Sha512(Sha512::new()),
        }
    }

    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha384(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The digest of all bytes.
    #[must_use]
    pub fn finish(self) -> Integrity {
        let (algorithm, digest) = match self {
            Self::Sha1(hasher) => (Algorithm::Sha1, hasher.finalize().to_vec()),
            Self::Sha256(hasher) => (Algorithm::Sha256, hasher.finalize().to_vec()),
            Self::Sha384(hasher) => (Algorithm::Sha384, hasher.finalize().to_vec()),
            Self::Sha512(hasher) => (Algorithm::Sha512, hasher.finalize().to_vec()),
        };
        Integrity { algorithm, digest }
    }
}

/// A reader that digests what passes, and reads no more than a limit.
pub struct Verifier<R> {
    inner: R,
    hasher: Hasher,
    read: u64,
    limit: u64,
    what: &'static str,
}

impl<R: Read> Verifier<R> {
    /// Reads from `inner` at most `limit` bytes of `what`.
    pub fn new(inner: R, algorithm: Algorithm, limit: u64, what: &'static str) -> Self {
        Self {
            inner,
            hasher: Hasher::new(algorithm),
            read: 0,
            limit,
            what,
        }
    }

    /// Reads whatever is left, then gives the verdict: the digest, if it is one of `accepted`.
    ///
    /// An empty `accepted` takes any digest: for files that the user names and nobody published a digest of.
    pub fn finish(mut self, accepted: &[Integrity]) -> Result<Integrity, Failure> {
        let mut rest = [0; 16 * 1024];
        while self.read(&mut rest)? > 0 {}
        self.hasher.finish().one_of(accepted)
    }
}

impl<R: Read> Read for Verifier<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        self.read += count as u64;
        if self.read > self.limit {
            return Err(Failure::TooLarge {
                what: self.what,
                limit: format!("{} MB", self.limit >> 20),
            }
            .into_io());
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, Integrity, Verifier};
    use crate::ghost::Failure;
    use std::io::Read;

    #[test]
    fn the_strongest_digest_counts() {
        let abc = |algorithm| Integrity::of_bytes(algorithm, b"abc");
        let both = format!("{} {}?opt", abc(Algorithm::Sha1), abc(Algorithm::Sha512));
        assert_eq!(Integrity::of_subresource(&both), [abc(Algorithm::Sha512)]);
        for nothing in [
            "",
            "md5-kAFQmDzST7DWlj99KOF/cg==",
            "sha512-abcd",
            "sha512",
            "sha1-!!!",
        ] {
            assert_eq!(Integrity::of_subresource(nothing), [], "{nothing:?}");
        }
    }

    #[test]
    fn what_is_no_digest_is_no_missing_one() {
        let abc = Integrity::of_bytes(Algorithm::Sha512, b"abc").to_string();
        for (text, expected) in [
            (abc.as_str(), false),
            (&format!("{abc}?opt"), false),
            ("md5-kAFQmDzST7DWlj99KOF/cg==", false),
            ("", false),
            ("sha512-zzz", true),
            ("sha512", true),
            (&format!("{abc} sha1-!!!"), true),
        ] {
            assert_eq!(Integrity::is_malformed(text), expected, "{text:?}");
        }
    }

    #[test]
    fn digests_are_written_as_they_are_read() {
        let sha1 =
            Integrity::of_shasum("a9993e364706816aba3e25717850c26c9cd0d89d").expect("a digest");
        assert_eq!(sha1, Integrity::of_bytes(Algorithm::Sha1, b"abc"));
        assert_eq!(sha1.to_string(), "sha1-qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
        assert_eq!(sha1.hex(), "a9993e364706816aba3e25717850c26c9cd0d89d");
        let image = Integrity::of_bytes(Algorithm::Sha256, b"abc");
        assert_eq!(
            Integrity::of_image(&format!("sha256:{}", image.hex())),
            Some(image)
        );
        assert_eq!(
            Integrity::of_image("sha1:a9993e364706816aba3e25717850c26c9cd0d89d"),
            None
        );
        assert_eq!(Integrity::of_image("sha256:ab/../cd"), None);
    }

    #[test]
    fn what_comes_after_the_last_read_counts_too() {
        let whole = Integrity::of_bytes(Algorithm::Sha256, b"abcdef");
        let start = Integrity::of_bytes(Algorithm::Sha256, b"abc");
        let read_three = || {
            let mut verifier = Verifier::new(&b"abcdef"[..], Algorithm::Sha256, 100, "the file");
            verifier.read_exact(&mut [0; 3]).expect("three bytes");
            verifier
        };
        assert_eq!(
            read_three().finish(std::slice::from_ref(&whole)),
            Ok(whole.clone())
        );
        assert_eq!(
            read_three().finish(std::slice::from_ref(&start)),
            Err(Failure::Digest {
                algorithm: "sha256",
                expected: start.hex(),
                found: whole.hex()
            })
        );
    }

    #[test]
    fn a_limit_holds_while_draining() {
        let endless = std::io::repeat(0);
        let verifier = Verifier::new(endless, Algorithm::Sha256, 2 << 20, "the file");
        assert_eq!(
            verifier.finish(&[]),
            Err(Failure::TooLarge {
                what: "the file",
                limit: "2 MB".to_owned()
            })
        );
    }
}
