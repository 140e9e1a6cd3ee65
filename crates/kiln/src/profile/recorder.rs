//! Measuring a run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kiln_bytecode::CodeBlock;
use kiln_vm::error::{RuntimeError, ScriptError};
use kiln_vm::profile::{self as recorded, MemoryCensus};

use super::build::{self, share};
use super::memory;
use super::recommend;
use super::report::{Ending, Method, Phase, Profile, SCHEMA_VERSION};
use super::sampler::Sampler;
use super::timeline;
use crate::compile::{self, CompileErrors, CompileOptions};
use crate::interpreter::{Interpreter, Outcome};

/// What to measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// How.
    pub method: Method,
    /// Also look at the heap, for [`Profile::memory`].
    pub memory: bool,
}

/// Measures the phases of a run.
///
/// ```
/// use kiln::profile::{Options, Recorder};
/// use kiln::{CompileOptions, Engine};
///
/// let mut recorder = Recorder::new("square.ms", Options::default());
/// let text = b"square = function(x)\n  return x * x\nend function\nfor i in range(1, 9)\n  square i\nend for";
/// let program = recorder.compile(text, CompileOptions::default())?;
/// let mut interpreter = Engine::new().interpreter().build()?;
/// let (outcome, profile) = recorder.run(&mut interpreter, &program);
/// outcome?;
/// let square = profile.functions.iter().find(|function| function.name == "square");
/// assert_eq!(square.and_then(|function| function.calls), Some(9));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Recorder {
    script: String,
    options: Options,
    phases: Vec<(String, Duration)>,
}

impl Recorder {
    /// A recorder for a program with this path or name.
    pub fn new(script: &str, options: Options) -> Recorder {
        Recorder {
            script: script.to_owned(),
            options,
            phases: Vec::new(),
        }
    }

    /// Does some work and counts its time as a phase. Phases of the same name are added up.
    pub fn phase<T>(&mut self, name: &str, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let result = work();
        self.add_phase(name, started.elapsed());
        result
    }

    /// Counts time as a phase. It must not be in any other.
    pub fn add_phase(&mut self, name: &str, time: Duration) {
        match self.phases.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known += time,
            None => self.phases.push((name.to_owned(), time)),
        }
    }

    /// Compiles a program: the phases `parse` and `compile`.
    ///
    /// # Errors
    /// Everything that is wrong with the text.
    pub fn compile(
        &mut self,
        text: &[u8],
        options: CompileOptions,
    ) -> Result<Arc<CodeBlock>, CompileErrors> {
        let keep_results = options.keep_results;
        let name = self.script.clone();
        let (program, source) = self.phase("parse", || compile::parse(&name, text, options))?;
        self.phase("compile", || compile::emit(&program, source, keep_results))
    }

    /// Runs a program: how it ended, and everything that was measured.
    pub fn run(
        mut self,
        interpreter: &mut Interpreter,
        program: &Arc<CodeBlock>,
    ) -> (Result<Outcome, ScriptError>, Profile) {
        let vm = interpreter.vm();
        vm.start_profiling(recorded::Settings {
            method: match self.options.method {
                Method::Exact => recorded::Method::Exact,
                Method::Sampled => recorded::Method::Sampled,
            },
            memory: self.options.memory,
        });
        let sampler =
            (self.options.method == Method::Sampled).then(|| Sampler::start(vm.safepoint_handle()));
        interpreter.vm().heap().log_pauses();
        let started = Instant::now();
        let outcome = interpreter.run(program);
        drop(sampler);
        let vm = interpreter.vm();
        let mut tiers = vec!["interpreter".to_owned()];
        if self.options.method == Method::Sampled && vm.has_compiled_code() {
            tiers.push("compiled code".into());
        }
        let collector = vm.collector_time();
        let collections = vm.heap().statistics();
        let pauses = vm.heap().take_pause_log();
        let peak_heap = collections.peak_bytes;
        let profiler = vm.stop_profiling();
        let census = self.options.memory.then(|| interpreter.memory_census());
        let Some(profiler) = profiler else {
            // A host that stops profiling while its program runs has the recording.
            return (outcome, Profile::default());
        };
        self.add_phase(
            "interpret",
            Duration::from_nanos(profiler.tree().total_time()),
        );
        self.add_phase("collector", collector);
        self.add_phase("waiting", profiler.waited());
        let mut profile = self.report(&profiler, &outcome, census.flatten(), peak_heap);
        profile.tiers = tiers;
        let compiled = interpreter.jit_report();
        let origin = compiled.started.unwrap_or(started);
        profile.collections = timeline::collections(&collections, &pauses, origin);
        profile.tier_changes = compiled.events.iter().map(timeline::tier_change).collect();
        profile.guard_failures = compiled.guard_failures;
        (outcome, profile)
    }

    fn report(
        &self,
        profiler: &recorded::Profiler,
        outcome: &Result<Outcome, ScriptError>,
        census: Option<MemoryCensus>,
        peak_heap: usize,
    ) -> Profile {
        let nanoseconds = |time: &Duration| time.as_nanos() as u64;
        let total = self.phases.iter().map(|(_, time)| nanoseconds(time)).sum();
        let phases = self.phases.iter().map(|(name, time)| {
            let share = share(nanoseconds(time), total);
            Phase {
                name: name.clone(),
                time_ns: nanoseconds(time),
                share,
                gain_if_halved: gain_if_halved(share),
            }
        });
        let mut profile = Profile {
            schema_version: SCHEMA_VERSION,
            kiln_version: env!("CARGO_PKG_VERSION").into(),
            script: self.script.clone(),
            method: self.options.method,
            samples: (self.options.method == Method::Sampled).then(|| profiler.samples()),
            ending: match outcome {
                Ok(Outcome::Finished) => Ending::Finished,
                Ok(Outcome::Exit(status)) => Ending::Exit { status: *status },
                Err(error) if error.error == RuntimeError::Interrupted => Ending::Interrupted,
                Err(error) => Ending::Error {
                    message: error.to_string(),
                },
            },
            total_ns: total,
            phases: phases.collect(),
            ..Profile::default()
        };
        build::add_code(&mut profile, profiler);
        profile.memory = census.map(|census| memory::memory(&census, profiler, peak_heap));
        profile.recommendations = recommend::recommendations(&profile);
        profile
    }
}

/// By how much the whole is faster if a part that takes this share of it takes half the time (Amdahl 1967).
fn gain_if_halved(share: f64) -> f64 {
    1.0 / (1.0 - share / 2.0) - 1.0
}

#[cfg(test)]
mod tests {
    use super::gain_if_halved;

    #[test]
    fn the_whole_gains_what_amdahl_says() {
        assert_eq!(gain_if_halved(0.0), 0.0);
        assert_eq!(gain_if_halved(1.0), 1.0);
        assert!((gain_if_halved(0.5) - 1.0 / 3.0).abs() < 1e-12);
    }
}
