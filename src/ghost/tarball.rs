//! A package's `.tgz`, read as it streams: only the wanted files are kept, and nothing is given out before the last
//! byte has been held against the published digest.
//!
//! Paths are the package's own: the first directory (`package/`) is taken off, as npm does.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};

use flate2::bufread::MultiGzDecoder;

use super::failure::{Failure, quoted_line};
use super::gzip::Unchecked;
use super::prefetch::Prefetch;

/// Inflating is fastest where most of what is repeated is still in the buffer: a tenth less time than for tar's own reads.
const UNPACKED_AT_ONCE: usize = 128 * 1024;

/// What an honest package never exceeds. Ghost 6 has 3,016 entries and 53 MB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the `.tgz`.
    pub packed: u64,
    /// Bytes of everything in it.
    pub unpacked: u64,
    /// Bytes of one wanted file.
    pub file: u64,
    /// Bytes of all wanted files.
    pub kept: u64,
    /// Entries, directories included.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            packed: 256 << 20,
            unpacked: 1 << 30,
            file: 16 << 20,
            kept: 64 << 20,
            entries: 100_000,
        }
    }
}

/// The wanted files of a package, by path.
pub type Kept = BTreeMap<String, Vec<u8>>;

/// Reads a whole `.tgz` and keeps the files that `wanted` says yes to.
///
/// Links are passed over, as npm passes over them: a wanted path that is a link is not there. `arrived` sees each kept
/// file as it comes, when nothing is verified yet.
pub fn read(
    mut source: Prefetch,
    limits: &Limits,
    wanted: impl Fn(&str) -> bool,
    arrived: impl Fn(&str, &[u8]),
) -> Result<(Kept, super::integrity::Integrity), Failure> {
    let unpacked = unpack(&mut source, limits, wanted, arrived);
    match unpacked {
        Ok(kept) => source.finish().map(|integrity| (kept, integrity)),
        // A tampered file mostly fails to unpack before its end; that it is not the published one says more.
        Err(failure @ Failure::Damaged { .. }) => Err(match source.finish() {
            Err(wrong @ Failure::Digest { .. }) => wrong,
            _ => failure,
        }),
        Err(failure) => Err(failure),
    }
}

fn unpack(
    source: &mut Prefetch,
    limits: &Limits,
    wanted: impl Fn(&str) -> bool,
    arrived: impl Fn(&str, &[u8]),
) -> Result<Kept, Failure> {
    let inner: Box<dyn Read + '_> = if source.is_held_against_a_digest() {
        Box::new(Unchecked::new(source))
    } else {
        Box::new(MultiGzDecoder::new(source))
    };
    let bounded = Bounded {
        inner,
        left: limits.unpacked,
        limit: limits.unpacked,
    };
    let mut archive = tar::Archive::new(Forward {
        inner: BufReader::with_capacity(UNPACKED_AT_ONCE, bounded),
        position: 0,
    });
    let mut kept = Kept::new();
    let mut kept_bytes = 0;
    for (index, entry) in archive.entries_with_seek()?.enumerate() {
        let mut entry = entry?;
        if index >= limits.entries {
            return Err(Failure::TooLarge {
                what: "the number of entries",
                limit: limits.entries.to_string(),
            });
        }
        let raw = entry.path_bytes();
        let Some(path) = path_in_package(&raw)? else {
            continue;
        };
        let kind = entry.header().entry_type();
        if !(kind.is_file() || kind.is_contiguous()) || !wanted(&path) {
            continue;
        }
        let size = entry.size();
        kept_bytes += size;
        if size > limits.file || kept_bytes > limits.kept {
            let limit = if size > limits.file {
                limits.file
            } else {
                limits.kept
            };
            return Err(Failure::TooLarge {
                what: "what it wants kept",
                limit: format!("{} MB", limit >> 20),
            });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        entry.read_to_end(&mut bytes)?;
        if bytes.len() as u64 != size {
            return Err(Failure::Damaged {
                why: format!("{path} ends early"),
            });
        }
        arrived(&path, &bytes);
        // A path that comes twice is extracted twice: the last one stays.
        kept.insert(path, bytes);
    }
    Ok(kept)
}

