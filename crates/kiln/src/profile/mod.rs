//! Profiles: what a program spends its time and memory on.
//!
//! A [`Recorder`] measures a run and gives a [`Profile`], which is data: [`report()`] makes text of it, [`Profile::to_json`] JSON, and
//! [`folded_stacks`] the lines that flame graph viewers read. [`hotspots()`] ranks what is worth compiling.

mod build;
mod explain;
mod hotspots;
mod lines;
mod memory;
pub(crate) mod names;
mod page;
mod recommend;
mod recorder;
mod report;
mod sampler;
mod table;
mod text;
mod timeline;

use std::fmt::Write;

pub use crate::jit::{
    Assumption, BoxedVariable, CodePlace, DirectCall, GuardFailure, GuardKind, GuardSite,
    InlinedCall, InterpretedReason, InterpretedSite, Optimization, ValueSource,
};
pub use explain::explain;
pub use hotspots::{Candidate, CandidateKind, Thresholds, hotspots};
pub use lines::Line;
pub use page::{SourceText, page};
pub use recorder::{Options, Recorder};
pub use report::{
    AllocationSite, Allocations, DuplicateString, Ending, Function, FunctionKind, KindMemory, Loop,
    Memory, Method, OperationCount, Operations, Phase, Priority, Profile, Recommendation,
    SCHEMA_VERSION, ShapeMemory, Site, SiteSignature, Stack, StringMemory, Variable,
};
pub use table::Style;
pub use text::{hotspots_report, memory_report, report};
pub use timeline::{Collections, CollectorPause, PauseKind, Phases, TierChange, TierChangeKind};

impl Profile {
    /// The profile as JSON, in the schema that `docs/profile-schema.md` describes.
    pub fn to_json(&self) -> String {
        // All keys are strings, and nothing here fails to serialize.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// The candidates as JSON, in the schema that `docs/profile-schema.md` describes.
pub fn hotspots_json(
    profile: &Profile,
    candidates: &[Candidate],
    thresholds: &Thresholds,
) -> String {
    #[derive(serde::Serialize)]
    struct Hotspots<'a> {
        schema_version: u32,
        kiln_version: &'a str,
        script: &'a str,
        method: Method,
        ending: &'a Ending,
        thresholds: &'a Thresholds,
        candidates: &'a [Candidate],
    }
    let hotspots = Hotspots {
        schema_version: SCHEMA_VERSION,
        kiln_version: &profile.kiln_version,
        script: &profile.script,
        method: profile.method,
        ending: &profile.ending,
        thresholds,
        candidates,
    };
    serde_json::to_string_pretty(&hotspots).unwrap_or_default()
}

/// Chains of calls with their times, one to a line: `main game.ms:1;update game.ms:12 5230`. The number is microseconds; what took
/// less than one is left out. `flamegraph.pl`, inferno and speedscope read this.
pub fn folded_stacks(profile: &Profile) -> String {
    let mut out = String::new();
    for stack in &profile.stacks {
        let microseconds = stack.self_ns / 1000;
        if microseconds > 0 {
            let frames: Vec<String> = stack
                .frames
                .iter()
                .map(|frame| frame.replace(';', ","))
                .collect();
            let _ = writeln!(out, "{} {microseconds}", frames.join(";"));
        }
    }
    out
}
