//! What hosts rely on: limits hold, panics are contained, suspended scripts and calls get along.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use kiln::{
    AsContext, Class, Engine, Error, Function, Interpreter, Intrinsic, Limits, Outcome, Progress,
    RuntimeError, Value,
};

const SLICE: Duration = Duration::from_millis(2);

fn interpreter(program: &str) -> Interpreter {
    with(Vec::new(), program)
}

/// An interpreter with intrinsics that has run a program.
fn with(intrinsics: Vec<Intrinsic>, program: &str) -> Interpreter {
    let engine = Engine::new();
    let mut interpreter = engine.interpreter().intrinsics(intrinsics).build().unwrap();
    let program = engine.compile("test", program).unwrap();
    interpreter.run(&program).unwrap();
    interpreter
}

fn start(interpreter: &mut Interpreter, program: &str) {
    let program = interpreter.compile("test", program).unwrap();
    interpreter.start(&program).unwrap();
}

fn message(error: &Error) -> String {
    match error {
        Error::Script(error) => error.error.to_string(),
        other => other.to_string(),
    }
}

#[test]
fn endless_loops_of_all_kinds_end_with_their_slice() {
    for program in [
        "while true\nend while",
        "f = function\nreturn 1\nend function\nwhile true\nf\nend while",
        "for i in range(1, 1000000)\nfor j in range(1, 1000000)\nend for\nend for",
        "f = function(n)\nwhile true\nend while\nend function\nf 1",
    ] {
        let mut interpreter = interpreter("");
        start(&mut interpreter, program);
        for _ in 0..3 {
            assert_eq!(interpreter.run_for(SLICE).unwrap(), Progress::SliceOver);
        }
        assert!(interpreter.is_running());
        interpreter.stop();
        assert!(!interpreter.is_running());
    }
}

#[test]
fn a_suspended_script_goes_on_where_it_was() {
    let mut interpreter = interpreter("");
    start(
        &mut interpreter,
        "sum = 0\nadd = function(x)\nglobals.sum = sum + x\nend function\nfor i in range(1, 300)\nadd i\nend for",
    );
    let mut steps = 0;
    while !interpreter.step().unwrap().is_done() {
        steps += 1;
    }
    assert!(steps > 300, "{steps}");
    assert_eq!(interpreter.global::<f64>("sum").unwrap(), 45150.0);
}

#[test]
fn memory_bombs_end_with_an_error() {
    for bomb in [
        "l = []\nwhile true\nl.push \"x\" * 1000\nend while",
        "s = \"x\"\nwhile true\ns = s + s\nend while",
        "m = {}\nwhile true\nm = {\"m\": m, \"n\": [m, m]}\nend while",
        "l = [1]\nwhile true\nl = l + l\nend while",
    ] {
        let mut interpreter = interpreter("x = 1");
        let program = interpreter.compile("bomb", bomb).unwrap();
        let error = interpreter.run(&program).unwrap_err();
        assert!(
            matches!(
                error.error,
                RuntimeError::OutOfMemory(_)
                    | RuntimeError::StringTooLarge
                    | RuntimeError::ListTooLarge
            ),
            "{bomb}: {error}"
        );
        // The interpreter is none the worse for it.
        assert_eq!(interpreter.global::<f64>("x").unwrap(), 1.0);
        interpreter.reset().unwrap();
        interpreter.set_global("x", 2).unwrap();
        assert_eq!(interpreter.global::<f64>("x").unwrap(), 2.0);
    }
}

#[test]
fn endless_recursion_ends_with_an_error() {
    let mut interpreter = interpreter("f = function(n)\nreturn f(n + 1) + 1\nend function");
    let error = interpreter.call::<f64>("f", (0,)).unwrap_err();
    assert_eq!(message(&error), "Call stack overflow");
}

