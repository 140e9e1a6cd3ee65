//! What a profile suggests to look at, and why.

use super::names::short_file;
use super::report::{
    Function, FunctionKind, Loop, Priority, Profile, Recommendation, Site, Variable,
};
use super::text::{grouped, percent};

/// From this share of the time on something matters in any case.
const LARGE_SHARE: f64 = 0.3;
/// Below this share of the time nothing is worth an effort.
const SMALL_SHARE: f64 = 0.1;
/// So often must something run before how often it runs is a reason.
const OFTEN: u64 = 1000;
/// From this score on types are stable enough to specialize on.
const STABLE: f64 = 0.8;
/// A loop that has this part of the time of the loop around it is where the work is.
const DOMINANT: f64 = 0.8;
/// The most recommendations about sites.
const MAX_SITES: usize = 3;

/// What to look at, the most promising first.
pub(super) fn recommendations(profile: &Profile) -> Vec<Recommendation> {
    let mut found: Vec<(f64, Recommendation)> = Vec::new();
    for (index, measured) in profile.loops.iter().enumerate() {
        if !works_elsewhere(measured, &profile.functions) {
            found.extend(about_loop(measured, &profile.loops[index + 1..]));
        }
    }
    for function in &profile.functions {
        found.extend(about_function(function));
    }
    let mut lines = Vec::new();
    let unstable = profile.sites.iter().filter(|site| {
        let is_first = !lines.contains(&(&site.file, site.line));
        let is_unstable = site.count >= OFTEN && site.score < STABLE;
        if is_first && is_unstable {
            lines.push((&site.file, site.line));
        }
        is_first && is_unstable
    });
    // Accesses to the same objects meet the same: they are one recommendation.
    let mut alike: Vec<Vec<&Site>> = Vec::new();
    for site in unstable {
        let kinds = |site: &Site| -> Vec<String> {
            let signatures = site.signatures.iter().take(MAX_NAMES);
            signatures.map(|it| it.text.clone()).collect()
        };
        let is_like = |sites: &&mut Vec<&Site>| {
            let first = sites[0];
            (&first.operation, &first.file) == (&site.operation, &site.file)
                && kinds(first) == kinds(site)
        };
        match alike.iter_mut().find(is_like) {
            Some(sites) => sites.push(site),
            None => alike.push(vec![site]),
        }
    }
    found.extend(alike.iter().take(MAX_SITES).map(|sites| about_sites(sites)));
    for phase in &profile.phases {
        if let Some(advice) = phase_advice(&phase.name)
            && phase.share >= LARGE_SHARE / 2.0
        {
            let mut reason = format!("{} of the time", percent(phase.share));
            if phase.name == "collector"
                && let Some(site) = profile.allocations.sites.first()
            {
                reason += &format!(
                    "; {} of all bytes are allocated at {}:{} ({})",
                    percent(site.share),
                    short_file(&site.file),
                    site.line,
                    site.what
                );
            }
            let recommendation = Recommendation {
                priority: if phase.name == "collector" && phase.share >= LARGE_SHARE {
                    Priority::Medium
                } else {
                    Priority::Low
                },
                subject: format!("phase {}", phase.name),
                reason,
                advice: advice.into(),
            };
            found.push((phase.share, recommendation));
        }
    }
    found.sort_by(|(a_share, a), (b_share, b)| {
        a.priority
            .cmp(&b.priority)
            .then(b_share.total_cmp(a_share))
            .then(a.subject.cmp(&b.subject))
    });
    found.into_iter().map(|(_, found)| found).collect()
}

/// How much there is to win where types are that stable.
fn priority(share: f64, stability: Option<f64>) -> Priority {
    match share {
        share if share >= LARGE_SHARE && is_stable(stability) => Priority::High,
        share if share >= SMALL_SHARE => Priority::Medium,
        _ => Priority::Low,
    }
}

fn is_stable(stability: Option<f64>) -> bool {
    stability.is_none_or(|score| score >= STABLE)
}

