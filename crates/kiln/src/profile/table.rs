//! Columns, colour, width.

use std::fmt::Write;

use comfy_table::{CellAlignment, ContentArrangement, presets};

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
    /// The columns that may be left out where there is no room for all, the first one first.
    dispensable: &'static [usize],
}

impl<const N: usize> Table<N> {
    pub(super) fn new(columns: &[(&'static str, Align); N]) -> Table<N> {
        Table {
            columns: *columns,
            rows: Vec::new(),
            dispensable: &[],
        }
    }

    /// Says which columns to leave out where there is no room for all, by their numbers: the first one first.
    pub(super) fn without(mut self, dispensable: &'static [usize]) -> Table<N> {
        self.dispensable = dispensable;
        self
    }

    /// The numbers of the columns for which there is room, if no cell is broken.
    fn fitting(&self, width: Option<usize>) -> Vec<usize> {
        let mut shown: Vec<usize> = (0..N).collect();
        let cell = |column: usize| {
            let cells = self.rows.iter().map(move |row| row[column].as_str());
            let cells = cells.chain([self.columns[column].0]);
            cells.map(|text| text.chars().count()).max().unwrap_or(0)
        };
        // A column has a blank on either side, and a line one more at its beginning.
        let needed =
            |shown: &[usize]| 1 + shown.iter().map(|column| cell(*column) + 2).sum::<usize>();
        for dispensable in self.dispensable {
            if width.is_none_or(|width| needed(&shown) <= width) {
                break;
            }
            shown.retain(|column| column != dispensable);
        }
        shown
    }

    pub(super) fn row(&mut self, row: [String; N]) {
        self.rows.push(row);
    }

    /// Adds the table to a text. Of what does not fit, cells are broken into several lines.
    pub(super) fn write(self, out: &mut String, style: &Style) {
        if self.rows.is_empty() {
            return;
        }
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING);
        if let Some(width) = style.width {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(width.try_into().unwrap_or(u16::MAX));
        }
        let shown = self.fitting(style.width);
        table.set_header(shown.iter().map(|column| self.columns[*column].0));
        for row in &self.rows {
            table.add_row(shown.iter().map(|column| &row[*column]));
        }
        for (index, column) in shown.iter().enumerate() {
            let alignment = self.columns[*column].1;
            if let Some(column) = table.column_mut(index) {
                column.set_cell_alignment(match alignment {
                    Align::Left => CellAlignment::Left,
                    Align::Right => CellAlignment::Right,
                });
            }
        }
        for (index, line) in table.lines().enumerate() {
            let line = line.trim_end();
            out.push(' ');
            out.push_str(&if index == 0 {
                style.dim(line)
            } else {
                line.to_owned()
            });
            out.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(&[("count", Align::Right), ("what", Align::Left)]);
        table.row(["7".into(), "a short name".into()]);
        table.row(["1,234,567".into(), "b".into()]);
        let mut out = String::new();
        table.write(&mut out, &Style::default());
        assert_eq!(
            out,
            "      count  what\n          7  a short name\n  1,234,567  b\n"
        );
    }

    #[test]
    fn rows_fit_the_width() {
        let mut table = Table::new(&[("count", Align::Right), ("what", Align::Left)]);
        table.row(["7".into(), "a name of several words".into()]);
        let narrow = Style {
            width: Some(20),
            ..Style::default()
        };
        let mut out = String::new();
        table.write(&mut out, &narrow);
        assert!(out.lines().count() > 2, "{out}");
        assert!(out.lines().all(|line| line.chars().count() <= 20), "{out}");
    }

    #[test]
    fn columns_give_way_before_cells_are_broken() {
        let table = || {
            let titles = [
                ("a", Align::Right),
                ("b", Align::Right),
                ("name", Align::Left),
            ];
            let mut table = Table::new(&titles).without(&[1, 0]);
            table.row(["1,234".into(), "5,678".into(), "a name".into()]);
            table
        };
        let shown = |width| {
            let mut out = String::new();
            let style = Style {
                width: Some(width),
                ..Style::default()
            };
            table().write(&mut out, &style);
            out
        };
        assert!(shown(23).contains("5,678"), "{}", shown(23));
        assert_eq!(shown(22), "      a  name\n  1,234  a name\n");
        assert_eq!(shown(12), "  name\n  a name\n");
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
