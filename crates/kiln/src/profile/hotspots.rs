//! Candidates for compilation: what is hot and stable enough.

use serde::{Deserialize, Serialize};

use super::names::short_file;
use super::report::{FunctionKind, Profile};

/// From where on something counts as hot, and as stable.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// A function with a greater share of the time, between 0 and 1, is hot.
    pub share: f64,
    /// A function called at least so often is hot.
    pub calls: u64,
    /// A loop with at least so many iterations is hot.
    pub iterations: u64,
    /// What is at least so stable, between 0 and 1, is worth specializing.
    pub stability: f64,
}

impl Default for Thresholds {
    fn default() -> Thresholds {
        Thresholds {
            share: 0.3,
            calls: 1000,
            iterations: 1000,
            stability: 0.8,
        }
    }
}

/// Whether a candidate is a function or a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CandidateKind {
    /// A function of the script.
    Function,
    /// A loop.
    Loop,
}

/// Something hot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// What it is.
    pub kind: CandidateKind,
    /// The function, or the one the loop is in.
    pub function: String,
    /// The file.
    pub file: String,
    /// The line.
    pub line: u32,
    /// The share of the time: a function's own, a loop's with what it calls.
    pub share: f64,
    /// Calls or iterations, if they were counted.
    pub count: Option<u64>,
    /// See [`Function::stability`](super::Function::stability).
    pub stability: Option<f64>,
    /// Whether it is stable enough.
    pub is_stable: bool,
}

impl Candidate {
    /// What and where it is: `loop at game.ms:15`.
    pub fn subject(&self) -> String {
        let place = format!("{}:{}", short_file(&self.file), self.line);
        match self.kind {
            CandidateKind::Function => format!("function {} at {place}", self.function),
            CandidateKind::Loop => format!("loop at {place}"),
        }
    }
}

/// What is hot by these thresholds: stable candidates before others, then by their share of the time.
pub fn hotspots(profile: &Profile, thresholds: &Thresholds) -> Vec<Candidate> {
    let is_stable = |stability: Option<f64>| stability.is_none_or(|it| it >= thresholds.stability);
    let at_least = |count: Option<u64>, least| count.is_some_and(|count| count >= least);
    let functions = profile
        .functions
        .iter()
        .filter(|function| function.kind == FunctionKind::Script)
        .filter(|function| {
            function.self_share > thresholds.share || at_least(function.calls, thresholds.calls)
        })
        .map(|function| Candidate {
            kind: CandidateKind::Function,
            function: function.name.clone(),
            file: function.file.clone().unwrap_or_default(),
            line: function.line.unwrap_or_default(),
            share: function.self_share,
            count: function.calls,
            stability: function.stability,
            is_stable: is_stable(function.stability),
        });
    let loops = profile
        .loops
        .iter()
        .filter(|measured| match measured.iterations {
            Some(iterations) => iterations >= thresholds.iterations,
            // Samples count no iterations.
            None => measured.share > thresholds.share,
        })
        .map(|measured| Candidate {
            kind: CandidateKind::Loop,
            function: measured.function.clone(),
            file: measured.file.clone(),
            line: measured.line,
            share: measured.share,
            count: measured.iterations,
            stability: measured.stability,
            is_stable: is_stable(measured.stability),
        });
    let mut candidates: Vec<Candidate> = functions.chain(loops).collect();
    candidates.sort_by(|a, b| {
        b.is_stable
            .cmp(&a.is_stable)
            .then(b.share.total_cmp(&a.share))
            .then((&a.file, a.line).cmp(&(&b.file, b.line)))
    });
    candidates
}
