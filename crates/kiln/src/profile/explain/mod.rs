//! What the engine made of a function, and what would let it make more, in plain words.

mod optimized;

use std::collections::BTreeSet;
use std::fmt::Write;

use super::names::short_file;
use super::report::{Function, FunctionKind, Loop, Profile, Site, SiteSignature};
use super::table::Style;
use super::text::{bytes, grouped, percent, time};
use super::timeline::{TierChange, TierChangeKind};
use crate::jit::{CodePlace, with_article};
use optimized::Optimized;

pub(super) use optimized::FAILED;

/// Functions below this share of the time are not explained unless asked for.
const MATTERS: f64 = 0.1;
/// The most functions explained unasked.
const MAX_FUNCTIONS: usize = 3;
/// The most places listed under a heading.
const MAX_PLACES: usize = 6;
/// The most kinds of values listed of a place.
const MAX_KINDS: usize = 3;
/// The most members of a shape that are listed.
const MAX_MEMBERS: usize = 5;
/// A place whose commonest shape is rarer than this meets maps that are used as tables, whose keys are no members.
const TABLE: f64 = 0.05;
/// With fewer samples nothing is said of shares at full speed.
const ENOUGH_SAMPLES: u64 = 50;
/// A place that met its commonest kind of values more often needs no word.
const STABLE: f64 = 0.99;
/// A place that was executed less often is no reason for anything.
const OFTEN: u64 = 100;
/// Fewer bytes allocated are no reason to change anything.
const MUCH: u64 = 1 << 20;
/// Waiting for the compiler that was shorter, in nanoseconds, needs no word.
const LONG_WAIT: u64 = 5_000_000;

/// What is explained.
#[derive(Clone, Debug, PartialEq)]
struct Subject<'a> {
    function: &'a Function,
    sites: Vec<&'a Site>,
    loops: Vec<&'a Loop>,
}

/// Explains the hottest functions, or the innermost one that has this line of the program; none if no function has been executed
/// there.
///
/// `counted` is an exact profile. `tiers` is a sampled profile of the same program: it says what was compiled, and what share of the
/// time functions take at full speed. Without it nothing is said of either.
pub fn explain(
    counted: &Profile,
    tiers: Option<&Profile>,
    line: Option<u32>,
    style: &Style,
) -> Option<String> {
    let functions = match line {
        Some(line) => vec![function_at(counted, line)?],
        None => hottest(counted, tiers),
    };
    let mut out = String::new();
    for function in functions {
        if !out.is_empty() {
            out.push('\n');
        }
        let subject = Subject::new(counted, function);
        subject.write(&mut out, counted, tiers, style);
    }
    (!out.is_empty()).then_some(out)
}

/// What the optimizing compiler made of a function, as headings with sentences: nothing if it did nothing with it. `profile` has all that
/// is known, of whichever runs.
pub(super) fn optimization(
    profile: &Profile,
    function: &Function,
) -> Vec<(&'static str, Vec<String>)> {
    let subject = Subject::new(profile, function);
    let optimized = Optimized::new(&subject, profile, profile);
    let sections = optimized.sections().into_iter();
    sections.filter(|(_, lines)| !lines.is_empty()).collect()
}

pub(super) fn is_code(function: &&Function) -> bool {
    function.kind != FunctionKind::Intrinsic
}

/// Whether a line stands in the function's text.
fn contains(function: &Function, file: &str, line: u32) -> bool {
    let first = function.line.unwrap_or(u32::MAX);
    let last = function.last_line.unwrap_or(0);
    function.file.as_deref() == Some(file) && (first..=last).contains(&line)
}

/// The innermost function around a line: of those that contain it, the one that begins last.
fn innermost<'a>(profile: &'a Profile, file: &str, line: u32) -> Option<&'a Function> {
    let around = profile.functions.iter().filter(is_code);
    around
        .filter(|function| contains(function, file, line))
        .max_by_key(|function| (function.kind != FunctionKind::TopLevel, function.line))
}

fn function_at(profile: &Profile, line: u32) -> Option<&Function> {
    innermost(profile, &profile.script, line)
}

/// The function of the other profile that stands in the same place.
fn same<'a>(profile: &'a Profile, function: &Function) -> Option<&'a Function> {
    profile.functions.iter().find(|other| {
        (&other.name, &other.file, other.line) == (&function.name, &function.file, function.line)
    })
}

fn has_enough_samples(profile: &Profile) -> bool {
    profile.samples.is_some_and(|count| count >= ENOUGH_SAMPLES)
}

