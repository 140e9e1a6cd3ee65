//! Running programs inside a fuzz target: within limits, and with everything they write collected.

#![forbid(unsafe_code)]

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kiln::{CodeBlock, Engine, JitOptions, Limits, Outcome, RuntimeError};

/// A program that takes longer is stopped: verified code may still run forever.
const TIME: Duration = Duration::from_secs(2);

/// Output beyond this many bytes is not kept.
const KEPT_OUTPUT: usize = 1 << 20;

/// How a program is run.
#[derive(Clone, Debug)]
pub struct Mode {
    /// When and how code is compiled.
    pub jit: JitOptions,
    /// Collect at every allocation.
    pub gc_stress: bool,
}

impl Mode {
    /// Everything is interpreted.
    pub fn interpreter() -> Mode {
        Mode {
            jit: JitOptions::off(),
            gc_stress: false,
        }
    }

    /// Everything is compiled when it first runs.
    pub fn compiled() -> Mode {
        Mode {
            jit: JitOptions::immediate(),
            gc_stress: false,
        }
    }

    /// What has run for a while is compiled, so that programs change tiers half-way.
    pub fn warm() -> Mode {
        let mut mode = Mode::compiled();
        mode.jit.threshold = 30;
        mode
    }

    /// The same with a collection at every allocation.
    pub fn with_gc_stress(self) -> Mode {
        Mode {
            gc_stress: true,
            ..self
        }
    }
}

/// What a program did.
#[derive(Debug, PartialEq, Eq)]
pub struct Run {
    /// What it wrote, to either stream.
    pub output: String,
    /// Its exit status, or its error with the call stack.
    pub ending: Result<Option<u8>, String>,
}

/// Runs a program that nothing is granted to. None if it took too long.
pub fn run(program: &Arc<CodeBlock>, mode: Mode) -> Option<Run> {
    let output = Arc::new(Mutex::new(String::new()));
    let write = |to: &Arc<Mutex<String>>| {
        let to = Arc::clone(to);
        move |text: &str| {
            let mut output = to.lock().unwrap_or_else(PoisonError::into_inner);
            if output.len() < KEPT_OUTPUT {
                output.push_str(text);
            }
        }
    };
    let limits = Limits {
        heap_bytes: 64 << 20,
        run_time: Some(TIME),
        ..Limits::default()
    };
    let interpreter = Engine::new()
        .interpreter()
        .limits(limits)
        .jit(mode.jit)
        .output(write(&output))
        .error_output(write(&output));
    let mut interpreter = interpreter.build().ok()?;
    interpreter.set_gc_stress(mode.gc_stress);
    let ending = match interpreter.run(program) {
        Ok(Outcome::Finished) => Ok(None),
        Ok(Outcome::Exit(status)) => Ok(Some(status)),
        Err(error) if error.error == RuntimeError::TimeUp => return None,
        Err(error) => {
            let stack: Vec<String> = error.stack_lines().collect();
            Err(format!("{error}\n{}", stack.join("\n")))
        }
    };
    drop(interpreter);
    let output = std::mem::take(&mut *output.lock().unwrap_or_else(PoisonError::into_inner));
    Some(Run { output, ending })
}
