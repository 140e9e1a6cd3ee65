//! Compiled code and the interpreter: what runs where, and that nobody can tell the difference.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kiln::{
    CodeForm, CompileOptions, Engine, Error, FaultOptions, Interpreter, Intrinsic, JitOptions,
    JitReport, Limits, Progress, Tier, TierEventKind,
};

fn interpreter(options: JitOptions) -> Interpreter {
    Engine::new()
        .interpreter()
        .limits(Limits::TRUSTED)
        .jit(options)
        .build()
        .unwrap()
}

/// Compiles in this thread, after each instruction has been executed so often on average.
fn after(threshold: u32) -> JitOptions {
    JitOptions {
        tier: Tier::Baseline,
        threshold,
        background: false,
        record: true,
        ..JitOptions::default()
    }
}

/// Runs a program that leaves its result in `result`.
fn run(options: JitOptions, program: &str) -> (Result<String, String>, JitReport) {
    let mut interpreter = interpreter(options);
    let program = interpreter.compile("test", program).unwrap();
    let ending = match interpreter.run(&program) {
        Ok(_) => Ok(interpreter.global::<String>("result").unwrap()),
        Err(error) => {
            let mut lines = vec![error.error.to_string()];
            lines.extend(error.stack_lines());
            Err(lines.join("\n"))
        }
    };
    (ending, interpreter.jit_report())
}

/// What a program comes to in the interpreter, and that it comes to the same when compiled early or late.
fn same_in_all_tiers(program: &str) -> Result<String, String> {
    let (expected, _) = run(JitOptions::off(), program);
    for threshold in [1, 2, 5, 20] {
        let (ending, report) = run(after(threshold), program);
        assert_eq!(ending, expected, "threshold {threshold}");
        assert!(threshold > 2 || report.compiled > 0);
    }
    let (ending, report) = run(
        JitOptions {
            evict_always: true,
            ..after(1)
        },
        program,
    );
    assert_eq!(ending, expected, "with evictions");
    assert!(report.compiled > 0);
    expected
}

const NESTED_LOOPS: &str = "sum = 0
f = function(n)
  total = 0
  i = 0
  while i < n
    for j in range(1, 5)
      k = 0
      while k < j
        k += 1
        if k == 4 then continue
        total += i * j + k
      end while
      if total > 1000000 then break
    end for
    i += 1
  end while
  return total
end function
for round in range(1, 6)
  sum += f(round * 4)
end for
result = str(sum)";

#[test]
fn loops_are_entered_in_the_middle() {
    assert!(same_in_all_tiers(NESTED_LOOPS).is_ok());
    // The top level is called once, so whatever is compiled of it is entered by a loop.
    let program = "x = 0\nfor i in range(1, 500)\nfor j in range(1, 3)\nx += i % 7 * j\nend for\nend for\nresult = str(x)";
    let (ending, report) = run(after(10), program);
    assert_eq!(ending, run(JitOptions::off(), program).0);
    assert_eq!(report.compiled, 1);
}

#[test]
fn calls_nest_deeply_across_tiers() {
    // `even` gets hot in the middle of a recursion that `odd` began in the interpreter.
    let program = "even = function(n)\nif n == 0 then return 1\nreturn odd(n - 1)\nend function
odd = function(n)\nif n == 0 then return 0\nif n % 3 == 0 then return 0 + even(n - 1)\nreturn even(n - 1)\nend function
result = str(odd(5001)) + str(odd(20)) + str(even(3000))";
    assert_eq!(same_in_all_tiers(program), Ok("101".into()));
}

#[test]
fn endless_recursion_ends_in_the_same_error() {
    let program = "f = function(n)\nreturn f(n + 1) + 1\nend function\nresult = str(f(1))";
    let message = same_in_all_tiers(program).unwrap_err();
    assert!(message.starts_with("Call stack overflow"), "{message}");
}

#[test]
fn errors_have_the_lines_and_calls_of_the_interpreter() {
    let program = "inner = function(list, i)
  x = 1
  return list[i] + x
end function
total_of = function(n)
  list = [1, 2, 3]
  total = 0
  for i in range(0, n)
    total += inner(list,
      i)
  end for
  return total
end function
for n in range(0, 9)
  result = str(total_of(n))
end for";
    let message = same_in_all_tiers(program).unwrap_err();
    assert!(message.contains("Index Error"), "{message}");
    assert!(message.contains("line 3"), "{message}");
}

