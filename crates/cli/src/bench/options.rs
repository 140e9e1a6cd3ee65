//! The arguments of `kiln bench`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// The most runs of a script on an engine that can be asked for.
const MOST_RUNS: u64 = 100_000;

pub const AFTER_HELP: &str = "\
Examples:
  kiln bench fib.ms                              how long does it take, and how sure is that?
  kiln bench fib.ms --vs 'luajit {dir}/{stem}.lua' --vs 'kiln-0.1 run {}'
  kiln bench *.ms --binary ../before/kiln        this build against another
  kiln bench fib.ms --in-process --runs 50       watch a program warm up
  kiln bench fib.ms --save-baseline before.json  then change something, and
  kiln bench fib.ms --baseline before.json

Exit status: 0 if all went well, 1 if a script failed, outputs differ or a file cannot be written, 2 for wrong usage,
files that cannot be read and commands that cannot be run, 3 if --fail-if-slower says so.
docs/benchmarking.md explains the numbers.";

/// What `kiln bench` was asked for.
#[derive(Args, Debug)]
pub struct BenchOptions {
    /// The scripts
    #[arg(required = true, value_name = "SCRIPT")]
    pub scripts: Vec<PathBuf>,
    /// Make exactly N runs of each script on each engine instead of as many as precision takes
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MOST_RUNS))]
    pub runs: Option<u64>,
    /// Make N runs beforehand that do not count, instead of finding out which leading runs were slow
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=MOST_RUNS))]
    pub warm_up: Option<u64>,
    /// Stop when the medians are known to within PERCENT
    #[arg(long, value_name = "PERCENT", default_value = "1", value_parser = positive, conflicts_with = "runs")]
    pub precision: f64,
    /// Stop after this time for each script, however precise the result is
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = positive, conflicts_with = "runs")]
    pub time: f64,
    /// Run everything inside one process and one interpreter, to see the engine warm up
    #[arg(long, conflicts_with_all = ["vs", "binary"])]
    pub in_process: bool,
    /// Compare with another command: {} stands for the script's path, {stem} for its name without extension, {dir} for its
    /// folder. May be given several times
    #[arg(long, value_name = "COMMAND")]
    pub vs: Vec<String>,
    /// Compare with another build of kiln. May be given several times
    #[arg(long, value_name = "PATH")]
    pub binary: Vec<PathBuf>,
    /// What counts
    #[arg(long, value_enum, default_value = "elapsed")]
    pub metric: MetricChoice,
    /// Give scripts this argument. May be given several times
    #[arg(short, long, value_name = "ARGUMENT", allow_hyphen_values = true)]
    pub argument: Vec<OsString>,
    /// Let each run read this file as its standard input, which is empty otherwise
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// Do not mind if runs or engines print different things
    #[arg(long)]
    pub ignore_output: bool,
    /// Do not mind if a script ends with an error or by `exit` with a status other than 0
    #[arg(long)]
    pub ignore_status: bool,
    /// Write everything that was measured as JSON; `-` is standard output, in place of the report
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Draw a chart
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Keep the results to compare later ones with
    #[arg(long, value_name = "FILE")]
    pub save_baseline: Option<PathBuf>,
    /// Compare with results that were kept
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Add the results to a history
    #[arg(long, value_name = "FILE")]
    pub history: Option<PathBuf>,
    /// End with status 3 if a script has become slower than its baseline, significantly and by more than PERCENT
    #[arg(long, value_name = "PERCENT", requires = "baseline", value_parser = not_negative)]
    pub fail_if_slower: Option<f64>,
}

/// What counts.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum MetricChoice {
    /// The time that passes from start to end
    Elapsed,
    /// User and system time of all threads
    Processor,
}

fn positive(text: &str) -> Result<f64, String> {
    not_negative(text)
        .ok()
        .filter(|&number| number > 0.0)
        .ok_or_else(|| "a number above 0 is expected".into())
}

fn not_negative(text: &str) -> Result<f64, String> {
    let number = text.parse().ok();
    number
        .filter(|number: &f64| number.is_finite() && *number >= 0.0)
        .ok_or_else(|| "a number of at least 0 is expected".into())
}
