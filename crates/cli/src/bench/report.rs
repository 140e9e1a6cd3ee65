//! Results for people.

use std::fmt::Write;
use std::io::IsTerminal;

use clap::builder::styling::Style;
use comfy_table::{CellAlignment, Table, presets};
use kiln_bench::comparison::{Comparison, SIGNIFICANCE};
use kiln_bench::document::{Document, EngineResult, Host, Metric, Mode, ScriptResult};
use kiln_bench::history::Entry;
use kiln_bench::process::Sample;
use kiln_bench::statistics::median;

/// How many outliers of an engine are listed one by one.
const MOST_OUTLIERS: usize = 5;

/// How many leading runs are shown one by one.
const SINGLE_RUNS: usize = 4;

/// How headings and verdicts look.
#[derive(Clone, Copy, Debug, Default)]
pub struct Styles {
    heading: Style,
}

impl Styles {
    /// What suits a stream: nothing special unless it is a terminal, and colours are not refused.
    pub fn new(stream: &impl IsTerminal) -> Styles {
        let refuses = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if stream.is_terminal() && !refuses {
            Styles {
                heading: Style::new().bold(),
            }
        } else {
            Styles::default()
        }
    }
}

/// A table of a script's engines, and what follows from it.
pub fn script(result: &ScriptResult, document: &Document, styles: &Styles) -> String {
    let style = styles.heading;
    let mut text = format!("{style}{}{style:#}\n", result.script);
    text.push_str(&table(result, document.settings.metric));
    if let Some((first, others)) = result.engines.split_first() {
        for other in others {
            if let Some(comparison) = &other.comparison {
                line(&mut text, &versus(&first.name, &other.name, comparison));
            }
        }
    }
    if result.warm_up > 0 {
        line(&mut text, &warm_up(result, document));
    }
    for engine in &result.engines {
        if document.settings.mode == Mode::InProcess {
            line(&mut text, &course(engine, document.settings.metric));
        }
        outliers(&mut text, engine, result.warm_up);
    }
    text
}

/// How the times went from run to run: single runs at first, later the medians of longer and longer stretches, so that a few
/// figures show a warm-up however long it takes.
fn course(engine: &EngineResult, metric: Metric) -> String {
    let times: Vec<f64> = engine.runs.iter().map(|run| metric.of(run)).collect();
    let mut stretches = Vec::new();
    let mut start = 0;
    while let Some(rest) = times.get(start..).filter(|rest| !rest.is_empty()) {
        let length = if start < SINGLE_RUNS { 1 } else { start };
        let stretch = rest.get(..length).unwrap_or(rest);
        let time = median(stretch).map_or("-".into(), seconds);
        stretches.push(match stretch.len() {
            1 => format!("{} {time}", start + 1),
            count => format!("{} to {} {time}", start + 1, start + count),
        });
        start += length;
    }
    format!("Run by run: {}.", stretches.join(", "))
}

fn line(text: &mut String, sentence: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "  {sentence}");
}

