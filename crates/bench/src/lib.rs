//! Measuring programs and judging the measurements.
//!
//! [`process`] runs a program and counts what it used, [`statistics`] sums many runs up, [`comparison`] says whether one
//! program is faster than another and how certain that is, [`document`] and [`history`] keep results in files.
//! `docs/benchmarking.md` explains the methods to those who read the numbers.

pub mod comparison;
pub mod document;
pub mod history;
pub mod process;
pub mod statistics;
