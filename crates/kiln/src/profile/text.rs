//! A profile as text for a terminal or a file.

use std::fmt::Write;

use super::hotspots::{Candidate, CandidateKind, Thresholds};
use super::names::short_file;
use super::report::{Ending, Function, Memory, Method, Priority, Profile};
use super::table::{Align, Style, Table};

/// The rows that a section shows.
const ROWS: usize = 15;

/// The instructions of a program without statements: they end it.
const EMPTY: u64 = 2;

/// Shares below this need no line of their own.
const NEGLIGIBLE: f64 = 0.0005;

/// `1234567` as `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share as a percentage: two digits that count.
pub(super) fn percent(share: f64) -> String {
    let percentage = share * 100.0;
    if percentage > 0.0 && percentage < 9.95 {
        format!("{percentage:.1} %")
    } else {
        format!("{percentage:.0} %")
    }
}

/// A time in the unit that suits it.
pub(super) fn time(nanoseconds: f64) -> String {
    for (unit, size) in [("s", 1e9), ("ms", 1e6), ("µs", 1e3)] {
        if nanoseconds >= size {
            return format!("{:.2} {unit}", nanoseconds / size);
        }
    }
    format!("{nanoseconds:.0} ns")
}

/// Bytes in the unit that suits them.
pub(super) fn bytes(bytes: u64) -> String {
    for (unit, size) in [("GiB", 1u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if bytes >= size {
            return format!("{:.1} {unit}", bytes as f64 / size as f64);
        }
    }
    format!("{bytes} B")
}

fn count(number: Option<u64>) -> String {
    number.map_or_else(|| "-".into(), grouped)
}

fn score(stability: Option<f64>) -> String {
    stability.map_or_else(|| "-".into(), |score| format!("{score:.2}"))
}

/// A heading over a part of the report.
fn heading(out: &mut String, style: &Style, text: &str) {
    let _ = write!(out, "\n{}\n", style.bold(text));
}

/// Says how many rows were left out.
fn rest(out: &mut String, style: &Style, shown: usize, all: usize, what: &str) {
    if all > shown {
        let note = format!(
            "  … and {} more {what}; --json has all of them\n",
            all - shown
        );
        out.push_str(&style.dim(&note));
    }
}

/// The report on a run.
pub fn report(profile: &Profile, style: &Style) -> String {
    let mut out = String::new();
    summary(&mut out, profile, style);
    phases(&mut out, profile, style);
    recommendations(&mut out, profile, style);
    functions(&mut out, profile, style);
    loops(&mut out, profile, style);
    sites(&mut out, profile, style);
    operations(&mut out, profile, style);
    allocations(&mut out, profile, style);
    if let Some(memory) = &profile.memory {
        heap(&mut out, memory, style);
    }
    out
}

/// The report on the heap alone.
pub fn memory_report(profile: &Profile, style: &Style) -> String {
    let mut out = String::new();
    summary(&mut out, profile, style);
    allocations(&mut out, profile, style);
    if let Some(memory) = &profile.memory {
        heap(&mut out, memory, style);
    }
    out
}

fn summary(out: &mut String, profile: &Profile, style: &Style) {
    let how = match (profile.method, profile.samples) {
        (Method::Exact, _) => {
            "exact: every instruction counted, which makes the program several times slower"
                .to_owned()
        }
        (Method::Sampled, samples) => format!("{} samples", grouped(samples.unwrap_or(0))),
    };
    let mut sentences = vec![format!("Profile of {} ({how})", profile.script)];
    let ended = match &profile.ending {
        Ending::Finished => "it ran to its end".into(),
        Ending::Exit { status } => format!("it ended by exit({status})"),
        Ending::Error { message } => format!("it ended by an error: {message}"),
        Ending::Interrupted => "it was interrupted".into(),
    };
    sentences.push(format!(
        "{} in all; {ended}; tiers: {}",
        time(profile.total_ns as f64),
        profile.tiers.join(", ")
    ));
    if profile.samples == Some(0) {
        sentences.push("It ended before the first sample: measure it without --sample.".into());
    } else if profile.operations.total.is_some_and(|total| total <= EMPTY) {
        sentences.push("The program is empty: there was nothing to measure.".into());
    } else if profile.method == Method::Exact && profile.functions.len() == 1 {
        sentences.push("It calls no function: all its time is spent at the top level.".into());
    }
    for sentence in sentences {
        let _ = writeln!(out, "{}", style.wrap(&sentence, 0));
    }
}

fn phases(out: &mut String, profile: &Profile, style: &Style) {
    heading(out, style, "Phases");
    let mut table = Table::new(&[
        ("phase", Align::Left),
        ("time", Align::Right),
        ("share", Align::Right),
        ("", Align::Left),
    ])
    .without(&[3]);
    for phase in &profile.phases {
        let gain = format!(
            "if this were twice as fast, the whole would be {} faster",
            percent(phase.gain_if_halved)
        );
        table.row([
            phase.name.clone(),
            time(phase.time_ns as f64),
            percent(phase.share),
            if phase.share < NEGLIGIBLE {
                String::new()
            } else {
                gain
            },
        ]);
    }
    table.write(out, style);
}

fn recommendations(out: &mut String, profile: &Profile, style: &Style) {
    if profile.recommendations.is_empty() {
        return;
    }
    heading(out, style, "Where to look");
    for found in &profile.recommendations {
        let word = match found.priority {
            Priority::High => style.red(found.priority.name()),
            Priority::Medium => style.yellow(found.priority.name()),
            Priority::Low => style.dim(found.priority.name()),
        };
        let rest = format!("{}, {}", found.subject, found.reason);
        let indent = found.priority.name().len() + 4;
        let _ = writeln!(out, "  {word}: {}", style.wrap(&rest, indent));
        let _ = writeln!(out, "    {}", style.wrap(&found.advice, 4));
    }
}

fn place(function: &Function) -> String {
    match (&function.file, function.line) {
        (Some(file), Some(line)) => format!("{}:{line}", short_file(file)),
        _ => "built in".into(),
    }
}

fn functions(out: &mut String, profile: &Profile, style: &Style) {
    if profile.functions.is_empty() {
        return;
    }
    heading(out, style, "Functions");
    let mut table = Table::new(&[
        ("self", Align::Right),
        ("share", Align::Right),
        ("total", Align::Right),
        ("share", Align::Right),
        ("calls", Align::Right),
        ("stability", Align::Right),
        ("function", Align::Left),
        ("at", Align::Left),
    ])
    .without(&[5, 3, 2, 4]);
    for function in profile.functions.iter().take(ROWS) {
        table.row([
            time(function.self_ns as f64),
            percent(function.self_share),
            time(function.total_ns as f64),
            percent(function.share),
            count(function.calls),
            score(function.stability),
            function.name.clone(),
            place(function),
        ]);
    }
    table.write(out, style);
    rest(out, style, ROWS, profile.functions.len(), "functions");
}

fn loops(out: &mut String, profile: &Profile, style: &Style) {
    if profile.loops.is_empty() {
        return;
    }
    heading(out, style, "Loops");
    let mut table = Table::new(&[
        ("time", Align::Right),
        ("share", Align::Right),
        ("entries", Align::Right),
        ("iterations", Align::Right),
        ("each", Align::Right),
        ("stability", Align::Right),
        ("OSR", Align::Left),
        ("at", Align::Left),
        ("in", Align::Left),
    ])
    .without(&[5, 6, 2, 4, 8]);
    for measured in profile.loops.iter().take(ROWS) {
        table.row([
            time(measured.time_ns as f64),
            percent(measured.share),
            count(measured.entries),
            count(measured.iterations),
            measured.ns_per_iteration.map_or_else(|| "-".into(), time),
            score(measured.stability),
            if measured.osr_candidate { "yes" } else { "no" }.into(),
            format!("{}:{}", short_file(&measured.file), measured.line),
            measured.function.clone(),
        ]);
    }
    table.write(out, style);
    rest(out, style, ROWS, profile.loops.len(), "loops");
}

fn sites(out: &mut String, profile: &Profile, style: &Style) {
    if profile.sites.is_empty() {
        return;
    }
    heading(out, style, "Types at calls and operations");
    let mut table = Table::new(&[
        ("count", Align::Right),
        ("score", Align::Right),
        ("at", Align::Left),
        ("operation", Align::Left),
        ("kinds", Align::Left),
    ]);
    for site in profile.sites.iter().take(ROWS) {
        let kinds: Vec<String> = match site.signatures.as_slice() {
            [only] => vec![only.text.clone()],
            several => several
                .iter()
                .take(3)
                .map(|signature| format!("{} {}", percent(signature.share), signature.text))
                .collect(),
        };
        table.row([
            grouped(site.count),
            format!("{:.2}", site.score),
            format!("{}:{}", short_file(&site.file), site.line),
            site.operation.clone(),
            kinds.join(", "),
        ]);
    }
    table.write(out, style);
    rest(out, style, ROWS, profile.sites.len(), "sites");
}

fn operations(out: &mut String, profile: &Profile, style: &Style) {
    let Some(total) = profile.operations.total.filter(|total| *total > 0) else {
        return;
    };
    heading(out, style, &format!("Operations: {}", grouped(total)));
    let mut table = Table::new(&[
        ("share", Align::Right),
        ("count", Align::Right),
        ("family", Align::Left),
    ]);
    for family in &profile.operations.families {
        table.row([
            percent(family.share),
            grouped(family.count),
            family.name.clone(),
        ]);
    }
    table.write(out, style);
}

fn allocations(out: &mut String, profile: &Profile, style: &Style) {
    let (Some(cells), Some(all)) = (profile.allocations.cells, profile.allocations.bytes) else {
        return;
    };
    if cells == 0 {
        heading(out, style, "Allocations: none");
        return;
    }
    let title = format!("Allocations: {} objects, {}", grouped(cells), bytes(all));
    heading(out, style, &title);
    let mut table = Table::new(&[
        ("bytes", Align::Right),
        ("share", Align::Right),
        ("objects", Align::Right),
        ("at", Align::Left),
        ("what", Align::Left),
        ("in", Align::Left),
    ])
    .without(&[5, 1]);
    for site in profile.allocations.sites.iter().take(ROWS) {
        table.row([
            bytes(site.bytes),
            percent(site.share),
            grouped(site.cells),
            format!("{}:{}", short_file(&site.file), site.line),
            site.what.clone(),
            site.function.clone(),
        ]);
    }
    table.write(out, style);
    rest(out, style, ROWS, profile.allocations.sites.len(), "sites");
}

fn heap(out: &mut String, memory: &Memory, style: &Style) {
    let title = format!(
        "Memory: {} live at the end, the heap took {} at most",
        bytes(memory.live_bytes),
        bytes(memory.peak_heap_bytes)
    );
    heading(out, style, &title);
    let mut table = Table::new(&[
        ("live", Align::Right),
        ("objects", Align::Right),
        ("peak", Align::Right),
        ("objects", Align::Right),
        ("kind", Align::Left),
    ]);
    for kind in &memory.kinds {
        table.row([
            bytes(kind.live_bytes),
            grouped(kind.live_cells),
            bytes(kind.peak_bytes),
            grouped(kind.peak_cells),
            kind.kind.clone(),
        ]);
    }
    table.write(out, style);

    heading(out, style, "Shapes of maps");
    let mut table = Table::new(&[
        ("maps", Align::Right),
        ("bytes", Align::Right),
        ("keys", Align::Left),
    ]);
    for shape in memory.shapes.iter().take(ROWS) {
        table.row([
            grouped(shape.maps),
            bytes(shape.bytes),
            match &shape.keys {
                Some(keys) => format!("{{{}}}", keys.join(", ")),
                None => "(used as a table)".into(),
            },
        ]);
    }
    table.write(out, style);
    rest(out, style, ROWS, memory.shapes.len(), "shapes");

    let strings = &memory.strings;
    let title = format!(
        "Strings: {}, {} different; copies take {}",
        grouped(strings.strings),
        grouped(strings.distinct),
        bytes(strings.duplicate_bytes)
    );
    heading(out, style, &title);
    let mut table = Table::new(&[
        ("copies", Align::Right),
        ("bytes", Align::Right),
        ("text", Align::Left),
    ]);
    for text in strings.worst.iter().take(ROWS) {
        table.row([
            grouped(text.strings),
            bytes(text.bytes),
            format!("{:?}", text.text),
        ]);
    }
    table.write(out, style);
}

/// The list of candidates.
pub fn hotspots_report(
    profile: &Profile,
    candidates: &[Candidate],
    thresholds: &Thresholds,
    style: &Style,
) -> String {
    let mut out = String::new();
    let stable = candidates.iter().filter(|it| it.is_stable).count();
    let found = match stable {
        0 => "No candidates".into(),
        1 => "1 candidate".into(),
        several => format!("{} candidates", grouped(several as u64)),
    };
    let _ = writeln!(out, "{found} for compilation in {}", profile.script);
    let _ = writeln!(
        out,
        "(functions over {} of the time or with {} calls, loops with {} iterations, stability from {:.2} on)",
        percent(thresholds.share),
        grouped(thresholds.calls),
        grouped(thresholds.iterations),
        thresholds.stability
    );
    if candidates.is_empty() {
        return out;
    }
    out.push('\n');
    let mut table = Table::new(&[
        ("rank", Align::Right),
        ("share", Align::Right),
        ("count", Align::Right),
        ("stability", Align::Right),
        ("verdict", Align::Left),
        ("candidate", Align::Left),
    ]);
    for (index, candidate) in candidates.iter().enumerate() {
        let unit = match candidate.kind {
            CandidateKind::Function => "calls",
            CandidateKind::Loop => "iterations",
        };
        table.row([
            (index + 1).to_string(),
            percent(candidate.share),
            candidate
                .count
                .map_or_else(|| "-".into(), |count| format!("{} {unit}", grouped(count))),
            score(candidate.stability),
            if candidate.is_stable {
                "compile"
            } else {
                "unstable"
            }
            .into(),
            candidate.subject(),
        ]);
    }
    table.write(&mut out, style);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_easily() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(1234567), "1,234,567");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.0449), "4.5 %");
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(time(1_500_000.0), "1.50 ms");
        assert_eq!(bytes(1536), "1.5 KiB");
    }
}
