//! The history of sessions: what each left in the file that `--history` names.

use std::collections::BTreeMap;

use kiln_bench::document::{self, Host, Metric, Mode};
use kiln_bench::history::{Entry, SCHEMA, VERSION};
use kiln_bench::statistics::{Summary, geometric_mean};

use super::report::{self, Outcome, Report};

/// The entries that a session adds: one for each program and engine that did not fail.
pub fn entries(report: &Report) -> Vec<Entry> {
    let (created, host) = (document::now(), Host::this());
    let mut entries = Vec::new();
    for result in &report.results {
        for (engine, outcome) in report.engines.iter().zip(&result.outcomes) {
            let Outcome::Measured(samples) = outcome else {
                continue;
            };
            let values: Vec<f64> = samples.iter().map(|run| run.processor()).collect();
            let Some(summary) = Summary::of(&values) else {
                continue;
            };
            entries.push(Entry {
                schema: SCHEMA.to_owned(),
                version: VERSION,
                created: created.clone(),
                kiln: env!("CARGO_PKG_VERSION").to_owned(),
                host: host.clone(),
                mode: Mode::Process,
                metric: Metric::Processor,
                arguments: vec![result.n.to_string()],
                script: format!("{}/{}", result.program.group, result.program.name),
                engine: engine.name.clone(),
                runs: summary.count,
                median: summary.median,
                low: summary.interval.low,
                high: summary.interval.high,
                peak_memory: samples.iter().map(|run| run.peak_memory).max().unwrap_or(0),
            });
        }
    }
    entries
}

/// One session, summed up.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// When it was, as the history has it.
    pub created: String,
    /// How many programs the mean is over.
    pub programs: usize,
    /// The geometric mean of an engine's ratios to the baseline.
    pub ratio: f64,
}

/// How an engine did in each session on this machine that measured it and the baseline with the problem sizes of this report,
/// oldest first.
pub fn sessions(entries: &[Entry], report: &Report, engine: &str) -> Vec<Session> {
    let host = Host::this();
    let is_like_this = |entry: &&Entry| {
        entry.host == host
            && entry.metric == Metric::Processor
            && report.results.iter().any(|result| {
                entry.arguments == [result.n.to_string()]
                    && entry.script == format!("{}/{}", result.program.group, result.program.name)
            })
    };
    // Dates in UTC sort as texts.
    let mut by_session: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries.iter().filter(is_like_this) {
        by_session.entry(&entry.created).or_default().push(entry);
    }
    let mut sessions = Vec::new();
    for (created, entries) in by_session {
        let of = |engine: &str| -> BTreeMap<&str, f64> {
            let entries = entries.iter().filter(|entry| entry.engine == engine);
            entries
                .map(|entry| (entry.script.as_str(), entry.median))
                .collect()
        };
        let baseline = of(report.baseline_name());
        let ratios: Vec<f64> = of(engine)
            .into_iter()
            .filter_map(|(script, median)| Some(report::quotient(median, *baseline.get(script)?)))
            .collect();
        if let Some(ratio) = geometric_mean(ratios.iter().copied()) {
            sessions.push(Session {
                created: created.to_owned(),
                programs: ratios.len(),
                ratio,
            });
        }
    }
    sessions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::example;

    #[test]
    fn a_session_leaves_an_entry_for_each_program_and_engine_that_did_not_fail() {
        let entries = entries(&example());
        assert_eq!(entries.len(), 5);
        assert_eq!(
            (entries[0].script.as_str(), entries[0].engine.as_str()),
            ("numeric/mandelbrot", "fast")
        );
        assert_eq!((entries[0].runs, entries[0].median), (3, 0.025));
    }

    #[test]
    fn sessions_are_summed_up_by_their_geometric_means() {
        let report = example();
        let mut history = entries(&report);
        for entry in &mut history {
            entry.created = "2026-01-01T00:00:00Z".to_owned();
        }
        let mut elsewhere = history.clone();
        for entry in &mut elsewhere {
            entry.host.threads += 1;
        }
        let mut other_size = history.clone();
        for entry in &mut other_size {
            entry.created = "2026-01-02T00:00:00Z".to_owned();
            entry.arguments = vec!["5".to_owned()];
        }
        history.extend(elsewhere);
        history.extend(other_size);
        let sessions = sessions(&history, &report, "fast");
        assert_eq!(sessions.len(), 1);
        assert_eq!(sessions[0].programs, 2);
        assert!((sessions[0].ratio - 0.5).abs() < 1e-9);
    }
}
