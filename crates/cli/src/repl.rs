//! Interactive sessions.

mod assistant;

use std::cell::RefCell;
use std::ffi::OsString;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use kiln::{CodeBlock, Line, LineOutcome, LineReader, Outcome};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};

use crate::arguments::Options;
use crate::run::World;
use crate::{Error, colour};
use assistant::Assistant;

/// How many lines the history keeps.
const HISTORY: usize = 2000;

/// Begins a session.
pub fn repl(arguments: Vec<OsString>, options: Options) -> Result<u8, Error> {
    talk(World::new(None, &arguments, &options)?)
}

/// Talks until the input ends or `exit` is called: the exit status. If standard input is no terminal, its lines are
/// the session's, and nothing but results is shown.
pub fn talk(world: World) -> Result<u8, Error> {
    let is_terminal = world.input.lock().is_terminal();
    let mut session = Session {
        world: Rc::new(RefCell::new(world)),
        lines: LineReader::new(),
    };
    let status = if is_terminal {
        session.edit_at_terminal()
    } else {
        session.read_input()
    };
    match Rc::try_unwrap(session.world) {
        Ok(world) => world.into_inner().finish(status),
        // The editor, which shared it, is gone by now.
        Err(_) => Ok(status),
    }
}

struct Session {
    /// Shared with the editor, which completes names by it.
    world: Rc<RefCell<World>>,
    lines: LineReader,
}

impl Session {
    fn read_input(&mut self) -> u8 {
        let input = self.world.borrow().input.clone();
        loop {
            // The borrow ends here: what the line calls may read on.
            let line = input.lock().read_line();
            match line.map(|line| self.feed(&line)) {
                None => return 0,
                Some(Some(status)) => return status,
                Some(None) => {}
            }
        }
    }

    fn edit_at_terminal(&mut self) -> u8 {
        println!(
            "Kiln {} — MiniScript 1.6. Ctrl-D leaves; `kiln intrinsics` lists the built-in functions.",
            env!("CARGO_PKG_VERSION")
        );
        let config = Config::builder()
            .max_history_size(HISTORY)
            .and_then(|config| config.history_ignore_dups(true))
            .map(|config| config.completion_type(CompletionType::List).build())
            .unwrap_or_default();
        let mut editor: Editor<Assistant, FileHistory> = match Editor::with_config(config) {
            Ok(editor) => editor,
            // A terminal without what editing needs can still be read.
            Err(_) => return self.read_input(),
        };
        editor.set_helper(Some(Assistant::new(self.world.clone(), colour())));
        let history = history_file();
        if let Some(history) = &history {
            // There is none before the first session.
            let _ = editor.load_history(history);
        }
        let status = self.converse(&mut editor);
        if let Some(history) = &history {
            // A session is worth more than its history.
            let _ = history.parent().map(std::fs::create_dir_all);
            let _ = editor.append_history(history);
        }
        status
    }

    fn converse(&mut self, editor: &mut Editor<Assistant, FileHistory>) -> u8 {
        loop {
            let prompt = if self.lines.is_incomplete() {
                ">>> "
            } else {
                "> "
            };
            match editor.readline(prompt) {
                Ok(text) => {
                    if !text.trim().is_empty() {
                        // Only costs the possibility to repeat the line.
                        let _ = editor.add_history_entry(text.as_str());
                    }
                    // Pasted text may have several lines.
                    if let Some(status) = text.split('\n').find_map(|line| self.feed(line)) {
                        return status;
                    }
                }
                Err(ReadlineError::Interrupted) => self.lines.reset(),
                Err(_) => return 0,
            }
        }
    }

    /// Takes a line, and runs what it completes. The exit status, if it calls `exit`.
    fn feed(&mut self, line: &str) -> Option<u8> {
        match self.lines.feed(line) {
            Ok(Line::Incomplete) => None,
            Ok(Line::Program(program)) => self.run(&program),
            Err(errors) => {
                self.world.borrow().output.lock().flush();
                eprintln!("{}", errors.render(colour()));
                None
            }
        }
    }

    fn run(&mut self, program: &Arc<CodeBlock>) -> Option<u8> {
        let world = &mut *self.world.borrow_mut();
        world.interrupt.clear();
        world.interpreter.clear_interrupt();
        let outcome = world.interpreter.run_line(program);
        world.input.lock().leave_key_mode();
        match outcome {
            Err(error) => {
                world.report(&error);
                None
            }
            Ok(LineOutcome {
                outcome: Outcome::Exit(status),
                ..
            }) => Some(status),
            Ok(LineOutcome { result, .. }) => {
                let mut output = world.output.lock();
                if let Some(result) = result {
                    output.write(&format!("{result}\n"));
                }
                output.flush();
                None
            }
        }
    }
}

/// Where the lines of earlier sessions are kept: in the folder for data of the user's programs.
fn history_file() -> Option<PathBuf> {
    let data = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let data = data.or_else(|| {
        let home = std::env::home_dir()?;
        Some(home.join(if cfg!(target_os = "macos") {
            "Library/Application Support"
        } else {
            ".local/share"
        }))
    });
    Some(data?.join("kiln").join("history"))
}
