//! The heat of source lines.

use std::collections::{BTreeMap, HashMap};

use kiln_vm::profile::{Function, FunctionProfile, FunctionTimes, Method, NodeId, Profiler};
use serde::{Deserialize, Serialize};

use super::build::share;

/// A line of the source and what it took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The file.
    pub file: String,
    /// The line of the statement, counted from 1.
    pub line: u32,
    /// Its time, with the built-in functions that it calls, but not others. In an exact profile each function's own time is split
    /// among its lines by the instructions executed, and a built-in function's among the places that call it by how often they do; in a
    /// sampled one it is measured.
    pub time_ns: u64,
    /// The part of that in all functions' time.
    pub share: f64,
    /// The instructions executed, if they were counted.
    pub instructions: Option<u64>,
}

/// The lines that were executed, by file and number. `times` belong to the profiler's functions.
pub(super) fn lines(profiler: &Profiler, times: &[FunctionTimes], total: u64) -> Vec<Line> {
    let is_exact = profiler.settings().method == Method::Exact;
    let built_in = built_in_times(profiler);
    let mut lines: BTreeMap<(&str, u32), Line> = BTreeMap::new();
    for (index, (profile, times)) in profiler.functions().iter().zip(times).enumerate() {
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
                let own = share(count, executed) * times.self_time as f64;
                let called = built_in_time(&built_in, index, profile, position);
                line.time_ns += (own + called).round() as u64;
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

/// What a function's calls of a built-in one took.
#[derive(Default)]
struct BuiltIn {
    time: u64,
    /// The calls that places of the function have noted.
    calls: u64,
}

/// By the numbers of the caller and of the built-in function.
type BuiltIns = HashMap<(usize, usize), BuiltIn>;

fn built_in_times(profiler: &Profiler) -> BuiltIns {
    let mut built_ins = BuiltIns::new();
    let tree = profiler.tree();
    let functions = profiler.functions();
    for (_, node) in tree.nodes().filter(|(_, node)| node.parent != NodeId::ROOT) {
        let called = node.function.index();
        if matches!(functions[called].function, Function::Intrinsic(_)) {
            let caller = tree.node(node.parent).function.index();
            built_ins.entry((caller, called)).or_default().time += node.self_time;
        }
    }
    for (caller, profile) in functions.iter().enumerate() {
        for (signature, count) in profile.signatures.iter().flat_map(|table| table.entries()) {
            if let Some(target) = signature.target.known()
                && let Some(built_in) = built_ins.get_mut(&(caller, target.index()))
            {
                built_in.calls += count;
            }
        }
    }
    built_ins
}

/// The part of the time of built-in functions that belongs to an instruction of a function.
fn built_in_time(
    built_ins: &BuiltIns,
    caller: usize,
    profile: &FunctionProfile,
    position: usize,
) -> f64 {
    let entries = profile.signatures[position].entries().iter();
    let times = entries.filter_map(|(signature, count)| {
        let target = signature.target.known()?;
        let built_in = built_ins.get(&(caller, target.index()))?;
        Some(share(*count, built_in.calls) * built_in.time as f64)
    });
    times.sum()
}
