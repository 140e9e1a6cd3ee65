//! What is told about optimized code: what was inlined, what was assumed, which guards failed and why, what stayed boxed.

use kiln::profile::{
    Assumption, GuardKind, Method, Optimization, Options, Profile, Recorder, Style, TierChangeKind,
    explain,
};
use kiln::{
    CompileOptions, Engine, Interpreter, JitOptions, Limits, Tier, TierEvent, TierEventKind,
};

/// An interpreter that optimizes soon, and in this thread.
fn optimizing(record: bool) -> Interpreter {
    let jit = JitOptions {
        tier: Tier::Optimizing,
        threshold: 20,
        optimize_threshold: 60,
        background: false,
        record,
        ..JitOptions::default()
    };
    Engine::new()
        .interpreter()
        .limits(Limits::TRUSTED)
        .jit(jit)
        .build()
        .unwrap()
}

/// Profiles a program; in sampled mode its hot functions are optimized soon, and in this thread.
fn profile(program: &str, method: Method) -> Profile {
    let options = Options {
        method,
        memory: false,
    };
    let mut recorder = Recorder::new("game.ms", options);
    let code = recorder
        .compile(program.as_bytes(), CompileOptions::default())
        .unwrap();
    let mut interpreter = optimizing(true);
    let (outcome, profile) = recorder.run(&mut interpreter, &code);
    outcome.unwrap();
    profile
}

/// Of machines for which there is no compiler nothing is told.
fn can_compile(profile: &Profile) -> bool {
    !profile.tier_changes.is_empty()
}

/// What the compiler made of a function in the end.
fn optimization<'a>(profile: &'a Profile, function: &str) -> &'a Optimization {
    let changes = profile.tier_changes.iter().rev();
    let mut made = changes.filter(|change| change.function == function);
    made.find_map(|change| change.optimization.as_ref())
        .unwrap_or_else(|| panic!("{function} was not optimized: {:?}", profile.tier_changes))
}

fn explained(program: &str, line: u32) -> String {
    let fast = profile(program, Method::Sampled);
    let counted = profile(program, Method::Exact);
    explain(&counted, Some(&fast), Some(line), &Style::default()).unwrap()
}

const INLINES: &str = "square = function(x)
  return x * x
end function
sumOfSquares = function(n)
  total = 0
  for i in range(1, n)
    total += square(i)
  end for
  return total
end function
result = 0
for round in range(1, 100)
  result += sumOfSquares(300)
end for";

#[test]
fn inlined_functions_are_told_with_what_is_assumed() {
    let fast = profile(INLINES, Method::Sampled);
    if !can_compile(&fast) {
        return;
    }
    let made = optimization(&fast, "sumOfSquares");
    let inlined: Vec<(&str, &str, u32)> = made
        .inlined
        .iter()
        .map(|it| (&*it.function, &*it.call.function, it.call.line))
        .collect();
    assert!(
        inlined.contains(&("square", "sumOfSquares", 7)),
        "{inlined:?}"
    );
    let square = Assumption::ConstantGlobal {
        name: "square".into(),
    };
    assert!(made.assumptions.contains(&square), "{made:?}");
    assert_eq!(fast.guard_failures, []);
    // Every installed code says where the time of its making went.
    let installed = fast.tier_changes.iter().filter(|change| {
        matches!(
            change.event,
            TierChangeKind::Installed | TierChangeKind::Optimized
        )
    });
    for change in installed {
        let phases = change.phases.unwrap();
        let is_optimized = change.event == TierChangeKind::Optimized;
        assert!(phases.generator_ns > 0, "{change:?}");
        assert_eq!(phases.optimizer_ns > 0, is_optimized, "{change:?}");
    }
    let text = explained(INLINES, 5);
    assert!(text.contains("Inlined\n  - line 7: `square`"), "{text}");
    assert!(text.contains("never assigned again"), "{text}");
    let text = explained(INLINES, 2);
    assert!(
        text.contains("itself built into `sumOfSquares`, which calls it in line 7"),
        "{text}"
    );
}

const FAILS: &str = "addUp = function(items)
  total = 0
  for item in items
    total += item
  end for
  return total
end function
items = range(1, 200)
for round in range(1, 200)
  last = addUp(items)
  if round == 150 then items[100] = \"x\"
end for";