/// The functions with the most time of their own, at full speed if that is known.
fn hottest<'a>(counted: &'a Profile, tiers: Option<&Profile>) -> Vec<&'a Function> {
    let tiers = tiers.filter(|tiers| has_enough_samples(tiers));
    let share = |function: &Function| match tiers {
        Some(tiers) => same(tiers, function).map_or(0.0, |it| it.self_share),
        None => function.self_share,
    };
    let mut functions: Vec<&Function> = counted.functions.iter().filter(is_code).collect();
    functions.sort_by(|a, b| share(b).total_cmp(&share(a)));
    let hot = functions.iter().filter(|it| share(it) >= MATTERS).count();
    functions.truncate(hot.clamp(1, MAX_FUNCTIONS));
    functions
}

impl<'a> Subject<'a> {
    fn new(profile: &'a Profile, function: &'a Function) -> Subject<'a> {
        let is_inside = |name: &str, file: &str, line: u32| {
            name == function.name
                && contains(function, file, line)
                && innermost(profile, file, line).is_none_or(|it| it.name == function.name)
        };
        let sites = profile.sites.iter();
        let loops = profile.loops.iter();
        Subject {
            function,
            sites: sites
                .filter(|site| is_inside(&site.function, &site.file, site.line))
                .collect(),
            loops: loops
                .filter(|it| is_inside(&it.function, &it.file, it.line))
                .collect(),
        }
    }

    fn write(&self, out: &mut String, counted: &Profile, tiers: Option<&Profile>, style: &Style) {
        self.heading(out, tiers, style);
        let optimized = tiers.map(|tiers| Optimized::new(self, counted, tiers));
        if let Some(tiers) = tiers {
            section(out, style, "Tiers", &self.tier_story(tiers));
        }
        for (title, lines) in optimized.iter().flat_map(Optimized::sections) {
            section(out, style, title, &lines);
        }
        section(out, style, "Loops", &self.loop_facts());
        section(out, style, "Kinds of values", &self.kinds());
        section(
            out,
            style,
            "What does not stay a number",
            &self.not_numbers(),
        );
        section(out, style, "Allocations", &self.allocations(counted));
        let mut advice = self.advice(counted);
        for line in optimized.iter().flat_map(Optimized::advice) {
            advice.push(line);
        }
        if advice.is_empty() {
            advice.push("nothing: what it does is stable, and a compiler can rely on it".into());
        }
        section(out, style, "What to change", &advice);
    }

    /// Whether a place is in the function's own code.
    fn has(&self, place: &CodePlace) -> bool {
        place.function == self.function.name && self.is_around(&place.file, place.line)
    }

    fn is_around(&self, file: &str, line: u32) -> bool {
        contains(self.function, file, line)
    }

    /// What changes of tiers call the function.
    fn code_name(&self) -> String {
        let function = self.function;
        match (function.kind, &function.file, function.line) {
            (FunctionKind::TopLevel, Some(file), _) => file.clone(),
            (_, Some(file), Some(line)) if function.name.starts_with('(') => {
                format!("{file}:{line}")
            }
            _ => function.name.clone(),
        }
    }

    fn heading(&self, out: &mut String, tiers: Option<&Profile>, style: &Style) {
        let function = self.function;
        let file = short_file(function.file.as_deref().unwrap_or_default());
        let (first, last) = (function.line.unwrap_or(0), function.last_line.unwrap_or(0));
        let title = format!("{} ({file}:{first}-{last})", function.name);
        let sampled = tiers.filter(|tiers| has_enough_samples(tiers));
        let mut facts = match sampled.map(|tiers| same(tiers, function)) {
            Some(Some(fast)) => format!("{} of the time in itself", percent(fast.self_share)),
            Some(None) => "too little time to be seen at full speed".into(),
            None => format!(
                "{} of the time in itself, counting included",
                percent(function.self_share)
            ),
        };
        if let (Some(calls), FunctionKind::Script) = (function.calls, function.kind) {
            let _ = write!(facts, ", {} calls", grouped(calls));
        }
        if let Some(instructions) = function.instructions {
            let _ = write!(facts, ", {} instructions", grouped(instructions));
        }
        let _ = writeln!(out, "{}", style.bold(&title));
        let _ = writeln!(out, "  {}", style.wrap(&facts, 2));
    }

    fn loop_facts(&self) -> Vec<String> {
        let describe = |it: &&Loop| {
            let iterations = it.iterations.unwrap_or(0);
            let entries = it.entries.unwrap_or(0);
            let takes_over = if it.osr_candidate {
                "; one entry runs long enough that compiled code should take over in its middle"
            } else {
                ""
            };
            format!(
                "line {}: {} iterations in {}, {} of the time with what it calls{takes_over}",
                it.line,
                grouped(iterations),
                match entries {
                    1 => "one entry".into(),
                    entries => format!("{} entries", grouped(entries)),
                },
                percent(it.share)
            )
        };
        self.loops.iter().take(MAX_PLACES).map(describe).collect()
    }

    /// The places that met several kinds, those that did so most often first.
    fn unstable(&self) -> Vec<&'a Site> {
        // Shapes may differ and have members of the same names, if one was made before its prototype was one.
        let differs = |site: &Site| {
            let texts: BTreeSet<&str> = site.signatures.iter().map(|it| &*it.text).collect();
            texts.len() > 1
        };
        let is_unstable =
            |site: &&&Site| site.score < STABLE && site.count >= OFTEN && differs(site);
        let mut sites: Vec<&Site> = self.sites.iter().filter(is_unstable).copied().collect();
        let misses = |site: &Site| site.count as f64 * (1.0 - site.score);
        sites.sort_by(|a, b| misses(b).total_cmp(&misses(a)));
        sites
    }

    fn kinds(&self) -> Vec<String> {
        let unstable = self.unstable();
        let stable = self.sites.len() - unstable.len();
        let mut lines = vec![format!(
            "{stable} of {} calls and operations met always the same kinds of values",
            self.sites.len()
        )];
        if self.sites.is_empty() {
            lines = vec!["it has no calls and operations whose kinds of values matter".into()];
        }
        let mut places: Vec<String> = Vec::new();
        for site in unstable {
            let place = format!(
                "line {}, `{}`: polymorphic, {}",
                site.line,
                site.operation,
                kinds_met(site.signatures.iter())
            );
            // Two accesses in a line mostly meet the same.
            if !places.contains(&place) {
                places.push(place);
            }
        }
        let more = places.len().saturating_sub(MAX_PLACES);
        lines.extend(places.into_iter().take(MAX_PLACES));
        if more > 0 {
            lines.push(format!("… and {more} more places"));
        }
        lines
    }

    /// The operations that met numbers and something else.
    fn mixed_arithmetic(&self) -> Vec<&'a Site> {
        let is_mixed = |site: &&&Site| {
            let numeric = site.signatures.iter().filter(|it| is_numeric(&it.text));
            let count = numeric.count();
            is_arithmetic(&site.operation) && count > 0 && count < site.signatures.len()
        };
        self.sites.iter().filter(is_mixed).copied().collect()
    }

    fn not_numbers(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut named = BTreeSet::new();
        for variable in self.loops.iter().flat_map(|it| &it.variables) {
            let holds_numbers = variable.kinds.iter().any(|kind| kind == "number");
            if holds_numbers && variable.kinds.len() > 1 && named.insert(&variable.name) {
                let kinds: Vec<String> = variable
                    .kinds
                    .iter()
                    .map(|kind| format!("sometimes {}", with_article(kind)))
                    .collect();
                lines.push(format!("`{}` is {}", variable.name, kinds.join(", ")));
            }
        }
        for site in self.mixed_arithmetic().iter().take(MAX_PLACES) {
            let others = site.signatures.iter().filter(|it| !is_numeric(&it.text));
            lines.push(format!(
                "line {}, `{}`: also {}",
                site.line,
                site.operation,
                kinds_met(others)
            ));
        }
        lines
    }

    fn allocations(&self, profile: &Profile) -> Vec<String> {
        let sites = profile.allocations.sites.iter().filter(|site| {
            site.function == self.function.name && contains(self.function, &site.file, site.line)
        });
        let hot = sites.filter(|site| site.cells >= OFTEN);
        hot.take(MAX_PLACES)
            .map(|site| {
                format!(
                    "line {}: {} objects, {} by {} ({} of all bytes)",
                    site.line,
                    grouped(site.cells),
                    bytes(site.bytes),
                    site.what,
                    percent(site.share)
                )
            })
            .collect()
    }

    fn advice(&self, profile: &Profile) -> Vec<String> {
        let mut lines = Vec::new();
        let unstable = self.unstable();
        if let Some(members) = partial_members(&unstable) {
            lines.push(format!(
                "give objects the same members in the same order where they are made: {members} are in some of them only, and each set of \
                 members is a shape of its own that member accesses must tell apart"
            ));
        }
        if let Some(site) = unstable.iter().find(|site| targets(site) > 1) {
            lines.push(format!(
                "the call in line {} has {} targets: a call that always reaches the same function can be inlined. If one target is \
                 much commoner, give it a call of its own behind an `if`",
                site.line,
                targets(site)
            ));
        }
        if let Some(site) = self.mixed_arithmetic().first() {
            lines.push(format!(
                "keep numbers and other values apart: convert before the loop (`val`, `str`), or use another variable, so that line {} \
                 always meets numbers",
                site.line
            ));
        }
        let heavy = profile.allocations.sites.iter().find(|site| {
            site.share >= MATTERS
                && site.bytes >= MUCH
                && site.function == self.function.name
                && contains(self.function, &site.file, site.line)
        });
        if let Some(site) = heavy {
            lines.push(format!(
                "line {} makes {} objects: keep them for reuse, or change one in place, if the collector's share of the time matters",
                site.line,
                grouped(site.cells)
            ));
        }
        lines
    }

    /// What became of the function's code.
    fn tier_story(&self, tiers: &Profile) -> Vec<String> {
        let function = self.function;
        let name = self.code_name();
        let changes = tiers.tier_changes.iter();
        let changes: Vec<&TierChange> = changes.filter(|it| it.function == name).collect();
        if changes.is_empty() {
            return vec![format!(
                "interpreted throughout: in {} it did not get hot enough to be compiled",
                time(tiers.total_ns as f64)
            )];
        }
        let ends_waiting = changes
            .last()
            .is_some_and(|last| last.event == TierChangeKind::Queued);
        let namesakes = tiers.functions.iter().filter(|it| it.name == function.name);
        let mut story: Vec<String> = changes.iter().map(|it| tier_change(it)).collect();
        if ends_waiting {
            story.push("the program ended before its machine code was ready".into());
        }
        if namesakes.count() > 1 && function.kind != FunctionKind::TopLevel {
            story.push("other functions of this name are among these".into());
        }
        story
    }
}

