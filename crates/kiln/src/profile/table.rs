//! Columns, colour, width.

use std::fmt::Write;

/// How text is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether colours may be used.
    pub colour: bool,
    /// The characters that fit on a line, if that is known.
    pub width: Option<usize>,
}

impl Style {
    fn coloured(&self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    pub(super) fn bold(&self, text: &str) -> String {
        self.coloured("1", text)
    }

    pub(super) fn dim(&self, text: &str) -> String {
        self.coloured("2", text)
    }

    pub(super) fn red(&self, text: &str) -> String {
        self.coloured("1;31", text)
    }

    pub(super) fn yellow(&self, text: &str) -> String {
        self.coloured("33", text)
    }

    /// Breaks text between words where it would not fit; all lines but the first begin behind `indent` blanks, and so does
    /// what stands before the text on its first line.
    pub(super) fn wrap(&self, text: &str, indent: usize) -> String {
        let width = self.width.unwrap_or(usize::MAX).max(indent + 20);
        let mut out = String::new();
        let mut column = indent;
        for word in text.split(' ') {
            let length = word.chars().count();
            if column > indent && column + 1 + length > width {
                let _ = write!(out, "\n{:indent$}{word}", "");
                column = indent + length;
            } else {
                if column > indent {
                    out.push(' ');
                    column += 1;
                }
                out.push_str(word);
                column += length;
            }
        }
        out
    }
}

/// Where a column's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// Rows of text in columns.
pub(super) struct Table<const N: usize> {
    columns: [(&'static str, Align); N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub(super) fn new(columns: &[(&'static str, Align); N]) -> Table<N> {
        Table {
            columns: *columns,
            rows: Vec::new(),
        }
    }

    pub(super) fn row(&mut self, row: [String; N]) {
        self.rows.push(row);
    }

    pub(super) fn write(&self, out: &mut String, style: &Style) {
        let widths: [usize; N] = std::array::from_fn(|column| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells
                .chain([self.columns[column].0.chars().count()])
                .max()
                .unwrap_or(0)
        });
        let titles = self.columns.map(|(title, _)| title.to_owned());
        if !self.rows.is_empty() {
            out.push_str(&style.dim(&self.line(&titles, &widths, style)));
            out.push('\n');
        }
        for row in &self.rows {
            out.push_str(&self.line(row, &widths, style));
            out.push('\n');
        }
    }

    fn line(&self, row: &[String; N], widths: &[usize; N], style: &Style) -> String {
        let mut line = String::new();
        for (index, cell) in row.iter().enumerate() {
            let width = widths[index];
            let _ = match self.columns[index].1 {
                Align::Left => write!(line, "  {cell:<width$}"),
                Align::Right => write!(line, "  {cell:>width$}"),
            };
        }
        let line = line.trim_end();
        match style.width {
            Some(width) if line.chars().count() > width => {
                let kept: String = line.chars().take(width.saturating_sub(1)).collect();
                format!("{kept}…")
            }
            _ => line.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_fit() {
        let mut table = Table::new(&[("count", Align::Right), ("what", Align::Left)]);
        table.row(["7".into(), "a short name".into()]);
        table.row(["1,234,567".into(), "b".into()]);
        let mut out = String::new();
        table.write(&mut out, &Style::default());
        assert_eq!(
            out,
            "      count  what\n          7  a short name\n  1,234,567  b\n"
        );
        let narrow = Style {
            width: Some(16),
            ..Style::default()
        };
        let mut out = String::new();
        table.write(&mut out, &narrow);
        assert!(out.lines().all(|line| line.chars().count() <= 16), "{out}");
    }

    #[test]
    fn long_sentences_are_broken_between_words() {
        let style = Style {
            width: Some(30),
            ..Style::default()
        };
        assert_eq!(
            style.wrap("one two three four five six", 4),
            "one two three four five\n    six"
        );
    }
}