#[test]
fn guards_that_fail_are_told_with_what_they_met() {
    let fast = profile(FAILS, Method::Sampled);
    if !can_compile(&fast) {
        return;
    }
    let mut failures = fast.guard_failures.iter();
    let failure = failures
        .find(|it| it.guard.variable.as_deref() == Some("item"))
        .unwrap_or_else(|| panic!("{:?}", fast.guard_failures));
    assert_eq!(failure.function, "addUp");
    assert_eq!(failure.guard.kind, GuardKind::Kind);
    assert_eq!(failure.guard.place.line, 4);
    assert_eq!(failure.guard.expected, "a number");
    assert_eq!(failure.met.as_deref(), Some("a string"));
    assert!(failure.count > 0);
    let mut changes = fast.tier_changes.iter();
    let lost = changes.find(|it| it.event == TierChangeKind::Deoptimized);
    let reason = lost.unwrap().reason.as_deref().unwrap();
    assert!(
        reason.starts_with("gave up in line ") && reason.contains(": the code expected that `"),
        "{reason}"
    );
    let made = optimization(&fast, "addUp");
    // The code that is in use now expects nothing of the kind any more.
    let is_about_item = |name: &Option<String>| name.as_deref() == Some("item");
    let mut guards = made.guards.iter();
    assert!(
        !guards.any(|guard| is_about_item(&guard.variable) && guard.expected == "a number"),
        "{made:?}"
    );
    let text = explained(FAILS, 4);
    assert!(
        text.contains("the code expected that `item` is a number, and met a string"),
        "{text}"
    );
    assert!(text.contains("let `item` stay a number"), "{text}");
}

const BOXED: &str = "pick = function(i)
  best = null
  for k in range(1, i)
    if best == null or k % 7 > best then best = k % 7
    if k % 5 == 0 then best = null
  end for
  return best
end function
for i in range(1, 300)
  x = pick(40)
end for";

#[test]
fn variables_that_stay_boxed_are_told_with_the_reason() {
    let fast = profile(BOXED, Method::Sampled);
    if !can_compile(&fast) {
        return;
    }
    let made = optimization(&fast, "pick");
    let mut boxed = made.boxed.iter();
    let best = boxed.find(|it| it.name == "best");
    let best = best.unwrap_or_else(|| panic!("{made:?}"));
    assert_eq!(best.place.function, "pick");
    let sources: Vec<&str> = best.sources.iter().map(|it| &*it.what).collect();
    assert!(sources.contains(&"null"), "{sources:?}");
    let text = explained(BOXED, 2);
    assert!(text.contains("`best` in the loop at line 3: "), "{text}");
    // What always is a number is not among them.
    assert!(made.boxed.iter().all(|it| it.name != "k"), "{made:?}");
}

#[test]
fn broken_assumptions_are_told() {
    let mut interpreter = optimizing(true);
    let mut run = |text: &str| {
        let program = interpreter.compile("game.ms", text).unwrap();
        interpreter.run(&program).unwrap();
        interpreter.jit_report()
    };
    let report = run(INLINES);
    if report.events.is_empty() {
        return;
    }
    let is_lost = |event: &&TierEvent| matches!(event.kind, TierEventKind::Deoptimized { .. });
    assert!(!report.events.iter().any(|event| is_lost(&event)));
    let report = run("square = function(x)\n  return x\nend function\n\
         for round in range(1, 100)\n  last = sumOfSquares(300)\nend for");
    let lost = report.events.iter().find(is_lost);
    let lost = lost.unwrap_or_else(|| panic!("{:?}", report.events));
    assert_eq!(lost.function, "sumOfSquares");
    assert!(
        lost.to_string().contains("an assumption was broken"),
        "{lost}"
    );
    // It is optimized again, with what holds now.
    let mut after = report.events.iter().rev();
    let newest = after.find(|event| event.function.starts_with("sumOfSquares"));
    assert!(
        matches!(newest.unwrap().kind, TierEventKind::Optimized { .. }),
        "{newest:?}"
    );
}

#[test]
fn nothing_is_recorded_unless_asked_for() {
    let mut interpreter = optimizing(false);
    let program = interpreter.compile("game.ms", FAILS).unwrap();
    interpreter.run(&program).unwrap();
    let report = interpreter.jit_report();
    assert_eq!((report.events, report.guard_failures), (vec![], vec![]));
}

#[test]
fn pauses_of_the_collector_have_their_times() {
    let program =
        "l = []\nfor i in range(1, 60000)\n  l = [i, l]\n  if i % 100 == 0 then l = []\nend for";
    let counted = profile(program, Method::Exact);
    let collections = &counted.collections;
    assert!(!collections.timeline.is_empty());
    assert_eq!(collections.timeline.len() as u64, collections.pauses);
    let total: u64 = collections.timeline.iter().map(|it| it.duration_ns).sum();
    assert_eq!(total, collections.total_ns);
    let times: Vec<u64> = collections.timeline.iter().map(|it| it.time_ns).collect();
    assert!(times.is_sorted(), "{times:?}");
}
