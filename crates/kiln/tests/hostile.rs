//! Scripts that want everything for themselves: time, memory, the thread. Whoever runs beside them gets what is his.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use kiln::{
    Class, Engine, Interpreter, Intrinsic, JitOptions, Limits, Outcome, Progress, RuntimeError,
    Tier,
};
use kiln_vm::safepoint::Reason;

const SLICE: Duration = Duration::from_millis(1);

/// Interpreter, compiled code, optimized code; each at once, so that suspensions happen in it.
fn tiers() -> [JitOptions; 3] {
    let optimizing = JitOptions {
        tier: Tier::Optimizing,
        ..JitOptions::immediate()
    };
    [JitOptions::off(), JitOptions::immediate(), optimizing]
}

fn started(engine: &Engine, program: &str) -> Interpreter {
    let mut interpreter = engine.interpreter().build().unwrap();
    let program = engine.compile("test", program).unwrap();
    interpreter.start(&program).unwrap();
    interpreter
}

#[test]
fn an_endless_script_starves_nobody_on_its_thread() {
    let engine = Engine::new();
    let mut greedy = started(&engine, "n = 0\nwhile true\nn += 1\nend while");
    let mut modest = started(
        &engine,
        "frames = 0\nwhile true\nframes += 1\nyield\nend while",
    );
    for frame in 1..=20 {
        assert_eq!(greedy.run_for(SLICE).unwrap(), Progress::SliceOver);
        assert_eq!(
            modest.run_for(Duration::from_secs(100)).unwrap(),
            Progress::Yielded
        );
        assert_eq!(modest.global::<u32>("frames").unwrap(), frame);
    }
    // It got something, too.
    assert!(greedy.global::<f64>("n").unwrap() > 0.0);
}

