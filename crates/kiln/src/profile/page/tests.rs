//! What the page contains, and what it must not.

use super::super::lines::Line;
use super::super::report::*;
use super::super::timeline::{Phases, TierChange, TierChangeKind};
use super::*;
use crate::jit::{CodePlace, InlinedCall, Optimization};

/// A name that would do harm if it got into the page as it is.
const HOSTILE: &str = "</script><script>alert(1)</script><img src=x onerror=\"alert(2)\">'&.ms";

fn optimization() -> Optimization {
    Optimization {
        inlined: vec![InlinedCall {
            function: HOSTILE.into(),
            call: CodePlace {
                function: HOSTILE.into(),
                file: HOSTILE.into(),
                line: 1,
            },
        }],
        ..Optimization::default()
    }
}

/// A program whose every name is hostile.
fn hostile() -> (Profile, Vec<SourceText>) {
    let profile = Profile {
        script: HOSTILE.into(),
        tiers: vec![HOSTILE.into()],
        ending: Ending::Error {
            message: HOSTILE.into(),
        },
        functions: vec![Function {
            name: HOSTILE.into(),
            file: Some(HOSTILE.into()),
            line: Some(1),
            last_line: Some(1),
            ..Function::default()
        }],
        loops: vec![Loop {
            function: HOSTILE.into(),
            file: HOSTILE.into(),
            line: 1,
            variables: vec![Variable {
                name: HOSTILE.into(),
                kinds: vec![HOSTILE.into()],
            }],
            ..Loop::default()
        }],
        sites: vec![Site {
            function: HOSTILE.into(),
            file: HOSTILE.into(),
            line: 1,
            operation: HOSTILE.into(),
            count: 1000,
            score: 0.5,
            signatures: vec![SiteSignature {
                text: HOSTILE.into(),
                ..SiteSignature::default()
            }],
            ..Site::default()
        }],
        allocations: Allocations {
            cells: Some(1),
            bytes: Some(1),
            sites: vec![AllocationSite {
                function: HOSTILE.into(),
                file: HOSTILE.into(),
                line: 1,
                what: HOSTILE.into(),
                ..AllocationSite::default()
            }],
        },
        lines: vec![Line {
            file: HOSTILE.into(),
            line: 1,
            share: 1.0,
            ..Line::default()
        }],
        tier_changes: vec![TierChange {
            time_ns: 1,
            function: HOSTILE.into(),
            event: TierChangeKind::Optimized,
            code_bytes: None,
            instructions: None,
            compile_ns: None,
            for_loop: None,
            reason: Some(HOSTILE.into()),
            phases: Some(Phases::default()),
            optimization: Some(optimization()),
        }],
        recommendations: vec![Recommendation {
            priority: Priority::High,
            subject: HOSTILE.into(),
            reason: HOSTILE.into(),
            advice: HOSTILE.into(),
        }],
        memory: Some(Memory {
            shapes: vec![ShapeMemory {
                keys: Some(vec![HOSTILE.into()]),
                ..ShapeMemory::default()
            }],
            strings: StringMemory {
                worst: vec![DuplicateString {
                    text: HOSTILE.into(),
                    ..DuplicateString::default()
                }],
                ..StringMemory::default()
            },
            ..Memory::default()
        }),
        stacks: vec![Stack {
            frames: vec![HOSTILE.into()],
            calls: Some(1),
            self_ns: 5,
        }],
        ..Profile::default()
    };
    let sources = vec![SourceText {
        file: HOSTILE.into(),
        text: HOSTILE.into(),
    }];
    (profile, sources)
}

/// What a page embeds.
fn embedded(page: &str) -> Profile {
    let start = "<script id=\"profile\" type=\"application/json\">";
    let (_, rest) = page.split_once(start).unwrap();
    let (json, _) = rest.split_once("</script>").unwrap();
    serde_json::from_str(json).unwrap()
}

#[test]
fn no_name_becomes_markup() {
    let (profile, sources) = hostile();
    let page = page(&profile, &sources);
    // Two scripts are the page's own.
    assert_eq!(page.matches("<script").count(), 2);
    assert_eq!(page.matches("</script").count(), 2);
    assert!(!page.contains("<img"));
    assert!(!page.contains("onerror=\"alert(2)\"") || !page.contains("<img src=x"));
    assert_eq!(embedded(&page), profile);
}

#[test]
fn the_page_embeds_the_profile_and_needs_nothing_else() {
    let profile = Profile {
        script: "dir/game.ms".into(),
        operations: Operations {
            total: Some(1_234_567),
            ..Operations::default()
        },
        functions: vec![Function {
            name: "update".into(),
            file: Some("dir/game.ms".into()),
            line: Some(12),
            calls: Some(1973),
            self_ns: 2_500_000,
            ..Function::default()
        }],
        ..Profile::default()
    };
    let page = page(&profile, &[]);
    assert_eq!(embedded(&page), profile);
    for part in [
        "<title>Profile of game.ms</title>",
        "1,234,567",
        "update",
        "1,973",
        "2.50 ms",
        "href=\"#line-dir-game-ms-12\"",
        "prefers-color-scheme",
    ] {
        assert!(page.contains(part), "{part}");
    }
    for resource in [
        "http:", "https:", "src=", "<link", "@import", "url(", "fetch(",
    ] {
        assert!(!page.contains(resource), "{resource}");
    }
    for (id, name) in SECTIONS {
        assert!(
            page.contains(&format!("<section id=\"{id}\"><h2>{name}</h2>")),
            "{id}"
        );
    }
}

#[test]
fn lines_have_their_heat() {
    let profile = Profile {
        lines: vec![
            Line {
                file: "a.ms".into(),
                line: 1,
                share: 0.25,
                ..Line::default()
            },
            Line {
                file: "a.ms".into(),
                line: 2,
                share: 0.75,
                ..Line::default()
            },
        ],
        ..Profile::default()
    };
    let sources = [SourceText {
        file: "a.ms".into(),
        text: "x = 1\nwhile x < 9".into(),
    }];
    let page = page(&profile, &sources);
    assert!(page.contains("data-share=\"0.25\" style=\"--heat:33%\""));
    assert!(page.contains("data-share=\"0.75\" style=\"--heat:100%\""));
    assert!(page.contains("<span class=\"keyword\">while</span> x &lt; "));
}

#[test]
fn the_timeline_says_why_it_is_empty() {
    let mut profile = Profile::default();
    assert!(page(&profile, &[]).contains("Nothing is compiled while every instruction is counted"));
    profile.method = Method::Sampled;
    assert!(page(&profile, &[]).contains("Nothing was compiled"));
    profile.total_ns = 10_000_000;
    profile.tier_changes = vec![TierChange {
        time_ns: 2_500_000,
        function: "update".into(),
        event: TierChangeKind::Installed,
        code_bytes: Some(2048),
        instructions: Some(40),
        compile_ns: Some(1_000_000),
        for_loop: None,
        reason: None,
        phases: None,
        optimization: None,
    }];
    let page = page(&profile, &[]);
    assert!(page.contains("class=\"compiled\" style=\"left:25.00%;width:75.00%\""));
    assert!(page.contains("compiled at 2.50 ms: 2.0 KiB of code from 40 instructions in 1.00 ms"));
}
