//! From a file's bytes to swc's tree, for any bytes whatever: too large, not text, nested past all reason.
//!
//! swc's recursive parser, visitors and destructors take stack in proportion to the nesting of the source, and a
//! stack overflow aborts the process. So the work on one file runs on a thread of its own whose stack is in
//! proportion to the file's length: a source cannot nest deeper than it is long.

use std::ops::Range;

use swc_common::sync::Lrc;
use swc_common::{BytePos, FileName, SourceMap, Span};
use swc_ecma_ast::{EsVersion, Program};
use swc_ecma_parser::{EsSyntax, Syntax, parse_file_as_commonjs, parse_file_as_module};

/// The largest file that is read as JavaScript, in bytes. Ghost's largest target, `schema.js`, has 98 kB.
pub const LARGEST_FILE: usize = 512 * 1024;

/// The deepest nesting of brackets that is parsed. Published targets stay below 20.
const DEEPEST_BRACKETS: usize = 500;

/// Stack for one byte of source, in bytes: what `!!!!…` costs a level in parser, visitors and destructors together.
const STACK_PER_BYTE: usize = if cfg!(debug_assertions) {
    12 * 1024
} else {
    2 * 1024
};

/// Stack that work on the smallest file gets, in bytes.
const STACK_AT_LEAST: usize = 16 * 1024 * 1024;

/// Why a file cannot be read as JavaScript.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Larger than [`LARGEST_FILE`].
    #[error("it has {0} bytes; ghostfix reads JavaScript up to {LARGEST_FILE} bytes")]
    TooLarge(u64),
    /// Not UTF-8, with the offset of the first byte that is not.
    #[error("it is not UTF-8 text (first at byte {0})")]
    NotText(usize),
    /// Nested deeper than anybody writes code, with the offset where that shows.
    #[error("its code is nested deeper than anybody writes it (seen at byte {0})")]
    TooDeep(usize),
    /// A syntax error, with its place and the parser's words.
    #[error("it is not JavaScript: {message}")]
    Syntax {
        /// Byte range within the file.
        at: Range<usize>,
        /// What the parser says.
        message: String,
    },
    /// Code of a kind that ghostfix has never met, by the parser's name for it.
    #[error("it has code that this ghostfix does not know: {0}")]
    Unknown(String),
    /// The machine has no stack to spare for a file of this length.
    #[error("there is not enough memory to parse a file of {0} bytes")]
    NoStack(usize),
}

/// A parsed file: text and tree, and how swc's positions map to offsets in the text.
pub struct Parsed<'t> {
    /// The whole text, a byte order mark included.
    pub text: &'t str,
    /// The tree, as a script (CommonJS) or, where that fails, as a module.
    pub program: Program,
    /// Where swc's positions are in the text.
    pub positions: Positions,
}

/// How swc's positions map to offsets in a text.
#[derive(Debug, Clone, Copy)]
pub struct Positions {
    start: u32,
    bom: usize,
}

impl Positions {
    /// The byte range in [`Parsed::text`] that a span covers.
    #[must_use]
    pub fn range(&self, span: Span) -> Range<usize> {
        self.offset(span.lo)..self.offset(span.hi)
    }

    /// The offset in [`Parsed::text`] of one of swc's positions, which count from 1 and leave out a byte order mark.
    #[must_use]
    pub fn offset(&self, position: BytePos) -> usize {
        position.0.saturating_sub(self.start) as usize + self.bom
    }
}

/// Runs `work` with a stack that is large enough for any source of this length.
///
/// # Errors
///
/// [`Unreadable::NoStack`] where the system refuses the thread.
pub fn with_stack_for<T: Send>(
    length: usize,
    work: impl FnOnce() -> T + Send,
) -> Result<T, Unreadable> {
    let stack = STACK_AT_LEAST + length.min(LARGEST_FILE) * STACK_PER_BYTE;
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(stack)
            .spawn_scoped(scope, work);
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => Err(Unreadable::NoStack(length)),
        }
    })
}

