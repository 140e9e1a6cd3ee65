//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use kiln::profile::Thresholds;
use kiln::{CodeForm, FaultOptions, JitOptions, Limits, PassOptions, Stage, Tier};

use crate::bench::options::{AFTER_HELP, BenchOptions};
use crate::{Error, size};

const EXAMPLES: &str = "\
Examples:
  kiln hello.ms              run a program
  kiln hello.ms one two      run it with arguments: shellArgs is [\"hello.ms\", \"one\", \"two\"]
  kiln -c 'print 6 * 7'      run a text
  kiln                       an interactive session
  kiln -i hello.ms           a session that begins with the program's variables
  kiln --heap-limit 64M x.ms give a program at most 64 MiB
  kiln check *.ms            look for errors without running anything
  kiln compile x.ms -o x.kbc compile ahead; `kiln x.kbc` runs the result
  kiln bench x.ms            how long it takes, and how certain that is
  kiln profile x.ms          what a program spends its time on
  kiln hotspots x.ms         what of it is worth compiling
  kiln explain x.ms:15       what the engine made of the function at line 15
  kiln intrinsics split      what a built-in function does

Exit status: 0 if all went well, 1 after a runtime or compile error, the number given to `exit`,
2 for wrong usage or a file that cannot be read, 130 if interrupted.";

/// Kiln runs MiniScript programs.
#[derive(Debug, Parser)]
#[command(name = "kiln", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub program: Program,
    #[command(flatten)]
    pub options: Options,
}

/// The program to run.
#[derive(Args, Debug)]
pub struct Program {
    /// Run CODE instead of a file
    #[arg(short = 'c', value_name = "CODE", allow_hyphen_values = true)]
    pub code: Option<String>,
    /// Go on with an interactive session when the program has ended
    #[arg(short, long)]
    pub interactive: bool,
    /// The script (`-` for standard input) and what it finds in shellArgs. Without one, a session begins if standard input
    /// is a terminal; else the program is read from there
    #[arg(value_names = ["FILE", "ARGS"], num_args = 0.., trailing_var_arg = true, allow_hyphen_values = false)]
    pub script: Vec<OsString>,
}

/// How programs are run.
#[derive(Args, Debug)]
pub struct Options {
    /// The most memory for a program's data, such as 512M
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    heap_limit: Option<usize>,
    /// The most memory for pending calls, such as 64M; it bounds recursion
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    stack_limit: Option<usize>,
    /// How far hot code is compiled; baseline if not given, but for `explain`, which looks at the optimizing tier
    #[arg(long, value_name = "TIER", value_enum)]
    jit: Option<JitTier>,
    /// How often the instructions of a function are interpreted, on average, before it is compiled; 1 compiles everything at
    /// once, and makes the program wait for it
    #[arg(long, value_name = "TIMES")]
    jit_threshold: Option<u32>,
    /// The most memory for machine code, such as 8M
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    jit_budget: Option<usize>,
    /// Throw compiled code away whenever possible: slow, for finding errors in the engine
    #[arg(long)]
    jit_evict: bool,
    #[command(flatten)]
    faults: FaultChoice,
    /// Report on compiled code at the end, on standard error
    #[arg(long)]
    pub jit_stats: bool,
    /// Keep a record of what becomes of code; profiles ask for it.
    #[arg(skip)]
    pub record_tiers: bool,
    #[command(flatten)]
    passes: PassChoice,
    /// Use all tiers unless the user says otherwise.
    #[arg(skip)]
    pub all_tiers: bool,
    /// List compiled code for the profiler `perf`
    #[arg(long)]
    perf_map: bool,
    /// Register compiled code with a debugger such as GDB
    #[arg(long)]
    gdb: bool,
    /// Collect garbage at every allocation: slow, for finding errors in the engine
    #[arg(long)]
    pub gc_stress: bool,
    /// Report on the garbage collector at the end, on standard error
    #[arg(long)]
    pub gc_stats: bool,
}

