//! A profile as one page of HTML that opens without a network: tables and sources are there as they are, and scripts add the flame
//! graph, the filter and the sorting of tables.
//!
//! Everything that comes from the program, its names, texts and paths, goes through maud, which escapes it, or into the embedded
//! JSON, where [`embedded_json`] does. A policy in the page's head forbids it to load anything, should that ever fail.

mod source;
mod summary;
mod tables;
mod timeline;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::names::short_file;
use super::report::Profile;

/// The text of a file of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceText {
    /// The file, as the profile names it.
    pub file: String,
    /// Its text.
    pub text: String,
}

const STYLE: &str = include_str!("page.css");
const FLAME_GRAPH: &str = include_str!("flame.js");
const SCRIPT: &str = include_str!("page.js");

/// Nothing from anywhere: no scripts, styles, pictures or fonts but those in the page, no connections, no forms.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The sections: what their headings are called, and what links to them are.
const SECTIONS: [(&str, &str); 9] = [
    ("overview", "Overview"),
    ("flame", "Flame graph"),
    ("source", "Source"),
    ("functions", "Functions"),
    ("loops", "Loops"),
    ("types", "Types"),
    ("timeline", "Timeline"),
    ("memory", "Memory"),
    ("operations", "Operations"),
];

/// The profile as a page. `sources` are the files it speaks of, as far as their texts are known.
///
/// The page holds the profile as the same JSON that [`Profile::to_json`] gives, in the element with the id `profile`.
pub fn page(profile: &Profile, sources: &[SourceText]) -> String {
    let title = format!("Profile of {}", short_file(&profile.script));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header.top {
                    a.brand href="#overview" { "Kiln" }
                    nav aria-label="Sections" {
                        @for (index, (id, name)) in SECTIONS.iter().enumerate() {
                            a href=(format!("#{id}")) aria-keyshortcuts=(index + 1) { (name) }
                        }
                    }
                    label.search {
                        span.hidden { "Filter" }
                        input #filter type="search" placeholder="Filter  ( / )" aria-keyshortcuts="/" autocomplete="off" spellcheck="false";
                    }
                }
                main {
                    (summary::render(profile))
                    (flame_graph(profile))
                    (source::render(profile, sources))
                    (tables::functions(profile))
                    (tables::loops(profile))
                    (tables::sites(profile))
                    (timeline::render(profile))
                    (tables::memory(profile))
                    (tables::operations(profile))
                }
                footer {
                    p {
                        "Keys: " kbd { "/" } " filters, " kbd { "Esc" } " shows everything again, " kbd { "1" } " to " kbd { "9" }
                        " go to the sections; in the flame graph, arrows move and " kbd { "Enter" } " zooms."
                    }
                    p { "Kiln " (profile.kiln_version) ". The numbers are in the page as JSON, in the element " code { "#profile" } "." }
                }
                p #status.hidden role="status" {}
                script #profile type="application/json" { (PreEscaped(embedded_json(profile))) }
                script { (PreEscaped(FLAME_GRAPH)) (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// JSON that cannot end the element it stands in: `<` occurs in strings only, where it may be written as an escape.
fn embedded_json(profile: &Profile) -> String {
    // All keys are strings, and nothing here fails to serialize.
    let json = serde_json::to_string(profile).unwrap_or_default();
    json.replace('<', "\\u003c")
}

/// A section with its heading.
fn section(id: &str, content: Markup) -> Markup {
    let name = SECTIONS
        .iter()
        .find(|(known, _)| *known == id)
        .map_or("", |(_, name)| name);
    html! {
        section id=(id) {
            h2 { (name) }
            (content)
        }
    }
}

/// What stands where there is nothing to show.
fn nothing(why: &str) -> Markup {
    html! { p.nothing { (why) } }
}

fn flame_graph(profile: &Profile) -> Markup {
    let content = html! {
        @if profile.stacks.is_empty() {
            (nothing("No calls were recorded."))
        } @else {
            p.hint {
                "Each bar is a function, below the one that called it, as wide as the time it took. Choose one to zoom in."
            }
            div.bar {
                button #flame-reset type="button" { "Whole program" }
                label { input #flame-recursion type="checkbox"; " fold recursion" }
                output #flame-detail {}
            }
            div #flame-graph.flame role="tree" aria-label="Flame graph" tabindex="0" {}
            noscript { p.nothing { "The flame graph needs JavaScript; everything else does not." } }
        }
    };
    section("flame", content)
}

/// A link to a line of the source, as far as its text is in the page.
fn place(file: &str, line: u32) -> Markup {
    html! { a.place href=(source::anchor(file, line)) { (short_file(file)) ":" (line) } }
}

/// A share as a bar with its percentage.
fn meter(share: f64) -> Markup {
    let width = (share.clamp(0.0, 1.0) * 100.0).min(100.0);
    html! {
        span.meter {
            span.fill style=(format!("width:{width:.1}%")) {}
            span.number { (super::text::percent(share)) }
        }
    }
}

#[cfg(test)]
mod tests;
