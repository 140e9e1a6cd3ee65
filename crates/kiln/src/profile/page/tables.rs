//! The tables: functions, loops, types, memory, operations.

use maud::{Markup, html};

use super::super::explain;
use super::super::report::{Function, Loop, Memory, Profile, Site};
use super::super::text::{bytes, grouped, percent, time};
use super::{meter, nothing, place, section};

/// From this score on kinds of values are stable enough to specialize on; below, the page warns.
pub(super) const STABLE: f64 = 0.8;

/// A column's title; those of numbers are aligned to the right and sort downwards first.
pub(super) struct Column(&'static str, bool);

pub(super) const fn text(title: &'static str) -> Column {
    Column(title, false)
}

pub(super) const fn number(title: &'static str) -> Column {
    Column(title, true)
}

/// A table whose rows can be filtered and sorted.
pub(super) fn table(columns: &[Column], rows: &Markup) -> Markup {
    html! {
        div.wide {
            table.data.sortable {
                thead {
                    tr {
                        @for Column(title, is_number) in columns {
                            th scope="col" .n[*is_number] { (title) }
                        }
                    }
                }
                tbody { (rows) }
            }
        }
    }
}

/// A cell with a number, which sorting goes by.
pub(super) fn cell(value: impl Into<f64>, shown: impl maud::Render) -> Markup {
    html! { td.n data-value=(value.into()) { (shown) } }
}

/// A cell with a count; nothing was counted if there is none.
fn count(number: Option<u64>) -> Markup {
    match number {
        Some(number) => cell(number as f64, grouped(number)),
        None => html! { td.n data-value="-1" { "–" } },
    }
}

fn share(share: f64) -> Markup {
    html! { td data-value=(share) { (meter(share)) } }
}

fn stability(score: Option<f64>) -> Markup {
    match score {
        Some(score) => html! {
            td.n data-value=(score) { span.unstable[score < STABLE] { (format!("{score:.2}")) } }
        },
        None => html! { td.n data-value="2" { "–" } },
    }
}

pub(super) fn functions(profile: &Profile) -> Markup {
    let columns = [
        text("function"),
        text("self"),
        number("self time"),
        number("total time"),
        number("calls"),
        number("instructions"),
        number("stability"),
        text("at"),
    ];
    let row = |function: &Function| {
        html! {
            tr.filterable {
                th scope="row" { (function.name) }
                (share(function.self_share))
                (cell(function.self_ns as f64, time(function.self_ns as f64)))
                (cell(function.total_ns as f64, time(function.total_ns as f64)))
                (count(function.calls))
                (count(function.instructions))
                (stability(function.stability))
                td {
                    @match (&function.file, function.line) {
                        (Some(file), Some(line)) => (place(file, line)),
                        _ => "built in",
                    }
                }
            }
        }
    };
    let rows = html! { @for function in &profile.functions { (row(function)) } };
    section(
        "functions",
        html! {
            p.hint { "Self time is what a function takes without those it calls. Choose a column's title to sort by it." }
            (table(&columns, &rows))
            (optimizations(profile))
        },
    )
}

/// What the optimizing compiler made of functions, to be opened one by one.
fn optimizations(profile: &Profile) -> Markup {
    let explained: Vec<_> = profile
        .functions
        .iter()
        .filter(explain::is_code)
        .map(|function| (function, explain::optimization(profile, function)))
        .filter(|(_, sections)| !sections.is_empty())
        .collect();
    html! {
        @if !explained.is_empty() {
            h3 { "What the optimizing compiler made of them" }
            @for (index, (function, sections)) in explained.iter().enumerate() {
                details.made.filterable open[index == 0] {
                    summary {
                        (function.name)
                        small {
                            @let failures = sections.iter().filter(|(title, _)| *title == explain::FAILED).count();
                            @if failures > 0 { span.unstable { "checks failed" } }
                        }
                    }
                    div.sections {
                        @for (title, lines) in sections {
                            div {
                                h4 { (title) }
                                ul { @for line in lines { li { (with_code(line)) } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A sentence in which what stands between backticks is code.
fn with_code(sentence: &str) -> Markup {
    html! {
        @for (index, part) in sentence.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

pub(super) fn loops(profile: &Profile) -> Markup {
    if profile.loops.is_empty() {
        return section("loops", nothing("No loop was run."));
    }
    let columns = [
        text("at"),
        text("share"),
        number("time"),
        number("iterations"),
        number("entries"),
        number("each"),
        number("stability"),
        text("variables"),
        text("in"),
    ];
    let row = |measured: &Loop| {
        html! {
            tr.filterable {
                th scope="row" {
                    (place(&measured.file, measured.line))
                    @if measured.osr_candidate {
                        " " span.tag title="One entry runs so long that faster code should take over in the middle (on-stack replacement)." { "OSR" }
                    }
                }
                (share(measured.share))
                (cell(measured.time_ns as f64, time(measured.time_ns as f64)))
                (count(measured.iterations))
                (count(measured.entries))
                (cell(measured.ns_per_iteration.unwrap_or(-1.0), measured.ns_per_iteration.map_or("–".into(), time)))
                (stability(measured.stability))
                td {
                    @for (index, variable) in measured.variables.iter().enumerate() {
                        @if index > 0 { ", " }
                        code { (variable.name) } " "
                        span.unstable[variable.kinds.len() > 1] { (variable.kinds.join(" or ")) }
                    }
                }
                td { (measured.function) }
            }
        }
    };
    let rows = html! { @for measured in &profile.loops { (row(measured)) } };
    section("loops", table(&columns, &rows))
}

/// Sites beyond these add nothing to the picture but size; the JSON has all of them.
const MAX_SITES: usize = 400;

pub(super) fn sites(profile: &Profile) -> Markup {
    if profile.sites.is_empty() {
        return section(
            "types",
            nothing("Kinds of values are not recorded while sampling: measure without --sample."),
        );
    }
    let unstable = profile
        .sites
        .iter()
        .filter(|site| site.score < STABLE)
        .count();
    let columns = [
        text("at"),
        text("operation"),
        number("count"),
        number("score"),
        text("kinds of values"),
        text("in"),
    ];
    let row = |site: &Site| {
        html! {
            tr.filterable {
                th scope="row" { (place(&site.file, site.line)) }
                td { code { (site.operation) } }
                (count(Some(site.count)))
                (stability(Some(site.score)))
                td {
                    @for signature in &site.signatures {
                        span.kind { (percent(signature.share)) " " code { (signature.text) } }
                    }
                }
                td { (site.function) }
            }
        }
    };
    let shown = profile.sites.len().min(MAX_SITES);
    let rows = html! { @for site in profile.sites.iter().take(shown) { (row(site)) } };
    section(
        "types",
        html! {
            p.hint {
                "What calls and operations met. Score 1: always the same, which compilers make fast code of; "
                (grouped(unstable as u64)) " of " (grouped(profile.sites.len() as u64)) " places are below " (STABLE) "."
                @if shown < profile.sites.len() { " The " (shown) " most frequent are shown." }
            }
            (table(&columns, &rows))
        },
    )
}

pub(super) fn memory(profile: &Profile) -> Markup {
    let content = html! {
        (allocations(profile))
        @if let Some(memory) = &profile.memory { (heap(memory)) }
        @else { p.nothing { "What stays alive is recorded with " code { "--memory" } "." } }
    };
    section("memory", content)
}

fn allocations(profile: &Profile) -> Markup {
    let (Some(cells), Some(all)) = (profile.allocations.cells, profile.allocations.bytes) else {
        return nothing("Allocations are not counted while sampling: measure without --sample.");
    };
    let columns = [
        text("at"),
        text("share"),
        number("bytes"),
        number("objects"),
        text("what"),
        text("in"),
    ];
    let rows = html! {
        @for site in &profile.allocations.sites {
            tr.filterable {
                th scope="row" { (place(&site.file, site.line)) }
                (share(site.share))
                (cell(site.bytes as f64, bytes(site.bytes)))
                (count(Some(site.cells)))
                td { (site.what) }
                td { (site.function) }
            }
        }
    };
    html! {
        p.hint {
            (grouped(cells)) " objects, " (bytes(all)) ". The collector took "
            (time(profile.collections.total_ns as f64)) " in " (grouped(profile.collections.pauses)) " pauses, the longest "
            (time(profile.collections.longest_ns as f64)) "."
        }
        @if cells > 0 { (table(&columns, &rows)) }
    }
}

fn heap(memory: &Memory) -> Markup {
    let kinds = html! {
        @for kind in &memory.kinds {
            tr.filterable {
                th scope="row" { (kind.kind) }
                (cell(kind.live_bytes as f64, bytes(kind.live_bytes)))
                (count(Some(kind.live_cells)))
                (cell(kind.peak_bytes as f64, bytes(kind.peak_bytes)))
                (count(Some(kind.peak_cells)))
            }
        }
    };
    let shapes = html! {
        @for shape in &memory.shapes {
            tr.filterable {
                th scope="row" {
                    @match &shape.keys {
                        Some(keys) => code { "{" (keys.join(", ")) "}" },
                        None => "used as a table",
                    }
                }
                (count(Some(shape.maps)))
                (cell(shape.bytes as f64, bytes(shape.bytes)))
            }
        }
    };
    let strings = html! {
        @for string in &memory.strings.worst {
            tr.filterable {
                th scope="row" { code { (format!("{:?}", string.text)) } }
                (count(Some(string.strings)))
                (cell(string.bytes as f64, bytes(string.bytes)))
            }
        }
    };
    html! {
        h3 { "Alive" }
        p.hint {
            (bytes(memory.live_bytes)) " at the end; the heap took " (bytes(memory.peak_heap_bytes)) " at most."
        }
        (table(&[text("kind"), number("live"), number("objects"), number("peak"), number("peak objects")], &kinds))
        h3 { "Shapes of maps" }
        (table(&[text("keys"), number("maps"), number("bytes")], &shapes))
        h3 { "Strings" }
        p.hint {
            (grouped(memory.strings.strings)) ", " (grouped(memory.strings.distinct)) " different; copies take "
            (bytes(memory.strings.duplicate_bytes)) "."
        }
        @if !memory.strings.worst.is_empty() {
            (table(&[text("text"), number("copies"), number("bytes")], &strings))
        }
    }
}

pub(super) fn operations(profile: &Profile) -> Markup {
    let Some(total) = profile.operations.total else {
        return section(
            "operations",
            nothing("Instructions are not counted while sampling: measure without --sample."),
        );
    };
    let counts = |counts: &[super::super::report::OperationCount], title| {
        let rows = html! {
            @for operation in counts {
                tr.filterable {
                    th scope="row" { (operation.name) }
                    (share(operation.share))
                    (count(Some(operation.count)))
                }
            }
        };
        table(&[text(title), text("share"), number("count")], &rows)
    };
    section(
        "operations",
        html! {
            p.hint { (grouped(total)) " instructions of bytecode." }
            div.columns {
                (counts(&profile.operations.families, "family"))
                (counts(&profile.operations.instructions, "instruction"))
            }
        },
    )
}
