//! The engines that run benchmark programs, and how to start them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The language an engine runs, which decides on the source it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    MiniScript,
    Lua,
    Python,
    JavaScript,
}

impl Language {
    pub const ALL: [Self; 4] = [Self::MiniScript, Self::Lua, Self::Python, Self::JavaScript];

    /// The extension of source files, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::MiniScript => "ms",
            Self::Lua => "lua",
            Self::Python => "py",
            Self::JavaScript => "js",
        }
    }
}

/// An engine that can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    pub name: String,
    pub language: Language,
    /// What the engine says about its version; empty if it was not asked.
    pub version: String,
    program: OsString,
    /// Arguments before and after the name of the source file.
    before: Vec<OsString>,
    after: Vec<OsString>,
}

/// What the text of an additional engine lacks.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtraError {
    #[error("expected NAME=COMMAND")]
    Name,
    #[error("expected a command after the name")]
    Command,
    #[error("expected a placeholder for the source: {{}}, {{lua}}, {{py}} or {{js}}")]
    Placeholder,
}

impl Engine {
    /// Kiln once for each of its tiers: all of them, without the optimizing compiler, without any.
    pub fn tiers(self) -> Vec<Self> {
        let tier = |name: &str, option: &str| Self {
            name: name.to_owned(),
            before: vec![option.into()],
            ..self.clone()
        };
        vec![
            tier("kiln", "--jit=optimizing"),
            tier("kiln, baseline", "--jit=baseline"),
            tier("kiln, interpreter", "--jit=off"),
        ]
    }

    /// An engine that was measured earlier, perhaps elsewhere. It cannot be run.
    pub fn recorded(name: String, version: String, language: Language) -> Self {
        Self {
            name,
            language,
            version,
            program: OsString::new(),
            before: Vec::new(),
            after: Vec::new(),
        }
    }

    /// An engine given as `NAME=COMMAND`. The command is split at white space;
    /// its placeholder stands for the source file and tells the language:
    /// `{}` or `{ms}`, `{lua}`, `{py}`, `{js}`.
    pub fn extra(text: &str) -> Result<Self, ExtraError> {
        let (name, command) = text.split_once('=').ok_or(ExtraError::Name)?;
        if name.is_empty() {
            return Err(ExtraError::Name);
        }
        let mut words = command.split_whitespace();
        let program = words.next().ok_or(ExtraError::Command)?;
        let words: Vec<&str> = words.collect();
        let (place, language) = words
            .iter()
            .enumerate()
            .find_map(|(place, word)| Some((place, placeholder(word)?)))
            .ok_or(ExtraError::Placeholder)?;
        Ok(Self {
            name: name.to_owned(),
            language,
            version: String::new(),
            program: program.into(),
            before: words.iter().take(place).map(OsString::from).collect(),
            after: words.iter().skip(place + 1).map(OsString::from).collect(),
        })
    }

    /// The command that runs a source with problem size `n`.
    pub fn command(&self, source: &Path, n: u64) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.before)
            .arg(source)
            .args(&self.after)
            .arg(n.to_string());
        command
    }
}

fn placeholder(word: &str) -> Option<Language> {
    let extension = word.strip_prefix('{')?.strip_suffix('}')?;
    if extension.is_empty() {
        return Some(Language::MiniScript);
    }
    Language::ALL
        .into_iter()
        .find(|language| language.extension() == extension)
}

/// An engine that takes part if it is installed.
pub struct UsualEngine {
    pub name: &'static str,
    language: Language,
    program: PathBuf,
    version_arguments: &'static [&'static str],
    /// What to do about a missing engine.
    hint: &'static str,
}

/// What looking for an engine has found.
pub enum Availability {
    Installed(Engine),
    /// With the reason.
    Missing(String),
}

/// Names of the engines that take part without being asked for.
pub const USUAL_NAMES: [&str; 5] = ["kiln", "lua5.4", "luajit", "python3", "node"];

