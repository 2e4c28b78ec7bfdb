//! Makes printed code look like its neighbours: their quotes, their indent, their line ends.

/// How a file is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dress {
    /// `'` or `"`: which of them the file's strings have more often.
    pub quote: char,
    /// One step of indentation.
    pub indent: String,
    /// `\n`, `\r\n` or `\r`: how most lines end.
    pub line_end: &'static str,
}

impl Dress {
    /// Reads the habits off a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        // All of them are ASCII, and no byte of another character is.
        let count = |wanted: u8| text.bytes().filter(|found| *found == wanted).count();
        let quote = if count(b'"') > count(b'\'') {
            '"'
        } else {
            '\''
        };
        let pairs = text.matches("\r\n").count();
        let line_end = match (count(b'\n') - pairs, count(b'\r') - pairs) {
            (lone, returns) if pairs > lone && pairs > returns => "\r\n",
            (lone, returns) if returns > lone => "\r",
            _ => "\n",
        };
        let steps = text
            .split(['\n', '\r'])
            .map(leading)
            // A lone space is the left edge of a comment block, not a step.
            .filter(|blank| !blank.is_empty() && *blank != " ");
        let indent = steps
            .min_by_key(|blank| blank.len())
            .map_or(
                "    ",
                |blank| if blank.starts_with('\t') { "\t" } else { blank },
            );
        Self {
            quote,
            indent: indent.to_owned(),
            line_end,
        }
    }

    /// Printed code (four spaces a step, `\n`) in this dress, for a place whose line begins with `base`.
    ///
    /// swc prints arrows without spaces, and indents what it puts into parentheses a step too far; nobody writes them so.
    /// Should a string hold an arrow, the syntax proof fails.
    #[must_use]
    pub fn put_on(&self, printed: &str, base: &str) -> String {
        let printed = printed.replace("=>", " => ").replace(" =>  ", " => ");
        let steps = |line: &str| leading(line).len() / 4;
        // The last line closes what the first one opens.
        let too_far = printed.lines().skip(1).last().map_or(0, steps);
        let mut out = String::with_capacity(printed.len());
        for (number, line) in printed.lines().enumerate() {
            if number > 0 {
                out.push_str(self.line_end);
                out.push_str(base);
                out.push_str(&self.indent.repeat(steps(line).saturating_sub(too_far)));
            }
            out.push_str(if number > 0 {
                line.trim_start_matches(' ')
            } else {
                line
            });
        }
        out
    }
}

/// The white space at the beginning of the line that `offset` stands in.
#[must_use]
pub fn base_at(text: &str, offset: usize) -> &str {
    let line = text[..offset].rfind(['\n', '\r']).map_or(0, |end| end + 1);
    leading(&text[line..])
}

fn leading(line: &str) -> &str {
    let end = line.find(|c| c != ' ' && c != '\t').unwrap_or(line.len());
    &line[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn habits_are_read_off_the_text() {
        assert_eq!(
            Dress::of("a('x')\n  b()\n    c()\n"),
            Dress {
                quote: '\'',
                indent: "  ".into(),
                line_end: "\n"
            }
        );
        assert_eq!(
            Dress::of("a(\"x\")\r\n\tb()\r\n"),
            Dress {
                quote: '"',
                indent: "\t".into(),
                line_end: "\r\n"
            }
        );
        assert_eq!(
            Dress::of("/**\r * x\r */\rf()\r"),
            Dress {
                quote: '\'',
                indent: "    ".into(),
                line_end: "\r"
            }
        );
        assert_eq!(Dress::of("/**\n * x\n */\nf(\n  a\n)\n").indent, "  ");
    }

    #[test]
    fn printed_code_takes_the_place_s_indent() {
        let dress = Dress {
            quote: '\'',
            indent: "\t".into(),
            line_end: "\r\n",
        };
        assert_eq!(
            dress.put_on("f(\n    a,\n        b\n)", "\t"),
            "f(\r\n\t\ta,\r\n\t\t\tb\r\n\t)"
        );
        assert_eq!(
            dress.put_on("(()=>({\n        a\n    }))()", "\t"),
            "(() => ({\r\n\t\ta\r\n\t}))()"
        );
    }
}
