//! Source texts and positions in them.

use std::sync::Arc;

/// A range of bytes in the text of a [`Source`]: `start` inclusive, `end` exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset just behind the last byte.
    pub end: u32,
}

impl Span {
    /// The range from `start` to `end`.
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The smallest range that covers both.
    pub fn to(self, other: Span) -> Span {
        Span::new(self.start.min(other.start), self.end.max(other.end))
    }
}

/// A place in a source as people count: line and column from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineColumn {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, in Unicode characters.
    pub column: u32,
}

/// Why a text cannot be a source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Positions are 32-bit offsets.
    #[error("{name}: a source cannot be larger than 4 GiB")]
    TooLarge {
        /// Name of the rejected source.
        name: String,
    },
}

/// A named text and the positions of its lines.
///
/// Lines end with CR, LF, or CR LF.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    module: Option<Arc<str>>,
    text: String,
    line_starts: Vec<u32>,
}

impl Source {
    /// A source from text that is already decoded, kept exactly as it is.
    ///
    /// # Errors
    /// [`SourceError::TooLarge`] if offsets into the text do not fit 32 bits.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Result<Self, SourceError> {
        let (name, text) = (name.into(), text.into());
        if u32::try_from(text.len()).is_err() {
            return Err(SourceError::TooLarge { name });
        }
        let line_starts = line_starts(&text);
        Ok(Self {
            name,
            module: None,
            text,
            line_starts,
        })
    }

    /// A source from the contents of a script file.
    ///
    /// A byte order mark is skipped and bytes that are not UTF-8 become U+FFFD. The line end that closes the last
    /// line is dropped: a file of two lines has two lines, and its end is at the end of the second.
    ///
    /// # Errors
    /// [`SourceError::TooLarge`] if offsets into the text do not fit 32 bits.
    pub fn from_file(name: impl Into<String>, contents: &[u8]) -> Result<Self, SourceError> {
        let contents = contents.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(contents);
        let contents = (contents.strip_suffix(b"\r\n"))
            .or_else(|| contents.strip_suffix(b"\n"))
            .or_else(|| contents.strip_suffix(b"\r"))
            .unwrap_or(contents);
        Self::new(name, String::from_utf8_lossy(contents))
    }

    /// Marks this source as an imported module. Error positions then name it: `[name line 3]`.
    #[must_use]
    pub fn into_module(mut self, name: impl Into<Arc<str>>) -> Self {
        self.module = Some(name.into());
        self
    }

    /// Name for people: a path, or a word such as `input`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name to give in error positions, if this is an imported module.
    pub fn module(&self) -> Option<&Arc<str>> {
        self.module.as_ref()
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of a span; empty if the span does not lie on character boundaries of this source.
    pub fn slice(&self, span: Span) -> &str {
        self.text
            .get(span.start as usize..span.end as usize)
            .unwrap_or("")
    }

    /// Line and column of an offset. Offsets past the end count as the end.
    pub fn line_column(&self, offset: u32) -> LineColumn {
        let line = self.line_index(offset);
        let start = self.line_start(line);
        let before = self.slice(Span::new(start, self.clamp(offset)));
        LineColumn {
            line: line as u32 + 1,
            column: before.chars().count() as u32 + 1,
        }
    }

    /// The line of an offset, counted from 1, and the offset at which it begins.
    pub(crate) fn line_and_start(&self, offset: u32) -> (u32, u32) {
        let line = self.line_index(offset);
        (line as u32 + 1, self.line_start(line))
    }

    /// The span of the line that holds an offset, without its line end.
    pub fn line_span(&self, offset: u32) -> Span {
        let line = self.line_index(offset);
        let start = self.line_start(line);
        let end = self
            .line_starts
            .get(line + 1)
            .map_or(self.text.len() as u32, |&next| next);
        let line = self
            .slice(Span::new(start, end))
            .trim_end_matches(['\r', '\n']);
        Span::new(start, start + line.len() as u32)
    }

    fn line_index(&self, offset: u32) -> usize {
        self.line_starts
            .partition_point(|&start| start <= offset)
            .saturating_sub(1)
    }

    fn line_start(&self, line: usize) -> u32 {
        self.line_starts.get(line).copied().unwrap_or(0)
    }

    /// The nearest character boundary at or before an offset; the end, for offsets past it.
    pub(crate) fn clamp(&self, offset: u32) -> u32 {
        self.text.floor_char_boundary(offset as usize) as u32
    }
}

fn line_starts(text: &str) -> Vec<u32> {
    let mut starts = vec![0];
    let mut bytes = text.bytes().zip(1u32..).peekable();
    while let Some((byte, next)) = bytes.next() {
        let ends_line = match byte {
            b'\n' => true,
            b'\r' => bytes
                .peek()
                .is_none_or(|&(following, _)| following != b'\n'),
            _ => false,
        };
        if ends_line {
            starts.push(next);
        }
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_end_counts_once() {
        let source = Source::new("t", "a\nb\rc\r\nd").unwrap();
        let lines: Vec<u32> = [0, 2, 4, 7]
            .map(|offset| source.line_column(offset).line)
            .into();
        assert_eq!(lines, [1, 2, 3, 4]);
        assert_eq!(source.slice(source.line_span(4)), "c");
        assert_eq!(source.slice(source.line_span(7)), "d");
    }

    #[test]
    fn columns_count_characters() {
        let source = Source::new("t", "x\nhéy = 1").unwrap();
        assert_eq!(source.line_column(6), LineColumn { line: 2, column: 4 });
        assert_eq!(
            source.line_column(4),
            LineColumn { line: 2, column: 2 },
            "inside of é"
        );
        assert_eq!(source.line_column(999), LineColumn { line: 2, column: 8 });
    }

    #[test]
    fn files_lose_mark_and_last_line_end_and_bad_bytes() {
        let text = |bytes: &[u8]| Source::from_file("t", bytes).unwrap().text().to_owned();
        assert_eq!(text(b"\xEF\xBB\xBFx = 1\n"), "x = 1");
        assert_eq!(text(b"x\r\n\r\n"), "x\r\n");
        assert_eq!(text(b"a\xFFb"), "a\u{FFFD}b");
        assert_eq!(text(b""), "");
    }
}
