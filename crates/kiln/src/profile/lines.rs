//! The heat of source lines.

use std::collections::BTreeMap;

use kiln_vm::profile::{Function, FunctionTimes, Method, Profiler};
use serde::{Deserialize, Serialize};

use super::build::share;

/// A line of the source and what it took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The file.
    pub file: String,
    /// The line of the statement, counted from 1.
    pub line: u32,
    /// Its time, without what it calls. In an exact profile each function's own time is split among its lines by the instructions
    /// executed; in a sampled one it is measured.
    pub time_ns: u64,
    /// The part of that in all functions' time.
    pub share: f64,
    /// The instructions executed, if they were counted.
    pub instructions: Option<u64>,
}

/// The lines that were executed, by file and number. `times` belong to the profiler's functions.
pub(super) fn lines(profiler: &Profiler, times: &[FunctionTimes], total: u64) -> Vec<Line> {
    let is_exact = profiler.settings().method == Method::Exact;
    let mut lines: BTreeMap<(&str, u32), Line> = BTreeMap::new();
    for (profile, times) in profiler.functions().iter().zip(times) {
        let Function::Script(block) = &profile.function else {
            continue;
        };
        let executed: u64 = profile.counts.iter().sum();
        for (position, (&count, &sampled)) in
            profile.counts.iter().zip(&profile.sampled).enumerate()
        {
            if count == 0 && sampled == 0 {
                continue;
            }
            let number = block.line_at(position as u32);
            let line = lines
                .entry((&block.origin.file, number))
                .or_insert_with(|| Line {
                    file: block.origin.file.to_string(),
                    line: number,
                    instructions: is_exact.then_some(0),
                    ..Line::default()
                });
            if let Some(instructions) = &mut line.instructions {
                *instructions += count;
                line.time_ns += (share(count, executed) * times.self_time as f64).round() as u64;
            } else {
                line.time_ns += sampled;
            }
        }
    }
    let mut lines: Vec<Line> = lines.into_values().collect();
    for line in &mut lines {
        line.share = share(line.time_ns, total);
    }
    lines
}
