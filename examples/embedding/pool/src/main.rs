//! A thousand interpreters on a few threads.
//!
//! Each interpreter searches a range of numbers of its own. A thread takes one from the queue, lets it run for a time slice, and puts it
//! back if it is not done: a script goes on in the middle of its loop, mostly on another thread than before. All of them
//! share one compiled program, and the compile threads of one engine.
//!
//! `cargo run --release -p kiln-example-pool`, with the number of interpreters if it is not to be 1000.

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use kiln::{CodeBlock, Engine, Error, Interpreter, Limits, Record};
use serde::Deserialize;

/// How many numbers each interpreter looks at.
const RANGE: u32 = 200;

const SLICE: Duration = Duration::from_micros(500);

/// What a script finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
struct Best {
    number: u32,
    steps: u32,
}

impl Record for Best {}

/// A script that has not ended.
struct Search {
    interpreter: Interpreter,
    index: usize,
    slices: usize,
}

/// What came of all searches.
struct Report {
    /// By the number of the interpreter.
    found: Vec<Best>,
    /// How often a script had to give up its thread, in all.
    slices: usize,
    /// The memory of all heaps together.
    heap_bytes: usize,
}

/// Makes an interpreter that will search its range of numbers.
fn prepare(engine: &Engine, program: &Arc<CodeBlock>, index: usize) -> Result<Search, Error> {
    let limits = Limits {
        heap_bytes: 1 << 20,
        ..Limits::UNTRUSTED
    };
    let made = engine.interpreter().limits(limits).build();
    let mut interpreter = made.map_err(|error| Error::message(error.to_string()))?;
    let first = 1 + index as u32 * RANGE;
    interpreter.set_global("first", first)?;
    interpreter.set_global("last", first + RANGE - 1)?;
    interpreter.start(program)?;
    Ok(Search {
        interpreter,
        index,
        slices: 0,
    })
}

/// Runs so many interpreters on so many threads.
fn search(interpreters: usize, threads: usize) -> Result<Report, Error> {
    let engine = Engine::new();
    let program = engine.compile("search.ms", include_str!("search.ms"))?;
    let waiting = (0..interpreters)
        .map(|index| prepare(&engine, &program, index))
        .collect::<Result<VecDeque<Search>, Error>>()?;
    let waiting = Mutex::new(waiting);
    let next = || lock(&waiting).pop_front();
    let done = Mutex::new(Vec::new());

    // A thread that finds the queue empty leaves: the others have at most one search each in hand.
    let work = || {
        while let Some(mut search) = next() {
            search.slices += 1;
            if search.interpreter.run_for(SLICE)?.is_done() {
                lock(&done).push(search);
            } else {
                lock(&waiting).push_back(search);
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .try_for_each(|thread| match thread.join() {
                Ok(result) => result,
                Err(_) => Err(Error::message("a thread panicked")),
            })
    })?;

    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|search| search.index);
    let mut report = Report {
        found: Vec::new(),
        slices: 0,
        heap_bytes: 0,
    };
    for mut search in done {
        report.found.push(search.interpreter.global("best")?);
        report.slices += search.slices;
        report.heap_bytes += search.interpreter.statistics().used_bytes;
    }
    Ok(report)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let interpreters = match std::env::args().nth(1) {
        Some(count) => count.parse()?,
        None => 1000,
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let begun = Instant::now();
    let report = search(interpreters, threads)?;
    let elapsed = begun.elapsed();
    println!(
        "{interpreters} interpreters on {threads} threads: {:.0?} in {} time slices, {} KiB of heap each",
        elapsed,
        report.slices,
        report.heap_bytes / interpreters.max(1) / 1024,
    );
    if let Some(best) = report.found.iter().max_by_key(|best| best.steps) {
        println!("{} takes {} steps to get to 1", best.number, best.steps);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same search in Rust.
    fn best_from(first: u32) -> Best {
        let steps = |number: u32| {
            let mut n = u64::from(number);
            let mut steps = 0;
            while n != 1 {
                n = if n % 2 == 1 { 3 * n + 1 } else { n / 2 };
                steps += 1;
            }
            steps
        };
        let best = Best {
            number: first,
            steps: 0,
        };
        (first..first + RANGE).fold(best, |best, number| match steps(number) {
            steps if steps > best.steps => Best { number, steps },
            _ => best,
        })
    }

    #[test]
    fn a_thousand_interpreters_find_what_rust_finds() {
        let report = search(1000, 4).unwrap();
        let expected: Vec<Best> = (0..1000)
            .map(|index| best_from(1 + index * RANGE))
            .collect();
        assert_eq!(report.found, expected);
        assert!(report.slices >= 1000);
    }

    #[test]
    fn one_thread_will_do() {
        let report = search(20, 1).unwrap();
        assert_eq!(report.found[19], best_from(1 + 19 * RANGE));
    }
}
