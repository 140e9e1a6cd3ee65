//! What the optimizing compiler made of a function: inlined, taken for granted, checked, failed, left to the interpreter, boxed.

use std::collections::{BTreeMap, BTreeSet};

use super::super::report::{Method, Profile};
use super::super::text::grouped;
use super::super::timeline::TierChangeKind;
use super::{MAX_PLACES, OFTEN, Subject};
use crate::jit::{
    Assumption, BoxedVariable, CodePlace, GuardFailure, GuardKind, GuardSite, InterpretedReason,
    InterpretedSite, Optimization,
};

/// The heading of guards that failed.
pub(in super::super) const FAILED: &str = "Checks that failed";

/// The optimized code of a program that concerns one function: its own, and what was built into others.
pub(super) struct Optimized<'a> {
    subject: &'a Subject<'a>,
    counted: &'a Profile,
    /// With the names of the functions that the code is for.
    all: Vec<(&'a str, &'a Optimization)>,
    failures: Vec<&'a GuardFailure>,
    /// Code of the function was thrown away because an assumption was broken.
    broken_assumption: bool,
}

/// The optimizations whose code was in use last, of each function.
fn latest(tiers: &Profile) -> Vec<(&str, &Optimization)> {
    let mut latest: Vec<(&str, &Optimization)> = Vec::new();
    let mut discarded: BTreeSet<&str> = BTreeSet::new();
    for change in &tiers.tier_changes {
        let name = &*change.function;
        if change.event == TierChangeKind::Deoptimized {
            discarded.insert(name);
        }
        if let Some(optimization) = &change.optimization {
            if discarded.remove(name) {
                latest.retain(|(known, _)| *known != name);
            }
            latest.push((name, optimization));
        }
    }
    latest
}

/// Sentences by line, each line's in one.
#[derive(Default)]
struct ByLine(BTreeMap<u32, Vec<String>>);

impl ByLine {
    fn add(&mut self, line: u32, text: String) {
        let texts = self.0.entry(line).or_default();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }

    fn lines(self, separator: &str) -> Vec<String> {
        let more = self.0.len().saturating_sub(MAX_PLACES);
        let shown = self.0.into_iter().take(MAX_PLACES);
        let mut lines: Vec<String> = shown
            .map(|(line, texts)| format!("line {line}: {}", texts.join(separator)))
            .collect();
        if more > 0 {
            lines.push(format!("… and {more} more lines"));
        }
        lines
    }
}

