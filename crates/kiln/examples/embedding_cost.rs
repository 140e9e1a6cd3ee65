//! What embedding costs: making interpreters, calls from Rust, suspending and resuming.
//!
//! `cargo run --release -p kiln --example embedding_cost`

use std::hint::black_box;
use std::time::{Duration, Instant};

use kiln::{AsContext, Engine, Function, JitOptions};

fn report(what: &str, count: u32, work: impl FnOnce()) {
    let begun = Instant::now();
    work();
    println!("{what:<46} {:>9.1?}", begun.elapsed() / count);
}

/// The memory of this process that is in use, in bytes, where the system tells.
fn resident() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let engine = Engine::new();
    let small = engine.compile("small.ms", "x = [1, 2, 3]\ny = x.len")?;
    for (tiers, options) in [
        ("interpreter only", JitOptions::off()),
        ("compiling", JitOptions::default()),
    ] {
        let before = resident();
        let mut interpreters = Vec::new();
        report(
            &format!("making one that runs a script, {tiers}"),
            200,
            || {
                for _ in 0..200 {
                    let made = engine.interpreter().jit(options.clone()).build();
                    if let Ok(mut interpreter) = made
                        && interpreter.run(&small).is_ok()
                    {
                        interpreters.push(interpreter);
                    }
                }
            },
        );
        if let (Some(before), Some(after)) = (before, resident()) {
            println!("  memory of each: {} KiB", (after - before) / 200 / 1024);
        }
        report("  dropping one", 200, || interpreters.clear());
    }

    let mut interpreter = engine.interpreter().build()?;
    let program = "add = function(a, b)\nreturn a + b\nend function\nspin = function\nwhile true\nyield\nend while\nend function";
    interpreter.run(&engine.compile("calls.ms", program)?)?;
    let add: Function = interpreter.global("add")?;
    let calls = 1_000_000;
    report("a call from Rust and back", calls, || {
        for _ in 0..calls {
            black_box(add.call::<f64>(&mut interpreter, (1, 2)).ok());
        }
    });
    let mut result = Ok(());
    report("the same, many at once", calls, || {
        result = interpreter.with(|context| {
            for _ in 0..calls {
                black_box(add.call::<f64>(context, (1, 2))?);
            }
            Ok(())
        });
    });
    result?;
    let spin: Function = interpreter.global("spin")?;
    interpreter.start_call(&spin, ())?;
    let frames = 100_000;
    report("a frame: resume to yield", frames, || {
        for _ in 0..frames {
            black_box(interpreter.resume().ok());
        }
    });
    report("a frame with a time slice", frames, || {
        for _ in 0..frames {
            black_box(interpreter.run_for(Duration::from_millis(5)).ok());
        }
    });
    Ok(())
}