/// The commonest kinds of values with their shares. Shapes whose members have the same names are told as one.
fn kinds_met<'a>(signatures: impl Iterator<Item = &'a SiteSignature>) -> String {
    let mut kinds: Vec<(String, f64)> = Vec::new();
    for signature in signatures {
        let text = shortened(&signature.text);
        match kinds.iter_mut().find(|(known, _)| *known == text) {
            Some((_, share)) => *share += signature.share,
            None => kinds.push((text, signature.share)),
        }
    }
    kinds.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let shown = kinds.iter().take(MAX_KINDS);
    let mut texts: Vec<String> = shown
        .map(|(text, share)| format!("{} {text}", percent(*share)))
        .collect();
    if kinds.len() > MAX_KINDS {
        texts.push(format!("{} more", kinds.len() - MAX_KINDS));
    }
    texts.join(", ")
}

/// A signature with only the first and the last members of a shape, where shapes differ.
fn shortened(signature: &str) -> String {
    let shape = signature
        .strip_prefix("map{")
        .and_then(|rest| rest.split_once('}'));
    let Some((members, rest)) = shape else {
        return signature.to_owned();
    };
    let members: Vec<&str> = members.split(", ").collect();
    match members.as_slice() {
        [first, second, .., before, last] if members.len() > MAX_MEMBERS => {
            format!("map{{{first}, {second}, …, {before}, {last}}}{rest}")
        }
        _ => signature.to_owned(),
    }
}

