//! A command line that could not be parsed, as an error like any other: a program that asked for JSON gets JSON.

use std::ffi::OsString;

use clap::ValueEnum;
use clap::error::ErrorKind;

use super::Output;
use crate::error::Error;
use crate::settings::Format;

/// The form and the colour that a command line asks for which is otherwise wrong; the defaults where they are wrong
/// themselves. Clap stops at the first mistake, so this looks for itself.
#[must_use]
pub fn output_despite_errors(words: impl IntoIterator<Item = OsString>) -> Output {
    let words: Vec<OsString> = words.into_iter().take_while(|word| word != "--").collect();
    Output {
        format: value(&words, "--format").unwrap_or(Format::Human),
        color: value(&words, "--color").unwrap_or_default(),
        quiet: false,
        verbose: false,
    }
}

/// The last value of a flag, as `--flag value` or `--flag=value`.
fn value<T: ValueEnum>(words: &[OsString], flag: &str) -> Option<T> {
    let texts: Vec<&str> = words
        .iter()
        .map(|word| word.to_str().unwrap_or_default())
        .collect();
    let joined = texts
        .iter()
        .filter_map(|text| text.strip_prefix(flag)?.strip_prefix('='));
    let apart = texts
        .windows(2)
        .filter(|pair| pair[0] == flag)
        .map(|pair| pair[1]);
    joined
        .chain(apart)
        .filter_map(|text| T::from_str(text, false).ok())
        .next_back()
}

/// The first sentence of what the parser says; the rest of it is for people.
#[must_use]
pub fn usage_error(error: &clap::Error) -> Error {
    let problem = if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        "no command was given".to_owned()
    } else {
        let words = error.render().to_string();
        let first = words.split("\n\n").next().unwrap_or_default();
        first
            .strip_prefix("error: ")
            .unwrap_or(first)
            .trim_end()
            .to_owned()
    };
    Error::Usage {
        problem,
        next_step: "`ghostfix --help` shows what can be typed".to_owned(),
    }
}

#[cfg(test)]
mod tests;
