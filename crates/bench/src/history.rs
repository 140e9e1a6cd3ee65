//! A file that collects results over time: one line of JSON for each script and engine. `docs/bench-schema.md` describes it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::document::{Document, Host, Metric, Mode};

/// What an entry calls itself.
pub const SCHEMA: &str = "kiln-bench-history";

/// The version of the schema.
pub const VERSION: u32 = 1;

/// A line of the history.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Entry {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The version of the schema.
    pub version: u32,
    /// When it was measured, in UTC (RFC 3339).
    pub created: String,
    /// The version of Kiln that measured.
    pub kiln: String,
    /// The machine.
    pub host: Host,
    /// Where the script ran.
    pub mode: Mode,
    /// What was measured.
    pub metric: Metric,
    /// What the script was given as arguments.
    pub arguments: Vec<String>,
    /// The script's path, as it was given.
    pub script: String,
    /// The engine's name.
    pub engine: String,
    /// How many runs count.
    pub runs: usize,
    /// The median, in seconds.
    pub median: f64,
    /// The lower end of its confidence interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The largest peak memory, in bytes.
    pub peak_memory: u64,
}

impl Entry {
    /// Whether two entries measured the same thing in the same way on the same machine.
    pub fn is_comparable(&self, other: &Entry) -> bool {
        self.host == other.host
            && self.mode == other.mode
            && self.metric == other.metric
            && self.arguments == other.arguments
            && self.script == other.script
            && self.engine == other.engine
    }
}

/// Why a file is no history.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// A line is no entry.
    #[error("line {line} is damaged or no entry of a history: {reason}")]
    Malformed {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: serde_json::Error,
    },
    /// A line is something else, or of another version.
    #[error("line {line} is no entry of a history of version {VERSION}")]
    OtherSchema {
        /// Counted from 1.
        line: usize,
    },
}

/// The entries of a document.
pub fn entries(document: &Document) -> Vec<Entry> {
    let mut entries = Vec::new();
    for script in &document.scripts {
        for engine in &script.engines {
            entries.push(Entry {
                schema: SCHEMA.to_owned(),
                version: VERSION,
                created: document.created.clone(),
                kiln: document.kiln.clone(),
                host: document.host.clone(),
                mode: document.settings.mode,
                metric: document.settings.metric,
                arguments: document.settings.arguments.clone(),
                script: script.script.clone(),
                engine: engine.name.clone(),
                runs: engine.summary.count,
                median: engine.summary.median,
                low: engine.summary.interval.low,
                high: engine.summary.interval.high,
                peak_memory: engine.peak_memory(),
            });
        }
    }
    entries
}

/// Reads a history, oldest entries first. A file that does not exist is an empty history.
///
/// # Errors
/// The file cannot be read, or a line of it is no entry.
pub fn load(path: &Path) -> Result<Vec<Entry>, LoadError> {
    match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        contents => parse(&contents?),
    }
}

fn parse(text: &[u8]) -> Result<Vec<Entry>, LoadError> {
    let mut entries = Vec::new();
    for (index, text) in text.split(|&byte| byte == b'\n').enumerate() {
        if text.trim_ascii().is_empty() {
            continue;
        }
        let line = index + 1;
        let entry: Entry =
            serde_json::from_slice(text).map_err(|reason| LoadError::Malformed { line, reason })?;
        if entry.schema != SCHEMA || entry.version != VERSION {
            return Err(LoadError::OtherSchema { line });
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// Adds entries to the end of a history.
///
/// # Errors
/// The file cannot be written.
pub fn append(path: &Path, entries: &[Entry]) -> io::Result<()> {
    let mut text = String::new();
    if !ends_line(path)? {
        text.push('\n');
    }
    for entry in entries {
        text.push_str(&serde_json::to_string(entry)?);
        text.push('\n');
    }
    // In one piece, so that two sessions that end at the same time do not mix their lines.
    let mut file: File = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(text.as_bytes())
}

/// Whether what is appended begins a line.
fn ends_line(path: &Path) -> io::Result<bool> {
    match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        contents => Ok(contents?.last().is_none_or(|&byte| byte == b'\n')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::tests::example;

    #[test]
    fn a_history_grows_and_can_be_read() {
        let path = std::env::temp_dir().join(format!("kiln-history-{}", std::process::id()));
        let entries = entries(&example());
        assert_eq!(load(&path).unwrap(), []);
        append(&path, &entries).unwrap();
        // Somebody's editor has removed the last line end.
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.trim_end()).unwrap();
        append(&path, &entries).unwrap();
        let history = load(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(history.len(), 2);
        assert_eq!(history[0], entries[0]);
        assert!(history[0].is_comparable(&history[1]));
        assert_eq!((history[0].runs, history[0].median), (3, 0.2));
    }

    #[test]
    fn a_damaged_line_is_named() {
        let good = serde_json::to_string(&entries(&example())[0]).unwrap();
        let cut = format!("{good}\n\n{}", &good[..40]);
        assert!(matches!(
            parse(cut.as_bytes()),
            Err(LoadError::Malformed { line: 3, .. })
        ));
        let other = good.replace("\"version\":1", "\"version\":2");
        assert!(matches!(
            parse(other.as_bytes()),
            Err(LoadError::OtherSchema { line: 1 })
        ));
    }
}
