//! What runs a script: this program, another build of it, or any command.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Error;
use super::options::BenchOptions;

/// A way to run scripts in processes of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// The name in reports.
    pub name: String,
    /// The command as it was given; none for this very program.
    pub given: Option<String>,
    /// The program and its arguments, with placeholders.
    words: Vec<OsString>,
}

impl Engine {
    /// This very program.
    pub fn this() -> Result<Engine, Error> {
        let path = std::env::current_exe().map_err(Error::NoProgram)?;
        Ok(Engine {
            name: "kiln".into(),
            given: None,
            words: vec![path.into(), "run".into(), "{}".into()],
        })
    }

    /// Another build of kiln.
    fn binary(path: &Path) -> Engine {
        // A name without a folder would be looked for among the installed programs.
        let program = if path.parent() == Some(Path::new("")) {
            Path::new(".").join(path)
        } else {
            path.to_path_buf()
        };
        Engine {
            name: program.display().to_string(),
            given: Some(path.display().to_string()),
            words: vec![program.into(), "run".into(), "{}".into()],
        }
    }

    /// A command with placeholders. Words are separated as a shell does it.
    fn command_line(text: &str) -> Result<Engine, Error> {
        let wrong = |reason: &str| Error::WrongCommand {
            command: text.into(),
            reason: reason.into(),
        };
        let words = shell_words::split(text).map_err(|error| wrong(&error.to_string()))?;
        let Some((program, arguments)) = words.split_first() else {
            return Err(wrong("there is no command"));
        };
        if !arguments.iter().any(|word| has_placeholder(word)) {
            return Err(wrong("put {} where the script's path belongs"));
        }
        let name = Path::new(program).file_name().unwrap_or(OsStr::new(""));
        Ok(Engine {
            name: name.to_string_lossy().into_owned(),
            given: Some(text.into()),
            words: words.into_iter().map(OsString::from).collect(),
        })
    }

    /// All engines that were asked for, this program first. Names that would occur twice are replaced by the whole command.
    pub fn all(options: &BenchOptions) -> Result<Vec<Engine>, Error> {
        let mut engines = vec![Engine::this()?];
        engines.extend(options.binary.iter().map(|path| Engine::binary(path)));
        for command in &options.vs {
            engines.push(Engine::command_line(command)?);
        }
        let names: Vec<String> = engines.iter().map(|engine| engine.name.clone()).collect();
        for engine in &mut engines {
            let is_ambiguous = names.iter().filter(|name| **name == engine.name).count() > 1;
            if let (true, Some(given)) = (is_ambiguous, &engine.given) {
                engine.name.clone_from(given);
            }
        }
        Ok(engines)
    }

    /// The command that runs a script with these arguments.
    pub fn command(&self, script: &Path, arguments: &[OsString]) -> Command {
        let words: Vec<OsString> = self.words.iter().map(|word| fill(word, script)).collect();
        let (program, rest) = words
            .split_first()
            .map_or((OsStr::new(""), &[][..]), |(program, rest)| {
                (program.as_os_str(), rest)
            });
        let mut command = Command::new(program);
        command.args(rest).args(arguments);
        command
    }

    /// What is started.
    pub fn program(&self) -> PathBuf {
        self.words.first().map(PathBuf::from).unwrap_or_default()
    }
}

const PLACEHOLDERS: [&str; 3] = ["{}", "{stem}", "{dir}"];

fn has_placeholder(word: &str) -> bool {
    PLACEHOLDERS.iter().any(|name| word.contains(name))
}

/// A word of a command with the script's path in place of the placeholders.
fn fill(word: &OsStr, script: &Path) -> OsString {
    // The whole word may be a path that is no text.
    if word == "{}" {
        return if script.as_os_str().as_encoded_bytes().starts_with(b"-") {
            // No engine shall take it for an option.
            Path::new(".").join(script).into()
        } else {
            script.into()
        };
    }
    let text = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let folder = match script.parent().map(Path::as_os_str) {
        None => "/".into(),
        Some(folder) if folder.is_empty() => ".".into(),
        folder => text(folder),
    };
    match word.to_str() {
        Some(word) => word
            .replace("{stem}", &text(script.file_stem()))
            .replace("{dir}", &folder)
            .replace("{}", &script.to_string_lossy())
            .into(),
        None => word.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &str, script: &str, arguments: &[&str]) -> Vec<String> {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let engine = Engine::command_line(command).unwrap();
        let command = engine.command(Path::new(script), &arguments);
        std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| word.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn placeholders_stand_for_parts_of_the_path() {
        assert_eq!(
            words("lua -e 'x = 1' {}", "a b/fib.ms", &["9"]),
            ["lua", "-e", "x = 1", "a b/fib.ms", "9"]
        );
        assert_eq!(
            words("luajit {dir}/{stem}.lua", "calls/fib.ms", &[]),
            ["luajit", "calls/fib.lua"]
        );
        assert_eq!(
            words("luajit {dir}/{stem}.lua", "fib.ms", &[]),
            ["luajit", "./fib.lua"]
        );
        assert_eq!(words("lua {}", "-e.lua", &[]), ["lua", "./-e.lua"]);
    }

    #[test]
    fn another_build_is_never_confused_with_this_one() {
        let engine = Engine::binary(Path::new("kiln"));
        assert_eq!(engine.name, "./kiln");
        assert_eq!(engine.program(), Path::new("./kiln"));
    }

    #[test]
    fn commands_without_a_script_or_a_program_are_refused() {
        for (command, reason) in [
            ("", "there is no command"),
            ("luajit fib.lua", "put {} where"),
            ("luajit 'fib {}", "missing closing quote"),
        ] {
            let error = Engine::command_line(command).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
