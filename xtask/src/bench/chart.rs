//! A bar chart of the ratios, as SVG.
//!
//! The axis is logarithmic and the bars start at 1, the baseline: to the left
//! an engine is better than the baseline, to the right it is worse.

use std::fmt::Write;

use super::report::{Metric, Report};
use super::table::format_ratio;

/// Distinguishable with any kind of colour vision (Okabe and Ito).
const COLORS: [&str; 7] = [
    "#d55e00", "#0072b2", "#e69f00", "#009e73", "#56b4e9", "#cc79a7", "#7f7f7f",
];

const MARGIN: f64 = 16.0;
const TITLE_WIDTH: f64 = 170.0;
const PLOT_WIDTH: f64 = 640.0;
const BAR_HEIGHT: f64 = 9.0;
const BLOCK_GAP: f64 = 7.0;
const LINE_HEIGHT: f64 = 20.0;

/// Draws a block of bars for each program and for each geometric mean.
pub fn render(report: &Report, metric: Metric) -> String {
    let engines: Vec<usize> = (0..report.engines.len())
        .filter(|&engine| engine != report.baseline)
        .collect();
    let blocks = blocks(report, &engines, metric);
    let axis = Axis::covering(
        blocks
            .iter()
            .flat_map(|block| block.ratios.iter().flatten().copied()),
    );

    let block_height = engines.len() as f64 * BAR_HEIGHT + BLOCK_GAP;
    let top = MARGIN + 3.0 * LINE_HEIGHT;
    let bottom = top + blocks.len() as f64 * block_height;
    let width = MARGIN + TITLE_WIDTH + PLOT_WIDTH + 3.0 * MARGIN;
    let height = bottom + MARGIN;

    let mut svg = Svg::new(width, height);
    let title = format!(
        "Ratio of {metric} to {}, less is better",
        report.baseline_name()
    );
    svg.text(MARGIN, MARGIN + 4.0, "start", true, &title);
    let mut x = MARGIN;
    for (&engine, color) in engines.iter().zip(COLORS.iter().cycle()) {
        let name = report.engines.get(engine).map_or("", |engine| &engine.name);
        svg.rectangle(x, MARGIN + LINE_HEIGHT - 5.0, BAR_HEIGHT, BAR_HEIGHT, color);
        svg.text(x + 14.0, MARGIN + LINE_HEIGHT + 4.0, "start", false, name);
        x += 34.0 + 7.0 * name.chars().count() as f64;
    }
    for tick in axis.ticks() {
        let x = axis.position(tick);
        let color = if tick == 1.0 { "#000000" } else { "#dddddd" };
        svg.line(x, top - 4.0, x, bottom, color);
        svg.text(x, top - 10.0, "middle", false, &format!("{tick}"));
    }
    for (index, block) in blocks.iter().enumerate() {
        let y = top + index as f64 * block_height;
        let middle = y + (block_height - BLOCK_GAP) / 2.0 + 4.0;
        svg.text(
            MARGIN + TITLE_WIDTH - 8.0,
            middle,
            "end",
            block.is_mean,
            &block.title,
        );
        for ((row, ratio), color) in block.ratios.iter().enumerate().zip(COLORS.iter().cycle()) {
            let Some(ratio) = *ratio else { continue };
            let y = y + row as f64 * BAR_HEIGHT;
            let (start, end) = (axis.position(ratio.min(1.0)), axis.position(ratio.max(1.0)));
            svg.rectangle(start, y, (end - start).max(1.0), BAR_HEIGHT - 1.0, color);
            let (x, anchor) = if ratio < 1.0 {
                (start - 3.0, "end")
            } else {
                (end + 3.0, "start")
            };
            svg.small_text(x, y + BAR_HEIGHT - 2.0, anchor, &format_ratio(ratio));
        }
    }
    svg.finish()
}

/// The bars of one program or mean.
struct Block {
    title: String,
    is_mean: bool,
    /// One for each engine but the baseline; nothing where it failed.
    ratios: Vec<Option<f64>>,
}