impl Options {
    /// What is compiled, when.
    pub fn jit(&self) -> JitOptions {
        let default = JitOptions::default();
        let (threshold, optimize_threshold) = thresholds(self.jit_threshold);
        JitOptions {
            tier: match self.jit {
                Some(JitTier::Off) => Tier::Off,
                Some(JitTier::Baseline) => Tier::Baseline,
                Some(JitTier::Optimizing) => Tier::Optimizing,
                None if self.all_tiers => Tier::Optimizing,
                None => default.tier,
            },
            threshold,
            optimize_threshold,
            code_bytes: self.jit_budget.unwrap_or(default.code_bytes),
            // What is delayed on purpose is delayed alike in every run.
            background: threshold > 1 && self.faults.jit_delay == 0,
            evict_always: self.jit_evict,
            faults: FaultOptions {
                fail_guards: self.faults.jit_fail_guards,
                invalidate: self.faults.jit_invalidate,
                delay: self.faults.jit_delay,
            },
            perf_map: self.perf_map,
            debugger: self.gdb,
            log: logs("jit"),
            record: self.jit_stats || self.record_tiers,
            list: false,
            passes: self.passes.options(),
        }
    }

    /// The limits of the interpreter.
    pub fn limits(&self) -> Limits {
        let default = Limits::TRUSTED;
        Limits {
            heap_bytes: self.heap_limit.unwrap_or(default.heap_bytes),
            // A register takes eight bytes.
            stack_registers: self
                .stack_limit
                .map_or(default.stack_registers, |bytes| bytes / 8),
            ..default
        }
    }
}

/// How far code is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum JitTier {
    /// Only the interpreter runs
    Off,
    /// Hot code is compiled by the baseline compiler
    Baseline,
    /// What stays hot is compiled again by the optimizing compiler
    Optimizing,
}

/// What to do instead of running a program.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a program: source text or compiled code
    Run {
        #[command(flatten)]
        program: Program,
        #[command(flatten)]
        options: Options,
    },
    /// Begin an interactive session, or read one from standard input
    Repl {
        /// What the session finds in shellArgs
        #[arg(trailing_var_arg = true)]
        arguments: Vec<OsString>,
        #[command(flatten)]
        options: Options,
    },
    /// Compile programs and report all errors, without running anything
    Check {
        /// The programs
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Compile a program to a file that `kiln` can run
    Compile {
        /// The program
        file: PathBuf,
        /// The file to write
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Show a program as the engine sees it
    Dump {
        #[command(flatten)]
        stage: StageChoice,
        #[command(flatten)]
        optimized: OptimizedChoice,
        /// The program; for compiled code also one function of it, as in `program.ms:name`
        file: PathBuf,
    },
    /// Measure how long scripts take, and compare engines, builds and versions
    #[command(after_help = AFTER_HELP)]
    Bench(Box<BenchOptions>),
    /// Run a program and report what it spends its time and memory on
    ///
    /// The report goes to standard error, as standard output belongs to the program, or to a file. The exit status is the
    /// program's; a report comes also if the program ends by an error, `exit` or Ctrl-C.
    Profile(ProfileArguments),
    /// Run a program and rank the functions and loops that are worth compiling
    ///
    /// Exit status: 0 if there is a candidate, 3 if there is none; 1 if the program ends by an error, 130 if it is interrupted
    /// (the report comes all the same).
    Hotspots(HotspotsArguments),
    /// Explain in plain words what the engine made of the hottest functions, and what would let it make more
    ///
    /// The program runs twice: first as always, which tells what was compiled; then silently, without input and with every
    /// instruction counted, which tells the kinds of values. Add a line to the program's name (game.ms:15) to ask about
    /// the function there. The exit status is the program's.
    Explain(ExplainArguments),
    /// List the built-in functions, or describe one
    Intrinsics {
        /// A function, such as `range` or `file.open`
        name: Option<String>,
    },
    /// Print a script that teaches a shell to complete kiln's arguments
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// A program to measure.
#[derive(Args, Debug)]
pub struct ProfiledProgram {
    /// The script (`-` for standard input) and what it finds in shellArgs
    #[arg(value_names = ["FILE", "ARGS"], num_args = 1.., required = true, trailing_var_arg = true, allow_hyphen_values = false)]
    pub script: Vec<OsString>,
}

/// The arguments of `kiln profile`.
#[derive(Args, Debug)]
pub struct ProfileArguments {
    #[command(flatten)]
    pub program: ProfiledProgram,
    /// Ask the program now and then where it stands instead of counting: less is known, but it runs at full speed
    #[arg(long)]
    pub sample: bool,
    /// Report on memory: what is allocated where, what is alive, shapes of maps, strings that are there twice
    #[arg(long)]
    pub memory: bool,
    /// Write the report as JSON; docs/profile-schema.md describes it
    #[arg(long)]
    pub json: bool,
    /// Also write call stacks for a flame graph viewer
    #[arg(long, value_name = "FILE")]
    pub folded: Option<PathBuf>,
    /// Also write a page for a browser: flame graph, source with the heat of each line, types, timeline. It needs no network. The
    /// program runs a second time for the timeline, silently, without input and at full speed
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Run the program only once also with --html, as it should not do its work twice: nothing is known of compiled code then
    #[arg(long)]
    pub once: bool,
    /// Write the report to a file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub options: Options,
}

/// The arguments of `kiln explain`.
#[derive(Args, Debug)]
pub struct ExplainArguments {
    #[command(flatten)]
    pub program: ProfiledProgram,
    /// Run the program only once, counted, as it should not do its work twice: nothing is known of compiled code then
    #[arg(long)]
    pub once: bool,
    /// Write the explanation to a file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub options: Options,
}

/// The arguments of `kiln hotspots`.
#[derive(Args, Debug)]
pub struct HotspotsArguments {
    #[command(flatten)]
    pub program: ProfiledProgram,
    #[command(flatten)]
    pub thresholds: ThresholdArguments,
    /// Ask the program now and then where it stands instead of counting
    #[arg(long)]
    pub sample: bool,
    /// Write the list as JSON; docs/profile-schema.md describes it
    #[arg(long)]
    pub json: bool,
    /// Write the list to a file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub options: Options,
}

/// From where on something is a candidate.
#[derive(Args, Debug)]
pub struct ThresholdArguments {
    /// A function with more than so many per cent of the time
    #[arg(long, value_name = "PERCENT", default_value_t = 30.0, value_parser = percentage)]
    min_time: f64,
    /// A function called so often
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    min_calls: u64,
    /// A loop with so many iterations
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    min_iterations: u64,
    /// Types that are the same in so many per cent of all cases
    #[arg(long, value_name = "PERCENT", default_value_t = 80.0, value_parser = percentage)]
    min_stability: f64,
}

impl ThresholdArguments {
    /// The same as shares.
    pub fn thresholds(&self) -> Thresholds {
        Thresholds {
            share: self.min_time / 100.0,
            calls: self.min_calls,
            iterations: self.min_iterations,
            stability: self.min_stability / 100.0,
        }
    }
}

/// Whether the environment asks for messages about a part of the engine: `KILN_LOG` lists parts, with commas between them.
fn logs(part: &str) -> bool {
    let parts = std::env::var("KILN_LOG").unwrap_or_default();
    parts.split(',').any(|it| it.trim() == part)
}

fn percentage(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if (0.0..=100.0).contains(&number) => Ok(number),
        _ => Err("a number from 0 to 100 is expected".into()),
    }
}

/// What `kiln dump` shows.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub struct StageChoice {
    /// The tokens, one to a line
    #[arg(long)]
    tokens: bool,
    /// The syntax tree
    #[arg(long)]
    ast: bool,
    /// The bytecode, which is also the default
    #[arg(long)]
    bytecode: bool,
    /// What the baseline compiler tells its code generator
    #[arg(long)]
    clif: bool,
    /// Machine code, between the bytecode and the source lines it was made from
    #[arg(long)]
    asm: bool,
}

