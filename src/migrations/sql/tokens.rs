//! The words of a statement, without its strings and comments.

use super::UNKNOWN;

/// A word of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A bare word, a number, or a quoted name; with a dot it is two.
    Word(String),
    /// `` `name` ``
    Name(String),
    /// A string.
    Text,
    /// Anything else, by itself.
    Sign(char),
}

impl Token {
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own.eq_ignore_ascii_case(word))
    }

    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Word(name) | Self::Name(name) => Some(name),
            Self::Text | Self::Sign(_) => None,
        }
    }
}

/// The words of a statement.
pub(super) fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = sql.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '`' => tokens.push(Token::Name(
                rest.by_ref().take_while(|c| *c != '`').collect(),
            )),
            '\'' | '"' => {
                let _ = rest.by_ref().take_while(|c| *c != character).count();
                tokens.push(Token::Text);
            }
            '-' if rest.peek() == Some(&'-') => {
                let _ = rest.by_ref().take_while(|c| *c != '\n').count();
            }
            '/' if rest.peek() == Some(&'*') => {
                let mut before = ' ';
                for character in rest.by_ref() {
                    if before == '*' && character == '/' {
                        break;
                    }
                    before = character;
                }
            }
            _ if is_word(character) => {
                let mut word = String::from(character);
                while let Some(next) = rest.next_if(|c| is_word(*c)) {
                    word.push(next);
                }
                tokens.push(Token::Word(word));
            }
            _ if character.is_whitespace() => {}
            _ => tokens.push(Token::Sign(character)),
        }
    }
    tokens
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || "_$@".contains(character) || character == UNKNOWN
}
