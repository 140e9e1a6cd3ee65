//! When functions were compiled, what became of their code, and when the collector interrupted the program.

use maud::{Markup, html};

use super::super::report::{Method, Profile};
use super::super::text::{bytes, grouped, time};
use super::super::timeline::{CollectorPause, PauseKind, TierChange, TierChangeKind};
use super::tables::{cell, number, table, text};
use super::{nothing, section};

/// The functions shown, those that were compiled first.
const MAX_LANES: usize = 60;

/// The marks on the collector's lane: pauses that fall into the same part of the time are one mark.
const PARTS: u64 = 300;

/// The compilations listed.
const MAX_COMPILATIONS: usize = 200;

/// What became of one function.
struct Lane<'a> {
    function: &'a str,
    changes: Vec<&'a TierChange>,
}

pub(super) fn render(profile: &Profile) -> Markup {
    let end = end(profile);
    let has_pauses = !profile.collections.timeline.is_empty();
    let content = html! {
        @if profile.tier_changes.is_empty() {
            (nothing(why_empty(profile)))
        } @else {
            (introduction(profile, end))
        }
        @if has_pauses || !profile.tier_changes.is_empty() {
            div.lanes {
                (collector_lane(profile, end))
                (lanes(profile, end))
            }
        }
        (collector(profile))
        (compilations(profile))
    };
    section("timeline", content)
}

/// How long the whole width is.
fn end(profile: &Profile) -> u64 {
    let changes = profile.tier_changes.iter().map(|change| change.time_ns);
    let pauses = profile.collections.timeline.iter();
    let pauses = pauses.map(|pause| pause.time_ns + pause.duration_ns);
    let last = changes.chain(pauses).max().unwrap_or(0);
    last.max(profile.full_speed_ns.unwrap_or(profile.total_ns))
        .max(1)
}

fn why_empty(profile: &Profile) -> &'static str {
    match (profile.method, profile.full_speed_ns) {
        (Method::Exact, None) => {
            "Nothing is compiled while every instruction is counted, and the program ran only once."
        }
        _ => "Nothing was compiled: no function was hot for long enough.",
    }
}

fn introduction(profile: &Profile, end: u64) -> Markup {
    html! {
        p.hint {
            @if profile.full_speed_ns.is_some() {
                "The program ran a second time, at full speed: this is that run. "
            }
            "From left to right: " span.swatch.interpreted {} "interpreted, " span.swatch.queued {} "waiting for the compiler, "
            span.swatch.compiled {} "compiled code, " span.swatch.optimized {} "optimized code; "
            span.swatch.minor {} "pauses of the collector, " span.swatch.full {} "those for the whole heap. The whole width is "
            (time(end as f64)) ". Functions of the same name share a row."
        }
    }
}

fn collector(profile: &Profile) -> Markup {
    let collections = &profile.collections;
    html! {
        @if collections.pauses > 0 {
            p.hint {
                "The collector interrupted the program " (grouped(collections.pauses)) " times, "
                (time(collections.total_ns as f64)) " in all, " (time(collections.longest_ns as f64)) " at most: "
                (grouped(collections.minor_pauses)) " pauses were for young objects; "
                (grouped(collections.full_collections)) " collections went through the whole heap. "
                (bytes(collections.allocated_bytes)) " were allocated."
            }
        } @else {
            p.hint { "The collector never ran." }
        }
    }
}

/// The pauses in one part of the time.
#[derive(Clone, Copy, Default)]
struct Mark {
    pauses: u64,
    total_ns: u64,
    longest_ns: u64,
    is_full: bool,
}

/// The pauses by the part of the time that they begin in.
fn marks(pauses: &[CollectorPause], end: u64) -> Vec<(u64, Mark)> {
    let mut marks: Vec<(u64, Mark)> = Vec::new();
    for pause in pauses {
        let part = (u128::from(pause.time_ns) * u128::from(PARTS) / u128::from(end)) as u64;
        if marks.last().is_none_or(|(last, _)| *last != part) {
            marks.push((part, Mark::default()));
        }
        if let Some((_, mark)) = marks.last_mut() {
            mark.pauses += 1;
            mark.total_ns += pause.duration_ns;
            mark.longest_ns = mark.longest_ns.max(pause.duration_ns);
            mark.is_full |= pause.kind != PauseKind::Minor;
        }
    }
    marks
}

