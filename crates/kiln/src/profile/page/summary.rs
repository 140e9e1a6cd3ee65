//! The beginning of the page: the program, where its time went, what to look at.

use maud::{Markup, html};

use super::super::names::short_file;
use super::super::report::{Ending, FunctionKind, Method, Priority, Profile};
use super::super::text::{bytes, grouped, percent, time};
use super::{meter, nothing, section};

pub(super) fn render(profile: &Profile) -> Markup {
    let content = html! {
        h1 { (short_file(&profile.script)) }
        p.hint {
            (method(profile)) " " (ending(&profile.ending)) " Tiers: " (profile.tiers.join(", ")) "."
        }
        (figures(profile))
        (phases(profile))
        h3 { "Where to look" }
        (recommendations(profile))
    };
    section("overview", content)
}

fn method(profile: &Profile) -> String {
    match profile.method {
        Method::Exact => {
            "Every instruction was counted, so counts are exact and times include the counting."
                .into()
        }
        Method::Sampled => format!(
            "{} samples at full speed; nothing was counted.",
            grouped(profile.samples.unwrap_or(0))
        ),
    }
}

fn ending(ending: &Ending) -> String {
    match ending {
        Ending::Finished => "The program ran to its end.".into(),
        Ending::Exit { status } => format!("The program ended by exit({status})."),
        Ending::Error { message } => format!("The program ended by an error: {message}"),
        Ending::Interrupted => "The program was interrupted.".into(),
    }
}

/// The numbers that matter first.
fn figures(profile: &Profile) -> Markup {
    let hottest = profile
        .functions
        .iter()
        .find(|function| function.kind != FunctionKind::TopLevel)
        .or(profile.functions.first());
    let hottest_loop = profile.loops.first();
    html! {
        dl.figures {
            div { dt { "Time" } dd { (time(profile.total_ns as f64)) } }
            @if let Some(function) = hottest {
                div {
                    dt { "Hottest function" }
                    dd { (function.name) small { (percent(function.self_share)) " in itself" } }
                }
            }
            @if let Some(hottest) = hottest_loop {
                div {
                    dt { "Hottest loop" }
                    dd { "line " (hottest.line) small { (percent(hottest.share)) } }
                }
            }
            @if let Some(total) = profile.operations.total {
                div { dt { "Instructions" } dd { (grouped(total)) } }
            }
            @if let (Some(cells), Some(all)) = (profile.allocations.cells, profile.allocations.bytes) {
                div { dt { "Allocated" } dd { (bytes(all)) small { (grouped(cells)) " objects" } } }
            }
        }
    }
}

fn phases(profile: &Profile) -> Markup {
    html! {
        h3 { "Phases" }
        div.stack aria-hidden="true" {
            @for (index, phase) in profile.phases.iter().enumerate() {
                @if phase.share > 0.0 {
                    span class=(format!("phase{}", index % 6)) style=(format!("flex-grow:{:.4}", phase.share)) title=(phase.name) {}
                }
            }
        }
        div.wide {
            table.data {
                thead { tr { th { "phase" } th.n { "time" } th { "share" } th { "twice as fast, the whole would be" } } }
                tbody {
                    @for (index, phase) in profile.phases.iter().enumerate() {
                        tr {
                            td { span class=(format!("swatch phase{}", index % 6)) {} (phase.name) }
                            td.n { (time(phase.time_ns as f64)) }
                            td { (meter(phase.share)) }
                            td { (percent(phase.gain_if_halved)) " faster" }
                        }
                    }
                }
            }
        }
    }
}

fn recommendations(profile: &Profile) -> Markup {
    if profile.recommendations.is_empty() {
        return nothing("Nothing stands out: no part takes a large share of the time.");
    }
    html! {
        ol.advice {
            @for found in &profile.recommendations {
                li class=(format!("filterable {}", priority_class(found.priority))) {
                    span.badge { (found.priority.name()) }
                    div {
                        b { (found.subject) }
                        p { (found.advice) "." }
                        p.reason { (found.reason) }
                    }
                }
            }
        }
    }
}

fn priority_class(priority: Priority) -> &'static str {
    match priority {
        Priority::High => "high",
        Priority::Medium => "medium",
        Priority::Low => "low",
    }
}
