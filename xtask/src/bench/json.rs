//! The results as JSON, for other programs. `benches/README.md` documents the
//! format.

use kiln_bench::process::Sample;
use serde::Serialize;

use super::report::{Metric, Outcome, ProgramResult, Report};

#[derive(Serialize)]
struct Document<'a> {
    sizes: &'static str,
    rounds: usize,
    baseline: &'a str,
    engines: Vec<EngineEntry<'a>>,
    programs: Vec<ProgramEntry<'a>>,
}

#[derive(Serialize)]
struct EngineEntry<'a> {
    name: &'a str,
    version: &'a str,
    language: &'static str,
}

#[derive(Serialize)]
struct ProgramEntry<'a> {
    name: &'a str,
    group: &'a str,
    n: u64,
    results: Vec<ResultEntry<'a>>,
}

#[derive(Serialize)]
struct ResultEntry<'a> {
    engine: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    median_processor_seconds: Option<f64>,
    #[serde(skip_serializing_if = "<[Sample]>::is_empty")]
    samples: &'a [Sample],
}

/// All samples of a session.
pub fn render(report: &Report) -> String {
    let document = Document {
        sizes: if report.small { "small" } else { "default" },
        rounds: report.rounds,
        baseline: report.baseline_name(),
        engines: report
            .engines
            .iter()
            .map(|engine| EngineEntry {
                name: &engine.name,
                version: &engine.version,
                language: engine.language.extension(),
            })
            .collect(),
        programs: report
            .results
            .iter()
            .map(|result| program_entry(report, result))
            .collect(),
    };
    // Only maps with keys that are no strings, and values that refuse to be
    // serialized, can fail; the document has neither.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn program_entry<'a>(report: &'a Report, result: &'a ProgramResult) -> ProgramEntry<'a> {
    let results = report.engines.iter().zip(&result.outcomes).enumerate();
    ProgramEntry {
        name: &result.program.name,
        group: &result.program.group,
        n: result.n,
        results: results
            .map(|(index, (engine, outcome))| ResultEntry {
                engine: &engine.name,
                error: match outcome {
                    Outcome::Measured(_) => None,
                    Outcome::Failed(reason) => Some(reason),
                },
                median_processor_seconds: result.median(index, Metric::ProcessorTime),
                samples: match outcome {
                    Outcome::Measured(samples) => samples,
                    Outcome::Failed(_) => &[],
                },
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::bench::report::tests::example;

    #[test]
    fn a_result_holds_either_samples_or_an_error() {
        let document: Value = serde_json::from_str(&render(&example())).expect("it is JSON");
        assert_eq!(document["baseline"], "lua5.4");
        assert_eq!(
            document["programs"][0]["results"][0]["samples"][0],
            json!({
                "user_seconds": 0.025,
                "system_seconds": 0.0,
                "elapsed_seconds": 0.05,
                "peak_memory_bytes": 25_000_000,
            })
        );
        assert_eq!(
            document["programs"][1]["results"][2],
            json!({ "engine": "slow&wrong", "error": "its output differs" })
        );
    }
}