#[test]
fn objects_of_several_shapes_have_members() {
    let program = "P = {}\nP.area = function\nreturn self.w * self.h\nend function
Q = new P\nQ.area = function\nreturn self.w\nend function
all = []\nfor i in range(0, 199)
o = new P\nif i % 3 == 1 then o = new Q\nif i % 5 == 0 then o.extra = 1
o.w = i\no.h = 2\nall.push o\nend for
sum = 0\nfor o in all\no.w = o.w + 1\nsum += o.area + all.len\nend for
while all.len > 3\nsum += all.pop.h\nend while
result = str(sum)";
    assert!(same_in_all_tiers(program).is_ok());
}

#[test]
fn methods_of_lists_mean_what_the_program_makes_of_them() {
    // From the middle of a hot loop on, `len` is something else.
    let program = "lengths = function(l)\nreturn l.len\nend function
sum = 0\nfor i in range(1, 100)\nif i == 60 then\nlist.len = function\nreturn 1000\nend function\nend if
sum += lengths([1, 2])\nend for\nresult = str(sum)";
    assert_eq!(
        same_in_all_tiers(program),
        Ok((59 * 2 + 41 * 1000).to_string())
    );
}

#[test]
fn remainders_are_exact() {
    let program = "sum = \"\"\nf = function(n)\nreturn (n % 7) + \" \" + (n % 1000003) + \" \" + (n % 8) + \";\"\nend function
for n in [0, 6, 7, 8, -1, -7, 0.5, 6.999999999, 2147483647, 2147483648, 4503599627370495, 4503599627370496, 9007199254740991, 1e300]
for i in range(1, 20)\nlast = f(n)\nend for\nsum += last\nend for\nresult = sum";
    assert!(same_in_all_tiers(program).is_ok());
}

#[test]
fn suspended_code_goes_on_where_it_was() {
    let program = "total = 0\nwork = function(n)\nsum = 0\nfor i in range(1, n)\nsum += i\nif i % 10 == 0 then yield\nend for\nreturn sum\nend function
for round in range(1, 5)\ntotal += work(40)\nend for";
    for options in [JitOptions::off(), after(1), after(5)] {
        let mut interpreter = interpreter(options);
        let block = interpreter.compile("test", program).unwrap();
        interpreter.start(&block).unwrap();
        let mut yields = 0;
        loop {
            match interpreter.resume().unwrap() {
                Progress::Yielded => yields += 1,
                Progress::Done(_) => break,
                _ => {}
            }
        }
        assert_eq!(yields, 20);
        assert_eq!(interpreter.global::<f64>("total").unwrap(), 4100.0);
    }
}

#[test]
fn time_slices_end_in_compiled_loops_and_calls() {
    for program in [
        "while true\nend while",
        "i = 0\nwhile true\ni += 1\nend while",
        "f = function(n)\nreturn n\nend function\nwhile true\nf 1\nend while",
        "for i in range(1, 1000000)\nfor j in range(1, 1000000)\nend for\nend for",
    ] {
        let mut interpreter = interpreter(after(1));
        let block = interpreter.compile("test", program).unwrap();
        interpreter.start(&block).unwrap();
        for _ in 0..3 {
            let progress = interpreter.run_for(Duration::from_millis(2)).unwrap();
            assert_eq!(progress, Progress::SliceOver);
        }
        assert!(interpreter.jit_report().compiled > 0);
        interpreter.stop();
    }
}

/// A loop with an inlined call that tells at each pass how deep the native stack is.
const TELLING_LOOP: &str = "half = function(x)
return x / 2
end function
items = [1, 2, 3]
f = function(n)
sum = 0
for i in range(1, n)
tell
sum += half(items[i % 3])
end for
return sum
end function
for i in range(1, 200)
f i
f i
end for";

/// An interpreter for it, with everything optimized at once, and the lowest and highest address told so far.
fn telling(options: JitOptions) -> (Interpreter, Arc<[AtomicUsize; 2]>) {
    let bounds = Arc::new([AtomicUsize::new(usize::MAX), AtomicUsize::new(0)]);
    let told = bounds.clone();
    let tell = Intrinsic::new("tell", move |_| -> Result<(), Error> {
        let here = 0u8;
        let address = std::ptr::from_ref(&here) as usize;
        told[0].fetch_min(address, Ordering::Relaxed);
        told[1].fetch_max(address, Ordering::Relaxed);
        Ok(())
    });
    let interpreter = Engine::new()
        .interpreter()
        .limits(Limits::TRUSTED)
        .intrinsic(tell)
        .jit(JitOptions {
            tier: Tier::Optimizing,
            ..options
        })
        .build()
        .unwrap();
    (interpreter, bounds)
}