/// Whether an instruction calculates or compares.
fn is_arithmetic(operation: &str) -> bool {
    const WORDS: [&str; 9] = [
        "add", "subtract", "multiply", "divide", "modulo", "power", "negate", "less", "greater",
    ];
    operation.split('_').any(|word| WORDS.contains(&word))
}

/// Whether all operands of a signature are numbers.
fn is_numeric(signature: &str) -> bool {
    let mut words = signature.split([' ', ',']).filter(|word| !word.is_empty());
    words.all(|word| matches!(word, "number" | "constant") || !word.contains(char::is_alphabetic))
}

/// The members in the shape that a signature begins with: `map{x, y}`.
fn shape(signature: &str) -> Option<BTreeSet<&str>> {
    let (members, _) = signature.strip_prefix("map{")?.split_once('}')?;
    Some(members.split(", ").collect())
}

/// The members that some, but not all of the shapes have that the places met: `` `dx` and `dy` ``.
fn partial_members(sites: &[&Site]) -> Option<String> {
    let mut partial: Vec<&str> = Vec::new();
    for site in sites.iter().filter(|site| site.score >= TABLE) {
        let signatures = site.signatures.iter();
        let shapes: Vec<BTreeSet<&str>> = signatures.filter_map(|it| shape(&it.text)).collect();
        let all: BTreeSet<&str> = shapes.iter().flatten().copied().collect();
        for member in all {
            let is_partial = shapes.iter().any(|shape| !shape.contains(member));
            if is_partial && !partial.contains(&member) {
                partial.push(member);
            }
        }
    }
    partial.truncate(MAX_PLACES);
    let names: Vec<String> = partial.iter().map(|name| format!("`{name}`")).collect();
    let (last, rest) = names.split_last()?;
    Some(if rest.is_empty() {
        last.clone()
    } else {
        format!("{} and {last}", rest.join(", "))
    })
}