/// Dumps of the optimizing compiler. It needs to know what the program does, so the program runs, and nobody sees what it writes.
#[derive(Args, Debug)]
pub struct OptimizedChoice {
    /// The optimizer's form of what gets hot when the program runs
    #[arg(long, conflicts_with_all = ["tokens", "ast", "bytecode", "clif", "asm"])]
    ssa: bool,
    /// The optimizer's form behind every pass
    #[arg(long, conflicts_with_all = ["tokens", "ast", "bytecode", "clif", "asm", "ssa"])]
    ssa_passes: bool,
    /// With `--clif` and `--asm`: what the optimizing compiler makes of what gets hot when the program runs
    #[arg(long)]
    optimized: bool,
    /// How early code gets hot, as for `kiln run`
    #[arg(long, value_name = "TIMES")]
    jit_threshold: Option<u32>,
    #[command(flatten)]
    pub passes: PassChoice,
}

/// What goes wrong on purpose.
#[derive(Args, Debug)]
struct FaultChoice {
    /// Let every N-th guard of optimized code fail
    #[arg(long, value_name = "N", default_value_t = 0, hide_short_help = true)]
    jit_fail_guards: u32,
    /// Revoke what optimized code takes for granted at every N-th look at it
    #[arg(long, value_name = "N", default_value_t = 0, hide_short_help = true)]
    jit_invalidate: u32,
    /// Install compiled code late, after up to N events
    #[arg(long, value_name = "N", default_value_t = 0, hide_short_help = true)]
    jit_delay: u32,
}

