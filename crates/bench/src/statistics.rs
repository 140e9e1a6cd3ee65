//! What many runs of one program say.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Binomial, DiscreteCDF};
use statrs::statistics::{Data, Distribution, Max, Min, OrderStatistics};

/// The confidence that intervals aim at.
pub const CONFIDENCE: f64 = 0.95;

/// A value is an outlier if it lies further from the quartiles than this many times the distance between them (Tukey).
const FENCE: f64 = 1.5;

/// The same for outliers that are called severe.
const OUTER_FENCE: f64 = 3.0;

/// With fewer runs, nothing can be said about the leading ones.
const FEWEST_FOR_WARM_UP: usize = 10;

/// A range that contains the true value with a certain confidence.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The confidence that the method really gives, from 0 to 1.
    pub confidence: f64,
}

/// A value far from the others.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Outlier {
    /// Its place among the values, counted from 0.
    pub index: usize,
    /// The value.
    pub value: f64,
    /// Whether it lies beyond the outer fences.
    pub severe: bool,
}

/// Figures about a set of values.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Summary {
    /// How many values there are.
    pub count: usize,
    /// The value in the middle.
    pub median: f64,
    /// Where the true median lies.
    pub interval: Interval,
    /// The arithmetic mean.
    pub mean: f64,
    /// The standard deviation of the sample; none for a single value.
    pub deviation: Option<f64>,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
    /// What lies beyond the Tukey fences, in the order of the values.
    pub outliers: Vec<Outlier>,
}

impl Summary {
    /// Sums values up; nothing if there are none. The values must be finite.
    ///
    /// ```
    /// use kiln_bench::statistics::Summary;
    ///
    /// let summary = Summary::of(&[3.0, 1.0, 2.0]).unwrap();
    /// assert_eq!((summary.median, summary.mean), (2.0, 2.0));
    /// ```
    pub fn of(values: &[f64]) -> Option<Summary> {
        let mut data = Data::new(values.to_vec());
        Some(Summary {
            count: values.len(),
            median: median(values)?,
            interval: median_interval(values)?,
            mean: data.mean()?,
            deviation: data.std_dev().filter(|deviation| deviation.is_finite()),
            min: data.min(),
            max: data.max(),
            outliers: {
                let fences = [FENCE, OUTER_FENCE].map(|factor| Fences::of(&mut data, factor));
                outliers(values, fences)
            },
        })
    }

    /// Half the width of the median's interval as a share of the median: how far off the median may be.
    pub fn uncertainty(&self) -> f64 {
        (self.interval.high - self.interval.low) / 2.0 / self.median.max(f64::MIN_POSITIVE)
    }
}

/// The value in the middle, or halfway between the two in the middle; nothing if there are no values.
pub fn median(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| Data::new(values.to_vec()).median())
}

/// The geometric mean of positive values; nothing if there are none.
pub fn geometric_mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.into_iter().collect();
    (!values.is_empty()).then(|| statrs::statistics::Statistics::geometric_mean(&values))
}

/// Where the true median lies, by order statistics: the number of values below it is binomial, whatever the distribution of
/// the values, so the k-th smallest and the k-th largest value enclose it with a confidence that can be computed. `k` is the
/// largest that gives at least [`CONFIDENCE`]. Fewer than six values cannot give that; theirs is the whole range, with
/// the confidence it has.
fn median_interval(values: &[f64]) -> Option<Interval> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len();
    let below = Binomial::new(0.5, count as u64).ok()?;
    let confidence = |rank: usize| (1.0 - 2.0 * below.cdf(rank as u64 - 1)).max(0.0);
    let rank = (1..=count.div_ceil(2))
        .take_while(|&rank| rank == 1 || confidence(rank) >= CONFIDENCE)
        .last()?;
    Some(Interval {
        low: *sorted.get(rank - 1)?,
        high: *sorted.get(count - rank)?,
        confidence: confidence(rank),
    })
}

/// The bounds of what is usual.
#[derive(Clone, Copy, Debug)]
struct Fences {
    low: f64,
    high: f64,
}

impl Fences {
    fn of(data: &mut Data<Vec<f64>>, factor: f64) -> Fences {
        let (lower, upper) = (data.lower_quartile(), data.upper_quartile());
        let distance = factor * (upper - lower);
        Fences {
            low: lower - distance,
            high: upper + distance,
        }
    }

