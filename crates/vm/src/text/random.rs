//! Random numbers.

/// The generator behind `rnd` and `shuffle`: one per interpreter.
///
/// Its sequence differs from run to run until it is seeded; the same seed gives the same sequence.
#[derive(Clone, Debug)]
pub struct Random(fastrand::Rng);

impl Default for Random {
    fn default() -> Random {
        Random::new()
    }
}

impl Random {
    /// A generator with a seed of its own.
    pub fn new() -> Random {
        Random(fastrand::Rng::new())
    }

    /// Starts the sequence that belongs to this number. Equal numbers have the same.
    pub fn seed(&mut self, seed: f64) {
        // Adding zero makes both zeros the same.
        self.0.seed((seed + 0.0).to_bits());
    }

    /// A number from 0 up to and without 1, uniformly distributed.
    pub fn fraction(&mut self) -> f64 {
        self.0.f64()
    }

    /// A whole number from 0 up to and without `end`, uniformly distributed; 0 if `end` is.
    pub fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { self.0.usize(..end) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(random: &mut Random) -> Vec<f64> {
        (0..20).map(|_| random.fraction()).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_sequence() {
        let (mut a, mut b) = (Random::new(), Random::new());
        a.seed(42.0);
        b.seed(42.0);
        assert_eq!(sequence(&mut a), sequence(&mut b));
        b.seed(42.5);
        assert_ne!(sequence(&mut a), sequence(&mut b));
        a.seed(0.0);
        b.seed(-0.0);
        assert_eq!(sequence(&mut a), sequence(&mut b));
    }

    #[test]
    fn generators_without_a_seed_differ() {
        assert_ne!(sequence(&mut Random::new()), sequence(&mut Random::new()));
    }

    #[test]
    fn results_lie_in_their_range() {
        let mut random = Random::new();
        random.seed(1.0);
        let mut seen = [false; 5];
        for _ in 0..200 {
            assert!((0.0..1.0).contains(&random.fraction()));
            seen[random.below(5)] = true;
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(random.below(0), 0);
    }
}
