//! The program's text with the heat of each line, and what happens there.

use std::collections::BTreeMap;

use maud::{Markup, Render, html};

use super::super::lines::Line;
use super::super::names::short_file;
use super::super::report::{Loop, Profile, Site};
use super::super::text::{bytes, grouped, percent, time};
use super::tables::STABLE;
use super::{SourceText, nothing, section};

/// Below this share of the time a line is not coloured.
const COLD: f64 = 0.001;

/// A site that runs less often is not worth a mark.
const OFTEN: u64 = 100;

/// The link to a line of a file.
pub(super) fn anchor(file: &str, line: u32) -> String {
    format!("#{}", id(file, line))
}

/// The id of a line's element. Of the file's name only what is harmless in a link stays; its length tells most others apart.
fn id(file: &str, line: u32) -> String {
    let name: String = file
        .chars()
        .map(|character| match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' => character,
            _ => '-',
        })
        .collect();
    format!("line-{name}-{line}")
}

/// What is known of the lines of a file.
#[derive(Default)]
struct Facts<'a> {
    lines: BTreeMap<u32, &'a Line>,
    loops: BTreeMap<u32, Vec<&'a Loop>>,
    unstable: BTreeMap<u32, Vec<&'a Site>>,
    allocated: BTreeMap<u32, (u64, u64)>,
}

impl<'a> Facts<'a> {
    fn of(profile: &'a Profile, file: &str) -> Facts<'a> {
        let mut facts = Facts::default();
        for line in profile.lines.iter().filter(|line| line.file == file) {
            facts.lines.insert(line.line, line);
        }
        for measured in profile.loops.iter().filter(|it| it.file == file) {
            let loops = facts.loops.entry(measured.line).or_default();
            loops.push(measured);
        }
        let is_unstable = |site: &&Site| site.score < STABLE && site.count >= OFTEN;
        let sites = profile.sites.iter().filter(|site| site.file == file);
        for site in sites.filter(is_unstable) {
            facts.unstable.entry(site.line).or_default().push(site);
        }
        for site in &profile.allocations.sites {
            if site.file == file {
                let allocated = facts.allocated.entry(site.line).or_default();
                allocated.0 += site.bytes;
                allocated.1 += site.cells;
            }
        }
        facts
    }

    /// The share of the hottest line.
    fn hottest(&self) -> f64 {
        let shares = self.lines.values().map(|line| line.share);
        shares.fold(0.0, f64::max)
    }
}

pub(super) fn render(profile: &Profile, sources: &[SourceText]) -> Markup {
    let mut files: Vec<(&SourceText, f64)> = sources
        .iter()
        .map(|source| {
            let lines = profile.lines.iter().filter(|it| it.file == source.file);
            (source, lines.map(|line| line.share).sum())
        })
        .collect();
    files.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let content = html! {
        @if files.is_empty() {
            (nothing("The text of the program is not there: it was compiled ahead, and its source was not found."))
        } @else {
            p.hint {
                "The darker a line, the more time it takes by itself, with the built-in functions that it calls. "
                @if profile.operations.total.is_some() {
                    "The time of a function is split among its lines by the instructions they execute. "
                }
                kbd { "n" } " goes to the next hottest line."
            }
        }
        @for (index, (source, share)) in files.iter().enumerate() {
            details.file open[index == 0 || *share >= COLD] {
                summary { (short_file(&source.file)) small { (percent(*share)) " of the time" } }
                (listing(source, &Facts::of(profile, &source.file)))
            }
        }
    };
    section("source", content)
}

fn listing(source: &SourceText, facts: &Facts) -> Markup {
    let hottest = facts.hottest();
    html! {
        div.wide {
            table.source {
                tbody {
                    @for (index, text) in source.text.lines().enumerate() {
                        (row(source, index as u32 + 1, text, facts, hottest))
                    }
                }
            }
        }
    }
}

fn row(source: &SourceText, number: u32, text: &str, facts: &Facts, hottest: f64) -> Markup {
    let line = facts.lines.get(&number);
    let share = line.map_or(0.0, |line| line.share);
    // Relative to the hottest line, so that there is something to see in flat profiles too.
    let heat = if share < COLD { 0.0 } else { share / hottest };
    html! {
        tr id=(id(&source.file, number)) data-share=[(share >= COLD).then_some(share)] style=[(heat > 0.0).then(|| format!("--heat:{:.0}%", heat * 100.0))] {
            td.number { (number) }
            td.heat title=[line.map(|line| time(line.time_ns as f64))] { @if share >= COLD { (percent(share)) } }
            td.count {
                @if let Some(instructions) = line.and_then(|line| line.instructions) { (short(instructions)) }
            }
            td.code { code { (Code(text)) } (marks(number, facts)) }
        }
    }
}

/// What a line is known for.
fn marks(number: u32, facts: &Facts) -> Markup {
    html! {
        @for measured in facts.loops.get(&number).into_iter().flatten() {
            " " a.tag.loop href="#loops" {
                "↻ "
                @if let Some(iterations) = measured.iterations { (short(iterations)) "× " }
                (percent(measured.share))
            }
        }
        @if let Some(sites) = facts.unstable.get(&number) {
            " " a.tag.mixed href="#types" title=(kinds(sites)) { "mixed kinds" }
        }
        @if let Some((size, cells)) = facts.allocated.get(&number) {
            " " a.tag.allocates href="#memory" title=(format!("{} objects", grouped(*cells))) { (bytes(*size)) }
        }
    }
}

/// What the sites of a line met.
fn kinds(sites: &[&Site]) -> String {
    let describe = |site: &&Site| {
        let met: Vec<String> = site
            .signatures
            .iter()
            .map(|it| format!("{} {}", percent(it.share), it.text))
            .collect();
        format!("{}: {}", site.operation, met.join(", "))
    };
    let lines: Vec<String> = sites.iter().map(describe).collect();
    lines.join("\n")
}

/// A count in three digits or so: `1.2 M`.
fn short(number: u64) -> String {
    for (unit, size) in [(" G", 1e9), (" M", 1e6), (" k", 1e3)] {
        let scaled = number as f64 / size;
        if scaled >= 9.95 {
            return format!("{scaled:.0}{unit}");
        }
        if scaled >= 1.0 {
            return format!("{scaled:.1}{unit}");
        }
    }
    number.to_string()
}

/// A line of code with colours.
struct Code<'a>(&'a str);

