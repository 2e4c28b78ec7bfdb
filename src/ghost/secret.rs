//! Passwords and tokens that no message, log or report can show by accident.

use std::fmt;

/// A token or password: readable only where it is asked for by name, in any other output three dots.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(String);

impl Secret {
    /// Takes a value out of sight.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the header that it goes into and nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("…")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("…")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn no_way_of_printing_shows_the_value() {
        let secret = Secret::new("npm_abcdef");
        assert_eq!(
            format!("{secret} {secret:?} {:#?}", Some(&secret)),
            "… … Some(\n    …,\n)"
        );
    }
}
