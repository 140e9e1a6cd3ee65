//! Running programs inside a fuzz target: within limits, and with everything they write collected.

#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use kiln::{CodeBlock, Host, Interpreter, Limits, Outcome, RuntimeError};

/// A program that takes longer is stopped: verified code may still run forever.
const TIME: Duration = Duration::from_secs(2);

/// Output beyond this many bytes is not kept.
const KEPT_OUTPUT: usize = 1 << 20;

/// What a program did.
#[derive(Debug, PartialEq, Eq)]
pub struct Run {
    /// What it wrote, to either stream.
    pub output: String,
    /// Its exit status, or its error with the call stack.
    pub ending: Result<Option<u8>, String>,
}

/// A host that keeps what is written and grants nothing.
struct Recorder(Rc<RefCell<String>>);

impl Host for Recorder {
    fn write_output(&mut self, text: &str) {
        let mut output = self.0.borrow_mut();
        if output.len() < KEPT_OUTPUT {
            output.push_str(text);
        }
    }

    fn write_error(&mut self, text: &str) {
        self.write_output(text);
    }
}

/// Runs a program, with a collection at every allocation if `stress` is set. None if it took too long.
pub fn run(program: &Arc<CodeBlock>, stress: bool) -> Option<Run> {
    let output = Rc::default();
    let limits = Limits {
        heap_bytes: 64 << 20,
        ..Limits::default()
    };
    let host = Box::new(Recorder(Rc::clone(&output)));
    let mut interpreter = Interpreter::new(limits, host).ok()?;
    interpreter.vm().heap().set_stress(stress);

    let interrupter = interpreter.interrupter();
    let (done, wait) = mpsc::channel::<()>();
    let watch = thread::spawn(move || {
        if wait.recv_timeout(TIME) == Err(RecvTimeoutError::Timeout) {
            interrupter.interrupt();
        }
    });
    let result = interpreter.run(program);
    drop(done);
    watch.join().ok()?;

    let ending = match result {
        Ok(Outcome::Finished) => Ok(None),
        Ok(Outcome::Exit(status)) => Ok(Some(status)),
        Err(error) if error.error == RuntimeError::Interrupted => return None,
        Err(error) => Err(format!(
            "{error}\n{}",
            error.stack_lines().collect::<Vec<_>>().join("\n")
        )),
    };
    let output = output.take();
    Some(Run { output, ending })
}
