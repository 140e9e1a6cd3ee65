//! The command line of `cargo xtask bench`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use lexopt::{Arg, Parser, ValueExt};

use super::engine::{Engine, ExtraError, USUAL_NAMES};
use super::manifest::Program;
use super::report::Metric;

pub const HELP: &str = "\
usage: cargo xtask bench [OPTION]...

Runs the programs in benches/ and prints the median processor time of each
engine as a ratio to lua5.4's (or to the first engine's, without lua5.4).

  --engines A,B       only these of kiln, lua5.4, luajit, python3, node
  --kiln PATH         this kiln instead of the release build
  --tiers             Kiln three times: with all tiers, without the optimizing
                      compiler, without any compiler
  --extra NAME=CMD    one more engine; {} in CMD stands for the MiniScript
                      source, {lua}, {py}, {js} for the others; repeatable
  --filter TEXT       only programs with TEXT in their names
  --group A,B         only these groups of programs
  --rounds N          runs of each program on each engine (5)
  --small             small problem sizes: checks outputs, measures nothing
  --wall              also print a table of elapsed times
  --memory            also print a table of peak memory
  --json FILE         write all samples (format: benches/README.md)
  --from FILE         measure nothing: take results that --json has written
  --svg FILE          draw a bar chart with every program
  --overview FILE     draw the means only, as in README
  --readme            renew the chart in README: --tiers, all but python3,
                      --json benches/results.json, --overview
                      docs/benchmarks.svg; run it on a machine at rest
  --report FILE       write a page of HTML with everything, history included
  --history FILE      add the results to a history of sessions
  -h, --help          print this text
";

const DEFAULT_ROUNDS: usize = 5;

/// What the command line asked for.
#[derive(Debug)]
pub struct Options {
    pub help: bool,
    pub rounds: usize,
    pub small: bool,
    pub wall: bool,
    pub memory: bool,
    pub json: Option<PathBuf>,
    pub kiln: Option<PathBuf>,
    pub tiers: bool,
    pub from: Option<PathBuf>,
    pub svg: Option<PathBuf>,
    pub overview: Option<PathBuf>,
    pub report: Option<PathBuf>,
    pub history: Option<PathBuf>,
    pub extra: Vec<Engine>,
    engines: Option<Vec<String>>,
    groups: Option<Vec<String>>,
    filter: Option<String>,
}

/// Why the command line was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0} (--help lists the options)")]
    Syntax(#[from] lexopt::Error),
    #[error("--rounds needs a number of at least 1")]
    NoRounds,
    #[error("unknown engine: {0}; use --extra to add one")]
    UnknownEngine(String),
    #[error("--extra {text}: {source}")]
    Extra { text: String, source: ExtraError },
}