#[test]
fn time_in_all_is_limited() {
    let engine = Engine::new();
    let limits = Limits {
        run_time: Some(Duration::from_millis(20)),
        ..Limits::default()
    };
    let mut interpreter = engine.interpreter().limits(limits).build().unwrap();
    start(&mut interpreter, "while true\nend while");
    let error = loop {
        match interpreter.run_for(SLICE) {
            Ok(progress) => assert_eq!(progress, Progress::SliceOver),
            Err(error) => break error,
        }
    };
    assert_eq!(message(&error), "the time limit is reached");
    // There is none left for anything else.
    start(&mut interpreter, "x = 1");
    assert!(interpreter.resume().is_err());
    assert!(!interpreter.is_running());
}

#[test]
fn a_call_from_rust_has_a_limit_of_its_own() {
    let engine = Engine::new();
    let limits = Limits {
        call_time: Some(Duration::from_millis(10)),
        ..Limits::default()
    };
    let mut interpreter = engine.interpreter().limits(limits).build().unwrap();
    let program =
        "f = function\nwhile true\nend while\nend function\ng = function\nreturn 1\nend function";
    let program = engine.compile("test", program).unwrap();
    interpreter.run(&program).unwrap();
    let f: Function = interpreter.global("f").unwrap();
    let error = f.call::<()>(&mut interpreter, ()).unwrap_err();
    assert_eq!(message(&error), "the time limit is reached");
    assert_eq!(interpreter.call::<f64>("g", ()).unwrap(), 1.0);
}

#[test]
fn long_operations_of_the_runtime_can_be_interrupted() {
    for operation in [
        "range(1, 400000).sort(\"x\")",
        "x = range(1, 4000000) * 3",
        "a = range(1, 2000000).join(\",\")",
        "x = [range(1, 900000)] == [range(1, 900000)]",
        "x = str([range(1, 900000)])",
    ] {
        let engine = Engine::new();
        let limits = Limits {
            call_time: Some(Duration::from_millis(1)),
            heap_bytes: 1 << 30,
            ..Limits::default()
        };
        let mut interpreter = engine.interpreter().limits(limits).build().unwrap();
        let program = format!("f = function\nwhile true\n{operation}\nend while\nend function");
        let program = engine.compile("test", &program).unwrap();
        interpreter.run(&program).unwrap();
        let error = interpreter.call::<()>("f", ()).unwrap_err();
        assert_eq!(message(&error), "the time limit is reached", "{operation}");
    }
}

#[test]
fn panics_of_the_host_become_script_errors() {
    let explode = Intrinsic::new("explode", |_| -> Result<(), Error> { panic!("boom") });
    let mut interpreter = with(vec![explode], "x = 1");
    let program = interpreter
        .compile("test", "f = function\nexplode\nend function\nf")
        .unwrap();
    for _ in 0..3 {
        let error = interpreter.run(&program).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Runtime Error: explode: the host panicked: boom [line 2]"
        );
        assert_eq!(error.stack.len(), 2);
        assert_eq!(interpreter.global::<f64>("x").unwrap(), 1.0);
    }
}

#[test]
fn a_panic_of_an_output_callback_is_contained() {
    let engine = Engine::new();
    let mut interpreter = engine
        .interpreter()
        .output(|_| panic!("no paper"))
        .build()
        .unwrap();
    let program = engine.compile("test", "print 1").unwrap();
    let error = interpreter.run(&program).unwrap_err();
    assert_eq!(
        error.error.to_string(),
        "print: the host panicked: no paper"
    );
}

#[test]
fn intrinsics_may_call_functions_that_call_intrinsics() {
    let apply = Intrinsic::new("apply", |call| {
        let function: Function = call.argument(0)?;
        let depth: f64 = call.argument(1)?;
        function.call::<f64>(call, (depth,))
    })
    .parameter("function")
    .parameter("depth");
    let mut interpreter = with(
        vec![apply],
        "down = function(n)\nif n == 0 then return nosuch\nreturn apply(@down, n - 1) + 1\nend function",
    );
    let error = interpreter.call::<f64>("down", (5,)).unwrap_err();
    let Error::Script(error) = error else {
        panic!("a script error was expected");
    };
    assert_eq!(error.stack.len(), 6);
    interpreter.set_global("nosuch", 1).unwrap();
    assert_eq!(interpreter.call::<f64>("down", (5,)).unwrap(), 6.0);
}

