//! What the process was started with, as far as settings depend on it; a plain value, so that a test can make one.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;

/// What counts of the environment, and of where the output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// `$GHOST_INSTALL`, which ghost-cli and the official image set; `None` where it is unset or empty.
    pub ghost_install: Option<PathBuf>,
    /// The working directory; `None` where it was removed or cannot be read.
    pub working_directory: Option<PathBuf>,
    /// What standard output is.
    pub screen: Screen,
    /// What standard error is, where steps can be shown there as they are taken: a terminal that moves its cursor.
    pub stage: Option<Screen>,
}

/// What the human form is laid out for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Columns of the terminal; `None` for a file or a pipe, where lines of code stay whole.
    pub columns: Option<u16>,
    /// Whether marks and rules may be other than ASCII: logs are read with anything.
    pub unicode: bool,
}

impl Screen {
    /// A file, a pipe or a log.
    pub const LOG: Self = Self {
        columns: None,
        unicode: false,
    };
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_this_process() -> Self {
        Self {
            ghost_install: non_empty("GHOST_INSTALL").map(PathBuf::from),
            working_directory: std::env::current_dir().ok(),
            screen: if std::io::stdout().is_terminal() {
                terminal(std::io::stdout())
            } else {
                Screen::LOG
            },
            stage: (std::io::stderr().is_terminal()
                && non_empty("TERM").is_none_or(|term| term != "dumb"))
            .then(|| terminal(std::io::stderr())),
        }
    }
}

fn terminal(stream: impl std::os::fd::AsFd) -> Screen {
    Screen {
        columns: terminal_size::terminal_size_of(stream)
            .map_or(Some(80), |(width, _)| Some(width.0)),
        unicode: speaks_unicode(non_empty),
    }
}

/// Whether a terminal shows more than ASCII. A container has mostly no locale at all, while the terminal it is
/// looked at in speaks UTF-8: only a locale that says otherwise counts.
fn speaks_unicode(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    if variable("TERM").is_some_and(|term| term == "dumb" || term == "linux") {
        return false;
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(variable);
    locale.is_none_or(|locale| {
        let locale = locale.to_string_lossy().to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

fn non_empty(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unicode_unless_the_terminal_or_the_locale_says_otherwise() {
        for (variables, expected) in [
            (&[][..], true),
            (&[("TERM", "xterm-256color")], true),
            (&[("TERM", "dumb")], false),
            (&[("TERM", "linux"), ("LANG", "en_US.UTF-8")], false),
            (&[("LANG", "C")], false),
            (&[("LANG", "C.UTF-8")], true),
            (&[("LANG", "de_DE.utf8")], true),
            (&[("LANG", "C"), ("LC_ALL", "en_US.UTF-8")], true),
            (&[("LANG", "en_US.UTF-8"), ("LC_CTYPE", "POSIX")], false),
        ] {
            let variable = |name: &str| {
                variables
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| OsString::from(value))
            };
            assert_eq!(speaks_unicode(variable), expected, "{variables:?}");
        }
    }
}
