//! The host of scripts that run at the command line: they may do what the person who started them may.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kiln::{FileSystem, Host, Identity, Keyboard, Library, Modules, SystemFiles};

use crate::interrupt::Interrupt;
use crate::terminal::Input;

/// How much output is held back at most.
const BUFFER: usize = 32 << 10;

/// Where modules are looked for if the environment does not say.
const IMPORT_PATH: &str = "$MS_SCRIPT_DIR:$MS_SCRIPT_DIR/lib:$MS_EXE_DIR/lib";

/// Standard output, held back until it is worth writing.
pub struct Output {
    buffer: Vec<u8>,
    is_terminal: bool,
    /// All output is kept for [`Output::take_captured`].
    is_captured: bool,
    /// Why nothing can be written any more.
    error: Option<io::Error>,
    interrupt: Arc<Interrupt>,
}

impl Output {
    /// Standard output. If it cannot be written, the script is stopped.
    pub fn new(interrupt: Arc<Interrupt>) -> Output {
        Output {
            buffer: Vec::new(),
            is_terminal: io::stdout().is_terminal(),
            is_captured: false,
            error: None,
            interrupt,
        }
    }

    /// Output that nobody sees before it is taken.
    pub fn captured() -> Output {
        Output {
            is_terminal: false,
            is_captured: true,
            ..Output::new(Arc::default())
        }
    }

    /// What was captured since the last time.
    pub fn take_captured(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    /// Takes text; a terminal shows it at each line end.
    pub fn write(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
        if self.buffer.len() >= BUFFER || self.is_terminal && text.contains('\n') {
            self.flush();
        }
    }

    /// Writes all that was held back.
    pub fn flush(&mut self) {
        if self.buffer.is_empty() || self.is_captured {
            return;
        }
        let mut stdout = io::stdout().lock();
        let result = stdout.write_all(&self.buffer).and_then(|()| stdout.flush());
        self.buffer.clear();
        if let Err(error) = result {
            self.error.get_or_insert(error);
            self.interrupt.stop();
        }
    }

    /// Whether something could not be written.
    pub fn has_failed(&self) -> bool {
        self.error.is_some()
    }

    /// Why nothing can be written any more, if so.
    pub fn take_error(&mut self) -> Option<io::Error> {
        self.error.take()
    }
}

/// Something that the console has in common with the rest of the program.
pub struct Shared<T>(Arc<Mutex<T>>);

impl<T> Shared<T> {
    /// Something to be shared.
    pub fn new(content: T) -> Shared<T> {
        Shared(Arc::new(Mutex::new(content)))
    }

    /// Takes it for a moment. It must not be taken meanwhile.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Shared<T> {
        Shared(self.0.clone())
    }
}

/// The host.
pub struct Console {
    output: Shared<Output>,
    input: Shared<Input>,
    /// What `key` asks; shares the input.
    keys: Keys,
    files: SystemFiles,
    modules: Modules,
    arguments: Vec<String>,
    /// The folder of the script; the current one if there is no script.
    folder: PathBuf,
}

impl Console {
    /// A host for a script at this path, if it has one, with these values of `shellArgs`.
    pub fn new(
        output: Shared<Output>,
        input: Shared<Input>,
        script: Option<&Path>,
        arguments: Vec<String>,
    ) -> Console {
        let folder = script.and_then(Path::parent).unwrap_or(Path::new(""));
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let folder = folder
            .canonicalize()
            .unwrap_or_else(|_| folder.to_path_buf());
        Console {
            output,
            keys: Keys(input.clone()),
            input,
            files: SystemFiles,
            modules: Modules::new(crate::colour()),
            arguments,
            folder,
        }
    }
}

impl Host for Console {
    fn write_output(&mut self, text: &str) {
        self.output.lock().write(text);
    }

    fn write_error(&mut self, text: &str) {
        // Nothing is left to report to if this fails.
        let _ = io::stderr().write_all(text.as_bytes());
    }

    fn flush(&mut self) {
        self.output.lock().flush();
    }

    fn read_line(&mut self, prompt: &str) -> Option<String> {
        let mut input = self.input.lock();
        if input.is_terminal() {
            let mut output = self.output.lock();
            output.write(prompt);
            output.flush();
        }
        input.read_line()
    }

    fn files(&mut self) -> Option<&mut dyn FileSystem> {
        Some(&mut self.files)
    }

    fn allows_exec(&self) -> bool {
        true
    }

    fn environment(&self) -> Vec<(String, String)> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut entries: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let program = std::env::current_exe().unwrap_or_default();
        entries.push((
            "MS_EXE_DIR".into(),
            text(program.parent().unwrap_or(Path::new(""))),
        ));
        entries.push(("MS_SCRIPT_DIR".into(), text(&self.folder)));
        if !entries.iter().any(|(name, _)| name == "MS_IMPORT_PATH") {
            entries.push(("MS_IMPORT_PATH".into(), IMPORT_PATH.into()));
        }
        entries
    }

    fn load_library(&mut self, name: &str, candidates: &[String]) -> Option<Library> {
        self.modules.load(&mut self.files, name, candidates)
    }

    fn script_arguments(&self) -> Vec<String> {
        self.arguments.clone()
    }

    fn keyboard(&mut self) -> Option<&mut dyn Keyboard> {
        let has_keyboard = self.input.lock().is_terminal();
        has_keyboard.then_some(&mut self.keys)
    }

    fn identity(&self) -> Identity {
        Identity {
            information: env!("CARGO_PKG_REPOSITORY").into(),
            ..kiln::NoHost.identity()
        }
    }
}

/// The keyboard behind the input.
struct Keys(Shared<Input>);

impl Keyboard for Keys {
    fn typed(&mut self) -> String {
        self.0.lock().typed()
    }

    fn echo(&self) -> bool {
        self.0.lock().echo()
    }

    fn set_echo(&mut self, echo: bool) {
        self.0.lock().set_echo(echo);
    }
}
