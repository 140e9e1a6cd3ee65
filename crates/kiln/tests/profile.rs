//! What profiles say of known programs. Counts are exact; times are only compared with each other.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kiln::profile::{
    Ending, Function, FunctionKind, Loop, Method, Options, Profile, Recorder, SCHEMA_VERSION, Site,
    Style, Thresholds, folded_stacks, hotspots, report,
};
use kiln::{CompileOptions, Engine, Host};

/// A host that keeps what is printed.
#[derive(Default)]
struct Printer {
    output: Arc<Mutex<String>>,
}

impl Host for Printer {
    fn write_output(&mut self, text: &str) {
        self.output.lock().unwrap().push_str(text);
    }
}

/// Runs a program: its profile and what it printed.
fn run(program: &str, options: Options) -> (Profile, String) {
    let mut recorder = Recorder::new("dir/test.ms", options);
    let code = recorder
        .compile(program.as_bytes(), CompileOptions::default())
        .unwrap();
    let output = Arc::<Mutex<String>>::default();
    let host = Printer {
        output: output.clone(),
    };
    let mut interpreter = Engine::new().interpreter().host(host).build().unwrap();
    let (_, profile) = recorder.run(&mut interpreter, &code);
    let printed = output.lock().unwrap().clone();
    (profile, printed)
}

fn exact(program: &str) -> Profile {
    run(program, Options::default()).0
}

fn sampled(program: &str) -> Profile {
    let options = Options {
        method: Method::Sampled,
        ..Options::default()
    };
    run(program, options).0
}

fn function<'a>(profile: &'a Profile, name: &str) -> &'a Function {
    let mut functions = profile.functions.iter();
    functions.find(|function| function.name == name).unwrap()
}

fn loop_at(profile: &Profile, line: u32) -> &Loop {
    let mut loops = profile.loops.iter();
    loops.find(|measured| measured.line == line).unwrap()
}

/// Entries and iterations of the loop on a line.
fn passes(profile: &Profile, line: u32) -> (u64, u64) {
    let measured = loop_at(profile, line);
    (measured.entries.unwrap(), measured.iterations.unwrap())
}

fn site<'a>(profile: &'a Profile, line: u32, operation: &str) -> &'a Site {
    let mut sites = profile.sites.iter();
    sites
        .find(|site| site.line == line && site.operation == operation)
        .unwrap()
}

const FIB: &str = "\
fib = function(n)
  if n < 2 then return n
  return fib(n - 1) + fib(n - 2)
end function
print fib(15)";

#[test]
fn every_call_is_counted() {
    let profile = exact(FIB);
    assert_eq!(function(&profile, "fib").calls, Some(1973));
    assert_eq!(function(&profile, "print").calls, Some(1));
    let main = function(&profile, "(top level)");
    assert_eq!((main.calls, main.kind), (Some(1), FunctionKind::TopLevel));
    let fib = function(&profile, "fib");
    assert_eq!(
        (fib.line, fib.file.as_deref()),
        (Some(1), Some("dir/test.ms"))
    );
}

#[test]
fn times_add_up() {
    let profile = exact(FIB);
    let of_functions: u64 = profile.functions.iter().map(|it| it.self_ns).sum();
    let interpret = profile.phases.iter().find(|it| it.name == "interpret");
    assert_eq!(of_functions, interpret.unwrap().time_ns);
    let of_stacks: u64 = profile.stacks.iter().map(|it| it.self_ns).sum();
    assert_eq!(of_stacks, of_functions);
    let of_phases: u64 = profile.phases.iter().map(|it| it.time_ns).sum();
    assert_eq!(of_phases, profile.total_ns);
    // Recursion counts once, and the top level contains everything.
    assert!(profile.functions.iter().all(|it| it.self_ns <= it.total_ns));
    assert!(
        profile
            .functions
            .iter()
            .all(|it| it.total_ns <= of_functions)
    );
    assert_eq!(function(&profile, "(top level)").total_ns, of_functions);
}

#[test]
fn phases_come_with_what_halving_them_gains() {
    let profile = exact(FIB);
    let names: Vec<&str> = profile.phases.iter().map(|it| &*it.name).collect();
    assert_eq!(
        names,
        ["parse", "compile", "interpret", "collector", "waiting"]
    );
    for phase in &profile.phases {
        let expected = phase.share / (2.0 - phase.share);
        assert!((phase.gain_if_halved - expected).abs() < 1e-9);
    }
}

