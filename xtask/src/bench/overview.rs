//! The chart in README: how many times as fast as the baseline each engine is, by groups of programs, as SVG.
//!
//! The picture stands in other pages, which may be light or dark: it asks for the reader's scheme itself, and has a ground of its own.

use std::fmt::Write;

use super::report::{Metric, Report};

/// Distinguishable with any kind of colour vision (Okabe and Ito), for light grounds and for dark ones.
const COLORS: [(&str, &str); 6] = [
    ("#d55e00", "#f0813a"),
    ("#0072b2", "#56b4e9"),
    ("#009e73", "#2fc79b"),
    ("#8f5d9c", "#cc79a7"),
    ("#9a7700", "#f0e442"),
    ("#7f7f7f", "#a8a8a8"),
];

const WIDTH: f64 = 760.0;
const MARGIN: f64 = 20.0;
const TITLES: f64 = 120.0;
/// What figures at the ends of bars may take.
const FIGURES: f64 = 44.0;
const BAR: f64 = 11.0;
const GAP: f64 = 12.0;
const LINE: f64 = 20.0;

/// Numbers of times that the axis may name.
const TICKS: [f64; 10] = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0];

/// Draws the chart: a row for all programs and one for each group.
pub fn render(report: &Report) -> String {
    let engines: Vec<usize> = (0..report.engines.len())
        .filter(|&engine| engine != report.baseline)
        .collect();
    let groups = report.groups().into_iter().map(Some);
    let rows: Vec<Row> = std::iter::once(None)
        .chain(groups)
        .map(|group| Row::of(report, group, &engines))
        .collect();
    let speeds = || rows.iter().flat_map(|row| row.speeds.iter().flatten());
    let axis = Axis {
        low: speeds().copied().fold(1.0, f64::min),
        high: speeds().copied().fold(1.0, f64::max),
    };
    let top = MARGIN + 4.2 * LINE;
    let row_height = engines.len() as f64 * BAR + GAP;
    let bottom = top + rows.len() as f64 * row_height;
    let height = bottom + MARGIN;

    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0}" viewBox="0 0 {WIDTH} {height:.0}" role="img" font-family="system-ui, sans-serif" font-size="13">"#
    );
    let baseline = escape(report.baseline_name());
    let _ = writeln!(
        svg,
        "<title>How many times as fast as {baseline}, by groups of programs</title>"
    );
    svg.push_str(&style(engines.len()));
    let _ = writeln!(
        svg,
        r#"<rect class="ground" width="{WIDTH}" height="{height:.0}" rx="8"/>"#
    );
    let title = format!(
        "Times as fast as {} (longer is faster)",
        report.baseline_name()
    );
    text(&mut svg, (MARGIN, MARGIN + 6.0), "bold", &title);
    let programs = report.results.len();
    let detail =
        format!("Geometric means of processor time, {programs} programs, logarithmic scale");
    text(&mut svg, (MARGIN, MARGIN + LINE + 4.0), "quiet", &detail);
    legend(&mut svg, report, &engines, MARGIN + 2.0 * LINE + 2.0);
    for tick in axis.ticks() {
        let x = axis.position(tick);
        let class = if tick == 1.0 { "one" } else { "tick" };
        let _ = writeln!(
            svg,
            r#"<line class="{class}" x1="{x:.1}" y1="{:.1}" x2="{x:.1}" y2="{:.1}"/>"#,
            top - 4.0,
            bottom - GAP / 2.0
        );
        text(
            &mut svg,
            (x, top - 9.0),
            "quiet middle",
            &format!("{tick}×"),
        );
    }
    for (index, row) in rows.iter().enumerate() {
        let y = top + index as f64 * row_height;
        let middle = y + engines.len() as f64 * BAR / 2.0 + 5.0;
        let class = if index == 0 { "bold end" } else { "end" };
        text(
            &mut svg,
            (MARGIN + TITLES - 12.0, middle),
            class,
            &row.title,
        );
        for (place, speed) in row.speeds.iter().enumerate() {
            if let Some(speed) = *speed {
                bar(&mut svg, &axis, speed, place, y + place as f64 * BAR);
            }
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// The bars of all programs, or of a group.
struct Row {
    title: String,
    /// One for each engine but the baseline; none where it failed.
    speeds: Vec<Option<f64>>,
}

impl Row {
    fn of(report: &Report, group: Option<&str>, engines: &[usize]) -> Row {
        let speed = |&engine: &usize| {
            let ratio = report.mean_ratio(group, engine, Metric::ProcessorTime);
            ratio.map(f64::recip)
        };
        Row {
            title: group.unwrap_or("all programs").to_owned(),
            speeds: engines.iter().map(speed).collect(),
        }
    }
}

/// A logarithmic axis that covers 1 and all speeds.
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    fn position(&self, value: f64) -> f64 {
        let (left, right) = (MARGIN + TITLES, WIDTH - MARGIN - FIGURES);
        // Figures of bars to the left stand to the left of them.
        let left = if self.low < 1.0 { left + FIGURES } else { left };
        let whole = (self.high / self.low).log10().max(0.1);
        left + (right - left) * ((value / self.low).log10() / whole).clamp(0.0, 1.0)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        TICKS
            .into_iter()
            .filter(|tick| (self.low..=self.high).contains(tick))
    }
}

fn style(engines: usize) -> String {
    let colors = |is_dark: bool| {
        let chosen = COLORS.iter().cycle().take(engines).enumerate();
        chosen.fold(String::new(), |mut rules, (index, (light, dark))| {
            let color = if is_dark { dark } else { light };
            let _ = write!(rules, ".e{index}{{fill:{color}}}");
            rules
        })
    };
    format!(
        "<style>.ground{{fill:#ffffff}}text{{fill:#1c1c1c}}.quiet{{fill:#5c5c5c;font-size:12px}}.bold{{font-weight:600}}\
         .middle{{text-anchor:middle}}.end{{text-anchor:end}}.figure{{font-size:10px}}.tick{{stroke:#e2e2e2}}.one{{stroke:#5c5c5c}}{}\
         @media(prefers-color-scheme:dark){{.ground{{fill:#161616}}text{{fill:#e8e8e8}}.quiet{{fill:#a8a8a8}}.tick{{stroke:#333333}}\
         .one{{stroke:#a8a8a8}}{}}}</style>\n",
        colors(false),
        colors(true)
    )
}

fn legend(svg: &mut String, report: &Report, engines: &[usize], y: f64) {
    let mut x = MARGIN;
    for (place, &engine) in engines.iter().enumerate() {
        let name = report.engines.get(engine).map_or("", |engine| &engine.name);
        let _ = writeln!(
            svg,
            r#"<rect class="e{place}" x="{x:.1}" y="{:.1}" width="11" height="11" rx="2"/>"#,
            y - 10.0
        );
        text(svg, (x + 16.0, y), "", name);
        x += 36.0 + 7.2 * name.chars().count() as f64;
    }
}

/// A bar from 1 to the speed, with the figure at its end.
fn bar(svg: &mut String, axis: &Axis, speed: f64, place: usize, y: f64) {
    let (one, end) = (axis.position(1.0), axis.position(speed));
    let (x, width) = (one.min(end), (one - end).abs().max(1.0));
    let _ = writeln!(
        svg,
        r#"<rect class="e{place}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{:.1}" rx="1.5"/>"#,
        BAR - 1.0
    );
    let figure = if speed < 9.95 {
        format!("{speed:.1}")
    } else {
        format!("{speed:.0}")
    };
    let (x, class) = if end < one {
        (end - 4.0, "figure end")
    } else {
        (end + 4.0, "figure")
    };
    text(svg, (x, y + BAR - 2.0), class, &figure);
}

fn text(svg: &mut String, (x, y): (f64, f64), class: &str, text: &str) {
    let _ = writeln!(
        svg,
        r#"<text class="{class}" x="{x:.1}" y="{y:.1}">{}</text>"#,
        escape(text)
    );
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::json;
    use super::super::report::tests::example;
    use super::*;

    #[test]
    fn every_engine_but_the_baseline_has_bars_and_a_colour_for_either_scheme() {
        let svg = render(&example());
        // All programs, two groups; one engine failed in one of them.
        assert_eq!(svg.matches(r#"<rect class="e0""#).count(), 1 + 3);
        assert_eq!(svg.matches(r#"<rect class="e1""#).count(), 1 + 2);
        assert_eq!(svg.matches(".e1{fill:").count(), 2);
        assert!(svg.contains("prefers-color-scheme:dark"));
        assert!(svg.contains("slow&amp;wrong") && svg.contains("Times as fast as lua5.4"));
        // Twice as fast on the whole, four times in one group.
        assert!(svg.contains(">2.0</text>") && svg.contains(">4.0</text>"));
    }

    #[test]
    fn slower_engines_have_bars_to_the_left() {
        let axis = Axis {
            low: 0.5,
            high: 10.0,
        };
        assert!(axis.position(0.5) < axis.position(1.0));
        assert!(axis.position(1.0) < axis.position(10.0));
        assert_eq!(axis.ticks().collect::<Vec<_>>(), [0.5, 1.0, 2.0, 5.0, 10.0]);
    }

    #[test]
    fn the_chart_in_readme_shows_the_results_that_are_kept() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let read = |path: &str| fs::read_to_string(root.join(path)).expect("it is there");
        let report = json::parse(&read("benches/results.json")).expect("they are results");
        assert!(!report.small && report.failures().next().is_none());
        assert_eq!(
            render(&report),
            read("docs/benchmarks.svg"),
            "cargo xtask bench --from benches/results.json --overview docs/benchmarks.svg"
        );
        assert!(read("README.md").contains("(docs/benchmarks.svg)"));
    }
}
