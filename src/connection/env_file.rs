//! Files of environment variables, in the two ways that people write them: as `docker run --env-file` reads them (every
//! character counts, quotes too) and as compose and shells do (quotes are taken off, `\n` in double quotes is a line end).
//!
//! The same line can mean two things, so the reading is told beside the value.

/// How quotes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Quoting {
    /// As compose and shells do: quotes are taken off
    Compose,
    /// As `docker run --env-file` does: quotes belong to the value
    Docker,
}

/// A line that is no variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Counted from one.
    pub line: usize,
    /// What is wrong with it, without its text, which may hold a secret.
    pub problem: &'static str,
}

/// The variables of a file, in its order; a name that comes twice has its last value.
///
/// # Errors
///
/// The first line that is no variable.
pub fn parse(text: &str, quoting: Quoting) -> Result<Vec<(String, String)>, BadLine> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut variables: Vec<(String, String)> = Vec::new();
    let mut rest = text;
    let mut line = 0;
    while !rest.is_empty() {
        line += 1;
        let (this, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let trimmed = this.trim_start();
        if trimmed.trim_end().is_empty() || trimmed.starts_with('#') {
            rest = after;
            continue;
        }
        let (name, value, taken) = match quoting {
            Quoting::Docker => docker(trimmed),
            Quoting::Compose => compose(&rest[this.len() - trimmed.len()..]),
        }
        .map_err(|problem| BadLine { line, problem })?;
        match taken {
            None => rest = after,
            Some(taken) => {
                let from = this.len() - trimmed.len() + taken;
                line += rest[..from].matches('\n').count();
                rest = rest[from..].split_once('\n').map_or("", |(_, after)| after);
            }
        }
        variables.retain(|(known, _)| *known != name);
        if let Some(value) = value {
            variables.push((name, value));
        }
    }
    Ok(variables)
}

/// Name, value (none: taken from the surroundings, which are not known here), and how many bytes were read where the
/// value is longer than its line.
type Parsed = Result<(String, Option<String>, Option<usize>), &'static str>;

fn docker(line: &str) -> Parsed {
    let line = line.strip_suffix('\r').unwrap_or(line);
    let Some((name, value)) = line.split_once('=') else {
        return Ok((name(line.trim())?, None, None));
    };
    Ok((self::name(name)?, Some(value.to_owned()), None))
}

fn compose(text: &str) -> Parsed {
    let end = text.find('\n').unwrap_or(text.len());
    let line = text[..end].trim_end();
    let exported = line.strip_prefix("export ").map(str::trim_start);
    let Some((name, _)) = exported.unwrap_or(line).split_once('=') else {
        return Ok((self::name(exported.unwrap_or(line))?, None, None));
    };
    let name = self::name(name.trim())?;
    let value_at = text[..end].find('=').unwrap_or(end) + 1;
    let value = &text[value_at..];
    let blank = value.len() - value.trim_start_matches([' ', '\t']).len();
    let value = &value[blank..];
    let (value, length) = match value.chars().next() {
        Some('\'') => single_quoted(value)?,
        Some('"') => double_quoted(value)?,
        _ => return Ok((name, Some(unquoted(value)), None)),
    };
    Ok((name, Some(value), Some(value_at + blank + length)))
}

fn single_quoted(text: &str) -> Result<(String, usize), &'static str> {
    match text[1..].find('\'') {
        Some(end) => Ok((text[1..=end].to_owned(), end + 2)),
        None => Err("a quote (') that is not closed"),
    }
}

fn double_quoted(text: &str) -> Result<(String, usize), &'static str> {
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((value, at + 1)),
            '\\' => match characters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 'r')) => value.push('\r'),
                Some((_, 't')) => value.push('\t'),
                Some((_, other @ ('"' | '\\' | '$'))) => value.push(other),
                Some((_, other)) => value.extend(['\\', other]),
                None => break,
            },
            other => value.push(other),
        }
    }
    Err("a quote (\") that is not closed")
}

/// Without quotes a value ends at its line, or at a `#` behind a space.
fn unquoted(text: &str) -> String {
    let line = text.split('\n').next().unwrap_or_default();
    let end = line.find(" #").or_else(|| line.find("\t#"));
    line[..end.unwrap_or(line.len())].trim().to_owned()
}

fn name(name: &str) -> Result<String, &'static str> {
    if name.is_empty() {
        Err("no name before the `=`")
    } else if name.contains(char::is_whitespace) {
        Err("a space in the name of the variable")
    } else {
        Ok(name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str, quoting: Quoting) -> Vec<(String, String)> {
        parse(text, quoting).unwrap()
    }

    fn one(text: &str, quoting: Quoting) -> String {
        let mut pairs = pairs(text, quoting);
        assert_eq!(pairs.len(), 1, "{text}");
        pairs.remove(0).1
    }

    #[test]
    fn compose_takes_quotes_off_and_docker_does_not() {
        for (line, compose, docker) in [
            ("a=b", "b", "b"),
            ("a='{\"x\":true}'", "{\"x\":true}", "'{\"x\":true}'"),
            ("a=\"x y\"", "x y", "\"x y\""),
            ("a={\"x\":true}", "{\"x\":true}", "{\"x\":true}"),
            ("a=b # why", "b", "b # why"),
            ("a=b#c", "b#c", "b#c"),
            ("a= b ", "b", " b "),
            ("a=\"x\\ny\"", "x\ny", "\"x\\ny\""),
            ("a='x\\ny'", "x\\ny", "'x\\ny'"),
            ("a=", "", ""),
            ("a=x=y", "x=y", "x=y"),
        ] {
            assert_eq!(one(line, Quoting::Compose), compose, "compose: {line}");
            assert_eq!(one(line, Quoting::Docker), docker, "docker: {line}");
        }
        assert_eq!(one("export a=b\r\n", Quoting::Compose), "b");
    }

    #[test]
    fn a_quoted_value_may_have_several_lines() {
        let text = "ca=\"-----BEGIN\nabc\n-----END\"\nhost=x # there\n";
        assert_eq!(
            pairs(text, Quoting::Compose),
            [
                ("ca".to_owned(), "-----BEGIN\nabc\n-----END".to_owned()),
                ("host".to_owned(), "x".to_owned())
            ]
        );
    }

    #[test]
    fn the_last_value_counts_and_a_bare_name_has_none() {
        assert_eq!(
            pairs("# c\n\na=1\nb\na=2\n", Quoting::Compose),
            [("a".to_owned(), "2".to_owned())]
        );
    }

    #[test]
    fn a_bad_line_is_named_and_not_shown() {
        assert_eq!(
            parse("a=1\nb c=2\n", Quoting::Docker),
            Err(BadLine {
                line: 2,
                problem: "a space in the name of the variable"
            })
        );
        assert_eq!(
            parse("a='x\n", Quoting::Compose).unwrap_err().problem,
            "a quote (') that is not closed"
        );
    }
}
