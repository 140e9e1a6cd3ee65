//! The results as JSON, for other programs. `benches/README.md` documents the
//! format.

use kiln_bench::document::Host;
use kiln_bench::process::Sample;
use serde::{Deserialize, Serialize};

use super::engine::{Engine, Language};
use super::manifest::Program;
use super::report::{Metric, Outcome, ProgramResult, Report};

#[derive(Serialize)]
struct Document<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a Host>,
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
        created: report.created.as_deref(),
        host: report.host.as_ref(),
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

/// The parts of a document that a report is made of again.
#[derive(Deserialize)]
struct Recorded {
    #[serde(default)]
    created: Option<String>,
    #[serde(default)]
    host: Option<Host>,
    sizes: String,
    rounds: usize,
    baseline: String,
    engines: Vec<RecordedEngine>,
    programs: Vec<RecordedProgram>,
}

#[derive(Deserialize)]
struct RecordedEngine {
    name: String,
    version: String,
    language: String,
}

#[derive(Deserialize)]
struct RecordedProgram {
    name: String,
    group: String,
    n: u64,
    results: Vec<RecordedResult>,
}

#[derive(Deserialize)]
struct RecordedResult {
    engine: String,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    samples: Vec<Sample>,
}

/// Why results cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("there is no engine of the name {0:?}")]
    Engine(String),
    #[error("there are no sources with the extension {0:?}")]
    Language(String),
    #[error("{program} has other results than one for each engine, in their order")]
    Results { program: String },
}

/// The session that a document is of.
pub fn parse(text: &str) -> Result<Report, ParseError> {
    let recorded: Recorded = serde_json::from_str(text)?;
    let named = |name: &str| recorded.engines.iter().position(|it| it.name == name);
    let baseline =
        named(&recorded.baseline).ok_or_else(|| ParseError::Engine(recorded.baseline.clone()))?;
    let mut results = Vec::new();
    for program in recorded.programs {
        let engines = program.results.iter().map(|result| &result.engine);
        if !engines.eq(recorded.engines.iter().map(|engine| &engine.name)) {
            return Err(ParseError::Results {
                program: program.name,
            });
        }
        let outcomes = program.results.into_iter();
        results.push(ProgramResult {
            outcomes: outcomes
                .map(|result| match result.error {
                    Some(reason) => Outcome::Failed(reason),
                    None => Outcome::Measured(result.samples),
                })
                .collect(),
            n: program.n,
            program: Program {
                name: program.name,
                group: program.group,
                default: program.n,
                small: program.n,
            },
        });
    }
    let mut engines = Vec::new();
    for engine in recorded.engines {
        let language = Language::ALL
            .into_iter()
            .find(|language| language.extension() == engine.language);
        let language = language.ok_or(ParseError::Language(engine.language))?;
        engines.push(Engine::recorded(engine.name, engine.version, language));
    }
    Ok(Report {
        created: recorded.created,
        host: recorded.host,
        small: recorded.sizes == "small",
        rounds: recorded.rounds,
        engines,
        baseline,
        results,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::bench::report::tests::example;

    #[test]
    fn what_was_written_is_read_as_it_was() {
        let text = render(&example());
        let report = parse(&text).expect("it was written");
        assert_eq!(render(&report), text);
        let renamed = text.replacen("\"fast\"", "\"faster\"", 1);
        assert!(matches!(
            parse(&renamed),
            Err(ParseError::Results { program }) if program == "mandelbrot"
        ));
        let other = text.replace("\"baseline\": \"lua5.4\"", "\"baseline\": \"lua\"");
        assert!(matches!(parse(&other), Err(ParseError::Engine(name)) if name == "lua"));
        assert!(matches!(parse("[]"), Err(ParseError::Json(_))));
    }

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
