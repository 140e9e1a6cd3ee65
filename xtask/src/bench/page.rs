//! The results as one page of HTML that needs nothing else: no scripts, no fonts, no pictures from elsewhere.

use kiln_bench::comparison::{Pairing, compare};
use kiln_bench::history::Entry;
use kiln_bench::statistics::Summary;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::history::{Session, sessions};
use super::overview;
use super::report::{Metric, Outcome, ProgramResult, Report};
use super::table::format_ratio;

const STYLE: &str = include_str!("page.css");

/// A ratio of so many powers of ten fills a bar.
const FULL_BAR: f64 = 1.5;

/// The size of the picture of the history; it is scaled to the room there is.
const PLOT: (f64, f64) = (720.0, 160.0);

/// Writes the page. `history` has this session's entries already, if there is one.
pub fn render(report: &Report, history: &[Entry]) -> String {
    let day = report
        .created
        .as_deref()
        .and_then(|it| it.split('T').next());
    let title = match day {
        Some(day) => format!("Kiln benchmarks, {day}"),
        None => "Kiln benchmarks".to_owned(),
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                (conditions(report))
                (chart(report))
                h2 { "Processor time" }
                p {
                    "Ratios to " b { (report.baseline_name()) } ": below 1 is faster. Bars are logarithmic; they grow to the left for "
                    "what is faster and to the right for what is slower. Small figures are 95 % intervals; ratios that differ "
                    "from 1 by more than chance are bold."
                }
                (ratios(report))
                (progress(report, history))
                h2 { "Figures" }
                p { "Processor time: median and range of the rounds. Below them the median of the peak memory." }
                (figures(report))
                (failures(report))
            }
        }
    };
    page.into_string()
}

fn conditions(report: &Report) -> Markup {
    html! {
        p {
            @if let Some(host) = &report.host {
                (host.processor.as_deref().unwrap_or(&host.arch)) ", " (host.threads) " threads, " (host.os) ". "
            }
            @if report.rounds == 1 { "One round, " } @else { (report.rounds) " rounds, " }
            @if report.small { "small problem sizes: good for checking outputs only." } @else { "default problem sizes." }
        }
        ul {
            @for engine in &report.engines {
                li { b { (engine.name) } @if !engine.version.is_empty() { ": " (engine.version) } }
            }
        }
    }
}

