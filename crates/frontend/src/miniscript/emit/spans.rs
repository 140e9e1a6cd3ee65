//! Where expressions stand in the source, for the table of spans.

use kiln_bytecode::SourceSpan;

use crate::source::{Source, Span};

/// So many bytes lie between two places whose number of characters is known.
const STEP: usize = 256;

/// Finds lines and columns in a time that does not depend on how long lines are.
pub(super) struct Spans<'a> {
    source: &'a Source,
    /// The number of characters that begin before each place, [`STEP`] bytes apart.
    characters: Vec<u32>,
}

impl<'a> Spans<'a> {
    pub fn new(source: &'a Source) -> Spans<'a> {
        let mut sum = 0;
        let mut characters = vec![0];
        for part in source.text().as_bytes().chunks(STEP) {
            sum += beginnings(part);
            characters.push(sum);
        }
        Spans { source, characters }
    }

    /// The number of characters before an offset.
    fn characters_before(&self, offset: u32) -> u32 {
        let text = self.source.text().as_bytes();
        let offset = (offset as usize).min(text.len());
        let known = self.characters.get(offset / STEP);
        known.copied().unwrap_or_default() + beginnings(&text[offset / STEP * STEP..offset])
    }

    fn place(&self, offset: u32) -> (u32, u32) {
        let (line, start) = self.source.line_and_start(offset);
        let column = self.characters_before(offset) - self.characters_before(start);
        (line, column + 1)
    }

    /// Lines and columns of a span.
    pub fn find(&self, span: Span) -> SourceSpan {
        let (line, column) = self.place(span.start);
        let (end_line, end_column) = self.place(span.end);
        SourceSpan {
            line,
            column,
            end_line,
            end_column,
        }
    }
}

/// How many characters begin in a piece of UTF-8.
fn beginnings(bytes: &[u8]) -> u32 {
    let is_beginning = |byte: &&u8| **byte & 0b1100_0000 != 0b1000_0000;
    bytes.iter().filter(is_beginning).count() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_those_of_the_source_however_long_its_lines_are() {
        let text = format!("a\n{}x\r\n{}", "äb€😀 ".repeat(200), "c".repeat(600));
        let source = Source::from_file("test", text.as_bytes()).unwrap();
        let spans = Spans::new(&source);
        for (offset, _) in text.char_indices() {
            let place = source.line_column(offset as u32);
            assert_eq!(spans.place(offset as u32), (place.line, place.column));
        }
        let end = text.len() as u32;
        let span = spans.find(Span::new(0, end));
        assert_eq!(span.to_string(), "1:1-3:601");
    }
}