/// How many functions a place called: what stands before the parenthesis, without the object.
fn targets(site: &Site) -> usize {
    if !site.is_call {
        return 0;
    }
    let called = |text: &'_ str| {
        let behind_object = text.rsplit_once("}.").map_or(text, |(_, call)| call);
        behind_object.split('(').next().unwrap_or("").to_owned()
    };
    let called: BTreeSet<String> = site.signatures.iter().map(|it| called(&it.text)).collect();
    called.len()
}

/// How long code waited to be made and to be taken notice of, if that was long.
fn wait(change: &TierChange) -> String {
    let phases = change.phases.unwrap_or_default();
    let (before, after) = (phases.waited_ns, phases.installed_ns);
    match (before > LONG_WAIT, after > LONG_WAIT) {
        (true, _) => format!(
            " when the compiler was free, {} after it was asked",
            time(before as f64)
        ),
        (false, true) => format!(
            ", and ready {} before the script took notice",
            time(after as f64)
        ),
        (false, false) => String::new(),
    }
}

fn tier_change(change: &TierChange) -> String {
    let when = time(change.time_ns as f64);
    match change.event {
        TierChangeKind::Queued => format!("interpreted until it was found hot, after {when}"),
        TierChangeKind::Installed => format!(
            "compiled after {when}: {} of machine code from {} instructions, made in {}{}",
            bytes(change.code_bytes.unwrap_or(0)),
            grouped(change.instructions.unwrap_or(0)),
            time(change.compile_ns.unwrap_or(0) as f64),
            wait(change)
        ),
        TierChangeKind::Optimized => format!(
            "optimized after {when}{}: {} of machine code from {} instructions of the optimizer's form, made in {}{}",
            match change.for_loop {
                Some(true) => " for one of its loops",
                _ => "",
            },
            bytes(change.code_bytes.unwrap_or(0)),
            grouped(change.instructions.unwrap_or(0)),
            time(change.compile_ns.unwrap_or(0) as f64),
            wait(change)
        ),
        TierChangeKind::Deoptimized => format!(
            "its optimized code was thrown away after {when}, as it {}",
            change.reason.as_deref().unwrap_or("gave up")
        ),
        TierChangeKind::Evicted => {
            format!("its machine code was thrown away after {when}, for want of room")
        }
        TierChangeKind::Refused => format!(
            "not compiled: {}; the interpreter goes on running it",
            change.reason.as_deref().unwrap_or("no reason is known")
        ),
    }
}

