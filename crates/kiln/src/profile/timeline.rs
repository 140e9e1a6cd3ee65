//! What became of code while a program ran, and how the collector interrupted it.

use std::time::{Duration, Instant};

use kiln_vm::heap::{LoggedPause, Pause, Statistics};
use serde::{Deserialize, Serialize};

use crate::jit::{CompilePhases, Optimization, TierEvent, TierEventKind};

/// What happened to the code of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TierChangeKind {
    /// It was found hot and handed to the compiler.
    Queued,
    /// Its machine code was installed.
    Installed,
    /// Optimized machine code was installed.
    Optimized,
    /// Optimized machine code was thrown away because what it took for granted did not hold.
    Deoptimized,
    /// Its machine code was thrown away.
    Evicted,
    /// It cannot be compiled.
    Refused,
}

/// A moment at which a function changed its tier, or was to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TierChange {
    /// When, since the interpreter was made.
    pub time_ns: u64,
    /// The name of the function; of a top level its file, of a function without a name its file and line.
    pub function: String,
    /// What happened.
    pub event: TierChangeKind,
    /// The length of the machine code, if it was installed.
    pub code_bytes: Option<u64>,
    /// The instructions it was made from, if it was installed.
    pub instructions: Option<u64>,
    /// What the compiler took, if it was installed.
    pub compile_ns: Option<u64>,
    /// Whether optimized code is for a loop alone, to be entered in its middle.
    #[serde(default)]
    pub for_loop: Option<bool>,
    /// Why it cannot be compiled, if it was refused; where optimized code gave up, and why.
    pub reason: Option<String>,
    /// Where the time went from the order of the code to its being ready, if it was installed.
    #[serde(default)]
    pub phases: Option<Phases>,
    /// What the optimizing compiler made of the function, if it did.
    #[serde(default)]
    pub optimization: Option<Optimization>,
}

/// Where the time went from the order of machine code to its being ready, as it passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phases {
    /// Until the compiler was free.
    pub waited_ns: u64,
    /// In the optimizer; 0 in the baseline tier.
    pub optimizer_ns: u64,
    /// In the code generator.
    pub generator_ns: u64,
    /// Until the script took notice and the code was in place.
    pub installed_ns: u64,
}

/// What a pause of the collector was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseKind {
    /// Young objects, or some of them.
    Minor,
    /// A part of a full collection.
    Slice,
    /// A full collection at once.
    Full,
}

/// A pause of the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectorPause {
    /// When it began, on the clock of [`TierChange::time_ns`].
    pub time_ns: u64,
    /// How long it was.
    pub duration_ns: u64,
    /// What it was for.
    pub kind: PauseKind,
}

/// What the collector did since the interpreter was made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Collections {
    /// Pauses of all kinds.
    pub pauses: u64,
    /// The collections of young objects, or slices of them.
    pub minor_pauses: u64,
    /// The full collections that have ended.
    pub full_collections: u64,
    /// All pauses added up.
    pub total_ns: u64,
    /// The longest one.
    pub longest_ns: u64,
    /// The bytes allocated.
    pub allocated_bytes: u64,
    /// When the pauses were, in order; of very many the later ones are left out.
    #[serde(default)]
    pub timeline: Vec<CollectorPause>,
}

fn nanoseconds(time: Duration) -> u64 {
    time.as_nanos().try_into().unwrap_or(u64::MAX)
}

/// The name without what sets optimized code apart: `step (optimized loop 1)` is `step`.
fn plain_name(name: &str) -> &str {
    name.split_once(" (optimized")
        .map_or(name, |(name, _)| name)
}

