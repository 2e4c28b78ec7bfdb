//! Unpacks gzip whose bytes are held against a digest anyway: its own checksum would say nothing more, and takes a
//! twentieth of the time of unpacking.

use std::io::{self, BufRead, Read};

use flate2::bufread::{DeflateDecoder, GzDecoder};

/// What stands behind each member's data, in bytes: a checksum and a length.
const TRAILER: usize = 8;

/// All members of a gzip stream, one after the other, as `gunzip` reads them.
pub(super) struct Unchecked<R>(State<R>);

enum State<R> {
    /// Before a member's header.
    Before(R),
    Within(DeflateDecoder<R>),
    /// At the end, or behind a failure.
    Done,
}

impl<R: BufRead> Unchecked<R> {
    pub(super) fn new(source: R) -> Self {
        Self(State::Before(source))
    }
}

impl<R: BufRead> Read for Unchecked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let mut member = match std::mem::replace(&mut self.0, State::Done) {
                State::Before(source) => behind_header(source)?,
                State::Within(member) => member,
                State::Done => return Ok(0),
            };
            let count = member.read(buffer)?;
            if count > 0 {
                self.0 = State::Within(member);
                return Ok(count);
            }
            let mut source = member.into_inner();
            source.read_exact(&mut [0; TRAILER])?;
            if source.fill_buf()?.is_empty() {
                return Ok(0);
            }
            self.0 = State::Before(source);
        }
    }
}

/// The header is for flate2 to read, which does so at once.
fn behind_header<R: BufRead>(source: R) -> io::Result<DeflateDecoder<R>> {
    let mut header = GzDecoder::new(source);
    if header.header().is_none() {
        // It keeps its reason for whoever reads.
        header.read_exact(&mut [0])?;
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(DeflateDecoder::new(header.into_inner()))
}

#[cfg(test)]
mod tests {
    use super::Unchecked;
    use flate2::read::MultiGzDecoder;
    use flate2::{Compression, GzBuilder};
    use std::io::{BufReader, Read, Write};

    fn member(text: &str, builder: GzBuilder) -> Vec<u8> {
        let mut encoder = builder.write(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).expect("into memory");
        encoder.finish().expect("into memory")
    }

    /// What comes out, from a source that gives few bytes at a time.
    fn unpacked(bytes: &[u8]) -> std::io::Result<String> {
        let mut text = String::new();
        Unchecked::new(BufReader::with_capacity(3, bytes)).read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn every_member_is_unpacked_whatever_its_header_says() {
        let named = GzBuilder::new()
            .filename("a.tar")
            .comment("c")
            .extra([1, 2]);
        let bytes = [
            member("one", GzBuilder::new()),
            member("", GzBuilder::new()),
            member("two", named),
        ]
        .concat();
        assert_eq!(unpacked(&bytes).expect("gzip"), "onetwo");
    }

    #[test]
    fn what_gunzip_refuses_is_refused_but_for_the_checksum() {
        let whole = member("some text, some text", GzBuilder::new());
        for length in 0..whole.len() {
            assert!(unpacked(&whole[..length]).is_err(), "{length} bytes");
        }
        let mut wrong = whole.clone();
        let data = whole.len() - super::TRAILER - 2;
        wrong[data] ^= 0xff;
        let checked = MultiGzDecoder::new(wrong.as_slice()).read_to_end(&mut Vec::new());
        assert!(
            checked.is_err(),
            "flate2 sees it by its checksum or its codes"
        );
        // In the checksum itself, which is what is left out.
        let mut wrong = whole.clone();
        wrong[whole.len() - super::TRAILER] ^= 0xff;
        let checked = MultiGzDecoder::new(wrong.as_slice()).read_to_end(&mut Vec::new());
        assert!(checked.is_err(), "flate2 sees it");
        assert_eq!(unpacked(&wrong).expect("gzip"), "some text, some text");
        let followed = [whole, b"no gzip at all".to_vec()].concat();
        assert!(unpacked(&followed).is_err());
        assert!(unpacked(b"no gzip at all").is_err());
    }
}