fn collector_lane(profile: &Profile, end: u64) -> Markup {
    let pauses = &profile.collections.timeline;
    let part_ns = (end / PARTS).max(1);
    html! {
        @if !pauses.is_empty() {
            div.lane.collector {
                span.name { "(collector)" }
                span.track {
                    @for (part, mark) in marks(pauses, end) {
                        // As high as the share of the time that the collector took, but never too low to be seen.
                        @let height = (mark.total_ns as f64 / part_ns as f64).clamp(0.25, 1.0) * 100.0;
                        @let width = (mark.total_ns as f64 / end as f64).max(1.0 / PARTS as f64) * 100.0;
                        @let left = part as f64 / PARTS as f64 * 100.0;
                        @let style = format!("left:{left:.2}%;width:{width:.2}%;height:{height:.0}%");
                        span class=(if mark.is_full { "full" } else { "minor" }) style=(style) title=(describe_mark(&mark)) {}
                    }
                }
                span.note { (grouped(pauses.len() as u64)) " pauses; a mark is as high as the share of that moment that they took" }
            }
        }
    }
}

fn describe_mark(mark: &Mark) -> String {
    match mark.pauses {
        1 => format!("a pause of {}", time(mark.total_ns as f64)),
        pauses => format!(
            "{pauses} pauses, {} in all, {} at most",
            time(mark.total_ns as f64),
            time(mark.longest_ns as f64)
        ),
    }
}

fn lanes(profile: &Profile, end: u64) -> Markup {
    let mut lanes: Vec<Lane> = Vec::new();
    for change in &profile.tier_changes {
        match lanes
            .iter_mut()
            .find(|lane| lane.function == change.function)
        {
            Some(lane) => lane.changes.push(change),
            None => lanes.push(Lane {
                function: &change.function,
                changes: vec![change],
            }),
        }
    }
    html! {
        @for lane in lanes.iter().take(MAX_LANES) { (row(lane, end)) }
        @if lanes.len() > MAX_LANES {
            p.hint { "… and " (lanes.len() - MAX_LANES) " more functions." }
        }
    }
}

fn row(lane: &Lane, end: u64) -> Markup {
    let at = |time: u64| time as f64 / end as f64 * 100.0;
    // Code for a loop next to code for calls changes nothing that could be drawn.
    let mut drawn: Vec<(&TierChange, &'static str)> = Vec::new();
    for change in &lane.changes {
        let class = class(change.event);
        if drawn.last().is_none_or(|(_, last)| *last != class) {
            drawn.push((change, class));
        }
    }
    html! {
        div.lane.filterable {
            span.name title=(lane.function) { (super::super::names::short_file(lane.function)) }
            span.track {
                @for (index, (change, class)) in drawn.iter().enumerate() {
                    @let until = drawn.get(index + 1).map_or(end, |(next, _)| next.time_ns);
                    @let style = format!("left:{:.2}%;width:{:.2}%", at(change.time_ns), at(until) - at(change.time_ns));
                    span class=(class) style=(style) title=(describe(change)) {}
                }
                @for change in lane.changes.iter().filter(|change| change.event == TierChangeKind::Deoptimized) {
                    span.deoptimized style=(format!("left:{:.2}%", at(change.time_ns))) title=(describe(change)) {}
                }
            }
            span.note { (story(lane)) }
        }
    }
}

/// The last thing that happened, and every time that code was thrown away.
fn story(lane: &Lane) -> String {
    let mut lost: Vec<String> = lane
        .changes
        .iter()
        .filter(|change| change.event == TierChangeKind::Deoptimized)
        .map(|change| describe(change))
        .collect();
    let last = lane.changes.last();
    if let Some(last) = last.filter(|last| last.event != TierChangeKind::Deoptimized) {
        lost.push(describe(last));
    }
    lost.join("; ")
}

fn class(event: TierChangeKind) -> &'static str {
    match event {
        TierChangeKind::Queued => "queued",
        TierChangeKind::Installed => "compiled",
        TierChangeKind::Evicted | TierChangeKind::Refused => "interpreted",
        TierChangeKind::Optimized => "optimized",
        TierChangeKind::Deoptimized => "compiled",
    }
}

