//! Results as a JSON document: what `kiln bench --json` writes and `--baseline` reads. `docs/bench-schema.md` describes it.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::comparison::Comparison;
use crate::process::Sample;
use crate::statistics::Summary;

/// What a document calls itself.
pub const SCHEMA: &str = "kiln-bench";

/// The version of the schema. Additions leave it as it is; readers must ignore what they do not know.
pub const VERSION: u32 = 1;

/// The results of one session.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Document {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The version of the schema.
    pub version: u32,
    /// When the session ended, in UTC (RFC 3339).
    pub created: String,
    /// The version of Kiln that measured.
    pub kiln: String,
    /// The machine.
    pub host: Host,
    /// How it was measured.
    pub settings: Settings,
    /// One entry for each script.
    pub scripts: Vec<ScriptResult>,
}

/// Facts about a machine that timings depend on.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Host {
    /// The operating system, as `linux`.
    pub os: String,
    /// The architecture, as `x86_64`.
    pub arch: String,
    /// The processor's name, where the system tells.
    pub processor: Option<String>,
    /// How many threads can run at a time.
    pub threads: usize,
}

/// How runs were made.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Where scripts ran.
    pub mode: Mode,
    /// What is summed up and compared.
    pub metric: Metric,
    /// What scripts were given as arguments.
    pub arguments: Vec<String>,
}

/// Where scripts run.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Each run in a process of its own, start included.
    Process,
    /// All runs in one process and one interpreter.
    InProcess,
}

/// What is compared.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// The time that passes, which a person waits.
    Elapsed,
    /// User and system time of all threads.
    Processor,
}

impl Metric {
    /// The value of a sample, in seconds.
    pub fn of(self, sample: &Sample) -> f64 {
        match self {
            Metric::Elapsed => sample.elapsed,
            Metric::Processor => sample.processor(),
        }
    }
}

/// The results of one script.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ScriptResult {
    /// Its path, as it was given.
    pub script: String,
    /// How many leading runs of each engine are left out of all figures.
    pub warm_up: usize,
    /// One entry for each engine; the first is the one that the others are compared with.
    pub engines: Vec<EngineResult>,
}

/// What one engine did with a script.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct EngineResult {
    /// Its name in reports.
    pub name: String,
    /// The command as it was given; none for this very program.
    pub command: Option<String>,
    /// Every run, warm-up included, in the order in which they happened.
    pub runs: Vec<Sample>,
    /// Figures of the metric, in seconds.
    pub summary: Summary,
    /// How many times as fast the first engine is as this one; none for the first.
    pub comparison: Option<Comparison>,
    /// How many times as fast this engine is as it was in the baseline.
    pub baseline: Option<Comparison>,
}

impl EngineResult {
    /// The metric's values of all runs but the leading ones.
    pub fn values(&self, metric: Metric, warm_up: usize) -> Vec<f64> {
        let runs = self.runs.get(warm_up..).unwrap_or_default();
        runs.iter().map(|sample| metric.of(sample)).collect()
    }

    /// The largest peak memory of all runs, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let peaks = self.runs.iter().map(|sample| sample.peak_memory);
        peaks.max().unwrap_or(0)
    }
}

/// Why a file holds no usable results.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It is not JSON, or not of the right form.
    #[error("is damaged or no result of `kiln bench`: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It is something else.
    #[error("is no result of `kiln bench`: its schema is {0:?}")]
    OtherSchema(String),
    /// It was written by another version of Kiln.
    #[error("has version {found} of the schema; this program reads version {VERSION}")]
    OtherVersion {
        /// The version of the file.
        found: u32,
    },
}

impl Document {
    /// A document without scripts, made now on this machine by this version of Kiln.
    pub fn new(kiln: &str, settings: Settings) -> Document {
        Document {
            schema: SCHEMA.to_owned(),
            version: VERSION,
            created: now(),
            kiln: kiln.to_owned(),
            host: Host::this(),
            settings,
            scripts: Vec::new(),
        }
    }

    /// Reads a document.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub fn load(path: &Path) -> Result<Document, LoadError> {
        Document::parse(&std::fs::read(path)?)
    }

    fn parse(text: &[u8]) -> Result<Document, LoadError> {
        // The rest may have any form if the schema is another one.
        #[derive(Deserialize)]
        struct Head {
            schema: String,
            version: u32,
        }
        let head: Head = serde_json::from_slice(text)?;
        if head.schema != SCHEMA {
            return Err(LoadError::OtherSchema(head.schema));
        }
        if head.version != VERSION {
            return Err(LoadError::OtherVersion {
                found: head.version,
            });
        }
        Ok(serde_json::from_slice(text)?)
    }

    /// The document as text.
    pub fn to_json(&self) -> String {
        // Only maps with keys that are no strings can fail; there are none.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// What was measured for a script with this path and an engine of this name.
    pub fn find(&self, script: &str, engine: &str) -> Option<(&ScriptResult, &EngineResult)> {
        let script = self.scripts.iter().find(|result| result.script == script)?;
        let engine = script.engines.iter().find(|result| result.name == engine)?;
        Some((script, engine))
    }
}

impl Host {
    /// The machine this program runs on.
    pub fn this() -> Host {
        Host {
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            processor: processor_name(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// Linux has the name in a file; elsewhere it is left open.
fn processor_name() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The time in UTC, to the second.
pub fn now() -> String {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Second).unwrap_or(now).to_string()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// One script, run three times by one engine.
    pub(crate) fn example() -> Document {
        let mut document = Document::new(
            "0.1.0",
            Settings {
                mode: Mode::Process,
                metric: Metric::Elapsed,
                arguments: vec!["9".into()],
            },
        );
        let runs: Vec<Sample> = [0.3, 0.1, 0.2]
            .map(|elapsed| Sample {
                elapsed,
                user: elapsed / 2.0,
                system: 0.0,
                peak_memory: 1000,
            })
            .into();
        document.scripts.push(ScriptResult {
            script: "fib.ms".into(),
            warm_up: 0,
            engines: vec![EngineResult {
                name: "kiln".into(),
                command: None,
                summary: Summary::of(&[0.3, 0.1, 0.2]).unwrap(),
                runs,
                comparison: None,
                baseline: None,
            }],
        });
        document
    }

    #[test]
    fn documents_survive_being_written() {
        let document = Document::parse(example().to_json().as_bytes()).unwrap();
        let (script, engine) = document.find("fib.ms", "kiln").unwrap();
        assert_eq!((script.warm_up, engine.summary.median), (0, 0.2));
        assert_eq!(engine.values(Metric::Elapsed, 1), [0.1, 0.2]);
        assert_eq!(engine.peak_memory(), 1000);
        assert!(document.find("fib.ms", "luajit").is_none());
    }

    #[test]
    fn other_files_are_refused() {
        assert!(matches!(
            Document::parse(b"not json"),
            Err(LoadError::Malformed(_))
        ));
        assert!(matches!(
            Document::parse(br#"{"schema": "other", "version": 1}"#),
            Err(LoadError::OtherSchema(name)) if name == "other"
        ));
        assert!(matches!(
            Document::parse(br#"{"schema": "kiln-bench", "version": 99}"#),
            Err(LoadError::OtherVersion { found: 99 })
        ));
        assert!(matches!(
            Document::parse(br#"{"schema": "kiln-bench", "version": 1}"#),
            Err(LoadError::Malformed(_))
        ));
    }
}
