//! The ways in which the same program must give the same result.

use std::ffi::OsString;

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

/// All modes. A new one is a new row.
pub const MODES: &[Mode] = &[
    PLAIN,
    Mode {
        name: "gc-stress",
        arguments: &["run", "--gc-stress"],
    },
];

impl Mode {
    /// The name of a test that runs in this mode.
    pub fn test_name(&self, program: &str) -> String {
        if *self == PLAIN {
            program.to_owned()
        } else {
            format!("{program} [{}]", self.name)
        }
    }
}

/// A name in `KILN_MODES` that is none.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("KILN_MODES names the mode {name:?}; there are: {}", all_names())]
pub struct UnknownMode {
    name: String,
}

fn all_names() -> String {
    let names: Vec<&str> = MODES.iter().map(|mode| mode.name).collect();
    names.join(", ")
}

/// The modes that the environment asks for; plain if it does not say.
///
/// # Errors
///
/// Fails if `KILN_MODES` names a mode that does not exist.
pub fn from_environment() -> Result<Vec<Mode>, UnknownMode> {
    parse(std::env::var_os("KILN_MODES"))
}

fn parse(list: Option<OsString>) -> Result<Vec<Mode>, UnknownMode> {
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
            mode.copied().ok_or_else(|| UnknownMode {
                name: name.to_owned(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &str) -> Result<Vec<&'static str>, UnknownMode> {
        let modes = parse(Some(list.into()))?;
        Ok(modes.iter().map(|mode| mode.name).collect())
    }

    #[test]
    fn modes_are_chosen_by_name() {
        assert_eq!(parse(None), Ok(vec![PLAIN]));
        assert_eq!(names("gc-stress,plain"), Ok(vec!["gc-stress", "plain"]));
        assert_eq!(names("all").map(|all| all.len()), Ok(MODES.len()));
    }

    #[test]
    fn an_unknown_mode_is_an_error_that_lists_the_others() {
        let message = names("plain,fast").unwrap_err().to_string();
        assert!(message.contains("\"fast\""), "{message}");
        assert!(message.contains("gc-stress"), "{message}");
    }
}