    fn encloses(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

fn outliers(values: &[f64], [inner, outer]: [Fences; 2]) -> Vec<Outlier> {
    values
        .iter()
        .enumerate()
        .filter(|&(_, &value)| !inner.encloses(value))
        .map(|(index, &value)| Outlier {
            index,
            value,
            severe: !outer.encloses(value),
        })
        .collect()
}

/// How many leading values belong to the warm-up: those, without a gap, that lie above the upper Tukey fence of the later half
/// of the values. At most half of them, and none if there are fewer than ten.
///
/// ```
/// use kiln_bench::statistics::warm_up;
///
/// let times = [90.0, 40.0, 11.0, 10.0, 11.0, 12.0, 11.0, 10.0, 11.0, 12.0, 10.0, 11.0];
/// assert_eq!(warm_up(&times), 2);
/// ```
pub fn warm_up(values: &[f64]) -> usize {
    if values.len() < FEWEST_FOR_WARM_UP {
        return 0;
    }
    let (early, late) = values.split_at(values.len() / 2);
    let fences = Fences::of(&mut Data::new(late.to_vec()), FENCE);
    early
        .iter()
        .take_while(|&&value| value > fences.high)
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-9
    }

    /// The numbers from 1 to `count`, shuffled.
    fn numbers(count: u32) -> Vec<f64> {
        let mut values: Vec<f64> = (1..=count).map(f64::from).collect();
        fastrand::Rng::with_seed(1).shuffle(&mut values);
        values
    }

    #[test]
    fn a_summary_of_known_values() {
        let summary = Summary::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
        assert_eq!(summary.count, 8);
        assert_eq!((summary.median, summary.mean), (4.5, 5.0));
        assert_eq!((summary.min, summary.max), (2.0, 9.0));
        // The squares of the distances from the mean add up to 32.
        assert!(close(summary.deviation.unwrap(), (32.0_f64 / 7.0).sqrt()));
    }

    #[test]
    fn the_interval_has_the_ranks_that_the_binomial_distribution_gives() {
        // The number of values, the ranks of the bounds, the confidence: 1 - 2 (C(n, 0) + ... + C(n, low - 1)) / 2^n.
        for (count, low, high, confidence) in [
            (6, 1.0, 6.0, 0.96875),
            (10, 2.0, 9.0, 0.978_515_625),
            (20, 6.0, 15.0, 0.958_610_534_667_968_8),
            (25, 8.0, 18.0, 0.956_714_749_336_242_7),
        ] {
            let interval = Summary::of(&numbers(count)).unwrap().interval;
            assert_eq!((interval.low, interval.high), (low, high), "of {count}");
            assert!(close(interval.confidence, confidence), "{interval:?}");
        }
    }

    #[test]
    fn few_values_give_their_range_and_say_how_little_that_means() {
        let interval = Summary::of(&[5.0, 1.0, 3.0]).unwrap().interval;
        assert_eq!((interval.low, interval.high), (1.0, 5.0));
        assert!(close(interval.confidence, 0.75));
        let one = Summary::of(&[5.0]).unwrap();
        assert!(close(one.interval.confidence, 0.0));
        assert_eq!(one.deviation, None);
        assert_eq!(Summary::of(&[]), None);
    }

    #[test]
    fn outliers_lie_beyond_the_fences() {
        let mut values = vec![10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0, 18.0];
        assert_eq!(Summary::of(&values).unwrap().outliers, []);
        values.extend([30.0, 90.0]);
        let outliers = Summary::of(&values).unwrap().outliers;
        let found: Vec<(usize, f64, bool)> = outliers
            .iter()
            .map(|outlier| (outlier.index, outlier.value, outlier.severe))
            .collect();
        assert_eq!(found, [(9, 30.0, false), (10, 90.0, true)]);
    }

    #[test]
    fn warm_up_is_what_is_slow_at_the_beginning_only() {
        let steady = [10.0, 11.0, 10.0, 12.0, 11.0, 10.0, 11.0, 10.0, 12.0, 11.0];
        assert_eq!(warm_up(&steady), 0);
        let mut late = steady;
        late[3] = 50.0;
        assert_eq!(warm_up(&late), 0);
        let mut slow_start = steady;
        slow_start[0] = 50.0;
        assert_eq!(warm_up(&slow_start), 1);
        assert_eq!(warm_up(&slow_start[..9]), 0);
        // At most half is dropped, however long a program takes to settle.
        let falling: Vec<f64> = (0..20).map(|n| if n < 15 { 100.0 } else { 1.0 }).collect();
        assert!(warm_up(&falling) <= 10);
    }

    #[test]
    fn means_of_ratios_are_geometric() {
        assert!(close(geometric_mean([0.25, 1.0, 4.0]).unwrap(), 1.0));
        assert_eq!(geometric_mean([]), None);
        assert_eq!(median(&[4.0, 1.0, 2.0, 100.0]), Some(3.0));
        assert_eq!(median(&[]), None);
    }
}
