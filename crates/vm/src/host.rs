//! What an interpreter asks of the program it is part of.

use std::sync::Arc;

use kiln_bytecode::CodeBlock;

use crate::file_system::FileSystem;

/// Services of the surrounding program. Every method has a default that grants nothing.
#[allow(unused_variables)]
pub trait Host: Send {
    /// Writes to the program's standard output.
    fn write_output(&mut self, text: &str) {}
    /// Writes to the program's error output (warnings).
    fn write_error(&mut self, text: &str) {}
    /// Makes everything written visible.
    fn flush(&mut self) {}
    /// Reads a line without its line end; none at the end of input. Shows the prompt if a person is typing.
    fn read_line(&mut self, prompt: &str) -> Option<String> {
        None
    }
    /// The files that scripts may work with.
    fn files(&mut self) -> Option<&mut dyn FileSystem> {
        None
    }
    /// Whether scripts may run programs.
    fn allows_exec(&self) -> bool {
        false
    }
    /// The entries with which the map `env` begins. `MS_IMPORT_PATH` says where `import` looks for modules.
    fn environment(&self) -> Vec<(String, String)> {
        Vec::new()
    }
    /// Compiles a module for `import`. `candidates` are the files that the search path names, in order; a host that keeps
    /// modules elsewhere goes by the name alone. None if there is no such module.
    ///
    /// Modules that are imported again should come back as the same code block: each new one takes memory for good.
    fn load_library(&mut self, name: &str, candidates: &[String]) -> Option<Library> {
        None
    }
    /// The script path and the arguments behind it.
    fn script_arguments(&self) -> Vec<String> {
        Vec::new()
    }
    /// Access to the keyboard, if there is one.
    fn keyboard(&mut self) -> Option<&mut dyn Keyboard> {
        None
    }
    /// Name, information (an address) and version for the map `version`.
    fn identity(&self) -> Identity {
        Identity {
            name: "Kiln".into(),
            information: String::new(),
            version: 0.1,
        }
    }
}

/// What `version` says of the host.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The host's name.
    pub name: String,
    /// Where to learn more.
    pub information: String,
    /// Its version.
    pub version: f64,
}

/// The outcome of looking for a module.
pub enum Library {
    /// Its code.
    Code(Arc<CodeBlock>),
    /// It does not compile: the report, whose first line has the prefix and the position.
    Broken(String),
}

/// A keyboard that delivers single keys.
pub trait Keyboard: Send {
    /// What was typed since the last call, as the terminal encodes it; empty if nothing. Does not wait.
    fn typed(&mut self) -> String;
    /// Whether typed characters are shown.
    fn echo(&self) -> bool;
    /// Shows or hides typed characters.
    fn set_echo(&mut self, echo: bool);
}

/// A host that grants nothing and says nothing.
#[derive(Debug, Default)]
pub struct NoHost;

impl Host for NoHost {}