/// The engines that take part without being asked for.
///
/// Kiln is its release build unless `kiln` names another.
pub fn usual(kiln_program: Option<&Path>) -> [UsualEngine; 5] {
    let [kiln, lua, luajit, python, node] = USUAL_NAMES;
    let installed = |name, language, version_arguments| UsualEngine {
        name,
        language,
        program: name.into(),
        version_arguments,
        hint: "not installed",
    };
    [
        UsualEngine {
            program: kiln_program.map_or_else(kiln_path, Path::to_owned),
            hint: "not built; run `cargo build --release`",
            ..installed(kiln, Language::MiniScript, &["--version"])
        },
        installed(lua, Language::Lua, &["-v"]),
        installed(luajit, Language::Lua, &["-v"]),
        // Version managers put a shell script in front of the interpreter,
        // whose time must not count: ask for the real one.
        installed(
            python,
            Language::Python,
            &[
                "-c",
                "import sys; print(sys.executable); print('Python', sys.version.split()[0])",
            ],
        ),
        installed(node, Language::JavaScript, &["--version"]),
    ]
}

/// The release build lies beside the profile folder of this very program.
fn kiln_path() -> PathBuf {
    let name = format!("release/kiln{}", std::env::consts::EXE_SUFFIX);
    let own = std::env::current_exe().unwrap_or_default();
    let target = own
        .parent()
        .and_then(Path::parent)
        .unwrap_or(Path::new("target"));
    target.join(name)
}

impl UsualEngine {
    pub fn is_kiln(&self) -> bool {
        self.name == USUAL_NAMES[0]
    }

    /// Looks for the engine by asking for its version.
    pub fn probe(&self) -> Availability {
        let output = Command::new(&self.program)
            .args(self.version_arguments)
            .output();
        let Ok(output) = output else {
            return Availability::Missing(self.hint.to_owned());
        };
        if !output.status.success() {
            return Availability::Missing(format!("asked for its version, {}", output.status));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let mut lines = text.lines();
        let program = match self.language {
            Language::Python => lines.next().unwrap_or_default().into(),
            _ => self.program.clone().into_os_string(),
        };
        Availability::Installed(Engine {
            name: self.name.to_owned(),
            language: self.language,
            version: version(lines.next().unwrap_or_default()),
            program,
            before: Vec::new(),
            after: Vec::new(),
        })
    }
}

/// The version in an engine's first line, without the copyright notice.
fn version(line: &str) -> String {
    let end = ["Copyright", "--"]
        .iter()
        .filter_map(|stop| line.find(stop))
        .min();
    line.get(..end.unwrap_or(line.len()))
        .unwrap_or(line)
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &Command) -> Vec<String> {
        std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| word.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn an_extra_engine_puts_the_source_in_place_of_the_braces_and_the_size_last() {
        let engine = Engine::extra("interpreter=other/kiln --tier=0 {} --").expect("it is valid");
        assert_eq!(engine.name, "interpreter");
        assert_eq!(engine.language, Language::MiniScript);
        let command = engine.command(Path::new("calls/fib.ms"), 30);
        assert_eq!(
            words(&command),
            ["other/kiln", "--tier=0", "calls/fib.ms", "--", "30"]
        );
    }

    #[test]
    fn kiln_takes_part_with_each_of_its_tiers() {
        let kiln = Engine::extra("kiln=path/kiln {}").expect("it is valid");
        let lines: Vec<_> = kiln
            .tiers()
            .iter()
            .map(|tier| words(&tier.command(Path::new("fib.ms"), 30)).join(" "))
            .collect();
        assert_eq!(lines[0], "path/kiln --jit=optimizing fib.ms 30");
        assert_eq!(lines[2], "path/kiln --jit=off fib.ms 30");
    }

    #[test]
    fn the_braces_of_an_extra_engine_tell_the_language() {
        let engine = Engine::extra("luajit-new=luajit {lua}").expect("it is valid");
        assert_eq!(engine.language, Language::Lua);
    }

    #[test]
    fn an_extra_engine_needs_a_name_a_command_and_a_placeholder() {
        assert_eq!(Engine::extra("kiln {}"), Err(ExtraError::Name));
        assert_eq!(Engine::extra("=kiln {}"), Err(ExtraError::Name));
        assert_eq!(Engine::extra("other= "), Err(ExtraError::Command));
        assert_eq!(
            Engine::extra("other=kiln {rb}"),
            Err(ExtraError::Placeholder)
        );
    }

    #[test]
    fn a_version_ends_before_the_copyright_notice() {
        assert_eq!(
            version("Lua 5.4.6  Copyright (C) 1994-2023 Lua.org, PUC-Rio"),
            "Lua 5.4.6"
        );
        assert_eq!(
            version("LuaJIT 2.1.0 -- Copyright (C) 2005-2022"),
            "LuaJIT 2.1.0"
        );
        assert_eq!(version("v20.20.2"), "v20.20.2");
    }
}