/// What happened, in a few words.
fn describe(change: &TierChange) -> String {
    let when = time(change.time_ns as f64);
    match change.event {
        TierChangeKind::Queued => format!("hot at {when}"),
        TierChangeKind::Installed => format!(
            "compiled at {when}: {} of code from {} instructions in {}",
            bytes(change.code_bytes.unwrap_or(0)),
            grouped(change.instructions.unwrap_or(0)),
            time(change.compile_ns.unwrap_or(0) as f64)
        ),
        TierChangeKind::Optimized => format!(
            "optimized{} at {when}: {} of code in {}",
            if change.for_loop == Some(true) {
                " for a loop"
            } else {
                ""
            },
            bytes(change.code_bytes.unwrap_or(0)),
            time(change.compile_ns.unwrap_or(0) as f64)
        ),
        TierChangeKind::Deoptimized => format!(
            "optimized code thrown away at {when}: it {}",
            change.reason.as_deref().unwrap_or("gave up")
        ),
        TierChangeKind::Evicted => format!("code thrown away at {when}"),
        TierChangeKind::Refused => format!(
            "not compiled: {}",
            change.reason.as_deref().unwrap_or("unknown reason")
        ),
    }
}

/// Where the time of each compilation went.
fn compilations(profile: &Profile) -> Markup {
    let changes = profile.tier_changes.iter();
    let made: Vec<_> = changes
        .filter_map(|change| Some((change, change.phases?)))
        .collect();
    if made.is_empty() {
        return html! {};
    }
    let columns = [
        text("function"),
        text("tier"),
        number("ready at"),
        number("waited"),
        number("optimizer"),
        number("code generator"),
        number("until in place"),
        number("code"),
    ];
    let duration = |nanoseconds: u64| cell(nanoseconds as f64, time(nanoseconds as f64));
    let rows = html! {
        @for (change, phases) in made.iter().take(MAX_COMPILATIONS) {
            tr.filterable {
                th scope="row" { (super::super::names::short_file(&change.function)) }
                td {
                    @match (change.event, change.for_loop) {
                        (TierChangeKind::Optimized, Some(true)) => "optimized, for a loop",
                        (TierChangeKind::Optimized, _) => "optimized",
                        _ => "baseline",
                    }
                }
                (duration(change.time_ns))
                (duration(phases.waited_ns))
                (duration(phases.optimizer_ns))
                (duration(phases.generator_ns))
                (duration(phases.installed_ns))
                (cell(change.code_bytes.unwrap_or(0) as f64, bytes(change.code_bytes.unwrap_or(0))))
            }
        }
    };
    html! {
        h3 { "Compilations" }
        p.hint {
            "Machine code is made on a thread of its own while the program goes on. It waits for its turn, is optimized (in the higher tier), "
            "generated, and put in place when the program takes notice."
        }
        (table(&columns, &rows))
        @if made.len() > MAX_COMPILATIONS {
            p.hint { "… and " (made.len() - MAX_COMPILATIONS) " more." }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_in_the_same_part_of_the_time_are_one_mark() {
        let pause = |time_ns, kind| CollectorPause {
            time_ns,
            duration_ns: 5,
            kind,
        };
        let pauses = [
            pause(0, PauseKind::Minor),
            pause(1, PauseKind::Slice),
            pause(500, PauseKind::Minor),
        ];
        let marks = marks(&pauses, PARTS * 10);
        assert_eq!(marks.len(), 2);
        let (part, first) = marks[0];
        assert_eq!((part, first.pauses, first.total_ns), (0, 2, 10));
        assert!(first.is_full && !marks[1].1.is_full);
        assert_eq!(marks[1].0, 50);
    }
}