pub(super) fn tier_change(event: &TierEvent) -> TierChange {
    let mut change = TierChange {
        time_ns: nanoseconds(event.time),
        function: plain_name(&event.function).to_owned(),
        event: TierChangeKind::Queued,
        code_bytes: None,
        instructions: None,
        compile_ns: None,
        for_loop: None,
        reason: None,
        phases: None,
        optimization: None,
    };
    match &event.kind {
        TierEventKind::Queued => {}
        TierEventKind::Evicted => change.event = TierChangeKind::Evicted,
        TierEventKind::Refused { reason } | TierEventKind::Limited { reason } => {
            change.event = TierChangeKind::Refused;
            change.reason = Some(reason.clone());
        }
        TierEventKind::Deoptimized {
            line,
            failure,
            broken_assumption,
        } => {
            change.event = TierChangeKind::Deoptimized;
            change.reason = Some(match failure {
                _ if *broken_assumption => {
                    format!("was left in line {line}: something it took for granted was changed")
                }
                Some(failure) => format!("gave up in line {line}: {}", failure.sentence()),
                None => format!("gave up in line {line}"),
            });
        }
        TierEventKind::Installed {
            bytes,
            instructions,
            compile_time,
            phases,
        }
        | TierEventKind::Optimized {
            bytes,
            instructions,
            compile_time,
            phases,
            ..
        } => {
            change.event = TierChangeKind::Installed;
            if let TierEventKind::Optimized {
                for_loop,
                optimization,
                ..
            } = &event.kind
            {
                change.event = TierChangeKind::Optimized;
                change.for_loop = Some(for_loop.is_some());
                change.optimization = optimization.as_deref().cloned();
            }
            change.phases = Some(Phases::of(phases));
            change.code_bytes = Some(*bytes as u64);
            change.instructions = Some(*instructions as u64);
            change.compile_ns = Some(nanoseconds(*compile_time));
        }
    }
    change
}

impl Phases {
    fn of(phases: &CompilePhases) -> Phases {
        Phases {
            waited_ns: nanoseconds(phases.waited),
            optimizer_ns: nanoseconds(phases.optimized),
            generator_ns: nanoseconds(phases.generated),
            installed_ns: nanoseconds(phases.installed),
        }
    }
}

/// What the collector did; `log` are its pauses, on a clock that begins at `origin`.
pub(super) fn collections(
    statistics: &Statistics,
    log: &[LoggedPause],
    origin: Instant,
) -> Collections {
    let pauses = statistics.pauses();
    Collections {
        pauses: pauses.count,
        minor_pauses: statistics.minor.count,
        full_collections: statistics.full_collections,
        total_ns: nanoseconds(pauses.total),
        longest_ns: nanoseconds(pauses.longest),
        allocated_bytes: statistics.allocated_bytes,
        timeline: log
            .iter()
            .map(|pause| CollectorPause {
                time_ns: nanoseconds(
                    pause
                        .ended
                        .saturating_duration_since(origin)
                        .saturating_sub(pause.duration),
                ),
                duration_ns: nanoseconds(pause.duration),
                kind: match pause.kind {
                    Pause::Minor => PauseKind::Minor,
                    Pause::Slice => PauseKind::Slice,
                    Pause::Full => PauseKind::Full,
                },
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optimized_code_belongs_to_its_function() {
        let event = TierEvent {
            time: Duration::from_millis(2),
            function: "step (optimized loop 1)".into(),
            kind: TierEventKind::Optimized {
                for_loop: Some(1),
                bytes: 100,
                instructions: 20,
                compile_time: Duration::from_millis(1),
                phases: CompilePhases {
                    waited: Duration::from_micros(7),
                    ..CompilePhases::default()
                },
                optimization: None,
            },
        };
        let change = tier_change(&event);
        assert_eq!(change.function, "step");
        assert_eq!(change.event, TierChangeKind::Optimized);
        assert_eq!(change.phases.map(|it| it.waited_ns), Some(7000));
        assert_eq!(
            (change.for_loop, change.code_bytes),
            (Some(true), Some(100))
        );
        assert_eq!(plain_name("game.ms (optimized)"), "game.ms");
        assert_eq!(plain_name("game.ms:7"), "game.ms:7");
    }
}
