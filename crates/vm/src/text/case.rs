//! Upper and lower case.
//!
//! The mapping goes from one code point to one, depends on no locale and no neighbours, and so
//! never changes the length. A character whose case has several code points (`ß`, `ﬁ`) stays as it
//! is.

use std::borrow::Cow;

/// The text in upper case; borrowed if it is so already.
///
/// ```
/// assert_eq!(kiln_vm::text::case::to_upper("héllo"), "HÉLLO");
/// ```
pub fn to_upper(text: &str) -> Cow<'_, str> {
    map(text, char::to_uppercase, str::make_ascii_uppercase)
}

/// The text in lower case; borrowed if it is so already.
///
/// ```
/// assert_eq!(kiln_vm::text::case::to_lower("ÀÉ"), "àé");
/// ```
pub fn to_lower(text: &str) -> Cow<'_, str> {
    map(text, char::to_lowercase, str::make_ascii_lowercase)
}

fn map<Cased>(text: &str, full: fn(char) -> Cased, ascii: fn(&mut str)) -> Cow<'_, str>
where
    Cased: ExactSizeIterator<Item = char>,
{
    let simple = |character| {
        let mut cased = full(character);
        match cased.next() {
            Some(only) if cased.len() == 0 => only,
            _ => character,
        }
    };
    let Some(first_changed) = text
        .char_indices()
        .find(|(_, character)| simple(*character) != *character)
    else {
        return Cow::Borrowed(text);
    };
    if text.is_ascii() {
        let mut owned = text.to_owned();
        ascii(&mut owned);
        return Cow::Owned(owned);
    }
    let (same, rest) = text.split_at(first_changed.0);
    let mut owned = String::with_capacity(text.len());
    owned.push_str(same);
    owned.extend(rest.chars().map(simple));
    Cow::Owned(owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_change_case_and_nothing_else_does() {
        assert_eq!(to_upper("Hello, World 1"), "HELLO, WORLD 1");
        assert_eq!(to_lower("Hello, World 1"), "hello, world 1");
        assert_eq!(to_upper("жук"), "ЖУК");
        assert_eq!(to_lower("ΣΟΦΟΣ"), "σοφοσ");
        assert_eq!(to_upper("ǆ"), "Ǆ");
    }

    #[test]
    fn a_character_whose_case_is_longer_stays() {
        assert_eq!(to_upper("straße ﬁ"), "STRAßE ﬁ");
        assert_eq!(to_lower("İ"), "İ");
    }

    #[test]
    fn text_that_stays_is_borrowed() {
        assert!(matches!(to_upper("ABC É 1"), Cow::Borrowed(_)));
        assert!(matches!(to_lower(""), Cow::Borrowed(_)));
    }
}