fn blocks(report: &Report, engines: &[usize], metric: Metric) -> Vec<Block> {
    let mean = |title: String, group: Option<&str>| Block {
        title,
        is_mean: true,
        ratios: engines
            .iter()
            .map(|&engine| report.mean_ratio(group, engine, metric))
            .collect(),
    };
    let mut blocks = vec![mean("geometric mean of all".to_owned(), None)];
    for group in report.groups() {
        blocks.push(mean(group.to_owned(), Some(group)));
        blocks.extend(report.group(group).map(|result| {
            Block {
                title: result.program.name.clone(),
                is_mean: false,
                ratios: engines
                    .iter()
                    .map(|&engine| report.ratio(result, engine, metric))
                    .collect(),
            }
        }));
    }
    blocks
}

/// A logarithmic axis over whole powers of ten.
struct Axis {
    /// Exponents of the powers at both ends; `low` < `high`.
    low: i32,
    high: i32,
}

impl Axis {
    /// The shortest axis that covers 1 and all values. Values that are no
    /// positive finite numbers are ignored.
    fn covering(values: impl Iterator<Item = f64>) -> Self {
        let (mut low, mut high) = (0, 0);
        for exponent in values
            .map(f64::log10)
            .filter(|exponent| exponent.is_finite())
        {
            low = low.min(exponent.floor() as i32);
            high = high.max(exponent.ceil() as i32);
        }
        Self {
            low,
            high: high.max(low + 1),
        }
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        (self.low..=self.high).map(|exponent| 10_f64.powi(exponent))
    }

    fn position(&self, value: f64) -> f64 {
        let share = (value.log10() - f64::from(self.low)) / f64::from(self.high - self.low);
        MARGIN + TITLE_WIDTH + PLOT_WIDTH * share.clamp(0.0, 1.0)
    }
}

/// SVG under construction. Writing to its string cannot fail.
struct Svg {
    text: String,
}

impl Svg {
    fn new(width: f64, height: f64) -> Self {
        let mut svg = Self {
            text: String::new(),
        };
        let _ = writeln!(
            svg.text,
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">"#
        );
        svg.rectangle(0.0, 0.0, width, height, "#ffffff");
        svg
    }

    fn rectangle(&mut self, x: f64, y: f64, width: f64, height: f64, color: &str) {
        let _ = writeln!(
            self.text,
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{color}"/>"#
        );
    }

    fn line(&mut self, x1: f64, y1: f64, x2: f64, y2: f64, color: &str) {
        let _ = writeln!(
            self.text,
            r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{color}"/>"#
        );
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, bold: bool, text: &str) {
        let weight = if bold { "bold" } else { "normal" };
        let _ = writeln!(
            self.text,
            r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" font-weight="{weight}">{}</text>"#,
            escape(text)
        );
    }

    fn small_text(&mut self, x: f64, y: f64, anchor: &str, text: &str) {
        let _ = writeln!(
            self.text,
            r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" font-size="8">{}</text>"#,
            escape(text)
        );
    }

    fn finish(mut self) -> String {
        self.text.push_str("</svg>\n");
        self.text
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::example;

    #[test]
    fn the_chart_names_programs_and_engines_but_has_no_bars_for_the_baseline() {
        let svg = render(&example(), Metric::ProcessorTime);
        assert!(svg.contains(">mandelbrot</text>"));
        assert!(svg.contains(">slow&amp;wrong</text>"));
        assert!(!svg.contains(">lua5.4</text>"));
    }

    #[test]
    fn bars_grow_from_the_baseline_in_both_directions() {
        let axis = Axis::covering([0.05, 4.0].into_iter());
        assert_eq!(axis.ticks().collect::<Vec<_>>(), [0.01, 0.1, 1.0, 10.0]);
        assert!(axis.position(0.05) < axis.position(1.0));
        assert!(axis.position(1.0) < axis.position(4.0));
    }

    #[test]
    fn an_axis_without_values_is_still_an_axis() {
        let axis = Axis::covering(std::iter::empty());
        assert_eq!(axis.ticks().collect::<Vec<_>>(), [1.0, 10.0]);
    }
}