/// The path below the package's own directory; `None` for that directory itself.
fn path_in_package(raw: &[u8]) -> Result<Option<String>, Failure> {
    let text = String::from_utf8_lossy(raw);
    let escape = || Failure::Escape {
        path: quoted_line(&text),
    };
    if text.starts_with('/') || text.contains(['\0', '\\']) {
        return Err(escape());
    }
    let mut parts = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => return Err(escape()),
            name => parts.push(name),
        }
    }
    Ok((parts.len() > 1).then(|| parts[1..].join("/")))
}

/// Ends a stream that unpacks to more than its limit.
struct Bounded<R> {
    inner: R,
    left: u64,
    limit: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            Failure::TooLarge {
                what: "the archive unpacked",
                limit: format!("{} MB", self.limit >> 20),
            }
            .into_io()
        })?;
        Ok(count)
    }
}

/// Lets tar pass over files by seeking, which is always forward: to read them would be to copy them.
struct Forward<R> {
    inner: BufReader<R>,
    position: u64,
}

impl<R: Read> Read for Forward<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl<R: Read> Seek for Forward<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Current(distance) = to else {
            return Err(ErrorKind::Unsupported.into());
        };
        let mut left = u64::try_from(distance).map_err(|_| ErrorKind::Unsupported)?;
        while left > 0 {
            let unpacked = self.inner.fill_buf()?.len();
            if unpacked == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let passed = unpacked.min(usize::try_from(left).unwrap_or(usize::MAX));
            self.inner.consume(passed);
            self.position += passed as u64;
            left -= passed as u64;
        }
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::{Kept, Limits, path_in_package, read};
    use crate::ghost::Failure;
    use crate::ghost::integrity::{Algorithm, Integrity};
    use crate::ghost::prefetch::Prefetch;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::{Cursor, Write};

    enum Entry<'a> {
        File(&'a str, &'a [u8]),
        Link(tar::EntryType, &'a str, &'a str),
    }

    fn tar(entries: &[Entry<'_>]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for entry in entries {
            let mut header = tar::Header::new_ustar();
            header.set_mode(0o644);
            // The builder's own methods refuse the names that these tests are about.
            let name = |header: &mut tar::Header, path: &str| {
                header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
            };
            match entry {
                Entry::File(path, bytes) => {
                    name(&mut header, path);
                    header.set_size(bytes.len() as u64);
                    header.set_cksum();
                    builder.append(&header, *bytes).expect("into memory");
                }
                Entry::Link(kind, path, target) => {
                    name(&mut header, path);
                    header.set_entry_type(*kind);
                    header.set_size(0);
                    header.set_link_name_literal(target).expect("short");
                    header.set_cksum();
                    builder.append(&header, &[][..]).expect("into memory");
                }
            }
        }
        builder.into_inner().expect("into memory")
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("into memory");
        encoder.finish().expect("into memory")
    }

    fn read_all(
        tgz: Vec<u8>,
        accepted: Option<Vec<Integrity>>,
        limits: &Limits,
    ) -> Result<Kept, Failure> {
        let accepted =
            accepted.unwrap_or_else(|| vec![Integrity::of_bytes(Algorithm::Sha512, &tgz)]);
        let source = Prefetch::start(
            Cursor::new(tgz),
            Algorithm::Sha512,
            accepted,
            limits.packed,
            "the tarball",
        );
        read(source, limits, |path| path.ends_with(".js"), |_, _| {}).map(|(kept, _)| kept)
    }

    #[test]
    fn only_wanted_files_are_kept_under_their_own_paths() {
        let tgz = gzip(&tar(&[
            Entry::File("package/package.json", b"{}"),
            Entry::File("package/lib/a.js", b"one"),
            Entry::File("package/./lib//b.js", b"two"),
            Entry::File("other/c.js", b"three"),
            Entry::File("package/lib/a.js", b"last"),
            Entry::Link(tar::EntryType::Symlink, "package/lib/d.js", "a.js"),
            Entry::Link(tar::EntryType::Link, "package/lib/e.js", "package/lib/a.js"),
            Entry::File("top.js", b"no package"),
        ]));
        let kept = read_all(tgz, None, &Limits::default()).expect("a tarball");
        let expected: Kept = [("lib/a.js", "last"), ("lib/b.js", "two"), ("c.js", "three")]
            .map(|(path, text)| (path.to_owned(), text.into()))
            .into();
        assert_eq!(kept, expected);
    }

    #[test]
    fn a_path_that_leads_out_refuses_the_whole_tarball() {
        for path in [
            "package/../../etc/x.js",
            "../x.js",
            "/etc/x.js",
            "package/..",
            "package\\..\\x.js",
        ] {
            let tgz = gzip(&tar(&[
                Entry::File("package/a.js", b"x"),
                Entry::File(path, b"x"),
            ]));
            assert_eq!(
                read_all(tgz, None, &Limits::default()),
                Err(Failure::Escape {
                    path: path.to_owned()
                })
            );
        }
        assert_eq!(path_in_package(b"package/"), Ok(None));
        assert_eq!(
            path_in_package(b"package/a..b/c"),
            Ok(Some("a..b/c".to_owned()))
        );
    }

    #[test]
    fn the_digest_covers_what_follows_the_archive() {
        let tar = tar(&[Entry::File("package/a.js", b"x")]);
        let published = vec![Integrity::of_bytes(Algorithm::Sha512, &gzip(&tar))];
        // Behind the end marker of the tar, where no reader of entries looks.
        let longer = gzip(&[tar.clone(), b"appended".to_vec()].concat());
        let second_member = [gzip(&tar), gzip(b"appended")].concat();
        for tampered in [longer, second_member] {
            let failure = read_all(tampered, Some(published.clone()), &Limits::default())
                .expect_err("tampered");
            assert!(
                matches!(
                    failure,
                    Failure::Digest {
                        algorithm: "sha512",
                        ..
                    }
                ),
                "{failure}"
            );
        }
    }

    #[test]
    fn damage_is_told_as_damage_and_tampering_as_tampering() {
        let tgz = gzip(&tar(&[Entry::File("package/a.js", &[1; 5000])]));
        let half = tgz[..tgz.len() / 2].to_vec();
        let published = vec![Integrity::of_bytes(Algorithm::Sha512, &tgz)];
        assert!(matches!(
            read_all(half.clone(), Some(published), &Limits::default()),
            Err(Failure::Digest { .. })
        ));
        assert!(matches!(
            read_all(half, None, &Limits::default()),
            Err(Failure::Damaged { .. })
        ));
        // Cut off in a file that is only passed over: the gzip is whole, the archive is not.
        let tar = tar(&[Entry::File("package/a.css", &[1; 5000])]);
        assert!(matches!(
            read_all(gzip(&tar[..3000]), None, &Limits::default()),
            Err(Failure::Damaged { .. })
        ));
        assert!(matches!(
            read_all(b"no gzip".to_vec(), None, &Limits::default()),
            Err(Failure::Damaged { .. })
        ));
        assert!(matches!(
            read_all(gzip(&[9; 2048]), None, &Limits::default()),
            Err(Failure::Damaged { .. })
        ));
    }

    #[test]
    fn bombs_are_stopped_at_each_limit() {
        let limits = Limits {
            packed: 1 << 20,
            unpacked: 8 << 20,
            file: 2 << 20,
            kept: 3 << 20,
            entries: 10,
        };
        let large = vec![0; 4 << 20];
        let third = &large[..2 << 20];
        let many: Vec<Entry<'_>> = (0..11).map(|_| Entry::File("package/a", b"")).collect();
        for (entries, what) in [
            (
                vec![
                    Entry::File("package/a", &large),
                    Entry::File("package/b", &large),
                ],
                "the archive unpacked",
            ),
            (
                vec![Entry::File("package/a.js", &large)],
                "what it wants kept",
            ),
            (
                vec![
                    Entry::File("package/a.js", third),
                    Entry::File("package/b.js", third),
                ],
                "what it wants kept",
            ),
            (many, "the number of entries"),
        ] {
            match read_all(gzip(&tar(&entries)), None, &limits) {
                Err(Failure::TooLarge { what: found, .. }) => assert_eq!(found, what),
                other => panic!("{what}: {other:?}"),
            }
        }
        let mut stored = GzEncoder::new(Vec::new(), Compression::none());
        stored
            .write_all(&tar(&[Entry::File("package/a", third)]))
            .expect("into memory");
        assert!(matches!(
            read_all(stored.finish().expect("into memory"), None, &limits),
            Err(Failure::TooLarge {
                what: "the tarball",
                ..
            })
        ));
    }
}
