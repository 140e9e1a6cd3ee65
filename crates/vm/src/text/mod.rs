//! Text without the heap: how numbers are written and read, letter case, dates; and random numbers.

pub mod case;
pub mod dates;
pub mod number;
pub mod random;