impl<'a> Optimized<'a> {
    pub fn new(
        subject: &'a Subject<'a>,
        counted: &'a Profile,
        tiers: &'a Profile,
    ) -> Optimized<'a> {
        let name = subject.code_name();
        let concerns = |failure: &&GuardFailure| {
            failure.function == subject.function.name
                && subject.is_around(&failure.guard.place.file, failure.guard.place.line)
                || subject.has(&failure.guard.place)
        };
        let is_broken = |reason: &Option<String>| {
            let reason = reason.as_deref();
            reason.is_some_and(|reason| reason.contains("took for granted"))
        };
        let changes = tiers.tier_changes.iter();
        let mut own = changes.filter(|change| change.function == name);
        Optimized {
            subject,
            counted,
            all: latest(tiers),
            failures: tiers.guard_failures.iter().filter(concerns).collect(),
            broken_assumption: own.any(|change| {
                change.event == TierChangeKind::Deoptimized && is_broken(&change.reason)
            }),
        }
    }

    /// Headings with sentences.
    pub fn sections(&self) -> Vec<(&'static str, Vec<String>)> {
        vec![
            ("Inlined", self.inlined()),
            (
                "Taken for granted; changing it costs the code",
                self.assumptions(),
            ),
            (
                "Checked on the way; where it fails, the interpreter goes on",
                self.checks(),
            ),
            (FAILED, self.failures()),
            ("Still done as the interpreter does it", self.interpreted()),
            ("Boxed: not kept as a plain number", self.boxed()),
        ]
    }

    fn own(&self) -> impl Iterator<Item = &'a Optimization> + '_ {
        let name = self.subject.code_name();
        let own = self.all.iter().filter(move |(known, _)| *known == name);
        own.map(|(_, optimization)| *optimization)
    }

    fn everywhere(&self) -> impl Iterator<Item = &'a Optimization> + '_ {
        self.all.iter().map(|(_, optimization)| *optimization)
    }

    fn inlined(&self) -> Vec<String> {
        let mut by_line = ByLine::default();
        for call in self.everywhere().flat_map(|it| &it.inlined) {
            if self.subject.has(&call.call) {
                by_line.add(call.call.line, format!("`{}`", call.function));
            }
        }
        let mut lines = by_line.lines(", ");
        let mut callers = BTreeSet::new();
        for call in self.everywhere().flat_map(|it| &it.inlined) {
            let is_self = self.subject.has(&call.call);
            if call.function == self.subject.function.name && !is_self {
                callers.insert((call.call.line, &call.call.function));
            }
        }
        for (line, caller) in callers.iter().take(MAX_PLACES) {
            lines.push(format!(
                "it is itself built into {}, which calls it in line {line}",
                named(caller)
            ));
        }
        let mut called = BTreeSet::new();
        for call in self.everywhere().flat_map(|it| &it.calls) {
            if self.subject.has(&call.call) && called.insert((call.call.line, &call.function)) {
                lines.push(format!(
                    "line {}: `{}` is called, not inlined; it has {} instructions{}",
                    call.call.line,
                    call.function,
                    grouped(call.instructions),
                    if call.has_loops { " and loops" } else { "" }
                ));
            }
        }
        lines
    }

    fn assumptions(&self) -> Vec<String> {
        let mut constants = BTreeSet::new();
        let mut assigned = BTreeSet::new();
        let mut members = BTreeSet::new();
        let mut lines = Vec::new();
        for assumption in self.own().flat_map(|it| &it.assumptions) {
            match assumption {
                Assumption::Prototypes if lines.is_empty() => lines.push(
                    "what objects inherit stays where it is: no map that others name in `__isa` gains, loses or exchanges members".into(),
                ),
                Assumption::Prototypes => {}
                Assumption::ConstantGlobal { name } => {
                    constants.insert(format!("`{name}`"));
                }
                Assumption::AssignedGlobal { name } => {
                    assigned.insert(format!("`{name}`"));
                }
                Assumption::ConstantMember { name } => {
                    members.insert(format!("`{name}`"));
                }
            }
        }
        let mut list = |names: BTreeSet<String>, one: &str, many: &str| {
            let names: Vec<String> = names.into_iter().collect();
            match names.as_slice() {
                [] => {}
                [name] => lines.push(format!("{name} {one}")),
                names => lines.push(format!("{} {many}", names.join(", "))),
            }
        };
        list(
            constants,
            "is never assigned again",
            "are never assigned again",
        );
        list(
            members,
            "stays the function it is in its prototype",
            "stay the functions they are in their prototypes",
        );
        list(assigned, "keeps having a value", "keep having values");
        lines
    }

    fn checks(&self) -> Vec<String> {
        let mut by_line = ByLine::default();
        for guard in self.everywhere().flat_map(|it| &it.guards) {
            // That a value that was just read is no function is asked everywhere.
            let is_read = matches!(&*guard.expected, "no function" | "assigned");
            let is_obvious = is_read
                || matches!(
                    guard.kind,
                    GuardKind::NeverRun | GuardKind::Counter | GuardKind::Other
                );
            if self.subject.has(&guard.place) && !is_obvious {
                by_line.add(guard.place.line, guard.sentence());
            }
        }
        by_line.lines("; ")
    }

    fn failures(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .failures
            .iter()
            .take(MAX_PLACES)
            .map(|failure| {
                let times = match failure.count {
                    1 => "once".into(),
                    2 => "twice".into(),
                    count => format!("{} times", grouped(count)),
                };
                format!(
                    "line {}, {times}: {}",
                    failure.guard.place.line,
                    failure.sentence()
                )
            })
            .collect();
        if self.failures.len() > MAX_PLACES {
            lines.push(format!("… and {} more", self.failures.len() - MAX_PLACES));
        }
        if !lines.is_empty() {
            lines.push(
                "each time the interpreter went on from there; where that happens again and again, the code is made anew without the check"
                    .into(),
            );
        }
        lines
    }

    /// Whether a line is executed often enough to matter.
    fn is_hot(&self, place: &CodePlace) -> bool {
        let mut lines = self.counted.lines.iter();
        let line = lines.find(|it| it.line == place.line && it.file == place.file);
        line.is_some_and(|line| line.instructions.is_none_or(|count| count >= OFTEN))
    }

    fn interpreted(&self) -> Vec<String> {
        let mut by_line = ByLine::default();
        for site in self.everywhere().flat_map(|it| &it.interpreted) {
            if self.subject.has(&site.place) && self.is_hot(&site.place) {
                by_line.add(site.place.line, interpreted(site));
            }
        }
        by_line.lines("; ")
    }

    /// The variables that stay boxed although they held numbers.
    fn boxed_numbers(&self) -> Vec<&'a BoxedVariable> {
        let is_counted = self.counted.method == Method::Exact;
        let holds_numbers = |name: &str| {
            let variables = self.subject.loops.iter().flat_map(|it| &it.variables);
            let mut known = variables.filter(|variable| variable.name == name);
            let is_number = |kind: &String| kind == "number";
            !is_counted || known.any(|it| it.kinds.iter().any(is_number))
        };
        let mut boxed: Vec<&BoxedVariable> = Vec::new();
        for variable in self.everywhere().flat_map(|it| &it.boxed) {
            let is_known = boxed.iter().any(|it| it.name == variable.name);
            if self.subject.has(&variable.place) && !is_known && holds_numbers(&variable.name) {
                boxed.push(variable);
            }
        }
        boxed
    }

    fn boxed(&self) -> Vec<String> {
        let describe = |variable: &&BoxedVariable| {
            let sources: Vec<String> = variable
                .sources
                .iter()
                .map(|source| match source.line {
                    Some(line) => format!("{} (line {line})", source.what),
                    None => source.what.clone(),
                })
                .collect();
            format!(
                "`{}` in the loop at line {}: {}",
                variable.name,
                variable.place.line,
                sources.join(", or ")
            )
        };
        let boxed = self.boxed_numbers();
        boxed.iter().take(MAX_PLACES).map(describe).collect()
    }

    pub fn advice(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let failure = |wanted: &[GuardKind]| {
            let mut failures = self.failures.iter();
            failures.find(|failure| wanted.contains(&failure.guard.kind))
        };
        if let Some(failure) = failure(&[GuardKind::Kind]) {
            lines.push(format!(
                "line {}: {} stay {}, so that code made for it lasts: convert before the loop, or use another variable for what is none",
                failure.guard.place.line,
                subject_of(&failure.guard, "let the value"),
                failure.guard.expected
            ));
        }
        if let Some(failure) = failure(&[GuardKind::Function, GuardKind::Value]) {
            lines.push(format!(
                "line {}: code was made for one function there, and another one came; functions that are exchanged while the program is \
                 hot cost machine code",
                failure.guard.place.line
            ));
        }
        if let Some(failure) = failure(&[GuardKind::Integer, GuardKind::Bounds]) {
            lines.push(format!(
                "line {}: code was made for {}; other numbers are a detour through the interpreter",
                failure.guard.place.line,
                match failure.guard.kind {
                    GuardKind::Bounds => "indices from 0 to the end of the list",
                    _ => "whole numbers that are not too large",
                }
            ));
        }
        if self.broken_assumption {
            lines.push(
                "assign global variables and change prototypes before the hot part of the program: code that relied on them was thrown away"
                    .into(),
            );
        }
        let shared: Vec<String> = self
            .boxed_numbers()
            .iter()
            .filter(|variable| {
                let mut sources = variable.sources.iter();
                sources.any(|source| source.what.starts_with("it is a global variable"))
            })
            .take(MAX_PLACES)
            .map(|variable| format!("`{}`", variable.name))
            .collect();
        if !shared.is_empty() {
            lines.push(format!(
                "put the loop into a function: {} would be local then, and stay in machine registers",
                shared.join(", ")
            ));
        }
        lines
    }
}

/// What a guard is about, in front of a verb.
fn subject_of(guard: &GuardSite, otherwise: &str) -> String {
    match &guard.variable {
        Some(variable) => format!("let `{variable}`"),
        None => otherwise.into(),
    }
}

/// A function in the middle of a sentence.
fn named(function: &str) -> String {
    match function {
        "(top level)" => "the top level".into(),
        "(function)" => "a function without a name".into(),
        name => format!("`{name}`"),
    }
}

fn interpreted(site: &InterpretedSite) -> String {
    let why = match &site.reason {
        InterpretedReason::Kinds { kinds } => format!("it met {kinds}"),
        InterpretedReason::Shapes => "it met objects of many shapes".into(),
        InterpretedReason::Targets => "it calls different functions".into(),
        InterpretedReason::BuiltIn => "it calls a built-in function".into(),
        InterpretedReason::Unobserved => "it had not been seen at work before".into(),
        InterpretedReason::FailedBefore => "optimized code failed there before".into(),
        InterpretedReason::OnlyForm => "there is no faster form of it".into(),
    };
    format!("`{}`, as {why}", site.operation)
}