/// More than all tiers together take for two nested calls, less than a few hundred exits would.
const FEW_FRAMES: usize = 64 << 10;

fn difference(bounds: &[AtomicUsize; 2]) -> usize {
    bounds[1].load(Ordering::Relaxed) - bounds[0].load(Ordering::Relaxed)
}

#[test]
fn loops_that_are_left_and_entered_again_take_no_more_of_the_native_stack() {
    for (fail_guards, invalidate) in [(1, 0), (2, 0), (0, 1), (3, 50)] {
        let (mut interpreter, bounds) = telling(JitOptions {
            faults: FaultOptions {
                fail_guards,
                invalidate,
                delay: 0,
            },
            ..JitOptions::immediate()
        });
        let program = interpreter.compile("test", TELLING_LOOP).unwrap();
        interpreter.run(&program).unwrap();
        let report = interpreter.jit_report();
        assert!(report.deoptimized > 0, "{report:?}");
        let difference = difference(&bounds);
        assert!(difference < FEW_FRAMES, "{difference}");
    }
}

#[test]
fn without_memory_for_code_the_interpreter_runs_everything() {
    let options = JitOptions {
        code_bytes: 0,
        ..after(1)
    };
    let (ending, report) = run(options, NESTED_LOOPS);
    assert_eq!(ending, run(JitOptions::off(), NESTED_LOOPS).0);
    assert_eq!(report.compiled, 0);
    let limited = |kind: &TierEventKind| matches!(kind, TierEventKind::Limited { .. });
    let said = report.events.iter().filter(|event| limited(&event.kind));
    assert_eq!(said.count(), 1, "{:?}", report.events);
}

#[test]
fn the_least_recently_used_code_goes_first() {
    // Three functions are called in turn; the budget has room for one or two.
    let program = "a = function(n)\nreturn n * 3 % 7\nend function
b = function(n)\nreturn n * 5 % 11\nend function
c = function(n)\nreturn n * 7 % 13\nend function
sum = 0\nfor round in range(1, 20)\nfor i in range(1, 30)\nsum += a(i)\nend for\nfor i in range(1, 30)\nsum += b(i)\nend for
for i in range(1, 30)\nsum += c(i)\nend for\nend for\nresult = str(sum)";
    let expected = run(JitOptions::off(), program).0;
    let (_, roomy) = run(after(8), program);
    assert_eq!(roomy.evicted, 0);
    let tight = JitOptions {
        code_bytes: roomy.code_bytes * 2 / 3,
        ..after(8)
    };
    let (ending, report) = run(tight, program);
    assert_eq!(ending, expected);
    assert!(report.evicted > 0, "{report:?}");
    // A function that keeps losing its code is left alone in the end.
    assert!(report.evicted < 8 * 5, "{report:?}");
}

#[test]
fn a_cold_function_is_not_compiled() {
    let (_, report) = run(
        after(50),
        "f = function\nreturn 1\nend function\nresult = str(f + f)",
    );
    assert_eq!((report.compiled, report.refused), (0, 0));
}

#[test]
fn functions_that_are_too_large_stay_in_the_interpreter() {
    let lines: String = (0..8000).map(|i| format!("x = x + {i}\n")).collect();
    let program =
        format!("f = function(x)\n{lines}return x\nend function\nf 1\nf 2\nresult = str(f(3))");
    let (ending, report) = run(after(1), &program);
    assert_eq!(ending, run(JitOptions::off(), &program).0);
    let refused = |kind: &TierEventKind| matches!(kind, TierEventKind::Refused { .. });
    assert_eq!(
        report.events.iter().filter(|it| refused(&it.kind)).count(),
        report.refused
    );
    assert!(report.refused >= 1);
}

#[test]
fn machine_code_can_be_shown() {
    let source =
        "f = function(x)\n  return x + 1\nend function\ng = function\n  return 2\nend function";
    let program = kiln::compile("test", source.as_bytes(), CompileOptions::default()).unwrap();
    let all = kiln::machine_code(&program, source, None, CodeForm::Assembly).unwrap();
    assert!(
        all.contains("line 2: return x + 1") && all.contains("return 2"),
        "{all}"
    );
    let one = kiln::machine_code(&program, source, Some("f"), CodeForm::Clif).unwrap();
    assert!(one.contains("fadd"), "{one}");
    let none = kiln::machine_code(&program, source, Some("h"), CodeForm::Clif);
    assert!(none.is_err());
}