#[test]
fn iterations_of_all_kinds_of_loops_are_exact() {
    let profile = exact(
        "\
for i in range(1, 10)
  for j in [1, 2, 3]
    if j == 2 then continue
    x = i * j
  end for
end for
n = 0
while n < 7
  n = n + 1
  if n == 3 then continue
  while true
    break
  end while
end while
while n
  n = n - 1
  if n == 4 then break
end while
for never in []
end for
while n < 0
end while
for c in \"abc\"
end for
for key in {1: 2, 3: 4}
end for",
    );
    assert_eq!(passes(&profile, 1), (1, 10));
    assert_eq!(passes(&profile, 2), (10, 30));
    assert_eq!(passes(&profile, 8), (1, 7));
    assert_eq!(passes(&profile, 11), (6, 6));
    assert_eq!(passes(&profile, 15), (1, 3));
    assert_eq!(passes(&profile, 23), (1, 3));
    assert_eq!(passes(&profile, 25), (1, 2));
    let begun = |line| profile.loops.iter().find(|it| it.line == line);
    assert!(begun(19).is_none_or(|it| it.iterations == Some(0) && it.entries == Some(0)));
    assert!(begun(21).is_none_or(|it| it.iterations == Some(0) && it.entries == Some(0)));
}

#[test]
fn loops_in_functions_count_alike() {
    let profile = exact(
        "\
f = function(n)
  for i in range(1, n)
    if i == 4 then return i
  end for
  while true
    while true
      n = n + 1
      if n > 10 then break
    end while
    if n > 12 then break
  end while
end function
f 3
f 9",
    );
    assert_eq!(function(&profile, "f").calls, Some(2));
    // Three passes, then four until the `return`.
    assert_eq!(passes(&profile, 2), (2, 7));
    assert_eq!(passes(&profile, 5), (1, 3));
    assert_eq!(passes(&profile, 6), (3, 10));
}

#[test]
fn loops_of_recursive_functions_are_told_apart_by_entry() {
    let profile = exact(
        "\
walk = function(depth)
  for i in [1, 2]
    if depth > 0 then walk depth - 1
  end for
end function
walk 3",
    );
    assert_eq!(function(&profile, "walk").calls, Some(15));
    assert_eq!(passes(&profile, 2), (15, 30));
    let outer = loop_at(&profile, 2);
    assert!(outer.time_ns <= profile.total_ns && outer.share <= 1.0);
}

#[test]
fn variables_that_hold_functions_do_not_disturb_loops() {
    let profile = exact(
        "\
count = 0
limit = function
  return 5
end function
while count < limit
  count = count + 1
end while
next = function
  outer.count = outer.count - 1
  return outer.count
end function
while next > 0
end while",
    );
    assert_eq!(passes(&profile, 5), (1, 5));
    assert_eq!(function(&profile, "limit").calls, Some(6));
    assert_eq!(passes(&profile, 12), (1, 4));
    assert_eq!(function(&profile, "next").calls, Some(5));
}

#[test]
fn long_loops_are_candidates_for_replacement_on_the_stack() {
    let profile = exact(
        "\
for i in range(1, 2000)
end for
f = function
  for i in range(1, 5)
  end for
end function
for i in range(1, 400)
  f
end for",
    );
    assert!(loop_at(&profile, 1).osr_candidate);
    assert_eq!(passes(&profile, 4), (400, 2000));
    assert!(!loop_at(&profile, 4).osr_candidate);
}

#[test]
fn instructions_are_counted() {
    let profile = exact("x = 1\nfor i in range(1, 100)\n  x = x + i\nend for");
    let of = |name: &str| {
        let mut all = profile.operations.instructions.iter();
        all.find(|it| it.name == name).map_or(0, |it| it.count)
    };
    assert_eq!(of("add"), 100);
    let families: u64 = profile.operations.families.iter().map(|it| it.count).sum();
    let instructions: u64 = profile
        .operations
        .instructions
        .iter()
        .map(|it| it.count)
        .sum();
    assert_eq!(Some(families), profile.operations.total);
    assert_eq!(Some(instructions), profile.operations.total);
    let of_functions = profile.functions.iter().filter_map(|it| it.instructions);
    assert_eq!(Some(of_functions.sum()), profile.operations.total);
}

