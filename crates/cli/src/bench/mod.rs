//! `kiln bench`: how long scripts take, and whether something else is faster.
//!
//! [`engine`] says what is run, [`measure`] how often, [`report`] and [`chart`] show the results. The statistics and the files
//! are the business of the crate `kiln-bench`.

mod chart;
mod engine;
mod error;
mod in_process;
mod measure;
pub mod options;
mod report;

use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use kiln::CompileOptions;
use kiln_bench::comparison::{Pairing, compare};
use kiln_bench::document::{Document, EngineResult, Metric, Mode, ScriptResult, Settings};
use kiln_bench::history::{self, Entry};
use kiln_bench::process::{self, Run};
use kiln_bench::statistics::Summary;

use engine::Engine;
pub use error::Error;
use in_process::InProcess;
use measure::{Measured, Plan, Progress};
use options::{BenchOptions, MetricChoice};

/// The exit status after `--fail-if-slower` has found something.
const SLOWER: u8 = 3;

/// Measures scripts as the command line says.
pub fn bench(options: &BenchOptions) -> Result<u8, Error> {
    check_scripts(&options.scripts)?;
    check_outputs(options)?;
    let settings = settings(options);
    let baseline = options.baseline.as_deref();
    let baseline = baseline.map(|path| load_baseline(path, &settings));
    let baseline = baseline.transpose()?;
    let history = options.history.as_deref().map(load_history).transpose()?;
    let session = Session {
        options,
        plan: plan(options),
        input: options.input.as_deref().map(read).transpose()?,
        baseline: baseline.as_ref(),
    };

    let mut document = Document::new(env!("CARGO_PKG_VERSION"), settings);
    let shows_report = options.json.as_deref() != Some(Path::new("-"));
    let styles = report::Styles::new(&std::io::stdout());
    for script in &options.scripts {
        let result = session.measure(script)?;
        if shows_report {
            let mut text = report::script(&result, &document, &styles);
            text.push_str(&report::baseline(&result, baseline.as_ref()));
            if let Some(entries) = &history {
                text.push_str(&report::history(&result, &document, entries));
            }
            text.push('\n');
            print(&text)?;
        }
        document.scripts.push(result);
    }
    document.created = kiln_bench::document::now();
    write_files(options, &document)?;
    Ok(match options.fail_if_slower {
        Some(percent) if is_slower(&document, percent) => SLOWER,
        _ => 0,
    })
}

/// What holds for all scripts.
struct Session<'a> {
    options: &'a BenchOptions,
    plan: Plan,
    input: Option<Vec<u8>>,
    baseline: Option<&'a Document>,
}

impl Session<'_> {
    fn measure(&self, script: &Path) -> Result<ScriptResult, Error> {
        let bar = progress_bar(script);
        let observe = |progress: Progress| show(&bar, progress);
        let (engines, measured) = if self.options.in_process {
            let mut runner = self.prepare(script)?;
            let engine = Engine::this()?;
            let run = |_| self.check(script, &engine, runner.run(self.input())?);
            let measured = measure::measure(&["kiln"], &self.plan, run, observe)?;
            (vec![engine], measured)
        } else {
            let engines = Engine::all(self.options)?;
            let names: Vec<&str> = engines.iter().map(|engine| engine.name.as_str()).collect();
            let run = |index: usize| match engines.get(index) {
                Some(engine) => self.run(script, engine),
                None => Err(Error::NoEngine),
            };
            let measured = measure::measure(&names, &self.plan, run, observe)?;
            (engines, measured)
        };
        bar.finish_and_clear();
        Ok(self.result(script, engines, measured))
    }

    fn input(&self) -> &[u8] {
        self.input.as_deref().unwrap_or_default()
    }

    /// Compiles a script to be run in this process.
    fn prepare(&self, script: &Path) -> Result<InProcess, Error> {
        let contents = read(script)?;
        let program = if kiln::is_compiled(&contents) {
            kiln::load_compiled(&contents).map_err(|reason| Error::NotLoadable {
                path: script.to_path_buf(),
                reason,
            })?
        } else {
            let name = script.to_string_lossy();
            kiln::compile(&name, &contents, CompileOptions::default())
                .map_err(|errors| Error::NotCompilable(errors.render(crate::colour())))?
        };
        InProcess::new(program, script, &self.options.argument)
    }

    fn run(&self, script: &Path, engine: &Engine) -> Result<Run, Error> {
        let command = engine.command(script, &self.options.argument);
        let run = process::run(command, self.input()).map_err(|reason| Error::NotRunnable {
            program: engine.program(),
            reason,
        })?;
        self.check(script, engine, run)
    }

    fn check(&self, script: &Path, engine: &Engine, run: Run) -> Result<Run, Error> {
        if run.status.success() || self.options.ignore_status {
            return Ok(run);
        }
        Err(Error::failed(script, &engine.name, &run))
    }

    fn result(&self, script: &Path, engines: Vec<Engine>, measured: Measured) -> ScriptResult {
        let metric = self.plan.metric;
        let warm_up = measured.warm_up;
        let script = script.display().to_string();
        let mut first: Option<Vec<f64>> = None;
        let mut results = Vec::new();
        for (engine, runs) in engines.into_iter().zip(measured.runs) {
            let counted = runs.get(warm_up..).unwrap_or_default();
            let values: Vec<f64> = counted.iter().map(|run| metric.of(run)).collect();
            let Some(summary) = Summary::of(&values) else {
                continue;
            };
            let earlier = self
                .baseline
                .and_then(|baseline| baseline.find(&script, &engine.name))
                .map(|(script, engine)| engine.values(metric, script.warm_up));
            results.push(EngineResult {
                comparison: first
                    .as_ref()
                    .and_then(|first| compare(first, &values, Pairing::Rounds)),
                baseline: earlier
                    .and_then(|earlier| compare(&values, &earlier, Pairing::Independent)),
                name: engine.name,
                command: engine.given,
                runs,
                summary,
            });
            first.get_or_insert(values);
        }
        ScriptResult {
            script,
            warm_up,
            engines: results,
        }
    }
}

