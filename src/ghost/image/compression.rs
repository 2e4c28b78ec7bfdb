//! What a layer or archive is packed with, known by its first bytes: gzip, Zstandard, or nothing.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::ghost::failure::Failure;

const BUFFER: usize = 128 * 1024;

/// The unpacked bytes of `source`.
pub(super) fn unpacked<'a>(source: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut source = BufReader::with_capacity(BUFFER, source);
    let start = source.fill_buf()?;
    let other = match start {
        [0xfd, b'7', b'z', b'X', b'Z', ..] => Some("xz"),
        [b'B', b'Z', b'h', _, 0x31, 0x41, 0x59, 0x26, ..] => Some("bzip2"),
        _ => None,
    };
    if let Some(other) = other {
        return Err(Failure::Damaged {
            why: format!(
                "a part of it is packed with {other}, and only gzip and Zstandard can be read"
            ),
        }
        .into_io());
    }
    Ok(match start {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(source)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(Zstandard::new(source)),
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Box::new(Zstandard::new(source)),
        _ => Box::new(source),
    })
}

/// All frames of a Zstandard stream, one after the other; the frames for indexes (`zstd:chunked`) are skipped.
struct Zstandard<R> {
    source: R,
    decoder: FrameDecoder,
    in_frame: bool,
}

impl<R: BufRead> Zstandard<R> {
    fn new(source: R) -> Self {
        Self {
            source,
            decoder: FrameDecoder::new(),
            in_frame: false,
        }
    }

    /// Begins the next frame; false at the end.
    fn next_frame(&mut self) -> io::Result<bool> {
        loop {
            if self.source.fill_buf()?.is_empty() {
                return Ok(false);
            }
            let mut magic = [0; 4];
            self.source.read_exact(&mut magic)?;
            if (0x184d_2a50..=0x184d_2a5f).contains(&u32::from_le_bytes(magic)) {
                let mut length = [0; 4];
                self.source.read_exact(&mut length)?;
                let length = u64::from(u32::from_le_bytes(length));
                let skipped = io::copy(&mut (&mut self.source).take(length), &mut io::sink())?;
                if skipped < length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                continue;
            }
            self.decoder
                .init((&magic[..]).chain(&mut self.source))
                .map_err(io::Error::other)?;
            self.in_frame = true;
            return Ok(true);
        }
    }
}

impl<R: BufRead> Read for Zstandard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if self.in_frame {
                while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                    self.decoder
                        .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
                        .map_err(io::Error::other)?;
                }
                let count = self.decoder.read(buffer)?;
                if count > 0 {
                    return Ok(count);
                }
                self.in_frame = false;
            }
            if !self.next_frame()? {
                return Ok(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::unpacked;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    use std::io::{Read, Write};

    fn read(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut found = Vec::new();
        unpacked(bytes)?.read_to_end(&mut found)?;
        Ok(found)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("into memory");
        encoder.finish().expect("into memory")
    }

    fn zstandard(bytes: &[u8]) -> Vec<u8> {
        compress_to_vec(bytes, CompressionLevel::Fastest)
    }

    #[test]
    fn each_packing_is_known_by_its_start() {
        let text: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
        let index = [&[0x5e, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"toc"].concat();
        for packed in [
            text.clone(),
            gzip(&text),
            [gzip(&text[..10]), gzip(&text[10..])].concat(),
            zstandard(&text),
            [
                zstandard(&text[..10]),
                index.clone(),
                zstandard(&text[10..]),
                index,
            ]
            .concat(),
        ] {
            assert!(read(&packed).expect("unpacked") == text);
        }
        assert_eq!(read(b"").expect("nothing"), b"");
    }

    #[test]
    fn what_cannot_be_unpacked_is_named() {
        for (start, name) in [
            (&b"\xfd7zXZ\x00\x00\x04"[..], "xz"),
            (b"BZh91AY&SY", "bzip2"),
        ] {
            let words = read(start).expect_err(name).to_string();
            assert!(
                words.contains(&format!("packed with {name}, and only")),
                "{words}"
            );
        }
        // The first name in a tar may begin like that.
        assert_eq!(read(b"BZh9.txt\0\0").expect("as it is"), b"BZh9.txt\0\0");
    }

    #[test]
    fn what_ends_early_is_an_error() {
        let text = vec![b'x'; 100_000];
        for packed in [
            gzip(&text),
            zstandard(&text),
            vec![0x50, 0x2a, 0x4d, 0x18, 9, 0, 0, 0, 1],
        ] {
            assert!(read(&packed[..packed.len() - 1]).is_err());
        }
    }
}
