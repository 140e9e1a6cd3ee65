//! What embedding costs: making interpreters, calls from Rust, suspending and resuming.
//!
//! `cargo run --release -p kiln --example embedding_cost`
//!
//! Each time is that of the fastest of many batches, which other programs on the machine disturb least.

use std::hint::black_box;
use std::time::{Duration, Instant};

use kiln::{AsContext, Engine, Error, Function, JitOptions};

const BATCHES: u32 = 200;

/// Does something so many times in a batch, and reports what one took.
fn report(
    what: &str,
    count: u32,
    mut once: impl FnMut() -> Result<(), Error>,
) -> Result<(), Error> {
    let mut fastest = Duration::MAX;
    for _ in 0..BATCHES {
        let begun = Instant::now();
        for _ in 0..count {
            once()?;
        }
        fastest = fastest.min(begun.elapsed());
    }
    println!("{what:<46} {:>9.1?}", fastest / count);
    Ok(())
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
        let mut interpreters = Vec::new();
        let before = resident();
        for _ in 0..BATCHES {
            let mut interpreter = engine.interpreter().jit(options.clone()).build()?;
            interpreter.run(&small)?;
            interpreters.push(interpreter);
        }
        if let (Some(before), Some(after)) = (before, resident()) {
            let kibibytes = (after - before) / interpreters.len() / 1024;
            println!(
                "{:<46} {kibibytes:>5} KiB",
                format!("memory of one, {tiers}")
            );
        }
        drop(interpreters);
        report(
            &format!("making one, running a script, dropping it, {tiers}"),
            5,
            || {
                let made = engine.interpreter().jit(options.clone()).build();
                let mut interpreter = made.map_err(|error| Error::message(error.to_string()))?;
                interpreter.run(&small)?;
                Ok(())
            },
        )?;
    }

    let mut interpreter = engine.interpreter().build()?;
    let program = "add = function(a, b)\nreturn a + b\nend function\nspin = function\nwhile true\nyield\nend while\nend function";
    interpreter.run(&engine.compile("calls.ms", program)?)?;
    let add: Function = interpreter.global("add")?;
    // Long enough for the function to be compiled.
    for _ in 0..1_000_000 {
        add.call::<f64>(&mut interpreter, (1, 2))?;
    }
    println!("compiled: {}", interpreter.jit_report().compiled);
    report("a call from Rust and back", 2000, || {
        black_box(add.call::<f64>(&mut interpreter, (1, 2))?);
        Ok(())
    })?;
    interpreter.with(|context| {
        report("the same, many at once", 2000, || {
            black_box(add.call::<f64>(context, (1, 2))?);
            Ok(())
        })
    })?;
    report("reading a global variable", 2000, || {
        black_box(interpreter.global::<Function>("add")?);
        Ok(())
    })?;
    let spin: Function = interpreter.global("spin")?;
    interpreter.start_call(&spin, ())?;
    report("a frame: resume to yield", 2000, || {
        black_box(interpreter.resume()?);
        Ok(())
    })?;
    report("a frame with a time slice", 2000, || {
        black_box(interpreter.run_for(Duration::from_millis(5))?);
        Ok(())
    })?;
    Ok(())
}
