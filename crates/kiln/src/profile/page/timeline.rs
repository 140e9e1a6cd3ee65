//! When functions were compiled, and what became of their code.

use maud::{Markup, html};

use super::super::report::{Method, Profile};
use super::super::text::{bytes, grouped, time};
use super::super::timeline::{TierChange, TierChangeKind};
use super::{nothing, section};

/// The functions shown, those that were compiled first.
const MAX_LANES: usize = 60;

/// What became of one function.
struct Lane<'a> {
    function: &'a str,
    changes: Vec<&'a TierChange>,
}

pub(super) fn render(profile: &Profile) -> Markup {
    let content = html! {
        @if profile.tier_changes.is_empty() {
            (nothing(why_empty(profile)))
        } @else {
            (lanes(profile))
        }
        (collector(profile))
    };
    section("timeline", content)
}

fn why_empty(profile: &Profile) -> &'static str {
    match profile.method {
        Method::Exact => {
            "Nothing is compiled while every instruction is counted. With --sample, this is where compilations appear."
        }
        Method::Sampled => "Nothing was compiled: no function was hot for long enough.",
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
                (bytes(collections.allocated_bytes)) " were allocated. When each pause was is not recorded."
            }
        } @else {
            p.hint { "The collector never ran." }
        }
    }
}

fn lanes(profile: &Profile) -> Markup {
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
    let last = profile.tier_changes.iter().map(|change| change.time_ns);
    let end = last.max().unwrap_or(0).max(profile.total_ns).max(1);
    html! {
        p.hint {
            "From left to right: " span.swatch.interpreted {} "interpreted, " span.swatch.queued {} "waiting for the compiler, "
            span.swatch.compiled {} "compiled code, " span.swatch.optimized {} "optimized code. The whole width is " (time(end as f64)) ". Functions of the same name share a row."
        }
        div.lanes {
            @for lane in lanes.iter().take(MAX_LANES) { (row(lane, end)) }
        }
        @if lanes.len() > MAX_LANES {
            p.hint { "… and " (lanes.len() - MAX_LANES) " more functions." }
        }
    }
}

fn row(lane: &Lane, end: u64) -> Markup {
    let at = |time: u64| time as f64 / end as f64 * 100.0;
    html! {
        div.lane.filterable {
            span.name { (lane.function) }
            span.track {
                @for (index, change) in lane.changes.iter().enumerate() {
                    @let until = lane.changes.get(index + 1).map_or(end, |next| next.time_ns);
                    @let style = format!("left:{:.2}%;width:{:.2}%", at(change.time_ns), at(until) - at(change.time_ns));
                    span class=(class(change.event)) style=(style) title=(describe(change)) {}
                }
            }
            span.note { (lane.changes.last().map(|change| describe(change)).unwrap_or_default()) }
        }
    }
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