/// The file's text, where it is text of a size and depth that can be parsed.
///
/// # Errors
///
/// [`Unreadable`] in all its forms but a syntax error.
pub fn text(bytes: &[u8]) -> Result<&str, Unreadable> {
    if bytes.len() > LARGEST_FILE {
        return Err(Unreadable::TooLarge(bytes.len() as u64));
    }
    let text =
        std::str::from_utf8(bytes).map_err(|error| Unreadable::NotText(error.valid_up_to()))?;
    let mut depth = 0_usize;
    for (offset, byte) in bytes.iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST_BRACKETS {
            return Err(Unreadable::TooDeep(offset));
        }
    }
    Ok(text)
}

/// Parses a text as Node would load it: as CommonJS, and as a module where that fails.
///
/// A tree that the parser had to recover for is refused: Node would not load it.
///
/// # Errors
///
/// [`Unreadable::Syntax`] with the first error of the CommonJS reading.
pub fn parse(text: &str) -> Result<Parsed<'_>, Unreadable> {
    let bom = if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    let sources: Lrc<SourceMap> = Lrc::default();
    let file = sources.new_source_file(Lrc::new(FileName::Anon), text[bom..].to_owned());
    let positions = Positions {
        start: file.start_pos.0,
        bom,
    };
    let syntax = Syntax::Es(EsSyntax::default());

    let mut errors = Vec::new();
    let script = parse_file_as_commonjs(&file, syntax, EsVersion::EsNext, None, &mut errors);
    let first = match script {
        Ok(script) if errors.is_empty() => {
            return Ok(Parsed {
                text,
                program: Program::Script(script),
                positions,
            });
        }
        Ok(_) => errors.swap_remove(0),
        Err(error) => error,
    };
    let mut errors = Vec::new();
    if let Ok(module) = parse_file_as_module(&file, syntax, EsVersion::EsNext, None, &mut errors)
        && errors.is_empty()
    {
        return Ok(Parsed {
            text,
            program: Program::Module(module),
            positions,
        });
    }
    let span = swc_common::Spanned::span(&first);
    Err(Unreadable::Syntax {
        at: positions.range(span),
        message: first.kind().msg().into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_those_of_the_file_whatever_stands_before() {
        for (text, start) in [
            ("f(1)", 0),
            ("\u{feff}f(1)", 3),
            ("#!/usr/bin/env node\r\nf(1)", 21),
            ("// ä\u{2028}f(1)", 8),
        ] {
            let parsed = parse(text).unwrap();
            let Program::Script(script) = &parsed.program else {
                panic!("a script")
            };
            let range = parsed
                .positions
                .range(swc_common::Spanned::span(&script.body[0]));
            assert_eq!((range.start, &text[range]), (start, "f(1)"));
        }
    }

    #[test]
    fn modules_scripts_and_top_level_return_are_read() {
        assert!(matches!(
            parse("return 1").unwrap().program,
            Program::Script(_)
        ));
        assert!(matches!(
            parse("with (a) { b = 010 }").unwrap().program,
            Program::Script(_)
        ));
        assert!(matches!(
            parse("export const a = await b;").unwrap().program,
            Program::Module(_)
        ));
    }

    #[test]
    fn what_is_not_javascript_says_where() {
        let Err(Unreadable::Syntax { at, .. }) = parse("\u{feff}const a = ;") else {
            panic!("a syntax error")
        };
        assert_eq!(at.start, 13);
        assert_eq!(text(b"a\xff"), Err(Unreadable::NotText(1)));
        assert_eq!(
            text("(".repeat(100_000).as_bytes()),
            Err(Unreadable::TooDeep(500))
        );
        assert_eq!(
            text(&vec![b' '; LARGEST_FILE + 1]),
            Err(Unreadable::TooLarge(LARGEST_FILE as u64 + 1))
        );
    }

    #[test]
    fn no_nesting_without_brackets_overflows_the_stack() {
        for unit in [
            "!", "a=>", "a=", "-~", "a?b:", "if(1)", "1+", "a.", "a().", "new ", "void ",
        ] {
            let source = format!("{}a", unit.repeat(100_000 / unit.len()));
            let outcome = with_stack_for(source.len(), || {
                parse(&source).map(|parsed| drop(super::super::tree::of(&parsed)))
            })
            .unwrap();
            assert!(outcome.is_ok(), "{unit}: {outcome:?}");
        }
    }
}