/// A heading and what stands under it, unless that is nothing.
fn section(out: &mut String, style: &Style, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n  {}", style.dim(title));
    for line in lines {
        let _ = writeln!(out, "  - {}", style.wrap(line, 4));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_understood() {
        assert!(is_numeric("number + number") && is_numeric("number < constant"));
        assert!(!is_numeric("string + number") && !is_numeric("null"));
        assert!(is_arithmetic("jump_if_not_greater_constant") && !is_arithmetic("get_member"));
        assert_eq!(shape("map{x, y}, number"), Some(BTreeSet::from(["x", "y"])));
        assert_eq!(shape("list"), None);
    }

    #[test]
    fn long_shapes_are_shortened() {
        assert_eq!(
            shortened("map{a, b, c, d, e, f}.draw(number)"),
            "map{a, b, …, e, f}.draw(number)"
        );
        assert_eq!(shortened("map{a, b}, number"), "map{a, b}, number");
    }

    fn site(operation: &str, is_call: bool, signatures: &[(&str, u64)]) -> Site {
        let count: u64 = signatures.iter().map(|(_, count)| count).sum();
        let most = signatures.iter().map(|(_, count)| *count).max();
        let share = |part: u64| part as f64 / count as f64;
        Site {
            function: "step".into(),
            file: "game.ms".into(),
            line: 3,
            operation: operation.into(),
            is_call,
            count,
            score: share(most.unwrap_or(0)),
            signatures: signatures
                .iter()
                .map(|(text, count)| SiteSignature {
                    text: (*text).into(),
                    count: *count,
                    share: share(*count),
                })
                .collect(),
            ..Site::default()
        }
    }

    fn game(sites: Vec<Site>) -> Profile {
        let function = |name: &str, kind, line, last_line| Function {
            name: name.into(),
            kind,
            file: Some("game.ms".into()),
            line: Some(line),
            last_line: Some(last_line),
            calls: Some(1000),
            self_share: 0.5,
            ..Function::default()
        };
        Profile {
            script: "game.ms".into(),
            functions: vec![
                function("step", FunctionKind::Script, 2, 5),
                function("(top level)", FunctionKind::TopLevel, 1, 9),
            ],
            sites,
            ..Profile::default()
        }
    }

    fn explained(profile: &Profile, line: u32) -> String {
        explain(profile, None, Some(line), &Style::default()).unwrap()
    }

    #[test]
    fn lines_lead_to_the_innermost_function() {
        let profile = game(Vec::new());
        assert!(explained(&profile, 4).starts_with("step (game.ms:2-5)\n"));
        assert!(explained(&profile, 7).starts_with("(top level) (game.ms:1-9)\n"));
        assert_eq!(explain(&profile, None, Some(99), &Style::default()), None);
    }

    #[test]
    fn shapes_that_differ_are_explained_by_their_members() {
        let text = explained(
            &game(vec![site(
                "get_member",
                false,
                &[("map{x, y}", 600), ("map{x, y, dx}", 400)],
            )]),
            3,
        );
        assert!(
            text.contains("line 3, `get_member`: polymorphic, 60 % map{x, y}, 40 % map{x, y, dx}"),
            "{text}"
        );
        assert!(text.contains("`dx` are in some of them only"), "{text}");
    }

    #[test]
    fn values_that_do_not_stay_numbers_are_named() {
        let mixed = site(
            "add",
            false,
            &[("number + number", 600), ("string + number", 400)],
        );
        let text = explained(&game(vec![mixed]), 3);
        assert!(
            text.contains("line 3, `add`: also 40 % string + number"),
            "{text}"
        );
        assert!(
            text.contains("keep numbers and other values apart"),
            "{text}"
        );
    }

    #[test]
    fn calls_with_several_targets_are_named() {
        let call = site(
            "call_member",
            true,
            &[("map{a}.draw(number)", 600), ("map{b}.paint(number)", 400)],
        );
        let text = explained(&game(vec![call]), 3);
        assert!(text.contains("the call in line 3 has 2 targets"), "{text}");
    }

    #[test]
    fn stable_functions_need_no_change() {
        let text = explained(
            &game(vec![site("add", false, &[("number + number", 600)])]),
            3,
        );
        assert!(text.contains("nothing: what it does is stable"), "{text}");
    }

    #[test]
    fn tiers_are_told_in_order() {
        let counted = game(Vec::new());
        let mut tiers = counted.clone();
        let change = |event, time_ns| TierChange {
            time_ns,
            function: "step".into(),
            event,
            code_bytes: Some(2048),
            instructions: Some(40),
            compile_ns: Some(1_000_000),
            for_loop: None,
            reason: None,
            phases: None,
            optimization: None,
        };
        tiers.tier_changes = vec![
            change(TierChangeKind::Queued, 1_000_000),
            change(TierChangeKind::Installed, 2_000_000),
        ];
        let text = explain(&counted, Some(&tiers), Some(3), &Style::default()).unwrap();
        let hot = text.find("found hot, after 1.00 ms").unwrap();
        let compiled = text
            .find("compiled after 2.00 ms: 2.0 KiB of machine code from 40 instructions")
            .unwrap();
        assert!(hot < compiled, "{text}");
        let text = explain(&counted, Some(&counted), Some(3), &Style::default()).unwrap();
        assert!(text.contains("interpreted throughout"), "{text}");
    }
}
