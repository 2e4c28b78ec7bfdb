//! `config.local.jsonc`: JSON with comments and commas too many, as Ghost's newer loaders read it.

use serde_json::Value;

/// The value, or nothing where the text is no JSON even without its comments.
///
/// Ghost's own parser goes on behind mistakes and takes what it can; what it makes of a broken file is not known here.
pub(super) fn parse(text: &str) -> Option<Value> {
    serde_json::from_str(&without_comments(text)).ok()
}

fn without_comments(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut quoted = false;
    while let Some(character) = characters.next() {
        match character {
            '"' => quoted = !quoted,
            '\\' if quoted => {
                plain.push(character);
                plain.extend(characters.next());
                continue;
            }
            '/' if !quoted && characters.peek() == Some(&'/') => {
                while characters.next_if(|next| *next != '\n').is_some() {}
                continue;
            }
            '/' if !quoted && characters.peek() == Some(&'*') => {
                characters.next();
                let mut last = ' ';
                for next in characters.by_ref() {
                    if last == '*' && next == '/' {
                        break;
                    }
                    last = next;
                }
                continue;
            }
            '}' | ']' if !quoted => {
                let kept = plain.trim_end().len();
                if plain[..kept].ends_with(',') {
                    plain.truncate(kept - 1);
                }
            }
            _ => {}
        }
        plain.push(character);
    }
    plain
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::parse;

    #[test]
    fn comments_and_last_commas_are_dropped_outside_of_strings() {
        let text = r#"{ // why
            "url": "http://x//y", /* "a": 1, */
            "b": ["/* no */", "\"//",], }"#;
        assert_eq!(
            parse(text),
            Some(json!({"url": "http://x//y", "b": ["/* no */", "\"//"]}))
        );
        assert_eq!(parse("{ nope"), None);
    }
}