#[test]
fn functions_that_the_host_waits_for_cannot_wait() {
    let mut interpreter = interpreter(
        "f = function\nyield\nwait 1\nend function\ng = function\nyield\nreturn 2\nend function",
    );
    let error = interpreter.call::<()>("f", ()).unwrap_err();
    assert_eq!(message(&error), "a function called by the host cannot wait");
    assert_eq!(interpreter.call::<f64>("g", ()).unwrap(), 2.0);
}

#[test]
fn functions_can_be_called_while_a_script_is_suspended() {
    let mut interpreter = interpreter(
        "hits = 0\nhit = function(n)\nglobals.hits = hits + n\nreturn [hits]\nend function",
    );
    interpreter.set_gc_stress(true);
    start(
        &mut interpreter,
        "log = []\nwork = function(list)\nfor i in range(1, 20)\nyield\nlist.push \"item \" + i + \" \" + hits\nend for\nreturn list\nend function\nresult = work([])",
    );
    let mut frames = 0;
    while !interpreter
        .run_for(Duration::from_secs(10))
        .unwrap()
        .is_done()
    {
        frames += 1;
        let hits: Vec<f64> = interpreter.call("hit", (2,)).unwrap();
        assert_eq!(hits, [f64::from(2 * frames)]);
        // An error in the call concerns the call alone, and its stack is the call's.
        let error = interpreter.call::<()>("hit", (1, 2)).unwrap_err();
        assert_eq!(message(&error), "Too Many Arguments");
    }
    let result: Vec<String> = interpreter.global("result").unwrap();
    assert_eq!((result.len(), &*result[19]), (20, "item 20 40"));
}

#[test]
fn only_one_script_can_be_started() {
    let mut interpreter = interpreter("");
    start(&mut interpreter, "yield");
    let program = interpreter.compile("test", "x = 1").unwrap();
    assert!(matches!(interpreter.start(&program), Err(Error::Busy)));
    interpreter.stop();
    interpreter.start(&program).unwrap();
    assert_eq!(
        interpreter.resume().unwrap(),
        Progress::Done(Outcome::Finished)
    );
    // Nothing is left to do.
    assert!(interpreter.resume().unwrap().is_done());
}

#[test]
fn what_a_stopped_script_has_assigned_stays() {
    let mut interpreter = interpreter("");
    start(&mut interpreter, "x = 1\nx = x + 1\nyield\nx = 10");
    assert_eq!(interpreter.resume().unwrap(), Progress::Yielded);
    interpreter.stop();
    assert_eq!(interpreter.global::<f64>("x").unwrap(), 2.0);
}

