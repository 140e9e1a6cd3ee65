//! Running programs.

use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kiln::{
    CodeBlock, CompileErrors, CompileOptions, Engine, Interpreter, Outcome, RuntimeError,
    ScriptError,
};

use crate::arguments::{Options, Program};
use crate::console::{Console, Output, Shared};
use crate::interrupt::{self, Interrupt};
use crate::terminal::Input;
use crate::{Error, SCRIPT_ERROR, colour, repl, size};

/// The exit status of a program whose output nobody reads: that of a program ended by SIGPIPE.
const NOBODY_READS: u8 = 141;

/// An interpreter with the console around it.
pub struct World {
    // First, so that open files are written and the terminal is restored before anything else ends.
    pub interpreter: Interpreter,
    pub output: Shared<Output>,
    pub input: Shared<Input>,
    pub interrupt: Arc<Interrupt>,
    /// Runtime errors are not shown: the program runs once more, and they have been.
    pub is_silent: bool,
    gc_stats: bool,
    jit_stats: bool,
}

impl World {
    /// A world for a script at this path, if it has one, with these values of `shellArgs`.
    pub fn new(
        script: Option<&Path>,
        arguments: &[OsString],
        options: &Options,
    ) -> Result<World, Error> {
        let interrupt = Interrupt::install();
        let output = Shared::new(Output::new(interrupt.clone()));
        let input = Shared::new(Input::new(interrupt.clone()));
        let arguments = arguments
            .iter()
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect();
        let console = Console::new(output.clone(), input.clone(), script, arguments);
        let mut interpreter = Engine::new()
            .interpreter()
            .limits(options.limits())
            .jit(options.jit())
            .host(console)
            .build()?;
        interpreter.set_gc_stress(options.gc_stress);
        interrupt.watch(interpreter.interrupter());
        Ok(World {
            interpreter,
            output,
            input,
            interrupt,
            is_silent: false,
            gc_stats: options.gc_stats,
            jit_stats: options.jit_stats,
        })
    }

    /// Runs a program to its end and reports its error: the exit status.
    fn run(&mut self, program: &Arc<CodeBlock>) -> Ending {
        match self.interpreter.run(program) {
            Ok(Outcome::Finished) => Ending::Finished(0),
            Ok(Outcome::Exit(status)) => Ending::Exit(status),
            Err(error) => Ending::Finished(self.report(&error)),
        }
    }

    /// Shows a runtime error with its stack: the exit status.
    pub fn report(&mut self, error: &ScriptError) -> u8 {
        self.output.lock().flush();
        if self.output.lock().has_failed() {
            // That is why the script was stopped; `finish` will tell.
            return SCRIPT_ERROR;
        }
        let mut report = format!("{error}\n");
        for line in error.stack_lines() {
            report.push_str(&line);
            report.push('\n');
        }
        // Nothing is left to report to if this fails.
        if !self.is_silent {
            let _ = std::io::stderr().write_all(report.as_bytes());
        }
        if error.error == RuntimeError::Interrupted {
            interrupt::STATUS
        } else {
            SCRIPT_ERROR
        }
    }

    /// Writes what is left of the output; the exit status, unless that fails.
    pub fn finish(mut self, status: u8) -> Result<u8, Error> {
        self.output.lock().flush();
        if self.gc_stats && !self.is_silent {
            self.print_statistics();
        }
        if self.jit_stats && !self.is_silent {
            self.print_jit_report();
        }
        let error = self.output.lock().take_error();
        match error {
            None => Ok(status),
            Some(error) if error.kind() == ErrorKind::BrokenPipe => Ok(NOBODY_READS),
            Some(error) => Err(Error::Output(error)),
        }
    }

    fn print_jit_report(&self) {
        let report = self.interpreter.jit_report();
        for event in &report.events {
            eprintln!("{event}");
        }
        eprintln!(
            "compiled {} functions ({} bytes of code from {} instructions) in {:.1?}; {} optimized, {} given up, {} refused, {} evicted",
            report.compiled,
            report.code_bytes,
            report.instructions,
            report.compile_time,
            report.optimized,
            report.deoptimized,
            report.refused,
            report.evicted,
        );
    }

    fn print_statistics(&mut self) {
        let statistics = self.interpreter.statistics();
        let micros = |duration: Duration| format!("{} µs", duration.as_micros());
        eprintln!("allocated   {}", size::format(statistics.allocated_bytes));
        eprintln!(
            "in use      {} (at most {}), live after the last collection {}",
            size::format(statistics.used_bytes as u64),
            size::format(statistics.peak_bytes as u64),
            size::format(statistics.live_bytes as u64)
        );
        eprintln!(
            "survival    {:.1} % of young bytes",
            100.0 * statistics.survival_rate()
        );
        eprintln!("collections {} full", statistics.full_collections);
        for (name, pauses) in [
            ("minor", &statistics.minor),
            ("slices", &statistics.slices),
            ("full", &statistics.full),
            ("all", &statistics.pauses()),
        ] {
            let [half, most, nearly_all] =
                [0.5, 0.9, 0.99].map(|share| micros(pauses.histogram.percentile(share)));
            eprintln!(
                "{name:<11} {} pauses, {} in all, 50 % under {half}, 90 % under {most}, 99 % under {nearly_all}, longest {}",
                pauses.count,
                micros(pauses.total),
                micros(pauses.longest)
            );
        }
    }
}

/// How a program ended.
enum Ending {
    /// At its end or by an error, with the exit status that follows.
    Finished(u8),
    /// By `exit`.
    Exit(u8),
}

/// Runs the program that the command line names.
pub fn run(program: Program, options: Options) -> Result<u8, Error> {
    let script = program.script.first().map(OsString::as_os_str);
    let Some(code) = &program.code else {
        return match script {
            None if std::io::stdin().is_terminal() => repl::repl(Vec::new(), options),
            None => run_file(
                OsStr::new("-"),
                &[OsString::from("-")],
                program.interactive,
                &options,
            ),
            Some(script) => run_file(script, &program.script, program.interactive, &options),
        };
    };
    let compiled = kiln::compile("(command line)", code.as_bytes(), CompileOptions::default());
    run_compiled(
        compiled,
        None,
        &program.script,
        program.interactive,
        &options,
    )
}

fn run_file(
    script: &OsStr,
    arguments: &[OsString],
    interactive: bool,
    options: &Options,
) -> Result<u8, Error> {
    let path = Path::new(script);
    let contents = crate::read(path)?;
    let name = path.to_string_lossy();
    let compiled = if kiln::is_compiled(&contents) {
        Ok(
            kiln::load_compiled(&contents).map_err(|reason| Error::NotLoadable {
                path: name.into_owned(),
                reason,
            })?,
        )
    } else {
        kiln::compile(
            if script == "-" {
                "(standard input)"
            } else {
                &name
            },
            &contents,
            CompileOptions::default(),
        )
    };
    let script = (script != "-").then_some(path);
    run_compiled(compiled, script, arguments, interactive, options)
}

fn run_compiled(
    program: Result<Arc<CodeBlock>, CompileErrors>,
    script: Option<&Path>,
    arguments: &[OsString],
    interactive: bool,
    options: &Options,
) -> Result<u8, Error> {
    let program = match program {
        Ok(program) => program,
        Err(errors) => {
            eprintln!("{}", errors.render(colour()));
            return Ok(SCRIPT_ERROR);
        }
    };
    let mut world = World::new(script, arguments, options)?;
    match world.run(&program) {
        Ending::Finished(_) if interactive => repl::talk(world),
        Ending::Finished(status) | Ending::Exit(status) => world.finish(status),
    }
}
