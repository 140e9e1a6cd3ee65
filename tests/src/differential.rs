//! Generated programs, run in every mode: whatever a program does, it does the same in all of them.
//!
//! A program is known by its seed. A run tries the same seeds every time, so that a failure stays a failure, and as many
//! random ones, named in the output, so that every run is also a search. A program that fails is shrunk, and left in the
//! system's folder for temporary files.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::diff::difference;
use crate::generate::{self, Program};
use crate::mode::{self, MODES, Mode};
use crate::process::{Ending, Finished, Limits, Streams, run};

/// How many seeds of either kind a run tries.
const SEEDS: u64 = 60;

/// One seed in so many is also run in the modes that are slow, unless the modes are chosen.
const STRESSED: u64 = 6;

/// How many smaller programs are tried for one that fails. Each runs in two modes.
const SHRINKING_ATTEMPTS: usize = 2000;

/// Generated programs end in much less; where they do not, they show nothing.
const LIMITS: Limits = Limits {
    time: Duration::from_secs(20),
    memory: 1 << 30,
};

/// Runs the suite as the command line says. `built` is the `kiln` program that cargo built.
pub fn main(built: &str) -> ExitCode {
    let binary = crate::binary(built);
    let trials = match trials(&binary) {
        Ok(trials) => trials,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trials(binary: &Path) -> Result<Vec<Trial>, Box<dyn std::error::Error>> {
    let are_chosen = std::env::var_os("KILN_MODES").is_some();
    let modes = match are_chosen {
        true => mode::from_environment(binary)?,
        false => mode::supported(binary, MODES.to_vec())?,
    };
    let mut seeds: Vec<u64> = Vec::new();
    match std::env::var("KILN_SEEDS") {
        Ok(text) => seeds.extend(parse_seeds(&text).ok_or(format!("wrong KILN_SEEDS: {text:?}"))?),
        Err(_) => {
            let random = fastrand::u64(..1 << 48);
            seeds.extend((0..SEEDS).chain(random..random + SEEDS));
        }
    }
    Ok(seeds
        .into_iter()
        .map(|seed| {
            let binary = binary.to_owned();
            let mut modes = modes.clone();
            modes.retain(|it| are_chosen || !it.is_slow() || seed % STRESSED == 0);
            Trial::test(format!("seed {seed}"), move || check(&binary, &modes, seed))
        })
        .collect())
}

/// A seed, or a range of seeds without its end.
fn parse_seeds(text: &str) -> Option<Range<u64>> {
    match text.split_once("..") {
        Some((from, to)) => Some(from.parse().ok()?..to.parse().ok()?),
        None => {
            let seed: u64 = text.parse().ok()?;
            Some(seed..seed.checked_add(1)?)
        }
    }
}

fn check(binary: &Path, modes: &[Mode], seed: u64) -> Result<(), Failed> {
    let program = generate::from_seed(seed);
    let Some(departure) = departure(binary, modes, &program)? else {
        return Ok(());
    };
    let smallest = generate::shrink(&program, SHRINKING_ATTEMPTS, |candidate| {
        matches!(
            self::departure(binary, &departure.modes, candidate),
            Ok(Some(_))
        )
    });
    let [usual, other] = departure.modes;
    let path = std::env::temp_dir().join(format!("kiln-differential-{seed}.ms"));
    fs::write(&path, smallest.to_string())?;
    let shown = self::departure(binary, &departure.modes, &smallest)?.unwrap_or(departure);
    Err(format!(
        "seed {seed} does something else in mode {} than in mode {}. Shrunk to {}:\n\n{smallest}\n{}",
        other.name,
        usual.name,
        path.display(),
        shown.description
    )
    .into())
}

/// Two modes in which a program does not do the same.
struct Departure {
    modes: [Mode; 2],
    description: String,
}

/// The first mode in which a program does something else than in the first of all.
///
/// # Errors
///
/// Fails if the program cannot be run.
fn departure(binary: &Path, modes: &[Mode], program: &Program) -> io::Result<Option<Departure>> {
    let folder = tempfile::tempdir()?;
    // Its name is part of messages, so it is the same in every mode.
    let path = folder.path().join("program.ms");
    fs::write(&path, program.to_string())?;
    let Some((&usual, others)) = modes.split_first() else {
        return Ok(None);
    };
    let expected = run_in_mode(binary, usual, &path)?;
    if matches!(
        expected.ending,
        Ending::OutOfTime(_) | Ending::OutOfMemory(_)
    ) {
        return Ok(None);
    }
    for &mode in others {
        let actual = run_in_mode(binary, mode, &path)?;
        // A mode may be slower than another by any factor.
        if matches!(actual.ending, Ending::OutOfTime(_)) {
            continue;
        }
        let differences = differences(&expected, &actual);
        if !differences.is_empty() {
            return Ok(Some(Departure {
                modes: [usual, mode],
                description: differences,
            }));
        }
    }
    Ok(None)
}

fn run_in_mode(binary: &Path, mode: Mode, program: &PathBuf) -> io::Result<Finished> {
    let mut command = Command::new(binary);
    command.args(mode.arguments).arg(program);
    run(&mut command, b"", Streams::Apart, LIMITS)
}

/// Everything in which two runs differ; nothing if they do not.
fn differences(expected: &Finished, actual: &Finished) -> String {
    let mut differences = String::new();
    if expected.ending != actual.ending {
        differences = format!("expected {}, got {}\n", expected.ending, actual.ending);
    }
    for (what, expected, actual) in [
        ("output", &expected.stdout, &actual.stdout),
        ("errors", &expected.stderr, &actual.stderr),
    ] {
        differences.extend(difference(what, expected, actual));
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_one_or_a_range() {
        assert_eq!(parse_seeds("7"), Some(7..8));
        assert_eq!(parse_seeds("0..1000"), Some(0..1000));
        for wrong in ["", "x", "1..", "..2", "-1"] {
            assert_eq!(parse_seeds(wrong), None, "{wrong}");
        }
    }

    /// A stand-in for `kiln` whose output depends on the mode if the program contains a certain line.
    #[cfg(unix)]
    #[test]
    fn a_difference_is_found_and_shrunk() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let binary = folder.path().join("kiln");
        let script = "#!/bin/sh\nlast=\nfor last; do :; done\ngrep -q '^Leaf = new Derived' \"$last\" && echo $#\nexit 0\n";
        fs::write(&binary, script).unwrap();
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
        let modes = mode_pair();
        let program = generate::from_seed(1);
        let found = departure(&binary, &modes, &program).unwrap().unwrap();
        assert_eq!(found.modes, modes);
        assert!(
            found.description.contains("-1\n+3\n"),
            "{}",
            found.description
        );

        let smallest = generate::shrink(&program, 500, |candidate| {
            matches!(departure(&binary, &modes, candidate), Ok(Some(_)))
        });
        let text = smallest.to_string();
        assert!(text.contains("Leaf = new Derived\n"), "{text}");
        assert!(text.lines().count() < 20, "{text}");
    }

    #[cfg(unix)]
    fn mode_pair() -> [Mode; 2] {
        [MODES[0], MODES[1]]
    }
}
