//! Readable differences between outputs.

use similar::TextDiff;

/// Lines of a difference that are shown; a program that went wild can print megabytes.
const SHOWN_LINES: usize = 60;

/// The difference between two outputs as a unified diff in which every byte can be seen, or none if they are equal.
pub fn difference(what: &str, expected: &[u8], actual: &[u8]) -> Option<String> {
    if expected == actual {
        return None;
    }
    let (expected, actual) = (visible(expected), visible(actual));
    let diff = TextDiff::from_lines(&expected, &actual);
    let text = diff
        .unified_diff()
        .header(&format!("{what}, expected"), &format!("{what}, actual"))
        .to_string();
    Some(shortened(&text))
}

/// The text with everything that a terminal would hide or act on written out.
fn visible(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\n' => text.push('\n'),
                '\t' => text.push('\t'),
                _ if character.is_control() => text.extend(character.escape_default()),
                _ => text.push(character),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    if !bytes.is_empty() && !text.ends_with('\n') {
        text.push_str(" (no line end)\n");
    }
    text
}

fn shortened(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let Some(rest) = lines
        .len()
        .checked_sub(SHOWN_LINES)
        .filter(|&rest| rest > 0)
    else {
        return text.to_owned();
    };
    let shown: Vec<&str> = lines.into_iter().take(SHOWN_LINES).collect();
    format!("{}\n… and {rest} more lines\n", shown.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_outputs_do_not_differ() {
        assert_eq!(difference("output", b"a\n", b"a\n"), None);
    }

    #[test]
    fn changed_lines_are_marked() {
        let diff = difference("output", b"one\ntwo\n", b"one\n2\n").unwrap();
        assert!(diff.contains("-two\n+2\n"), "{diff}");
    }

    #[test]
    fn bytes_that_cannot_be_seen_are_written_out() {
        let diff = difference("output", b"a\r\n", b"a\xff\n").unwrap();
        assert!(diff.contains("-a\\r\n+a\\xff\n"), "{diff}");
    }

    #[test]
    fn a_missing_line_end_shows() {
        let diff = difference("output", b"a\n", b"a").unwrap();
        assert!(diff.contains("+a (no line end)"), "{diff}");
    }

    #[test]
    fn long_differences_are_cut() {
        let diff = difference("output", b"", "x\n".repeat(1000).as_bytes()).unwrap();
        assert!(diff.lines().count() <= SHOWN_LINES + 1);
        assert!(diff.contains("more lines"), "{diff}");
    }
}