/// Counts how many are alive.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(alive: &Arc<AtomicUsize>) -> Counted {
        alive.fetch_add(1, Ordering::Relaxed);
        Counted(alive.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An interpreter whose intrinsic `make` makes objects.
fn maker(alive: &Arc<AtomicUsize>) -> Interpreter {
    let class = Class::<Counted>::new("Counted").method("touch", &[], |_, _| Ok(()));
    let counter = alive.clone();
    let make = Intrinsic::new("make", move |call| {
        class.object(call, Counted::new(&counter))
    });
    with(vec![make], "")
}

#[test]
fn objects_are_dropped_when_no_script_can_reach_them() {
    let alive = Arc::new(AtomicUsize::new(0));
    let mut interpreter = maker(&alive);
    let program = interpreter
        .compile(
            "test",
            "kept = make\nfor i in range(1, 50000)\nx = make\nx.touch\nend for",
        )
        .unwrap();
    interpreter.run(&program).unwrap();
    let left = alive.load(Ordering::Relaxed);
    assert!((1..40_000).contains(&left), "{left}");
    drop(interpreter);
    assert_eq!(alive.load(Ordering::Relaxed), 0);
}

#[test]
fn dropping_an_interpreter_drops_everything_even_in_mid_script() {
    let alive = Arc::new(AtomicUsize::new(0));
    let counted = Counted::new(&alive);
    let captured = Intrinsic::resumable("ask", move |_, state: &mut Option<Counted>| {
        state.get_or_insert_with(|| Counted::new(&counted.0));
        Ok(Poll::<()>::Pending)
    });
    let mut interpreter = maker(&alive);
    interpreter.define(captured).unwrap();
    start(
        &mut interpreter,
        "f = function(x)\nask\nreturn x\nend function\nf make",
    );
    assert_eq!(interpreter.resume().unwrap(), Progress::Pending);
    assert_eq!(interpreter.resume().unwrap(), Progress::Pending);
    assert_eq!(alive.load(Ordering::Relaxed), 3);
    drop(interpreter);
    assert_eq!(alive.load(Ordering::Relaxed), 0);
}

#[test]
fn members_of_objects_are_guarded() {
    struct Cell(f64);
    let class = Class::<Cell>::new("Cell")
        .property("read", |cell| cell.0)
        .variable("value", |cell| cell.0, |cell, value: f64| cell.0 = value)
        .method("with", &["function"], |cell, call| {
            let function: Function = call.argument(0)?;
            cell.0 += 1.0;
            function.call::<Value>(call, ())
        });
    let mut interpreter = interpreter(
        "run = function\ncell.with @inner\nend function\ninner = function\nreturn cell.value\nend function",
    );
    let cell = class.object(&mut interpreter, Cell(1.0)).unwrap();
    interpreter.set_global("cell", &cell).unwrap();
    for (program, expected) in [
        ("cell.read = 2", "read cannot be assigned"),
        ("cell.nosuch", "Key Not Found: 'nosuch' not found in map"),
        (
            "cell.nosuch = 1",
            "Key Not Found: 'nosuch' not found in map",
        ),
        ("cell.value = \"x\"", "expected number, got string"),
        ("run", "the object is in use"),
    ] {
        let program = interpreter.compile("test", program).unwrap();
        let error = interpreter.run(&program).unwrap_err();
        assert_eq!(error.error.to_string(), expected);
    }
    // A failed call gives the object back.
    let value = cell.borrow(&mut interpreter, |cell: &mut Cell| cell.0);
    assert_eq!(value.unwrap(), 2.0);
}

#[test]
fn values_of_another_interpreter_are_refused() {
    let mut one = interpreter("list = [1]\nf = function\nreturn 1\nend function");
    let mut other = interpreter("");
    let list: Value = one.global("list").unwrap();
    assert!(matches!(other.set_global("x", &list), Err(Error::Foreign)));
    let f: Function = one.global("f").unwrap();
    assert!(matches!(f.call::<f64>(&mut other, ()), Err(Error::Foreign)));
}

#[test]
fn references_keep_values_alive_and_release_them() {
    let mut interpreter = interpreter("");
    interpreter.set_gc_stress(true);
    let lists: Vec<kiln::List> = (0..50)
        .map(|number| {
            interpreter
                .with(|context| {
                    let list = context.new_list()?;
                    list.push(context, format!("number {number}"))?;
                    Ok(list)
                })
                .unwrap()
        })
        .collect();
    for (number, list) in lists.iter().enumerate() {
        let text: String = list.get(&mut interpreter, 0).unwrap();
        assert_eq!(text, format!("number {number}"));
    }
}

#[test]
fn a_resumable_intrinsic_keeps_its_arguments() {
    let slow = Intrinsic::resumable("slow", |call, asked: &mut usize| {
        *asked += 1;
        if *asked < 4 {
            return Ok(Poll::Pending);
        }
        let text: String = call.argument(1)?;
        Ok(Poll::Ready(text))
    })
    .parameter("a")
    .parameter_or("b", "a default that is no short text");
    let mut interpreter = with(
        vec![slow],
        "f = function(n)\nreturn [n] * 100\nend function",
    );
    interpreter.set_gc_stress(true);
    start(
        &mut interpreter,
        "x = slow\ny = slow(1, \"an \" + \"argument\")",
    );
    while !interpreter.resume().unwrap().is_done() {
        interpreter.call::<Value>("f", ("overwrite",)).unwrap();
    }
    assert_eq!(
        interpreter.global::<String>("x").unwrap(),
        "a default that is no short text"
    );
    assert_eq!(interpreter.global::<String>("y").unwrap(), "an argument");
}

#[test]
fn deferred_results_that_never_come_are_errors() {
    let lost = Intrinsic::deferred("lost", |_| {
        let (completer, result) = kiln::deferred::<f64>();
        drop(completer);
        Ok(result)
    });
    let mut interpreter = with(vec![lost], "");
    let program = interpreter.compile("test", "lost").unwrap();
    let error = interpreter.run(&program).unwrap_err();
    assert_eq!(error.error.to_string(), "the result was never delivered");
}

#[test]
fn interpreters_run_on_many_threads_and_change_them() {
    let engine = Engine::new();
    let program = engine
        .compile(
            "test",
            "sum = 0\nfor i in range(1, 20)\nsum = sum + i * factor\nyield\nend for",
        )
        .unwrap();
    let interpreters: Vec<Mutex<Interpreter>> = (0..32)
        .map(|factor| {
            let mut interpreter = engine.interpreter().build().unwrap();
            interpreter.set_global("factor", factor).unwrap();
            interpreter.start(&program).unwrap();
            Mutex::new(interpreter)
        })
        .collect();
    thread::scope(|scope| {
        for first in 0..4 {
            let interpreters = &interpreters;
            scope.spawn(move || {
                for frame in 0..24 {
                    for index in 0..interpreters.len() {
                        let at = (index * 7 + first * 11 + frame) % interpreters.len();
                        let mut interpreter = interpreters[at].lock().unwrap();
                        interpreter.run_for(Duration::from_secs(10)).unwrap();
                    }
                }
            });
        }
    });
    for (factor, interpreter) in interpreters.iter().enumerate() {
        let mut interpreter = interpreter.lock().unwrap();
        assert!(!interpreter.is_running());
        assert_eq!(
            interpreter.global::<f64>("sum").unwrap(),
            210.0 * factor as f64
        );
    }
}

#[test]
fn a_slice_that_nothing_uses_up_costs_no_time() {
    let mut interpreter = interpreter("");
    start(&mut interpreter, "while true\nyield\nend while");
    let begun = Instant::now();
    for _ in 0..1000 {
        let progress = interpreter.run_for(Duration::from_secs(100)).unwrap();
        assert_eq!(progress, Progress::Yielded);
    }
    assert!(begun.elapsed() < Duration::from_secs(100));
}

/// Frames in which everything happens that could leave something behind.
#[test]
fn many_frames_leave_memory_as_it_was() {
    let alive = Arc::new(AtomicUsize::new(0));
    let mut interpreter = maker(&alive);
    let program = interpreter
        .compile(
            "frame",
            "objects = []\nfor i in range(1, 20)\nobjects.push make\nm = {\"a\": [i, str(i)], \"o\": make}\nyield\nend for",
        )
        .unwrap();
    let frames = |interpreter: &mut Interpreter, count: usize| {
        for _ in 0..count {
            interpreter.start(&program).unwrap();
            for frame in 0.. {
                if interpreter
                    .run_for(Duration::from_secs(10))
                    .unwrap()
                    .is_done()
                {
                    break;
                }
                let list = interpreter.new_list().unwrap();
                list.push(interpreter, "text").unwrap();
                if frame == 10 {
                    interpreter.stop();
                    break;
                }
            }
        }
        interpreter.statistics().peak_bytes
    };
    frames(&mut interpreter, 500);
    let before = frames(&mut interpreter, 1);
    let after = frames(&mut interpreter, 2000);
    assert!(after <= 2 * before + (1 << 20), "{before} to {after}");
}