#[test]
fn endless_scripts_on_all_threads_starve_nobody() {
    let engine = Engine::new();
    let ended = AtomicUsize::new(0);
    thread::scope(|scope| {
        for number in 0..8 {
            let (engine, ended) = (&engine, &ended);
            scope.spawn(move || {
                if number % 2 == 0 {
                    let mut greedy = started(engine, "while true\nend while");
                    while ended.load(Ordering::Relaxed) < 4 {
                        assert_eq!(greedy.run_for(SLICE).unwrap(), Progress::SliceOver);
                    }
                } else {
                    let mut modest = started(engine, "for i in range(1, 100)\nyield\nend for");
                    while !modest.run_for(SLICE).unwrap().is_done() {}
                    ended.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(ended.into_inner(), 4);
}

#[test]
fn memory_bombs_on_many_threads_hurt_nobody() {
    let engine = Engine::new();
    let limits = Limits {
        heap_bytes: 1 << 20,
        ..Limits::default()
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let made = engine.interpreter().limits(limits).build();
                    let mut interpreter = made.unwrap();
                    let bomb = "l = []\nwhile true\nl.push [l, \"x\" * 100]\nend while";
                    let bomb = engine.compile("bomb", bomb).unwrap();
                    let error = interpreter.run(&bomb).unwrap_err();
                    assert!(matches!(error.error, RuntimeError::OutOfMemory(_)));
                    let after = engine.compile("after", "l = null\nx = [1]").unwrap();
                    assert_eq!(interpreter.run(&after).unwrap(), Outcome::Finished);
                }
            });
        }
    });
}

/// A host object that is counted.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[test]
fn a_script_may_be_dropped_wherever_it_is_suspended_in_every_tier() {
    let alive = Arc::new(AtomicUsize::new(0));
    let class = Class::<Counted>::new("Counted");
    let counter = alive.clone();
    let make = Intrinsic::new("make", move |call| {
        counter.fetch_add(1, Ordering::Relaxed);
        class.object(call, Counted(counter.clone()))
    });
    let pause = Intrinsic::resumable("pause", |_, asked: &mut u32| {
        *asked += 1;
        Ok(match *asked {
            1 => Poll::Pending,
            _ => Poll::Ready(()),
        })
    });
    let program = "work = function(depth)
  thing = make
  total = 0
  for i in range(1, 40)
    total += i * depth
    if depth > 0 and i == 20 then total += work(depth - 1)
    if i % 10 == 0 then yield
    if i % 15 == 0 then pause
  end for
  return total + [thing].len
end function
result = work(5)";
    let engine = Engine::new();
    let program = engine.compile("test", program).unwrap();
    let mut results = Vec::new();
    for options in tiers() {
        let builder = || {
            let intrinsics = [make.clone(), pause.clone()];
            let builder = engine.interpreter().jit(options.clone());
            builder.intrinsics(intrinsics).build().unwrap()
        };
        let mut whole = builder();
        whole.start(&program).unwrap();
        let mut suspensions = 0;
        while !whole.resume().unwrap().is_done() {
            suspensions += 1;
        }
        assert!(suspensions > 20, "{suspensions}");
        results.push(whole.global::<f64>("result").unwrap());
        drop(whole);
        for last in 0..suspensions {
            let mut interpreter = builder();
            interpreter.start(&program).unwrap();
            for _ in 0..=last {
                interpreter.resume().unwrap();
            }
            assert!(alive.load(Ordering::Relaxed) > 0);
            if last % 3 == 0 {
                interpreter.reset().unwrap();
                assert_eq!(alive.load(Ordering::Relaxed), 0);
            }
            drop(interpreter);
            assert_eq!(alive.load(Ordering::Relaxed), 0);
        }
    }
    assert!(results.iter().all(|result| *result == results[0]));
}

#[test]
fn a_script_may_be_dropped_where_its_slice_ended_in_every_tier() {
    let engine = Engine::new();
    let program = "f = function(n)\nlist = [n]\nwhile true\nlist.push list.len\nif list.len > 100 then list = []\nend while\nend function\nf 1";
    let program = engine.compile("test", program).unwrap();
    for options in tiers() {
        for _ in 0..5 {
            let builder = engine.interpreter().jit(options.clone());
            let mut interpreter = builder.build().unwrap();
            interpreter.start(&program).unwrap();
            for _ in 0..3 {
                assert_eq!(interpreter.run_for(SLICE).unwrap(), Progress::SliceOver);
            }
        }
    }
}

/// How often a program looks whether somebody wants something of it.
fn looks(setup: &str, program: &str) -> usize {
    let engine = Engine::new();
    let limits = Limits {
        heap_bytes: 1 << 30,
        ..Limits::default()
    };
    let mut interpreter = engine.interpreter().limits(limits).build().unwrap();
    interpreter
        .run(&engine.compile("setup", setup).unwrap())
        .unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let vm = interpreter.vm();
    // A request that is made again whenever it is answered.
    vm.hooks().sample = Some(Box::new(move |vm| {
        counter.fetch_add(1, Ordering::Relaxed);
        vm.safepoint_handle().request(Reason::Sample);
    }));
    vm.safepoint_handle().request(Reason::Sample);
    interpreter
        .run(&engine.compile("test", program).unwrap())
        .unwrap();
    count.load(Ordering::Relaxed)
}

#[test]
fn long_operations_look_for_interrupts_all_the_time() {
    let numbers =
        "a = []\nfor i in range(1, 300000)\na.push (i * 7919) % 300007\nend for\nb = a[:]\n";
    let texts = "a = []\nfor i in range(1, 100000)\na.push \"text \" + (i * 7919) % 100003\nend for\nb = a[:]\n";
    let map =
        "a = {}\nb = {}\nfor i in range(1, 100000)\na[i] = \"x\" + i\nb[i] = \"x\" + i\nend for\n";
    let string = "s = \"some words, \" * 100000\n";
    let mut deaf = Vec::new();
    for (setup, operation) in [
        (numbers, "a.sort"),
        (texts, "a.sort"),
        (numbers, "x = a * 10"),
        (numbers, "x = a + a"),
        (numbers, "x = a[1:]"),
        (texts, "x = a == b"),
        (numbers, "x = str(a)"),
        (numbers, "print a"),
        (texts, "x = a.join"),
        (texts, "x = a.indexOf(\"nosuch\")"),
        (texts, "a.shuffle"),
        (map, "x = a == b"),
        (map, "x = str(a)"),
        (map, "a.shuffle"),
        (map, "x = a.values"),
        (map, "x = a.indexes"),
        (map, "x = a + b"),
        (string, "x = s.split(\",\")"),
        (string, "x = s.replace(\"words\", \"letters\")"),
        ("x = 1", "x = range(1, 1000000)"),
    ] {
        let nothing = looks(setup, "x = 1");
        let looks = looks(setup, operation);
        if looks < nothing + 10 {
            deaf.push(format!("{operation}: {looks}, {nothing} without"));
        }
    }
    assert!(deaf.is_empty(), "{deaf:#?}");
}