/// The words that are no names.
const KEYWORDS: &[&str] = &[
    "and", "break", "continue", "else", "end", "false", "for", "function", "if", "in", "isa",
    "new", "not", "null", "or", "repeat", "return", "then", "true", "while",
];

impl Render for Code<'_> {
    fn render(&self) -> Markup {
        html! {
            @for (class, text) in pieces(self.0) {
                @match class {
                    Some(class) => span class=(class) { (text) },
                    None => (text),
                }
            }
        }
    }
}

/// A line in pieces of one colour each.
fn pieces(line: &str) -> Vec<(Option<&'static str>, &str)> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let is_name = |character: char| character.is_alphanumeric() || character == '_';
        let (class, length) = if rest.starts_with("//") {
            (Some("comment"), rest.len())
        } else if first == '"' {
            (Some("string"), string_length(rest))
        } else if is_name(first) {
            let length = rest.find(|it| !is_name(it)).unwrap_or(rest.len());
            let class = match &rest[..length] {
                word if KEYWORDS.contains(&word) => Some("keyword"),
                _ if first.is_ascii_digit() => Some("literal"),
                _ => None,
            };
            (class, length)
        } else {
            let ends = |it: char| it == '"' || it == '/' || is_name(it);
            let first_length = first.len_utf8();
            let more = rest[first_length..].find(ends);
            (None, more.map_or(rest.len(), |more| first_length + more))
        };
        let (piece, behind) = rest.split_at(length);
        pieces.push((class, piece));
        rest = behind;
    }
    pieces
}

/// The length of the string that a text begins with; a doubled quote is one in the string.
fn string_length(text: &str) -> usize {
    let mut quotes = text.match_indices('"').map(|(at, _)| at).skip(1).peekable();
    while let Some(at) = quotes.next() {
        if quotes.peek() == Some(&(at + 1)) {
            quotes.next();
        } else {
            return at + 1;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_coloured() {
        assert_eq!(
            pieces(r#"if x2 == "a ""b""" then y = 1 // end"#)
                .into_iter()
                .filter_map(|(class, text)| Some((class?, text)))
                .collect::<Vec<_>>(),
            [
                ("keyword", "if"),
                ("string", r#""a ""b""""#),
                ("keyword", "then"),
                ("literal", "1"),
                ("comment", "// end"),
            ]
        );
    }

    #[test]
    fn every_piece_of_a_line_is_kept() {
        for line in ["", "\"open", "é/ü // x", "a/b", "\"\"\"\"", "日本 = \"語\""] {
            let text: String = pieces(line).into_iter().map(|(_, text)| text).collect();
            assert_eq!(text, line);
        }
    }

    #[test]
    fn large_counts_are_short() {
        assert_eq!(short(999), "999");
        assert_eq!(short(1_234), "1.2 k");
        assert_eq!(short(12_345_678), "12 M");
    }

    #[test]
    fn links_lead_to_lines_whatever_files_are_called() {
        assert_eq!(anchor("a \"b\"<c>.ms", 7), "#line-a--b--c--ms-7");
    }
}