fn table(result: &ScriptResult, metric: Metric) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let what = match metric {
        Metric::Elapsed => "elapsed",
        Metric::Processor => "processor",
    };
    let interval = match weak_confidence(result) {
        None => "95 % interval",
        Some(_) => "interval",
    };
    table.set_header([
        what, "median", interval, "mean", "±", "min", "max", "user", "system", "memory", "runs",
    ]);
    for engine in &result.engines {
        let summary = &engine.summary;
        let runs = engine.runs.get(result.warm_up..).unwrap_or_default();
        let of_runs = |value: fn(&Sample) -> f64| {
            median(&runs.iter().map(value).collect::<Vec<f64>>()).map_or("-".into(), seconds)
        };
        table.add_row([
            engine.name.clone(),
            seconds(summary.median),
            range(summary.interval.low, summary.interval.high),
            seconds(summary.mean),
            summary.deviation.map_or("-".into(), seconds),
            seconds(summary.min),
            seconds(summary.max),
            of_runs(|run| run.user),
            of_runs(|run| run.system),
            format!("{:.1} MB", engine.peak_memory() as f64 / 1e6),
            summary.count.to_string(),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut text = String::new();
    for row in table.to_string().lines() {
        // The table puts a space at both ends of a row.
        line(&mut text, row.strip_prefix(' ').unwrap_or(row).trim_end());
    }
    if let Some(confidence) = weak_confidence(result) {
        let percent = confidence * 100.0;
        let sentence = format!(
            "So few runs give the interval a confidence of {percent:.0} % only; six or more give 95 %."
        );
        line(&mut text, &sentence);
    }
    text
}

/// The confidence of the intervals if it is below the usual.
fn weak_confidence(result: &ScriptResult) -> Option<f64> {
    let confidence = result.engines.first()?.summary.interval.confidence;
    (confidence < kiln_bench::statistics::CONFIDENCE).then_some(confidence)
}

/// Which of two engines is faster, in a sentence.
fn versus(first: &str, other: &str, comparison: &Comparison) -> String {
    let (winner, loser, times) = if comparison.ratio >= 1.0 {
        (first, other, Times::of(comparison))
    } else {
        (other, first, Times::of(comparison).inverted())
    };
    if comparison.significant {
        format!(
            "{winner} is {times} times as fast as {loser} ({}), significant ({}).",
            times.interval(),
            probability(comparison)
        )
    } else {
        format!(
            "No significant difference between {first} and {other}: {winner} is {times} times as fast ({}; {}).",
            times.interval(),
            probability(comparison)
        )
    }
}

/// How the engines of a script compare with the baseline.
pub fn baseline(result: &ScriptResult, baseline: Option<&Document>) -> String {
    let mut text = String::new();
    let Some(baseline) = baseline else {
        return text;
    };
    for engine in &result.engines {
        let sentence = match &engine.baseline {
            None => format!("{} has no results for this in the baseline.", engine.name),
            Some(comparison) => since(&engine.name, comparison),
        };
        line(&mut text, &sentence);
    }
    if baseline.host != Host::this() {
        line(
            &mut text,
            "The baseline comes from another machine: the comparison says little about the program.",
        );
    }
    text
}

fn since(name: &str, comparison: &Comparison) -> String {
    let times = Times::of(comparison);
    let probability = probability(comparison);
    if !comparison.significant {
        let interval = times.interval();
        return format!(
            "{name}: no significant change since the baseline: {times} times as fast ({interval}; {probability})."
        );
    }
    let (times, adverb) = if comparison.ratio >= 1.0 {
        (times, "fast")
    } else {
        (times.inverted(), "slow")
    };
    let interval = times.interval();
    format!(
        "{name} is {times} times as {adverb} as in the baseline ({interval}), significant ({probability})."
    )
}

/// What the history's last comparable entry says about a script.
pub fn history(result: &ScriptResult, document: &Document, entries: &[Entry]) -> String {
    let mut text = String::new();
    let mut now = document.clone();
    now.scripts = vec![result.clone()];
    for entry in kiln_bench::history::entries(&now) {
        let Some(last) = entries.iter().rfind(|old| old.is_comparable(&entry)) else {
            continue;
        };
        let sentence = format!(
            "{} took {} on {} (kiln {}).",
            last.engine,
            range(last.low, last.high),
            last.created,
            last.kiln
        );
        line(&mut text, &sentence);
    }
    text
}

fn warm_up(result: &ScriptResult, document: &Document) -> String {
    let (count, runs) = match result.warm_up {
        1 => ("The first".to_owned(), "run was"),
        count => (format!("The first {count}"), "runs were"),
    };
    let mut text = format!("{count} {runs} slower than the rest and left out as warm-up");
    let first = result
        .engines
        .first()
        .and_then(|engine| engine.runs.first());
    if let (Mode::InProcess, Some(first)) = (document.settings.mode, first) {
        let value = seconds(document.settings.metric.of(first));
        let _ = write!(text, "; the very first took {value}");
    }
    text.push('.');
    text
}

fn outliers(text: &mut String, engine: &EngineResult, warm_up: usize) {
    let outliers = &engine.summary.outliers;
    if outliers.is_empty() {
        return;
    }
    let named: Vec<String> = outliers
        .iter()
        .take(MOST_OUTLIERS)
        .map(|outlier| {
            let run = outlier.index + warm_up + 1;
            let severe = if outlier.severe { ", severe" } else { "" };
            format!("run {run} ({}{severe})", seconds(outlier.value))
        })
        .collect();
    let rest = outliers.len().saturating_sub(MOST_OUTLIERS);
    let more = if rest > 0 {
        format!(" and {rest} more")
    } else {
        String::new()
    };
    let sentence = format!("Outliers of {}: {}{more}.", engine.name, named.join(", "));
    line(text, &sentence);
}

/// A ratio with its interval.
#[derive(Clone, Copy)]
struct Times {
    ratio: f64,
    low: f64,
    high: f64,
}

impl Times {
    fn of(comparison: &Comparison) -> Times {
        Times {
            ratio: comparison.ratio,
            low: comparison.low,
            high: comparison.high,
        }
    }

    /// Seen from the other side.
    fn inverted(self) -> Times {
        Times {
            ratio: 1.0 / self.ratio,
            low: 1.0 / self.high,
            high: 1.0 / self.low,
        }
    }

    fn interval(self) -> String {
        format!("{} to {}", figure(self.low), figure(self.high))
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&figure(self.ratio))
    }
}

/// Three digits that count.
fn figure(value: f64) -> String {
    let places = match value {
        ..0.0995 => 3,
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{value:.places$}")
}

fn probability(comparison: &Comparison) -> String {
    let value = if comparison.p_value < 0.001 {
        "p < 0.001".to_owned()
    } else {
        format!("p = {:.3}", comparison.p_value)
    };
    // A small p alone is not enough.
    let but = match comparison.p_value < SIGNIFICANCE && !comparison.significant {
        false => "",
        true if (comparison.low..=comparison.high).contains(&1.0) => {
            ", but the ratio's interval contains 1"
        }
        true => ", but there are too few runs",
    };
    format!("{value}{but}")
}

/// The unit that suits a time, and how many of it make a second.
fn unit(seconds: f64) -> (&'static str, f64) {
    match seconds {
        ..0.000_999_5 => ("µs", 1e6),
        ..0.999_5 => ("ms", 1e3),
        _ => ("s", 1.0),
    }
}

/// A time in a unit that suits it.
pub fn seconds(value: f64) -> String {
    if value == 0.0 {
        return "0 s".into();
    }
    let (name, factor) = unit(value);
    format!("{} {name}", figure(value * factor))
}

/// Two times in the unit that suits the larger.
pub fn range(low: f64, high: f64) -> String {
    let (name, factor) = unit(high);
    format!(
        "{} to {} {name}",
        figure(low * factor),
        figure(high * factor)
    )
}

#[cfg(test)]
mod tests {
    use kiln_bench::statistics::Summary;

    use super::*;

    fn comparison(ratio: f64, significant: bool) -> Comparison {
        Comparison {
            ratio,
            low: ratio * 0.9,
            high: ratio * 1.1,
            p_value: if significant { 1e-9 } else { 0.3 },
            significant,
        }
    }

    #[test]
    fn the_faster_one_is_named_first() {
        assert_eq!(
            versus("kiln", "lua", &comparison(3.0, true)),
            "kiln is 3.00 times as fast as lua (2.70 to 3.30), significant (p < 0.001)."
        );
        assert_eq!(
            versus("kiln", "lua", &comparison(0.5, true)),
            "lua is 2.00 times as fast as kiln (1.82 to 2.22), significant (p < 0.001)."
        );
        assert_eq!(
            versus("kiln", "lua", &comparison(1.0, false)),
            "No significant difference between kiln and lua: kiln is 1.00 times as fast (0.90 to 1.10; p = 0.300)."
        );
    }

    #[test]
    fn a_small_p_that_does_not_suffice_is_explained() {
        let doubtful = Comparison {
            p_value: 0.01,
            ..comparison(1.0, false)
        };
        assert_eq!(
            probability(&doubtful),
            "p = 0.010, but the ratio's interval contains 1"
        );
        let few = Comparison {
            p_value: 0.01,
            ..comparison(9.0, false)
        };
        assert_eq!(probability(&few), "p = 0.010, but there are too few runs");
    }

    #[test]
    fn changes_since_the_baseline_are_told() {
        assert_eq!(
            since("kiln", &comparison(0.5, true)),
            "kiln is 2.00 times as slow as in the baseline (1.82 to 2.22), significant (p < 0.001)."
        );
        assert!(since("kiln", &comparison(1.0, false)).contains("no significant change"));
    }

    #[test]
    fn the_course_of_the_runs_gets_coarser() {
        let values: Vec<f64> = (1..=11).map(f64::from).collect();
        let engine = EngineResult {
            name: "kiln".into(),
            command: None,
            runs: values
                .iter()
                .map(|&elapsed| Sample {
                    elapsed,
                    user: 0.0,
                    system: 0.0,
                    peak_memory: 0,
                })
                .collect(),
            summary: Summary::of(&values).unwrap(),
            comparison: None,
            baseline: None,
        };
        assert_eq!(
            course(&engine, Metric::Elapsed),
            "Run by run: 1 1.00 s, 2 2.00 s, 3 3.00 s, 4 4.00 s, 5 to 8 6.50 s, 9 to 11 10.0 s."
        );
    }

    #[test]
    fn times_have_units_and_three_digits() {
        assert_eq!(seconds(0.000_012_34), "12.3 µs");
        assert_eq!(seconds(0.123_4), "123 ms");
        assert_eq!(seconds(1.5), "1.50 s");
        assert_eq!(seconds(0.0), "0 s");
        assert_eq!(range(0.9, 1.1), "0.90 to 1.10 s");
    }
}
