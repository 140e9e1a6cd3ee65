//! The results of a session, and the figures derived from them.

use std::fmt;

use kiln_bench::document::Host;
use kiln_bench::process::Sample;
use kiln_bench::statistics::{geometric_mean, median};

use super::engine::Engine;
use super::manifest::Program;

/// Everything a session has found out.
pub struct Report {
    /// When it was, and on which machine, as far as that is known.
    pub created: Option<String>,
    pub host: Option<Host>,
    /// Whether the small problem sizes were used.
    pub small: bool,
    pub rounds: usize,
    pub engines: Vec<Engine>,
    /// Index of the engine to which ratios refer.
    pub baseline: usize,
    pub results: Vec<ProgramResult>,
}

/// The results of one program.
pub struct ProgramResult {
    pub program: Program,
    /// The problem size.
    pub n: u64,
    /// One for each engine, in their order.
    pub outcomes: Vec<Outcome>,
}

/// What became of one program on one engine.
pub enum Outcome {
    /// One sample for each round.
    Measured(Vec<Sample>),
    /// With the reason.
    Failed(String),
}

/// What is compared. Less is better in all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// User and system time of all threads.
    ProcessorTime,
    ElapsedTime,
    PeakMemory,
}

impl Metric {
    /// The value of a sample, in seconds or bytes.
    fn of(self, sample: &Sample) -> f64 {
        match self {
            Self::ProcessorTime => sample.processor(),
            Self::ElapsedTime => sample.elapsed,
            Self::PeakMemory => sample.peak_memory as f64,
        }
    }

    /// A value for people, in a unit that suits it.
    pub fn format(self, value: f64) -> String {
        match self {
            Self::ProcessorTime | Self::ElapsedTime => format!("{:.0} ms", value * 1e3),
            Self::PeakMemory => format!("{:.1} MB", value / 1e6),
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::ProcessorTime => "processor time",
            Self::ElapsedTime => "elapsed time",
            Self::PeakMemory => "peak memory",
        })
    }
}

impl ProgramResult {
    /// The median over the rounds, or nothing if the engine failed.
    pub fn median(&self, engine: usize, metric: Metric) -> Option<f64> {
        match self.outcomes.get(engine)? {
            Outcome::Measured(samples) => {
                let values: Vec<f64> = samples.iter().map(|sample| metric.of(sample)).collect();
                median(&values)
            }
            Outcome::Failed(_) => None,
        }
    }
}

impl Report {
    /// The engine to which ratios refer.
    pub fn baseline_name(&self) -> &str {
        self.engines
            .get(self.baseline)
            .map_or("", |engine| &engine.name)
    }

    /// The groups of the programs that ran, each once, in their order.
    pub fn groups(&self) -> Vec<&str> {
        let mut groups: Vec<&str> = Vec::new();
        for result in &self.results {
            if !groups.contains(&result.program.group.as_str()) {
                groups.push(&result.program.group);
            }
        }
        groups
    }

    /// The results of one group.
    pub fn group<'a>(&'a self, group: &'a str) -> impl Iterator<Item = &'a ProgramResult> {
        self.results
            .iter()
            .filter(move |result| result.program.group == group)
    }

    /// An engine's median over the baseline's.
    pub fn ratio(&self, result: &ProgramResult, engine: usize, metric: Metric) -> Option<f64> {
        let baseline = result.median(self.baseline, metric)?;
        Some(quotient(result.median(engine, metric)?, baseline))
    }

    /// The geometric mean of an engine's ratios over all programs, or over
    /// those of one group, that neither it nor the baseline failed.
    pub fn mean_ratio(&self, group: Option<&str>, engine: usize, metric: Metric) -> Option<f64> {
        geometric_mean(
            self.results
                .iter()
                .filter(|result| group.is_none_or(|group| result.program.group == group))
                .filter_map(|result| self.ratio(result, engine, metric)),
        )
    }

    /// A sentence about each program that an engine failed.
    pub fn failures(&self) -> impl Iterator<Item = String> {
        self.results.iter().flat_map(move |result| {
            result.outcomes.iter().zip(&self.engines).filter_map(
                |(outcome, engine)| match outcome {
                    Outcome::Measured(_) => None,
                    Outcome::Failed(reason) => Some(format!(
                        "{} failed {}: {reason}",
                        engine.name, result.program.name
                    )),
                },
            )
        })
    }
}

/// A value over the baseline's. A process may be too short for the clock; the ratio is finite all the same.
pub fn quotient(value: f64, baseline: f64) -> f64 {
    value.max(1e-6) / baseline.max(1e-6)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Two programs on three engines, of which the last fails one.
    pub fn example() -> Report {
        let engine = |name: &str| Engine::extra(&format!("{name}=run {{}}")).expect("it is valid");
        let measured = |milliseconds: &[u64]| {
            Outcome::Measured(
                milliseconds
                    .iter()
                    .map(|&milliseconds| Sample {
                        user: milliseconds as f64 / 1e3,
                        system: 0.0,
                        elapsed: milliseconds as f64 / 500.0,
                        peak_memory: 1_000_000 * milliseconds,
                    })
                    .collect(),
            )
        };
        let program = |group: &str, name: &str| Program {
            name: name.to_owned(),
            group: group.to_owned(),
            default: 100,
            small: 1,
        };
        Report {
            created: Some("2026-02-03T04:05:06Z".to_owned()),
            host: Some(Host::this()),
            small: false,
            rounds: 3,
            engines: vec![engine("fast"), engine("lua5.4"), engine("slow&wrong")],
            baseline: 1,
            results: vec![
                ProgramResult {
                    program: program("numeric", "mandelbrot"),
                    n: 100,
                    outcomes: vec![
                        measured(&[25, 900, 5]),
                        measured(&[100, 90, 110]),
                        measured(&[200, 200, 200]),
                    ],
                },
                ProgramResult {
                    program: program("calls", "fib"),
                    n: 100,
                    outcomes: vec![
                        measured(&[100, 90, 110]),
                        measured(&[100, 100, 100]),
                        Outcome::Failed("its output differs".to_owned()),
                    ],
                },
            ],
        }
    }

    #[test]
    fn ratios_compare_medians() {
        let report = example();
        let mandelbrot = report.group("numeric").next().expect("it ran");
        assert_eq!(
            report.ratio(mandelbrot, 0, Metric::ProcessorTime),
            Some(0.25)
        );
        assert_eq!(report.ratio(mandelbrot, 2, Metric::PeakMemory), Some(2.0));
    }

    #[test]
    fn means_are_geometric_and_leave_failures_out() {
        let report = example();
        let mean = report
            .mean_ratio(None, 0, Metric::ProcessorTime)
            .expect("it ran");
        assert!((mean - 0.5).abs() < 1e-9);
        assert_eq!(
            report.mean_ratio(Some("calls"), 2, Metric::ProcessorTime),
            None
        );
        assert_eq!(
            report.failures().collect::<Vec<_>>(),
            ["slow&wrong failed fib: its output differs"]
        );
    }
}
