//! Test suites that run whole programs with the `kiln` binary.
//!
//! Only tests of the package that makes a binary can ask cargo where it is, so the suites are library functions and
//! `crates/cli/tests/` holds one small `main` for each. All of them take the command line of Rust's own test harness:
//! `cargo test --test corpus scoping` runs the tests whose name contains `scoping`.
//!
//! Environment variables:
//!
//! | Variable | Meaning |
//! |---|---|
//! | `KILN_MODES` | the modes in which programs run, separated by commas, or `all`; see [`mode::MODES`] |
//! | `KILN_SEEDS` | the generated programs to run in the differential test: a seed, or a range such as `0..1000` |
//! | `KILN_BLESS` | `1` replaces the expected output of corpus tests that fail |
//! | `KILN_BINARY` | another `kiln` program to test, by its absolute path |
//! | `KILN_CONFORMANCE` | where the conformance suite's `TestSuite.txt` is |

#![forbid(unsafe_code)]

pub mod book;
pub mod conformance;
pub mod corpus;
pub mod diff;
pub mod differential;
pub mod examples;
pub mod generate;
pub mod mode;
pub mod process;
pub mod robustness;

use std::path::{Path, PathBuf};

/// The repository's root folder.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}

/// The program under test: `KILN_BINARY` if it is set, else the one that cargo built for the test.
pub fn binary(built: &str) -> PathBuf {
    std::env::var_os("KILN_BINARY").map_or_else(|| built.into(), PathBuf::from)
}
