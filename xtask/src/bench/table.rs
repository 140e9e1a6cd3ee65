//! The table on the terminal.

use std::fmt::Write;

use super::report::{Metric, ProgramResult, Report};

/// One row for each program, in groups, then geometric means. The baseline's
/// column shows what was measured, the others show ratios to it.
pub fn render(report: &Report, metric: Metric) -> String {
    let mut rows = Rows::new(report);
    rows.push(
        metric.to_string(),
        report.engines.iter().map(|engine| engine.name.clone()),
    );
    for group in report.groups() {
        rows.push(String::new(), std::iter::empty());
        rows.push(group.to_owned(), std::iter::empty());
        for result in report.group(group) {
            let cells =
                (0..report.engines.len()).map(|engine| cell(report, result, engine, metric));
            rows.push(format!("  {}", result.program.name), cells);
        }
        rows.push(
            "  geometric mean".to_owned(),
            means(report, Some(group), metric),
        );
    }
    rows.push(String::new(), std::iter::empty());
    rows.push(
        "geometric mean of all".to_owned(),
        means(report, None, metric),
    );
    rows.render()
}

/// The ratio to the baseline; for the baseline itself, and where it failed,
/// what was measured.
fn cell(report: &Report, result: &ProgramResult, engine: usize, metric: Metric) -> String {
    match (
        result.median(engine, metric),
        report.ratio(result, engine, metric),
    ) {
        (None, _) => "failed".to_owned(),
        (Some(_), Some(ratio)) if engine != report.baseline => format_ratio(ratio),
        (Some(value), _) => metric.format(value),
    }
}

fn means(report: &Report, group: Option<&str>, metric: Metric) -> impl Iterator<Item = String> {
    (0..report.engines.len()).map(move |engine| {
        report
            .mean_ratio(group, engine, metric)
            .map_or_else(|| "-".to_owned(), format_ratio)
    })
}

/// A ratio with about three digits that count.
pub fn format_ratio(ratio: f64) -> String {
    let places = match ratio {
        ..0.095 => 3,
        ..9.95 => 2,
        _ => 1,
    };
    format!("{ratio:.places$}")
}

/// Rows of a title and right-aligned cells, one for each engine.
struct Rows {
    rows: Vec<(String, Vec<String>)>,
    columns: usize,
}

impl Rows {
    fn new(report: &Report) -> Self {
        Self {
            rows: Vec::new(),
            columns: report.engines.len(),
        }
    }

    fn push(&mut self, title: String, cells: impl Iterator<Item = String>) {
        self.rows.push((title, cells.collect()));
    }

    fn render(&self) -> String {
        let title_width = self
            .rows
            .iter()
            .map(|(title, _)| title.len())
            .max()
            .unwrap_or(0);
        let widths: Vec<usize> = (0..self.columns)
            .map(|column| {
                self.rows
                    .iter()
                    .filter_map(|(_, cells)| cells.get(column))
                    .map(String::len)
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        for (title, cells) in &self.rows {
            let mut line = format!("{title:title_width$}");
            for (cell, width) in cells.iter().zip(&widths) {
                // Writing to a string cannot fail.
                let _ = write!(line, "  {cell:>width$}");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::example;

    #[test]
    fn the_table_shows_the_baseline_in_full_and_ratios_beside_it() {
        let expected = "\
processor time         fast  lua5.4  slow&wrong

numeric
  mandelbrot           0.25  100 ms        2.00
  geometric mean       0.25    1.00        2.00

calls
  fib                  1.00  100 ms      failed
  geometric mean       1.00    1.00           -

geometric mean of all  0.50    1.00        2.00
";
        assert_eq!(render(&example(), Metric::ProcessorTime), expected);
    }

    #[test]
    fn small_ratios_get_more_places() {
        assert_eq!(format_ratio(0.0123), "0.012");
        assert_eq!(format_ratio(1.234), "1.23");
        assert_eq!(format_ratio(12.34), "12.3");
    }
}