#[test]
fn stable_and_changing_types_are_scored() {
    let profile = exact(
        "\
twice = function(x)
  return x + x
end function
for i in range(1, 30)
  twice i
end for
for i in range(1, 10)
  twice \"a\"
end for",
    );
    let add = site(&profile, 2, "add");
    assert_eq!((add.count, add.score), (40, 0.75));
    let texts: Vec<&str> = add.signatures.iter().map(|it| &*it.text).collect();
    assert_eq!(texts, ["number + number", "string + string"]);
    assert_eq!(add.signatures[1].count, 10);
    let call = site(&profile, 5, "call");
    assert!(call.is_call);
    assert_eq!(call.score, 1.0);
    assert_eq!(call.signatures[0].text, "twice(number)");
    let stability = function(&profile, "twice").stability.unwrap();
    assert!((0.75..1.0).contains(&stability));
}

#[test]
fn members_are_told_apart_by_shape_and_methods_by_target() {
    let profile = exact(
        "\
a = {\"x\": 1}
b = {\"y\": 1, \"x\": 2}
for m in [a, a, a, b]
  n = m.x
end for
s = \"x,y\"
for i in range(1, 3)
  parts = s.split(\",\")
  s.len
end for",
    );
    let member = site(&profile, 4, "get_member");
    assert_eq!(member.signatures[0].text, "map{x}");
    assert_eq!((member.signatures[0].count, member.score), (3, 0.75));
    assert_eq!(member.signatures[1].text, "map{y, x}");
    assert_eq!(
        site(&profile, 8, "call_member").signatures[0].text,
        "string.split(string)"
    );
    // The interpreter has its own way to find a length: it counts all the same.
    assert_eq!(function(&profile, "len").calls, Some(3));
    assert_eq!(function(&profile, "split").calls, Some(3));
}

#[test]
fn short_ways_through_intrinsics_count_as_calls() {
    let profile = exact(
        "\
table = {1: \"a\", 2: \"b\"}
record = {\"k\": 1}
list = [1, 2, 3]
for i in range(1, 6)
  table.hasIndex i
  record.hasIndex \"k\"
  list.indexOf i
  list.push i
  list.pop
  floor i / 2
  char 65
  \"ab\".code
end for",
    );
    for (name, calls) in [
        ("hasIndex", 12),
        ("indexOf", 6),
        ("push", 6),
        ("pop", 6),
        ("floor", 6),
        ("char", 6),
        ("code", 6),
    ] {
        assert_eq!(function(&profile, name).calls, Some(calls), "{name}");
    }
}

#[test]
fn intrinsics_that_call_back_stand_between() {
    let profile = exact(
        "\
key = function(self)
  return -self.v
end function
Item = {\"v\": 0}
Item.key = @key
text = function
  return \"t\"
end function
list = [3, 1, 2]
list.sort
f = @text
print f",
    );
    assert_eq!(function(&profile, "sort").calls, Some(1));
    assert_eq!(function(&profile, "text").calls, Some(1));
}

#[test]
fn allocations_are_exact() {
    let profile = exact(
        "\
keep = []
for i in range(1, 50)
  keep.push [i]
end for
for i in range(1, 20)
  m = {}
end for",
    );
    let at = |line: u32, what: &str| {
        let mut sites = profile.allocations.sites.iter();
        sites
            .find(|it| it.line == line && it.what == what)
            .map_or(0, |it| it.cells)
    };
    // A list with an element: the list and its elements.
    assert_eq!(at(3, "list"), 100);
    assert_eq!(at(6, "map"), 20);
    assert_eq!(at(5, "range of a loop"), 1);
    let cells: u64 = profile.allocations.sites.iter().map(|it| it.cells).sum();
    let bytes: u64 = profile.allocations.sites.iter().map(|it| it.bytes).sum();
    assert_eq!(profile.allocations.cells, Some(cells));
    assert_eq!(profile.allocations.bytes, Some(bytes));
    // The same again gives the same.
    assert_eq!(exact(FIB).allocations, exact(FIB).allocations);
}

#[test]
fn memory_says_what_is_alive() {
    let options = Options {
        memory: true,
        ..Options::default()
    };
    let (profile, _) = run(
        "\
points = []
for i in range(1, 30)
  points.push {\"left\": i, \"top\": i}
end for
words = []
for i in range(1, 12)
  words.push \"abcdefgh\".upper
  words[-1].len
  words[-1].indexOf \"Z\"
end for",
        options,
    );
    let memory = profile.memory.as_ref().unwrap();
    let keys = ["left".to_owned(), "top".to_owned()];
    let shape = memory
        .shapes
        .iter()
        .find(|it| it.keys.as_deref() == Some(&keys))
        .unwrap();
    assert_eq!(shape.maps, 30);
    let maps = memory.kinds.iter().find(|it| it.kind == "maps").unwrap();
    assert!(maps.live_cells >= 30 && maps.peak_cells >= maps.live_cells);
    let copies = memory.strings.worst.iter().find(|it| it.text == "ABCDEFGH");
    assert_eq!(copies.map(|it| it.strings), Some(12));
    assert!(memory.strings.duplicate_bytes > 0);
    assert!(memory.strings.distinct < memory.strings.strings);
}

#[test]
fn profiling_changes_no_output() {
    let program = "\
f = function(x)
  return x * 2
end function
for i in range(1, 300)
  s = [i, f(i), {\"k\": i}, \"t\" + i]
end for
print s
print locals.len
print f(21)";
    let (exact, printed) = run(program, Options::default());
    let (_, sampled) = run(
        program,
        Options {
            method: Method::Sampled,
            memory: true,
        },
    );
    assert_eq!(printed, sampled);
    assert_eq!(printed.lines().count(), 3, "{printed}");
    assert_eq!(exact.ending, Ending::Finished);
}

#[test]
fn every_ending_has_its_profile() {
    let profile = exact("f = function\n  exit 7\nend function\nf");
    assert_eq!(profile.ending, Ending::Exit { status: 7 });
    assert_eq!(function(&profile, "f").calls, Some(1));
    let profile =
        exact("f = function\n  return nosuch\nend function\nfor i in [1, 2]\n  f\nend for");
    assert!(matches!(&profile.ending, Ending::Error { message } if message.contains("nosuch")));
    assert_eq!(function(&profile, "f").calls, Some(1));
    assert_eq!(passes(&profile, 4), (1, 1));
    let of_functions: u64 = profile.functions.iter().map(|it| it.self_ns).sum();
    assert!(of_functions <= profile.total_ns);
}

#[test]
fn an_interrupted_program_has_its_profile() {
    let mut recorder = Recorder::new("endless", Options::default());
    let code = recorder
        .compile(b"while true\n  n = 1\nend while", CompileOptions::default())
        .unwrap();
    let mut interpreter = Engine::new()
        .interpreter()
        .host(Printer::default())
        .build()
        .unwrap();
    let interrupter = interpreter.interrupter();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(30));
        interrupter.interrupt();
    });
    let (outcome, profile) = recorder.run(&mut interpreter, &code);
    thread.join().unwrap();
    assert!(outcome.is_err());
    assert_eq!(profile.ending, Ending::Interrupted);
    let (entries, iterations) = passes(&profile, 1);
    assert!(entries == 1 && iterations > 0);
}

#[test]
fn deep_recursion_is_measured_too() {
    let profile = exact(
        "\
down = function(n)
  if n > 0 then return down(n - 1)
  return 0
end function
down 20000",
    );
    assert_eq!(function(&profile, "down").calls, Some(20_001));
    assert!(profile.stacks.len() < 2000);
}

#[test]
fn waiting_is_no_work() {
    let profile = exact("wait 0.05\nyield");
    let phase = |name: &str| profile.phases.iter().find(|it| it.name == name).unwrap();
    assert!(phase("waiting").time_ns >= 50_000_000);
    assert!(phase("interpret").time_ns < profile.total_ns);
    assert_eq!(function(&profile, "wait").calls, Some(1));
}

#[test]
fn samples_find_where_the_time_goes() {
    let profile = sampled(
        "\
busy = function
  n = 0
  for i in range(1, 20000)
    n = n + i % 7
  end for
  return n
end function
start = time
while time - start < 0.3
  busy
end while",
    );
    assert_eq!(profile.method, Method::Sampled);
    assert!(profile.samples.unwrap() > 0);
    let busy = function(&profile, "busy");
    assert_eq!(busy.calls, None);
    assert!(busy.self_share > 0.5, "{}", busy.self_share);
    assert!(loop_at(&profile, 3).share > 0.5);
    let of_functions: u64 = profile.functions.iter().map(|it| it.self_ns).sum();
    let interpret = profile.phases.iter().find(|it| it.name == "interpret");
    assert_eq!(of_functions, interpret.unwrap().time_ns);
}

#[test]
fn a_sample_does_not_shorten_a_wait() {
    let started = std::time::Instant::now();
    let profile = sampled("wait 0.1");
    assert!(started.elapsed() >= Duration::from_millis(100));
    assert_eq!(profile.ending, Ending::Finished);
}

#[test]
fn hot_spots_are_ranked_by_thresholds() {
    let profile = exact(&format!("{FIB}\nfor i in range(1, 1500)\nend for"));
    let found = hotspots(&profile, &Thresholds::default());
    let subjects: Vec<String> = found.iter().map(|it| it.subject()).collect();
    assert!(
        subjects.contains(&"function fib at test.ms:1".to_owned()),
        "{subjects:?}"
    );
    assert!(
        subjects.contains(&"loop at test.ms:6".to_owned()),
        "{subjects:?}"
    );
    let strict = Thresholds {
        share: 1.0,
        calls: 2000,
        iterations: 2000,
        stability: 0.8,
    };
    assert_eq!(hotspots(&profile, &strict), []);
}

#[test]
fn json_comes_back_as_it_was() {
    let profile = exact(FIB);
    let read: Profile = serde_json::from_str(&profile.to_json()).unwrap();
    assert_eq!(read.schema_version, SCHEMA_VERSION);
    assert_eq!(read.functions.len(), profile.functions.len());
    assert_eq!(function(&read, "fib").calls, Some(1973));
}

#[test]
fn folded_stacks_name_the_callers() {
    let profile = exact(
        "\
inner = function
  for i in range(1, 3000)
  end for
end function
middle = function
  inner
end function
middle",
    );
    let folded = folded_stacks(&profile);
    let line = folded.lines().find(|line| line.contains("inner")).unwrap();
    let (stack, time) = line.rsplit_once(' ').unwrap();
    assert_eq!(
        stack,
        "(top level) test.ms:1;middle test.ms:5;inner test.ms:1"
    );
    assert!(time.parse::<u64>().unwrap() > 0);
}

#[test]
fn reports_say_what_there_is_to_say() {
    let style = Style::default();
    let text = report(&exact(""), &style);
    assert!(text.contains("The program is empty"), "{text}");
    let text = report(&exact("x = 1 + 2\ny = x * 3"), &style);
    assert!(text.contains("It calls no function"), "{text}");
    let text = report(&exact("x = nosuch"), &style);
    assert!(text.contains("ended by an error"), "{text}");
    let text = report(
        &exact("sum = 0\nfor i in range(1, 5000)\n  sum = sum + i\nend for"),
        &style,
    );
    assert!(text.contains("HIGH: loop at test.ms:2, "), "{text}");
    assert!(text.contains("5,000 iterations"), "{text}");
    assert!(text.contains("stay numbers"), "{text}");
}

#[test]
fn lines_have_the_time_of_the_built_in_functions_they_call() {
    let program = "names = range(1, 4000)\nfor i in range(1, 200)\n  x = i % 7\n  at = names.indexOf(4000 - x)\nend for";
    let mut recorder = Recorder::new("names.ms", Options::default());
    let code = recorder
        .compile(program.as_bytes(), CompileOptions::default())
        .unwrap();
    let mut interpreter = Engine::new().interpreter().build().unwrap();
    let (outcome, profile) = recorder.run(&mut interpreter, &code);
    outcome.unwrap();
    let hottest = profile
        .lines
        .iter()
        .max_by_key(|line| line.time_ns)
        .unwrap();
    assert_eq!(hottest.line, 4);
    // The lines' times add up to that of all functions.
    let lines: u64 = profile.lines.iter().map(|line| line.time_ns).sum();
    let functions: u64 = profile.functions.iter().map(|it| it.self_ns).sum();
    let difference = lines.abs_diff(functions);
    assert!(difference <= functions / 100, "{lines} of {functions}");
}
