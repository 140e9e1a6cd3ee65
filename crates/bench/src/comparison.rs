//! Which of two programs is faster.

use serde::{Deserialize, Serialize};
use statrs::stats_tests::Alternative;
use statrs::stats_tests::mannwhitneyu::{MannWhitneyUMethod, mannwhitneyu};

use crate::statistics::{CONFIDENCE, median};

/// Differences that chance alone makes with a lower probability than this count as significant.
pub const SIGNIFICANCE: f64 = 0.05;

/// With fewer runs of either program no difference, however large, can be called significant.
pub const FEWEST: usize = 4;

/// How often the runs are resampled for the interval of a ratio.
const RESAMPLES: usize = 4000;

/// Any fixed number does: the same runs give the same interval every time.
const SEED: u64 = 0x6b69_6c6e;

/// The least time that counts, in seconds: keeps the ratio finite if a run is too short for the clock.
const LEAST: f64 = 1e-6;

/// How the runs of the two programs belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairing {
    /// The runs with the same index happened in the same round.
    Rounds,
    /// The runs have nothing to do with each other.
    Independent,
}

/// How many times as fast a program is as another, the reference.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Comparison {
    /// The reference's median time over the program's: above 1 if the program is faster.
    pub ratio: f64,
    /// The lower end of the ratio's confidence interval.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// The probability of a difference at least as clear if there is none in truth, by the Mann-Whitney U test.
    pub p_value: f64,
    /// Whether the difference is more than chance: the test says so, and the interval does not contain 1.
    pub significant: bool,
}

/// Compares two sets of times in seconds; nothing if one is empty.
///
/// The interval of the ratio is a percentile bootstrap: the runs (or the rounds, where they are paired, which keeps what
/// disturbed both programs together) are drawn again and again with replacement, and the middle 95 % of the ratios are the interval.
pub fn compare(program: &[f64], reference: &[f64], pairing: Pairing) -> Option<Comparison> {
    let ratio = ratio(program, reference)?;
    let (_, p_value) = mannwhitneyu(
        program,
        reference,
        // The exact method takes time exponential in the number of runs. The correction errs on the side of caution.
        MannWhitneyUMethod::AsymptoticInclContinuityCorrection,
        Alternative::TwoSided,
    )
    .ok()?;
    let (low, high) = bootstrap(program, reference, pairing)?;
    let has_enough = program.len().min(reference.len()) >= FEWEST;
    Some(Comparison {
        ratio,
        low,
        high,
        p_value,
        significant: has_enough && p_value < SIGNIFICANCE && !(low..=high).contains(&1.0),
    })
}

fn ratio(program: &[f64], reference: &[f64]) -> Option<f64> {
    Some(median(reference)?.max(LEAST) / median(program)?.max(LEAST))
}

fn bootstrap(program: &[f64], reference: &[f64], pairing: Pairing) -> Option<(f64, f64)> {
    let is_paired = pairing == Pairing::Rounds && program.len() == reference.len();
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut draw =
        |count: usize| -> Vec<usize> { (0..count).map(|_| random.usize(..count)).collect() };
    let select = |values: &[f64], indexes: &[usize]| -> Vec<f64> {
        indexes
            .iter()
            .filter_map(|&index| values.get(index).copied())
            .collect()
    };
    let mut ratios = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        let indexes = draw(program.len());
        let drawn = select(program, &indexes);
        let drawn_reference = if is_paired {
            select(reference, &indexes)
        } else {
            select(reference, &draw(reference.len()))
        };
        ratios.push(ratio(&drawn, &drawn_reference)?);
    }
    ratios.sort_by(f64::total_cmp);
    let tail = ((1.0 - CONFIDENCE) / 2.0 * RESAMPLES as f64) as usize;
    Some((*ratios.get(tail)?, *ratios.get(RESAMPLES - 1 - tail)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(middle: f64, count: usize, seed: u64) -> Vec<f64> {
        let mut random = fastrand::Rng::with_seed(seed);
        (0..count)
            .map(|_| middle * (0.95 + 0.1 * random.f64()))
            .collect()
    }

    #[test]
    fn the_test_agrees_with_published_values() {
        // The example of scipy.stats.mannwhitneyu, with its continuity correction.
        let males = [19.0, 22.0, 16.0, 29.0, 24.0];
        let females = [20.0, 11.0, 17.0, 12.0];
        let comparison = compare(&males, &females, Pairing::Independent).unwrap();
        assert!(
            (comparison.p_value - 0.111_346_886_533_140_41).abs() < 1e-9,
            "{comparison:?}"
        );
        assert!(!comparison.significant);
    }

    #[test]
    fn a_clear_difference_is_significant_and_its_ratio_lies_in_the_interval() {
        for pairing in [Pairing::Rounds, Pairing::Independent] {
            let comparison = compare(&around(1.0, 20, 1), &around(3.0, 20, 2), pairing).unwrap();
            assert!(comparison.significant && comparison.p_value < 0.001);
            assert!(comparison.low <= comparison.ratio && comparison.ratio <= comparison.high);
            assert!(
                comparison.low > 2.8 && comparison.high < 3.2,
                "{comparison:?}"
            );
        }
    }

    #[test]
    fn no_difference_is_not_significant() {
        let comparison = compare(
            &around(1.0, 40, 3),
            &around(1.0, 40, 4),
            Pairing::Independent,
        );
        assert!(!comparison.unwrap().significant);
        let same = compare(&[2.0; 9], &[2.0; 9], Pairing::Rounds).unwrap();
        assert_eq!((same.ratio, same.p_value), (1.0, 1.0));
        assert!(!same.significant);
    }

    #[test]
    fn few_runs_prove_nothing() {
        let comparison =
            compare(&[1.0, 1.1, 1.2], &around(9.0, 50, 5), Pairing::Independent).unwrap();
        assert!(!comparison.significant);
        assert_eq!(compare(&[], &[1.0], Pairing::Rounds), None);
    }

    #[test]
    fn paired_rounds_cancel_what_disturbed_both() {
        // Both slow down in the same rounds; the program always takes half as long.
        let reference: Vec<f64> = (0..30).map(|round| 1.0 + f64::from(round % 7)).collect();
        let program: Vec<f64> = reference.iter().map(|time| time / 2.0).collect();
        let comparison = compare(&program, &reference, Pairing::Rounds).unwrap();
        assert_eq!(
            (comparison.low, comparison.ratio, comparison.high),
            (2.0, 2.0, 2.0)
        );
        let unpaired = compare(&program, &reference, Pairing::Independent).unwrap();
        assert!(unpaired.low < 2.0 && unpaired.high > 2.0);
    }

    #[test]
    fn times_too_short_for_the_clock_give_a_finite_ratio() {
        let comparison = compare(&[0.0; 10], &[1.0; 10], Pairing::Rounds).unwrap();
        assert!(comparison.ratio.is_finite() && comparison.high.is_finite());
    }
}