/// Whether nearly all of a loop's time is spent in what it calls.
fn works_elsewhere(measured: &Loop, functions: &[Function]) -> bool {
    let around = functions.iter().find(|function| {
        function.name == measured.function && function.file.as_ref() == Some(&measured.file)
    });
    around.is_some_and(|function| function.self_share < measured.share * (1.0 - DOMINANT))
}

fn about_loop(measured: &Loop, shorter: &[Loop]) -> Option<(f64, Recommendation)> {
    let is_dominated = shorter.iter().any(|inner| {
        inner.function == measured.function
            && inner.file == measured.file
            && inner.line > measured.line
            && inner.share >= measured.share * DOMINANT
    });
    if measured.share < SMALL_SHARE || is_dominated {
        return None;
    }
    let is_rare = measured
        .iterations
        .is_some_and(|iterations| iterations < OFTEN);
    let mut reason = format!("{} of the time", percent(measured.share));
    if let Some(iterations) = measured.iterations {
        reason += &format!(", {} iterations", grouped(iterations));
    }
    if let Some(variables) = about_variables(&measured.variables) {
        reason += &format!(", {variables}");
    }
    let advice = match measured.stability {
        Some(score) if score < STABLE => format!(
            "its operations meet the same kinds of values only {} of the time: keep variables to one kind, and objects to one shape",
            percent(score)
        ),
        _ if measured.osr_candidate => {
            "it works on the same kinds of values all the time, which Kiln compiles while it runs: what helps is less work in each pass"
                .into()
        }
        _ if is_rare => "it is not the passes that are many: look at what each of them does".into(),
        _ => "it is stable, and entered often: what helps is less work in each pass, or fewer entries".into(),
    };
    let priority = priority(measured.share, measured.stability);
    let recommendation = Recommendation {
        priority: if is_rare {
            priority.max(Priority::Medium)
        } else {
            priority
        },
        subject: format!("loop at {}:{}", short_file(&measured.file), measured.line),
        reason,
        advice,
    };
    Some((measured.share, recommendation))
}

/// The most variables that are named in a sentence.
const MAX_NAMES: usize = 3;

/// `` `sum` and `i` stay numbers``, or which variable does not stay anything.
fn about_variables(variables: &[Variable]) -> Option<String> {
    if let Some(mixed) = variables.iter().find(|variable| variable.kinds.len() > 1) {
        let kinds: Vec<String> = mixed.kinds.iter().map(|kind| format!("{kind}s")).collect();
        return Some(format!("`{}` holds {}", mixed.name, kinds.join(" and ")));
    }
    let numbers: Vec<String> = variables
        .iter()
        .filter(|variable| variable.kinds == ["number"])
        .take(MAX_NAMES)
        .map(|variable| format!("`{}`", variable.name))
        .collect();
    let (last, rest) = numbers.split_last()?;
    Some(if rest.is_empty() {
        format!("{last} stays a number")
    } else {
        format!("{} and {last} stay numbers", rest.join(", "))
    })
}

fn about_function(function: &Function) -> Option<(f64, Recommendation)> {
    if function.self_share < SMALL_SHARE || function.kind == FunctionKind::TopLevel {
        return None;
    }
    let mut reason = format!("{} of the time in itself", percent(function.self_share));
    if let Some(calls) = function.calls {
        reason += &format!(", {} calls", grouped(calls));
    }
    let subject = match (&function.file, function.line) {
        (Some(file), Some(line)) => {
            format!("function {} at {}:{line}", function.name, short_file(file))
        }
        _ => format!("built-in function {}", function.name),
    };
    let advice = match (function.kind, function.stability) {
        (FunctionKind::Intrinsic, _) => {
            "no compiler makes it faster: call it less, or with less to do".into()
        }
        (_, Some(score)) if score < STABLE => format!(
            "its operations meet the same kinds of values only {} of the time: keep variables to one kind, and objects to one shape",
            percent(score)
        ),
        _ if function.calls.is_some_and(|calls| calls >= OFTEN) => {
            "it is stable, which Kiln compiles well: what helps is calling it less, or giving it less to do".into()
        }
        _ => "it is stable, which Kiln compiles well: what helps is giving it less to do".into(),
    };
    let priority = if function.kind == FunctionKind::Intrinsic {
        priority(function.self_share, None).max(Priority::Medium)
    } else {
        priority(function.self_share, function.stability)
    };
    let recommendation = Recommendation {
        priority,
        subject,
        reason,
        advice,
    };
    Some((function.self_share, recommendation))
}

