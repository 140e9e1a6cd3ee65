//! Rounds of runs until enough is known.

use std::time::{Duration, Instant};

use kiln_bench::document::Metric;
use kiln_bench::process::{Run, Sample};
use kiln_bench::statistics::{Summary, warm_up};

use super::Error;

/// Fewer runs give no interval of 95 % confidence.
const FEWEST_ROUNDS: usize = 6;

/// As many runs are made even if fewer are precise: the interval is not yet to be trusted then.
const USUAL_ROUNDS: usize = 10;

/// More runs add nothing to a result that does not get precise.
const MOST_ROUNDS: usize = 1000;

/// How many runs to make.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Exactly so many rounds; else as many as it takes.
    pub rounds: Option<usize>,
    /// So many rounds beforehand that are not recorded; else leading rounds are dropped if they were slow.
    pub warm_up: Option<usize>,
    /// When to stop in any case.
    pub time: Duration,
    /// How far off the medians may be, as a share.
    pub precision: f64,
    /// What decides.
    pub metric: Metric,
    pub ignores_output: bool,
}

/// What was measured.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// For each engine, its runs in the order of the rounds.
    pub runs: Vec<Vec<Sample>>,
    /// How many leading rounds are not to be counted.
    pub warm_up: usize,
}

/// How far the work is, for those who wait.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Rounds made.
    pub rounds: usize,
    /// The share of the work that is done, as far as can be told; from 0 to 1.
    pub share: f64,
    /// How far off the least certain median may be, as a share.
    pub uncertainty: Option<f64>,
}

/// Runs a script on all engines in rounds. Each engine runs once in a round, in an order drawn by lot, so that neither a change
/// in the machine's speed nor what the run before left behind favours one of them.
///
/// # Errors
/// A run failed, or its output is not that of the others.
pub fn measure(
    names: &[&str],
    plan: &Plan,
    mut run: impl FnMut(usize) -> Result<Run, Error>,
    mut observe: impl FnMut(Progress),
) -> Result<Measured, Error> {
    let mut measured = Measured {
        runs: vec![Vec::new(); names.len()],
        warm_up: 0,
    };
    let mut order: Vec<usize> = (0..names.len()).collect();
    let mut expected: Option<(usize, Vec<u8>)> = None;
    let start = Instant::now();
    let unrecorded = plan.warm_up.unwrap_or(0);
    for round in 0.. {
        fastrand::shuffle(&mut order);
        for &engine in &order {
            let run = run(engine)?;
            if !plan.ignores_output {
                let (first, output) = expected.get_or_insert_with(|| (engine, run.output.clone()));
                if *output != run.output {
                    return Err(difference(names, (*first, output), (engine, &run.output)));
                }
            }
            if let (true, Some(runs)) = (round >= unrecorded, measured.runs.get_mut(engine)) {
                runs.push(run.sample);
            }
        }
        if plan.warm_up.is_none() {
            measured.warm_up = slowest_warm_up(&measured.runs, plan.metric);
        }
        let progress = progress(plan, &measured, start.elapsed());
        observe(progress);
        if progress.share >= 1.0 {
            break;
        }
    }
    Ok(measured)
}

/// All engines leave out the same rounds, so that the rest can be compared round by round.
fn slowest_warm_up(runs: &[Vec<Sample>], metric: Metric) -> usize {
    let each = runs.iter().map(|runs| {
        let values: Vec<f64> = runs.iter().map(|run| metric.of(run)).collect();
        warm_up(&values)
    });
    each.max().unwrap_or(0)
}

fn progress(plan: &Plan, measured: &Measured, elapsed: Duration) -> Progress {
    let rounds = measured.runs.first().map_or(0, Vec::len);
    let counted = rounds.saturating_sub(measured.warm_up);
    let uncertainties = measured.runs.iter().filter_map(|runs| {
        let values: Vec<f64> = runs
            .iter()
            .skip(measured.warm_up)
            .map(|run| plan.metric.of(run))
            .collect();
        Summary::of(&values).map(|summary| summary.uncertainty())
    });
    let uncertainty = uncertainties
        .reduce(f64::max)
        .filter(|_| counted >= FEWEST_ROUNDS);
    let share = match plan.rounds {
        Some(wanted) => rounds as f64 / wanted as f64,
        None => {
            let is_precise = uncertainty.is_some_and(|uncertainty| uncertainty <= plan.precision);
            let is_late = elapsed >= plan.time;
            let is_enough = is_precise && counted >= USUAL_ROUNDS
                || is_late && counted >= FEWEST_ROUNDS
                || rounds >= MOST_ROUNDS;
            let share = elapsed.as_secs_f64() / plan.time.as_secs_f64();
            if is_enough { 1.0 } else { share.min(0.99) }
        }
    };
    Progress {
        rounds,
        share,
        uncertainty,
    }
}

