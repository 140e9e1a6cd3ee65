//! Many runs of a script in one interpreter.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Instant;

use kiln::{CodeBlock, Engine, Interpreter, Limits, Outcome};
use kiln_bench::process::{Run, Sample, own_usage};

use super::Error;
use crate::console::{Console, Output, Shared};
use crate::terminal::Input;

/// A script that can be run again and again. What it leaves in global variables stays from run to run.
pub struct InProcess {
    interpreter: Interpreter,
    program: Arc<CodeBlock>,
    output: Shared<Output>,
    input: Shared<Input>,
}

impl InProcess {
    /// Prepares a compiled script.
    pub fn new(
        program: Arc<CodeBlock>,
        script: &Path,
        arguments: &[OsString],
    ) -> Result<InProcess, Error> {
        let output = Shared::new(Output::captured());
        let input = Shared::new(Input::detached());
        let arguments = std::iter::once(script.as_os_str())
            .chain(arguments.iter().map(OsString::as_os_str))
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect();
        let console = Console::new(output.clone(), input.clone(), Some(script), arguments);
        Ok(InProcess {
            interpreter: Engine::new()
                .interpreter()
                .limits(Limits::TRUSTED)
                .host(console)
                .build()?,
            program,
            output,
            input,
        })
    }

    /// Runs the script once.
    pub fn run(&mut self, input: &[u8]) -> Result<Run, Error> {
        self.input.lock().replace(input);
        let before = own_usage().map_err(Error::NoUsage)?;
        let start = Instant::now();
        let result = self.interpreter.run(&self.program);
        let elapsed = start.elapsed().as_secs_f64();
        let after = own_usage().map_err(Error::NoUsage)?;
        let (status, errors) = match result {
            Ok(Outcome::Finished) => (0, String::new()),
            Ok(Outcome::Exit(status)) => (status, String::new()),
            Err(error) => (crate::SCRIPT_ERROR, error.to_string()),
        };
        Ok(Run {
            sample: Sample {
                elapsed,
                user: (after.user - before.user).max(0.0),
                system: (after.system - before.system).max(0.0),
                peak_memory: after.peak_memory,
            },
            // The status as `wait` reports it has the exit code in its second byte.
            status: ExitStatus::from_raw(i32::from(status) << 8),
            output: self.output.lock().take_captured(),
            errors: errors.into_bytes(),
        })
    }
}