fn settings(options: &BenchOptions) -> Settings {
    Settings {
        mode: if options.in_process {
            Mode::InProcess
        } else {
            Mode::Process
        },
        metric: metric(options),
        arguments: options
            .argument
            .iter()
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect(),
    }
}

fn plan(options: &BenchOptions) -> Plan {
    // The numbers are bounded by the command line.
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Plan {
        rounds: options.runs.map(count),
        warm_up: options.warm_up.map(count),
        time: Duration::try_from_secs_f64(options.time).unwrap_or(Duration::MAX),
        precision: options.precision / 100.0,
        metric: metric(options),
        ignores_output: options.ignore_output,
    }
}

fn metric(options: &BenchOptions) -> Metric {
    match options.metric {
        MetricChoice::Elapsed => Metric::Elapsed,
        MetricChoice::Processor => Metric::Processor,
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|reason| Error::Unreadable {
        path: path.to_path_buf(),
        reason,
    })
}

/// Whether all scripts are there, before the first takes its time.
fn check_scripts(scripts: &[PathBuf]) -> Result<(), Error> {
    for script in scripts {
        if script.as_os_str() == "-" {
            return Err(Error::StandardInput);
        }
        read(script)?;
    }
    Ok(())
}

/// Whether all files can be written, before the work of minutes is lost for want of a folder.
fn check_outputs(options: &BenchOptions) -> Result<(), Error> {
    let outputs = [
        &options.json,
        &options.svg,
        &options.save_baseline,
        &options.history,
    ];
    for path in outputs.into_iter().flatten() {
        if path == Path::new("-") {
            continue;
        }
        let is_new = !path.exists();
        let opened = OpenOptions::new().append(true).create(true).open(path);
        opened.map_err(|reason| unwritable(path, reason))?;
        if is_new {
            // An empty file that stays behind does no harm.
            let _ = std::fs::remove_file(path);
        }
    }
    Ok(())
}

fn load_baseline(path: &Path, settings: &Settings) -> Result<Document, Error> {
    let document = Document::load(path).map_err(|reason| Error::Baseline {
        path: path.to_path_buf(),
        reason,
    })?;
    if document.settings.mode != settings.mode || document.settings.arguments != settings.arguments
    {
        return Err(Error::OtherBaseline(path.to_path_buf()));
    }
    Ok(document)
}

fn load_history(path: &Path) -> Result<Vec<Entry>, Error> {
    history::load(path).map_err(|reason| Error::History {
        path: path.to_path_buf(),
        reason,
    })
}

fn unwritable(path: &Path, reason: std::io::Error) -> Error {
    Error::Unwritable {
        path: path.to_path_buf(),
        reason,
    }
}

fn write_files(options: &BenchOptions, document: &Document) -> Result<(), Error> {
    let write = |path: &Path, text: &str| {
        std::fs::write(path, text).map_err(|reason| unwritable(path, reason))
    };
    if let Some(path) = &options.json {
        let text = document.to_json();
        if path == Path::new("-") {
            print(&text)?;
        } else {
            write(path, &text)?;
        }
    }
    if let Some(path) = &options.save_baseline {
        write(path, &document.to_json())?;
    }
    if let Some(path) = &options.svg {
        let chart = chart::draw(document).map_err(|error| Error::Chart(error.to_string()))?;
        write(path, &chart)?;
    }
    if let Some(path) = &options.history {
        let entries = history::entries(document);
        history::append(path, &entries).map_err(|reason| unwritable(path, reason))?;
    }
    Ok(())
}

fn print(text: &str) -> Result<(), Error> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        // That nobody reads any more is no error.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Error::Output(error)),
        _ => Ok(()),
    }
}

/// Whether a script has become slower by more than so many percent, beyond doubt.
fn is_slower(document: &Document, percent: f64) -> bool {
    let limit = 1.0 / (1.0 + percent / 100.0);
    let engines = document.scripts.iter().flat_map(|script| &script.engines);
    engines
        .filter_map(|engine| engine.baseline)
        .any(|comparison| comparison.significant && comparison.high < limit)
}

/// A bar on standard error, if that is a terminal.
fn progress_bar(script: &Path) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(1000);
    if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:30} {msg}") {
        bar.set_style(style);
    }
    bar.set_prefix(script.display().to_string());
    bar.tick();
    bar
}

fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_position((progress.share * 1000.0) as u64);
    bar.set_message(match progress.uncertainty {
        Some(uncertainty) => {
            let percent = uncertainty * 100.0;
            format!("{} rounds, ±{percent:.1} %", progress.rounds)
        }
        None => format!("{} rounds", progress.rounds),
    });
}