/// The error about two outputs, with the first line that differs.
fn difference(names: &[&str], first: (usize, &[u8]), second: (usize, &[u8])) -> Error {
    let name = |engine: usize| names.get(engine).copied().unwrap_or("").to_owned();
    let lines = |output: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(output);
        text.split('\n').map(str::to_owned).collect()
    };
    let (left, right) = (lines(first.1), lines(second.1));
    let end = left.len().max(right.len());
    let line = (0..end)
        .find(|&line| left.get(line) != right.get(line))
        .unwrap_or(0);
    let shown = |lines: &[String]| match lines.get(line) {
        Some(text) => format!("{:?}", text.chars().take(60).collect::<String>()),
        None => "nothing".to_owned(),
    };
    Error::Difference {
        line: line + 1,
        first: name(first.0),
        first_line: shown(&left),
        second: if first.0 == second.0 {
            "another run".to_owned()
        } else {
            name(second.0)
        },
        second_line: shown(&right),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    fn run(elapsed: f64, output: &str) -> Run {
        Run {
            sample: Sample {
                elapsed,
                user: 0.0,
                system: 0.0,
                peak_memory: 0,
            },
            status: ExitStatus::from_raw(0),
            output: output.into(),
            errors: Vec::new(),
        }
    }

    fn plan() -> Plan {
        Plan {
            rounds: None,
            warm_up: None,
            time: Duration::from_secs(3600),
            precision: 0.01,
            metric: Metric::Elapsed,
            ignores_output: false,
        }
    }

    #[test]
    fn measuring_stops_when_the_result_is_precise() {
        let measured = measure(&["a", "b"], &plan(), |_| Ok(run(1.0, "x")), |_| ()).unwrap();
        assert_eq!(measured.warm_up, 0);
        let counts: Vec<usize> = measured.runs.iter().map(Vec::len).collect();
        assert_eq!(counts, [USUAL_ROUNDS, USUAL_ROUNDS]);
    }

    #[test]
    fn measuring_stops_when_the_time_is_over() {
        let plan = Plan {
            time: Duration::from_nanos(1),
            ..plan()
        };
        let mut elapsed = 0.0;
        let next = |_| {
            elapsed += 1.0;
            Ok(run(elapsed, "x"))
        };
        let measured = measure(&["a"], &plan, next, |_| ()).unwrap();
        assert_eq!(measured.runs[0].len(), FEWEST_ROUNDS);
    }

    #[test]
    fn a_slow_start_of_one_engine_is_left_out_for_all() {
        let mut count = 0;
        let next = |engine| {
            count += 1;
            let is_slow = engine == 1 && count <= 2;
            Ok(run(if is_slow { 9.0 } else { 1.0 }, "x"))
        };
        let measured = measure(&["a", "b"], &plan(), next, |_| ()).unwrap();
        assert_eq!(measured.warm_up, 1);
        assert_eq!(measured.runs[0].len(), USUAL_ROUNDS + 1);
    }

    #[test]
    fn the_number_of_runs_can_be_fixed() {
        let mut count = 0;
        let mut shares = Vec::new();
        let plan = Plan {
            rounds: Some(4),
            warm_up: Some(2),
            ..plan()
        };
        let next = |_| {
            count += 1;
            Ok(run(f64::from(count), "x"))
        };
        let observe = |progress: Progress| shares.push(progress.share);
        let measured = measure(&["a"], &plan, next, observe).unwrap();
        let elapsed: Vec<f64> = measured.runs[0].iter().map(|run| run.elapsed).collect();
        assert_eq!(elapsed, [3.0, 4.0, 5.0, 6.0]);
        assert_eq!(shares, [0.0, 0.0, 0.25, 0.5, 0.75, 1.0]);
    }

    #[test]
    fn different_outputs_are_an_error_that_shows_where() {
        let mut count = 0;
        let mut next = |_| {
            count += 1;
            Ok(run(1.0, if count < 3 { "1\n2\n3" } else { "1\n2" }))
        };
        let error = measure(&["a"], &plan(), &mut next, |_| ()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the output of a differs from that of another run in line 3: \"3\" against nothing \
             (--ignore-output lets that pass)"
        );
        let plan = Plan {
            ignores_output: true,
            ..plan()
        };
        assert!(measure(&["a"], &plan, next, |_| ()).is_ok());
    }
}
