//! The ways in which the same program must give the same result.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Command;

use crate::process::Limits;

/// One way to run programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// Its name in `KILN_MODES` and in the names of tests.
    pub name: &'static str,
    /// What stands between `kiln` and the script's path.
    pub arguments: &'static [&'static str],
}

/// The mode that needs no mention.
pub const PLAIN: Mode = Mode {
    name: "plain",
    arguments: &[],
};

/// The row of a tier, and that of the same with a collection at every allocation.
macro_rules! with_gc_stress {
    ($($name:literal: [$($argument:literal),*];)*) => {
        &[PLAIN, Mode { name: GC_STRESS, arguments: &["run", "--gc-stress"] }, $(
            Mode { name: $name, arguments: &["run", $($argument),*] },
            Mode {
                name: concat!($name, "+gc-stress"),
                arguments: &["run", "--gc-stress", $($argument),*],
            },
        )*]
    };
}

/// What is added to a mode that collects at every allocation.
pub const GC_STRESS: &str = "gc-stress";

/// All modes: the tiers as they are by default, then each by itself. `baseline` compiles everything before it runs, `warm` what
/// has run for a while, so that programs also change tiers half-way; `optimizing` and `hot` likewise, up to the optimizing compiler.
/// Others have something go wrong on purpose: code is thrown away, guards fail, assumptions are revoked, code comes late. A new mode is a
/// new row.
pub const MODES: &[Mode] = with_gc_stress! {
    "interpreter": ["--jit=off"];
    "baseline": ["--jit=baseline", "--jit-threshold=1"];
    "warm": ["--jit=baseline", "--jit-threshold=30"];
    "optimizing": ["--jit=optimizing", "--jit-threshold=1"];
    "hot": ["--jit=optimizing", "--jit-threshold=30"];
    "fail-guards": ["--jit=optimizing", "--jit-threshold=1", "--jit-fail-guards=7"];
    "invalidate": ["--jit=optimizing", "--jit-threshold=1", "--jit-invalidate=7"];
    "delay": ["--jit=optimizing", "--jit-threshold=5", "--jit-delay=20"];
    "evict": ["--jit=baseline", "--jit-threshold=1", "--jit-evict"];
};

impl Mode {
    /// Whether a mode or something that is added to it has this name.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.name.split('+').any(|part| part == name)
    }

    /// Whether programs take many times as long as by default: collecting at every allocation, or compiling everything again and
    /// again, takes most of the time.
    pub fn is_slow(&self) -> bool {
        self.is_called(GC_STRESS) || self.is_called("evict")
    }

    /// What a program may use in this mode if it may use `limits` by default.
    pub fn limits(&self, limits: Limits) -> Limits {
        Limits {
            time: limits.time * if self.is_slow() { 5 } else { 1 },
            ..limits
        }
    }

    /// The option that `binary` would have to know to run in this mode, if it does not: it was built without what the mode
    /// is about.
    fn missing_option(&self, help: &str) -> Option<&'static str> {
        let name = |argument: &&'static str| argument.split('=').next();
        let options = self.arguments.iter().filter_map(name);
        let mut options = options.filter(|option| option.starts_with("--"));
        options.find(|option| {
            !help
                .split(|it: char| it.is_whitespace() || matches!(it, ',' | '=' | '['))
                .any(|word| word == *option)
        })
    }

    /// The name of a test that runs in this mode.
    pub fn test_name(&self, program: &str) -> String {
        if *self == PLAIN {
            program.to_owned()
        } else {
            format!("{program} [{}]", self.name)
        }
    }
}

/// Why no modes can be chosen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name in `KILN_MODES` is none.
    #[error("KILN_MODES names the mode {name:?}; there are: {}", all_names())]
    Unknown {
        /// The name.
        name: String,
    },
    /// The program under test does not start.
    #[error("kiln cannot be started: {0}")]
    Start(#[from] io::Error),
}

fn all_names() -> String {
    let names: Vec<&str> = MODES.iter().map(|mode| mode.name).collect();
    names.join(", ")
}

/// The modes that the environment asks for, plain if it does not say. Those that `binary` cannot run in are left out, and
/// named on the standard error stream.
///
/// # Errors
///
/// Fails if `KILN_MODES` names a mode that does not exist, or if the program cannot be started.
pub fn from_environment(binary: &Path) -> Result<Vec<Mode>, Error> {
    supported(binary, parse(std::env::var_os("KILN_MODES"))?)
}

/// Those of the modes that `binary` can run in; the others are named on the standard error stream.
///
/// # Errors
///
/// Fails if the program cannot be started.
pub fn supported(binary: &Path, modes: Vec<Mode>) -> Result<Vec<Mode>, Error> {
    if modes == [PLAIN] {
        return Ok(modes);
    }
    let help = Command::new(binary).args(["run", "--help"]).output()?;
    let help = String::from_utf8_lossy(&help.stdout);
    let is_supported = |mode: &Mode| match mode.missing_option(&help) {
        None => true,
        Some(option) => {
            eprintln!("SKIPPED: mode {}: kiln has no {option}", mode.name);
            false
        }
    };
    Ok(modes.into_iter().filter(is_supported).collect())
}

fn parse(list: Option<OsString>) -> Result<Vec<Mode>, Error> {
    let Some(list) = list else {
        return Ok(vec![PLAIN]);
    };
    let list = list.to_string_lossy();
    if list == "all" {
        return Ok(MODES.to_vec());
    }
    list.split(',')
        .map(|name| {
            let mode = MODES.iter().find(|mode| mode.name == name);
            mode.copied().ok_or_else(|| Error::Unknown {
                name: name.to_owned(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &str) -> Result<Vec<&'static str>, Error> {
        let modes = parse(Some(list.into()))?;
        Ok(modes.iter().map(|mode| mode.name).collect())
    }

    #[test]
    fn modes_are_chosen_by_name() {
        assert_eq!(parse(None).unwrap(), [PLAIN]);
        assert_eq!(names("gc-stress,plain").unwrap(), ["gc-stress", "plain"]);
        assert_eq!(names("all").unwrap().len(), MODES.len());
    }

    #[test]
    fn an_unknown_mode_is_an_error_that_lists_the_others() {
        let message = names("plain,fast").unwrap_err().to_string();
        assert!(message.contains("\"fast\""), "{message}");
        assert!(message.contains("gc-stress"), "{message}");
    }

    #[test]
    fn every_tier_also_collects_at_every_allocation() {
        let stressed = MODES.iter().filter(|mode| mode.is_called(GC_STRESS));
        assert_eq!(2 * stressed.count(), MODES.len());
        assert!(names("evict+gc-stress").is_ok());
    }

    #[test]
    fn a_mode_needs_its_options() {
        let help = "      --jit <TIERS>  Which tiers\n      --gc-stress    Collect";
        let mode = |name| MODES.iter().find(|mode| mode.name == name).unwrap();
        assert_eq!(mode("interpreter+gc-stress").missing_option(help), None);
        assert_eq!(
            mode("baseline").missing_option(help),
            Some("--jit-threshold")
        );
        assert_eq!(
            mode("interpreter").missing_option("--jit-evict"),
            Some("--jit")
        );
        assert_eq!(PLAIN.missing_option(""), None);
    }
}