impl Options {
    pub fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Self, Error> {
        let mut options = Self {
            help: false,
            rounds: DEFAULT_ROUNDS,
            small: false,
            wall: false,
            memory: false,
            json: None,
            kiln: None,
            tiers: false,
            from: None,
            svg: None,
            overview: None,
            report: None,
            history: None,
            extra: Vec::new(),
            engines: None,
            groups: None,
            filter: None,
        };
        let mut parser = Parser::from_args(arguments);
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Short('h') | Arg::Long("help") => options.help = true,
                Arg::Long("rounds") => options.rounds = parser.value()?.parse()?,
                Arg::Long("small") => options.small = true,
                Arg::Long("wall") => options.wall = true,
                Arg::Long("memory") => options.memory = true,
                Arg::Long("json") => options.json = Some(parser.value()?.into()),
                Arg::Long("kiln") => options.kiln = Some(parser.value()?.into()),
                Arg::Long("tiers") => options.tiers = true,
                Arg::Long("readme") => options.renew_readme(),
                Arg::Long("from") => options.from = Some(parser.value()?.into()),
                Arg::Long("overview") => options.overview = Some(parser.value()?.into()),
                Arg::Long("svg") => options.svg = Some(parser.value()?.into()),
                Arg::Long("report") => options.report = Some(parser.value()?.into()),
                Arg::Long("history") => options.history = Some(parser.value()?.into()),
                Arg::Long("engines") => options.engines = Some(list(parser.value()?)?),
                Arg::Long("group") => options.groups = Some(list(parser.value()?)?),
                Arg::Long("filter") => options.filter = Some(parser.value()?.string()?),
                Arg::Long("extra") => {
                    let text = parser.value()?.string()?;
                    match Engine::extra(&text) {
                        Ok(engine) => options.extra.push(engine),
                        Err(source) => return Err(Error::Extra { text, source }),
                    }
                }
                other => return Err(other.unexpected().into()),
            }
        }
        if options.rounds == 0 {
            return Err(Error::NoRounds);
        }
        for name in options.engines.iter().flatten() {
            if !USUAL_NAMES.contains(&name.as_str()) {
                return Err(Error::UnknownEngine(name.clone()));
            }
        }
        Ok(options)
    }

    /// Asks for what README shows.
    fn renew_readme(&mut self) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let engines = USUAL_NAMES.iter().filter(|name| **name != "python3");
        self.engines = Some(engines.map(|&name| name.to_owned()).collect());
        self.tiers = true;
        self.json = Some(root.join("benches/results.json"));
        self.overview = Some(root.join("docs/benchmarks.svg"));
    }

    /// Whether an engine of the usual set takes part.
    pub fn wants_engine(&self, name: &str) -> bool {
        self.engines
            .as_ref()
            .is_none_or(|engines| engines.iter().any(|engine| engine == name))
    }

    /// Whether a program is to be run.
    pub fn selects(&self, program: &Program) -> bool {
        self.filter
            .as_ref()
            .is_none_or(|text| program.name.contains(text))
            && self
                .groups
                .as_ref()
                .is_none_or(|groups| groups.contains(&program.group))
    }

    /// What to print tables of.
    pub fn metrics(&self) -> impl Iterator<Item = Metric> {
        [
            Some(Metric::ProcessorTime),
            self.wall.then_some(Metric::ElapsedTime),
            self.memory.then_some(Metric::PeakMemory),
        ]
        .into_iter()
        .flatten()
    }
}

fn list(value: OsString) -> Result<Vec<String>, lexopt::Error> {
    Ok(value.string()?.split(',').map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, Error> {
        Options::parse(line.split_whitespace().map(OsString::from))
    }

    fn program(group: &str, name: &str) -> Program {
        Program {
            name: name.to_owned(),
            group: group.to_owned(),
            default: 100,
            small: 1,
        }
    }

    #[test]
    fn without_options_everything_runs() {
        let options = parse("").expect("it is valid");
        assert_eq!(options.rounds, DEFAULT_ROUNDS);
        assert!(options.wants_engine("node"));
        assert!(options.selects(&program("calls", "fib")));
        assert_eq!(
            options.metrics().collect::<Vec<_>>(),
            [Metric::ProcessorTime]
        );
    }

    #[test]
    fn the_chart_in_readme_is_one_option() {
        let options = parse("--readme --rounds 3").expect("it is valid");
        assert!(options.tiers && !options.wants_engine("python3"));
        assert!(options.wants_engine("kiln") && options.wants_engine("luajit"));
        let chart = options.overview.expect("it is asked for");
        assert!(chart.ends_with("docs/benchmarks.svg"));
    }

    #[test]
    fn filters_combine() {
        let options =
            parse("--group calls,strings --filter ack --engines kiln,luajit").expect("it is valid");
        assert!(options.selects(&program("calls", "ackermann")));
        assert!(!options.selects(&program("calls", "fib")));
        assert!(!options.selects(&program("collections", "stack")));
        assert!(options.wants_engine("kiln") && !options.wants_engine("node"));
    }

    #[test]
    fn unknown_words_are_refused() {
        assert!(
            matches!(parse("--engines ruby"), Err(Error::UnknownEngine(name)) if name == "ruby")
        );
        assert!(matches!(parse("--rounds 0"), Err(Error::NoRounds)));
        assert!(matches!(parse("--fast"), Err(Error::Syntax(_))));
        assert!(matches!(
            parse("--extra nonsense"),
            Err(Error::Extra { .. })
        ));
    }
}