/// Which passes of the optimizer run.
#[derive(Args, Debug)]
pub struct PassChoice {
    /// End the optimizer after its first N passes, in search of the one that is wrong
    #[arg(long, value_name = "N", hide_short_help = true)]
    ssa_stop_after: Option<usize>,
    /// Leave these passes of the optimizer out, with commas between their names
    #[arg(
        long,
        value_name = "PASSES",
        value_delimiter = ',',
        hide_short_help = true
    )]
    ssa_skip: Vec<String>,
}

impl PassChoice {
    fn options(&self) -> PassOptions {
        PassOptions {
            stop_after: self.ssa_stop_after,
            skip: self.ssa_skip.clone(),
            verify: self.ssa_stop_after.is_some() || !self.ssa_skip.is_empty(),
        }
    }
}

/// A text of optimized code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptimizedForm {
    /// The optimizer's form.
    Ssa,
    /// The same behind every pass.
    Passes,
    /// What the code generator is told.
    Clif,
    /// Machine instructions.
    Assembly,
}

impl OptimizedChoice {
    /// The form chosen, if one was.
    pub fn form(&self, stage: &StageChoice) -> Option<OptimizedForm> {
        match (self.ssa, self.ssa_passes, stage.code_form()) {
            (true, _, _) => Some(OptimizedForm::Ssa),
            (_, true, _) => Some(OptimizedForm::Passes),
            (_, _, Some(CodeForm::Clif)) if self.optimized => Some(OptimizedForm::Clif),
            (_, _, Some(CodeForm::Assembly)) if self.optimized => Some(OptimizedForm::Assembly),
            _ => None,
        }
    }

    /// How the program is compiled while it runs.
    pub fn jit(&self) -> JitOptions {
        let (threshold, optimize_threshold) = thresholds(self.jit_threshold);
        JitOptions {
            tier: Tier::Optimizing,
            threshold,
            optimize_threshold,
            background: threshold > 1,
            list: true,
            passes: self.passes.options(),
            ..JitOptions::default()
        }
    }
}

/// When code is compiled, and when it is optimized.
fn thresholds(asked_for: Option<u32>) -> (u32, u32) {
    let default = JitOptions::default();
    match asked_for {
        // Twice as late as the baseline compiler, which leaves something to observe.
        Some(threshold) => (threshold, threshold.saturating_mul(2)),
        None => (default.threshold, default.optimize_threshold),
    }
}

impl StageChoice {
    /// The form of machine code chosen, if one was.
    pub fn code_form(&self) -> Option<CodeForm> {
        match (self.clif, self.asm) {
            (true, _) => Some(CodeForm::Clif),
            (_, true) => Some(CodeForm::Assembly),
            _ => None,
        }
    }

    /// The stage chosen.
    pub fn stage(&self) -> Stage {
        match (self.tokens, self.ast) {
            (true, _) => Stage::Tokens,
            (_, true) => Stage::Tree,
            _ => Stage::Bytecode,
        }
    }
}

/// Prints the completion script of a shell.
pub fn print_completions(shell: Shell) -> Result<u8, Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "kiln", &mut script);
    crate::inspect::print(&script)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(["kiln"].into_iter().chain(line.split_whitespace()))
    }

    fn script(line: &str) -> Vec<OsString> {
        parse(line).unwrap().program.script
    }

    #[test]
    fn definitions_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn what_follows_the_script_belongs_to_it() {
        assert_eq!(script("x.ms"), ["x.ms"]);
        assert_eq!(
            script("x.ms -q --help -c run"),
            ["x.ms", "-q", "--help", "-c", "run"]
        );
        assert_eq!(script("-"), ["-"]);
        let arguments = parse("-i --gc-stress x.ms --gc-stats").unwrap();
        assert!(
            arguments.program.interactive
                && arguments.options.gc_stress
                && !arguments.options.gc_stats
        );
        let Some(Command::Run { program, .. }) = parse("run x.ms --version").unwrap().command
        else {
            panic!("a subcommand")
        };
        assert_eq!(program.script, ["x.ms", "--version"]);
    }

    #[test]
    fn code_may_begin_with_a_hyphen() {
        assert_eq!(parse("-c -x").unwrap().program.code.as_deref(), Some("-x"));
    }

    #[test]
    fn unknown_options_are_errors() {
        assert!(parse("--nonsense x.ms").is_err());
        assert!(parse("--heap-limit lots x.ms").is_err());
        assert!(parse("dump --tokens --ast x.ms").is_err());
    }
}