/// The most lines that are named in a sentence.
const MAX_LINES: usize = 6;

/// About places that do the same to the same kinds of values; there is one at least.
fn about_sites(sites: &[&Site]) -> (f64, Recommendation) {
    let site = sites[0];
    let mut lines: Vec<String> = sites.iter().map(|it| it.line.to_string()).collect();
    if lines.len() > MAX_LINES {
        lines.truncate(MAX_LINES);
        lines.push("…".into());
    }
    let kinds: Vec<String> = site
        .signatures
        .iter()
        .take(MAX_NAMES)
        .map(|signature| format!("{} {}", percent(signature.share), signature.text))
        .collect();
    let recommendation = Recommendation {
        priority: Priority::Medium,
        subject: format!(
            "{} at {}:{}",
            if site.is_call {
                "call"
            } else {
                &site.operation
            },
            short_file(&site.file),
            lines.join(", ")
        ),
        reason: format!(
            "{} executions of changing kinds: {}",
            grouped(sites.iter().map(|it| it.count).sum()),
            kinds.join(", ")
        ),
        advice: if site.signatures.iter().all(|it| it.text.starts_with("map{")) {
            "give these objects the same members in the same order where they are made: then one look serves all of them".into()
        } else {
            "keep its operands to one kind: then compiled code need not tell kinds apart".into()
        },
    };
    (0.0, recommendation)
}

/// What to do about a phase that takes long.
fn phase_advice(name: &str) -> Option<&'static str> {
    match name {
        "collector" => Some("allocate less, or keep objects for reuse"),
        "parse" | "compile" => Some("`kiln compile` does this ahead"),
        "waiting" => Some("the program waits by itself: no engine makes that faster"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str, kinds: &[&str]) -> Variable {
        Variable {
            name: name.into(),
            kinds: kinds.iter().map(|kind| (*kind).into()).collect(),
        }
    }

    fn busy_loop(share: f64, stability: f64, variables: Vec<Variable>) -> Profile {
        Profile {
            loops: vec![Loop {
                file: "dir/game.ms".into(),
                line: 15,
                share,
                iterations: Some(10_000),
                osr_candidate: true,
                stability: Some(stability),
                variables,
                ..Loop::default()
            }],
            ..Profile::default()
        }
    }

    #[test]
    fn a_hot_stable_loop_comes_with_its_reason() {
        let variables = vec![variable("sum", &["number"]), variable("i", &["number"])];
        let found = recommendations(&busy_loop(0.45, 1.0, variables));
        assert_eq!(found[0].priority, Priority::High);
        assert_eq!(found[0].subject, "loop at game.ms:15");
        assert_eq!(
            found[0].reason,
            "45 % of the time, 10,000 iterations, `sum` and `i` stay numbers"
        );
    }

    #[test]
    fn mixed_kinds_are_named() {
        let variables = vec![variable("x", &["number", "string"])];
        let found = recommendations(&busy_loop(0.45, 0.5, variables));
        assert_eq!(found[0].priority, Priority::Medium);
        assert!(found[0].reason.ends_with("`x` holds numbers and strings"));
        assert!(found[0].advice.contains("only 50 %"));
    }

    #[test]
    fn what_takes_little_time_is_no_subject() {
        assert_eq!(recommendations(&busy_loop(0.05, 1.0, Vec::new())), []);
    }
}
