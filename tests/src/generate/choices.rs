//! Decisions drawn from bytes. When these are used up, every decision takes the first of its possibilities, so what is
//! being made comes to an end.

use arbitrary::Unstructured;

/// A supply of decisions.
pub struct Choices<'a>(Unstructured<'a>);

impl<'a> Choices<'a> {
    /// Decisions made by these bytes.
    pub fn new(bytes: &'a [u8]) -> Choices<'a> {
        Choices(Unstructured::new(bytes))
    }

    /// A number from `low` to `high`.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        self.0.int_in_range(low..=high.max(low)).unwrap_or(low)
    }

    /// Whether something with this probability in percent happens; without further bytes it does not.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.between(0, 99) >= 100 - percent.min(100)
    }

    /// One of several; there must be one.
    pub fn pick<T: Copy>(&mut self, options: &[T]) -> T {
        options[self.between(0, options.len() - 1)]
    }

    /// An index, chosen as often as its weight says.
    pub fn weighted(&mut self, weights: &[usize]) -> usize {
        let total: usize = weights.iter().sum();
        let mut rest = self.between(0, total.saturating_sub(1));
        for (index, &weight) in weights.iter().enumerate() {
            if rest < weight {
                return index;
            }
            rest -= weight;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_bytes_the_first_is_chosen() {
        let mut choices = Choices::new(&[]);
        assert_eq!(choices.between(3, 9), 3);
        assert_eq!(choices.pick(&["first", "second"]), "first");
        assert_eq!(choices.weighted(&[1, 99]), 0);
        assert!(!choices.chance(99));
    }

    #[test]
    fn weights_are_respected() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut choices = Choices::new(&bytes);
        let mut counts = [0; 3];
        (0..250).for_each(|_| counts[choices.weighted(&[8, 0, 2])] += 1);
        assert_eq!(counts[1], 0);
        assert!(counts[0] > 2 * counts[2] && counts[2] > 10, "{counts:?}");
    }
}
