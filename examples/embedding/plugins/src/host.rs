//! Plugins: a folder of scripts, watched for changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kiln::{Data, Engine, Error, Function, Interpreter, Limits, Value};

/// A plugin may take half a second for what it is asked, and 16 MiB.
const LIMITS: Limits = Limits {
    heap_bytes: 16 << 20,
    call_time: Some(Duration::from_millis(500)),
    ..Limits::UNTRUSTED
};

/// The global variable in which a plugin keeps what is to outlive a reload.
const STATE: &str = "state";

/// A plugin that can be asked for something. It has an interpreter of its own, so it cannot disturb another one.
struct Plugin {
    interpreter: Interpreter,
    run: Function,
    help: String,
}

/// A file of the folder.
struct File {
    /// What was last read, to see changes.
    text: String,
    /// The plugin as it was when the file was last in order.
    plugin: Option<Plugin>,
}

/// What has happened to a plugin.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// It is there, or there again with its changes.
    Loaded(String),
    /// The file is not in order. If the plugin was loaded before, it goes on as it was.
    Broken(String, String),
    /// The file is gone, and with it the plugin.
    Removed(String),
}

impl std::fmt::Display for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Event::Loaded(name) => write!(f, "loaded {name}"),
            Event::Broken(name, report) => write!(f, "{name} is broken: {report}"),
            Event::Removed(name) => write!(f, "removed {name}"),
        }
    }
}

/// The plugins of a program.
pub struct PluginHost {
    engine: Engine,
    folder: PathBuf,
    files: BTreeMap<String, File>,
    /// Given what plugins print.
    print: fn(&str),
}

impl PluginHost {
    /// The plugins in a folder. None is loaded before the first [`PluginHost::refresh`].
    pub fn new(folder: impl Into<PathBuf>, print: fn(&str)) -> PluginHost {
        PluginHost {
            engine: Engine::new(),
            folder: folder.into(),
            files: BTreeMap::new(),
            print,
        }
    }

    /// Looks for changes in the folder, and loads what has changed.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn refresh(&mut self) -> std::io::Result<Vec<Event>> {
        let mut events = Vec::new();
        let found = scripts(&self.folder)?;
        self.files.retain(|name, _| {
            let stays = found.contains_key(name);
            if !stays {
                events.push(Event::Removed(name.clone()));
            }
            stays
        });
        for (name, text) in found {
            let mut plugin = match self.files.remove(&name) {
                Some(file) if file.text == text => {
                    self.files.insert(name, file);
                    continue;
                }
                Some(file) => file.plugin,
                None => None,
            };
            match self.start(&name, &text, plugin.as_mut()) {
                Ok(new) => {
                    plugin = Some(new);
                    events.push(Event::Loaded(name.clone()));
                }
                Err(error) => events.push(Event::Broken(name.clone(), report(&error))),
            }
            self.files.insert(name, File { text, plugin });
        }
        Ok(events)
    }

    /// Loads a plugin, and gives it the state of the one it takes the place of.
    fn start(&self, name: &str, text: &str, old: Option<&mut Plugin>) -> Result<Plugin, Error> {
        let program = self.engine.compile(name, text)?;
        let builder = self.engine.interpreter().limits(LIMITS);
        let made = builder.output(self.print).build();
        let mut interpreter = made.map_err(|error| Error::message(error.to_string()))?;
        if let Some(old) = old
            && let Ok(Data(state)) = old.interpreter.global::<Data<serde_json::Value>>(STATE)
        {
            // Values belong to their interpreter; data can be carried over.
            interpreter.set_global(STATE, Data(state))?;
        }
        interpreter.start(&program)?;
        if !interpreter
            .run_for(LIMITS.call_time.unwrap_or(Duration::MAX))?
            .is_done()
        {
            return Err(Error::message("it does not come to an end"));
        }
        Ok(Plugin {
            run: interpreter.global("run")?,
            help: interpreter.global("help").unwrap_or_default(),
            interpreter,
        })
    }

    /// Asks a plugin for something; none if there is no such plugin.
    pub fn run(&mut self, name: &str, text: &str) -> Option<Result<String, String>> {
        let plugin = self.files.get_mut(name)?.plugin.as_mut()?;
        let answer = plugin.run.call(&mut plugin.interpreter, (text,));
        Some(match answer {
            Ok(Value::Null) => Ok(String::new()),
            Ok(value) => plugin
                .interpreter
                .text(&value)
                .map_err(|error| report(&error)),
            Err(error) => Err(report(&error)),
        })
    }

    /// What the plugins say of themselves.
    pub fn help(&self) -> impl Iterator<Item = &str> {
        let plugins = self.files.values().filter_map(|file| file.plugin.as_ref());
        plugins.map(|plugin| plugin.help.as_str())
    }
}

/// An error with the place where it happened.
fn report(error: &Error) -> String {
    match error {
        Error::Compile(errors) => errors.render(false),
        other => other.to_string(),
    }
}

/// The scripts in a folder, by their names.
fn scripts(folder: &Path) -> std::io::Result<BTreeMap<String, String>> {
    let mut scripts = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "ms")
            && let Some(name) = path.file_stem().and_then(|stem| stem.to_str())
            // An editor may just be replacing it.
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            scripts.insert(name.to_owned(), text);
        }
    }
    Ok(scripts)
}