/// The chart that README shows, too.
fn chart(report: &Report) -> Markup {
    // Inside a page of HTML an SVG needs no name space.
    let svg = overview::render(report).replacen(r#" xmlns="http://www.w3.org/2000/svg""#, "", 1);
    html! { figure.overview { (PreEscaped(svg)) } }
}

/// All programs and means, one engine to a column.
fn ratios(report: &Report) -> Markup {
    let engines = 0..report.engines.len();
    let means = |group: Option<&str>| {
        html! {
            @for engine in engines.clone() {
                td { (bar(report.mean_ratio(group, engine, Metric::ProcessorTime))) }
            }
        }
    };
    html! {
        div.wide {
            table {
                thead {
                    tr {
                        th scope="col" { "Program" }
                        @for engine in &report.engines { th scope="col" { (engine.name) } }
                    }
                }
                tbody {
                    tr.mean { th scope="row" { "Geometric mean of all" } (means(None)) }
                    @for group in report.groups() {
                        tr.mean { th scope="row" { (group) } (means(Some(group))) }
                        @for result in report.group(group) {
                            tr {
                                th scope="row" { (result.program.name) }
                                @for engine in engines.clone() { td { (ratio(report, result, engine)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The processor times of an engine's rounds; none if it failed.
fn times(result: &ProgramResult, engine: usize) -> Option<Vec<f64>> {
    match result.outcomes.get(engine)? {
        Outcome::Measured(samples) => Some(samples.iter().map(|run| run.processor()).collect()),
        Outcome::Failed(_) => None,
    }
}

fn ratio(report: &Report, result: &ProgramResult, engine: usize) -> Markup {
    let Some(times_here) = times(result, engine) else {
        return html! { "failed" };
    };
    if engine == report.baseline {
        return html! { (bar(Some(1.0))) };
    }
    // The comparison asks how many times as fast the first is: here, the time over the baseline's.
    let comparison = times(result, report.baseline)
        .and_then(|baseline| compare(&baseline, &times_here, Pairing::Rounds));
    let Some(comparison) = comparison else {
        return html! { "-" };
    };
    html! {
        span.certain[comparison.significant] { (bar(Some(comparison.ratio))) }
        @if comparison.low < comparison.high {
            small { (format_ratio(comparison.low)) " to " (format_ratio(comparison.high)) }
        }
    }
}

/// A ratio with its bar.
fn bar(ratio: Option<f64>) -> Markup {
    let Some(ratio) = ratio else {
        return html! { "-" };
    };
    let percent = (ratio.log10().abs() / FULL_BAR * 50.0).min(50.0);
    let (class, start) = if ratio < 1.0 {
        ("faster", 50.0 - percent)
    } else {
        ("slower", 50.0)
    };
    html! {
        (format_ratio(ratio))
        span.bar aria-hidden="true" {
            span class=(class) style=(format!("left:{start:.1}%;width:{percent:.1}%")) {}
        }
    }
}

/// What the history says about each engine but the baseline.
fn progress(report: &Report, history: &[Entry]) -> Markup {
    let lines: Vec<(&str, Vec<Session>)> = report
        .engines
        .iter()
        .enumerate()
        .filter(|&(index, _)| index != report.baseline)
        .map(|(_, engine)| {
            let name = engine.name.as_str();
            (name, sessions(history, report, name))
        })
        .filter(|(_, sessions)| sessions.len() > 1)
        .collect();
    html! {
        @if !lines.is_empty() {
            h2 { "History" }
            p { "Geometric means of the ratios to " (report.baseline_name()) " in the sessions on this machine, oldest first." }
            @for (name, sessions) in lines { (plot(name, &sessions)) }
        }
    }
}

fn plot(name: &str, sessions: &[Session]) -> Markup {
    let logs: Vec<f64> = sessions
        .iter()
        .map(|session| session.ratio.log10())
        .collect();
    // The axis covers 1, the baseline, and all values.
    let low = logs.iter().copied().fold(0.0, f64::min) - 0.05;
    let high = logs.iter().copied().fold(0.0, f64::max) + 0.05;
    let (width, height) = PLOT;
    let y = |log: f64| (high - log) / (high - low) * height;
    let x = |index: usize| width * index as f64 / (sessions.len().max(2) - 1) as f64;
    let points: Vec<String> = logs
        .iter()
        .enumerate()
        .map(|(index, log)| format!("{:.1},{:.1}", x(index), y(*log)))
        .collect();
    html! {
        figure {
            figcaption {
                b { (name) }
                @if let (Some(first), Some(last)) = (sessions.first(), sessions.last()) {
                    ": " (format_ratio(first.ratio)) " on " (first.created) ", "
                    (format_ratio(last.ratio)) " on " (last.created) " (" (last.programs) " programs)"
                }
            }
            svg viewBox=(format!("-6 -6 {} {}", width + 12.0, height + 12.0)) role="img" aria-label=(format!("history of {name}")) {
                line.one x1="0" x2=(width) y1=(format!("{:.1}", y(0.0))) y2=(format!("{:.1}", y(0.0))) {}
                polyline points=(points.join(" ")) {}
                @for (index, session) in sessions.iter().enumerate() {
                    circle cx=(format!("{:.1}", x(index))) cy=(format!("{:.1}", y(session.ratio.log10()))) r="4" {
                        title { (session.created) ": " (format_ratio(session.ratio)) }
                    }
                }
            }
        }
    }
}

/// The medians behind the ratios.
fn figures(report: &Report) -> Markup {
    html! {
        div.wide {
            table {
                thead {
                    tr {
                        th scope="col" { "Program" }
                        th scope="col" { "n" }
                        @for engine in &report.engines { th scope="col" { (engine.name) } }
                    }
                }
                tbody {
                    @for result in &report.results {
                        tr {
                            th scope="row" { (result.program.name) }
                            td { (result.n) }
                            @for engine in 0..report.engines.len() { td { (figure(result, engine)) } }
                        }
                    }
                }
            }
        }
    }
}

fn figure(result: &ProgramResult, engine: usize) -> Markup {
    let Some(summary) = times(result, engine).and_then(|times| Summary::of(&times)) else {
        return html! { "failed" };
    };
    let time = |value: f64| Metric::ProcessorTime.format(value);
    let memory = result.median(engine, Metric::PeakMemory).unwrap_or(0.0);
    html! {
        (time(summary.median))
        @if summary.count > 1 { small { (time(summary.min)) " to " (time(summary.max)) } }
        small { (Metric::PeakMemory.format(memory)) }
    }
}

fn failures(report: &Report) -> Markup {
    let failures: Vec<String> = report.failures().collect();
    html! {
        @if !failures.is_empty() {
            h2 { "Failures" }
            ul { @for failure in failures { li { (failure) } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::history::entries;
    use crate::bench::report::tests::example;

    #[test]
    fn the_page_shows_everything_and_needs_nothing() {
        let page = render(&example(), &[]);
        for part in [
            "mandelbrot",
            "Geometric mean of all",
            "slow&amp;wrong",
            "failed fib: its output differs",
            "prefers-color-scheme",
        ] {
            assert!(page.contains(part), "{part}");
        }
        for resource in [
            "http:", "https:", "src=", "<link", "<script", "@import", "url(",
        ] {
            assert!(!page.contains(resource), "{resource}");
        }
        assert!(!page.contains("History"));
    }

    #[test]
    fn bars_grow_to_both_sides() {
        let faster = bar(Some(0.1)).into_string();
        assert!(faster.contains("faster") && faster.contains("left:16.7%;width:33.3%"));
        let slower = bar(Some(1e9)).into_string();
        assert!(slower.contains("slower") && slower.contains("left:50.0%;width:50.0%"));
        assert_eq!(bar(None).into_string(), "-");
    }

    #[test]
    fn a_history_of_several_sessions_is_drawn() {
        let report = example();
        let mut history = entries(&report);
        for entry in &mut history {
            entry.created = "2026-01-01T00:00:00Z".to_owned();
        }
        history.extend(entries(&report));
        let page = render(&report, &history);
        assert!(page.contains("History") && page.contains("<polyline"));
        assert!(page.contains("2026-01-01T00:00:00Z: 0.50"));
    }
}
