//! Delays on purpose, for tests: compiled code that arrives when the program has long gone on.

use std::mem;

/// Things that wait, each as long as chance has it.
pub(super) struct Delayed<T> {
    /// The longest delay in events; 0 for none at all.
    longest: u32,
    waiting: Vec<(u32, T)>,
    /// The state of the generator, which begins the same in every run.
    random: u64,
}

impl<T> Delayed<T> {
    /// Delays by up to so many events; not at all if that is 0.
    pub fn new(longest: u32) -> Delayed<T> {
        Delayed {
            longest,
            waiting: Vec::new(),
            random: 0x9E37_79B9_7F4A_7C15,
        }
    }

    /// Keeps a thing for a while, or gives it back at once.
    pub fn delay(&mut self, thing: T) -> Option<T> {
        if self.longest == 0 {
            return Some(thing);
        }
        // Marsaglia's xorshift.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let events = (self.random >> 33) as u32 % self.longest + 1;
        self.waiting.push((events, thing));
        None
    }

    /// An event: what has waited long enough.
    pub fn due(&mut self) -> Vec<T> {
        let mut due = Vec::new();
        for (events, thing) in mem::take(&mut self.waiting) {
            match events {
                0 | 1 => due.push(thing),
                _ => self.waiting.push((events - 1, thing)),
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_delay_nothing_waits() {
        let mut delayed = Delayed::new(0);
        assert_eq!(delayed.delay(7), Some(7));
        assert!(delayed.due().is_empty());
    }

    #[test]
    fn everything_arrives_once_within_the_longest_delay() {
        let mut delayed = Delayed::new(5);
        for thing in 0..100 {
            assert_eq!(delayed.delay(thing), None);
        }
        let mut arrived: Vec<i32> = (0..5).flat_map(|_| delayed.due()).collect();
        assert_ne!(arrived, (0..100).collect::<Vec<_>>());
        arrived.sort();
        assert_eq!(arrived, (0..100).collect::<Vec<_>>());
        assert!(delayed.due().is_empty());
    }
}
