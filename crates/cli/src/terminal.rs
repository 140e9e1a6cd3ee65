//! The terminal at standard input: lines and single keys.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};

use kiln::Keyboard;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{
    LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr,
};

use crate::interrupt::Interrupt;

/// The settings of the terminal before this program changed them.
static ORIGINAL: Mutex<Option<Termios>> = Mutex::new(None);

/// Milliseconds between two looks whether Ctrl-C was pressed while a line is awaited.
const INTERRUPT_INTERVAL: u16 = 50;

/// Gives the terminal its settings back. May be called from any thread.
pub fn restore() {
    let original = ORIGINAL
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    if let Some(original) = original {
        // If the terminal is gone, nobody minds its settings.
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &original);
    }
}

/// Standard input, whether it is a terminal or not.
pub struct Input {
    /// Unbuffered, so that waiting for the descriptor and reading agree; none if there is no standard input.
    stdin: Option<File>,
    /// Read, but not delivered.
    buffer: Vec<u8>,
    is_terminal: bool,
    /// Keys are delivered as they are pressed.
    key_mode: bool,
    interrupt: Arc<Interrupt>,
}

impl Input {
    /// Standard input. Waiting for it ends when Ctrl-C is pressed.
    pub fn new(interrupt: Arc<Interrupt>) -> Input {
        let stdin = io::stdin();
        let is_terminal = stdin.is_terminal();
        let stdin = stdin.as_fd().try_clone_to_owned().ok().map(File::from);
        Input {
            stdin,
            buffer: Vec::new(),
            is_terminal,
            key_mode: false,
            interrupt,
        }
    }

    /// An input that holds nothing but what it is [given](Input::replace).
    pub fn detached() -> Input {
        Input {
            stdin: None,
            buffer: Vec::new(),
            is_terminal: false,
            key_mode: false,
            interrupt: Arc::default(),
        }
    }

    /// Drops what is left of the input and puts a text in its place.
    pub fn replace(&mut self, text: &[u8]) {
        self.buffer = text.to_vec();
    }

    /// Whether a person is typing.
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// The next line without its line end; none at the end of the input or if Ctrl-C is pressed.
    pub fn read_line(&mut self) -> Option<String> {
        self.leave_key_mode();
        let mut searched = 0;
        loop {
            if let Some(end) = self.buffer[searched..]
                .iter()
                .position(|byte| *byte == b'\n')
            {
                let line: Vec<u8> = self.buffer.drain(..=searched + end).collect();
                let line = &line[..line.len() - 1];
                return Some(
                    String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned(),
                );
            }
            searched = self.buffer.len();
            if !self.wait() {
                return None;
            }
            if self.read_more() == 0 {
                let rest = std::mem::take(&mut self.buffer);
                return (!rest.is_empty()).then(|| String::from_utf8_lossy(&rest).into_owned());
            }
        }
    }

    /// Waits until there is something to read; false if Ctrl-C is pressed first.
    fn wait(&self) -> bool {
        let Some(stdin) = &self.stdin else {
            return true;
        };
        loop {
            if self.interrupt.is_pending() {
                return false;
            }
            if self.is_ready(stdin, PollTimeout::from(INTERRUPT_INTERVAL)) {
                return true;
            }
        }
    }

    fn is_ready(&self, stdin: &File, timeout: PollTimeout) -> bool {
        match poll(
            &mut [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)],
            timeout,
        ) {
            Ok(count) => count > 0,
            Err(nix::errno::Errno::EINTR) => false,
            // What cannot be waited for can be read at any time.
            Err(_) => true,
        }
    }

    /// Adds what can be read to the buffer: the number of bytes. What cannot be read counts as the end.
    fn read_more(&mut self) -> usize {
        let mut piece = [0; 8192];
        let count = self
            .stdin
            .as_mut()
            .map_or(0, |stdin| stdin.read(&mut piece).unwrap_or(0));
        self.buffer.extend_from_slice(&piece[..count]);
        count
    }

    /// Changes the terminal's settings, keeping those it had at first.
    fn change(&self, change: impl FnOnce(&mut Termios)) {
        let Ok(mut settings) = tcgetattr(io::stdin()) else {
            return;
        };
        ORIGINAL
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert_with(|| settings.clone());
        change(&mut settings);
        // A terminal that refuses goes on as it is.
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &settings);
    }

    fn enter_key_mode(&mut self) {
        if !self.key_mode {
            self.key_mode = true;
            self.change(|settings| {
                settings.local_flags.remove(LocalFlags::ICANON);
                settings.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
                settings.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
            });
        }
    }

    /// Lets the terminal edit lines again.
    pub fn leave_key_mode(&mut self) {
        if std::mem::take(&mut self.key_mode) {
            let original = ORIGINAL
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            self.change(|settings| {
                settings.local_flags.insert(LocalFlags::ICANON);
                if let Some(original) = original {
                    settings.control_chars = original.control_chars;
                }
            });
        }
    }
}

impl Keyboard for Input {
    fn typed(&mut self) -> String {
        self.enter_key_mode();
        while self
            .stdin
            .as_ref()
            .is_some_and(|stdin| self.is_ready(stdin, PollTimeout::ZERO))
        {
            if self.read_more() == 0 {
                break;
            }
        }
        whole_characters(&mut self.buffer)
    }

    fn echo(&self) -> bool {
        tcgetattr(io::stdin()).is_ok_and(|settings| settings.local_flags.contains(LocalFlags::ECHO))
    }

    fn set_echo(&mut self, echo: bool) {
        self.change(|settings| settings.local_flags.set(LocalFlags::ECHO, echo));
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        restore();
    }
}

/// Takes the text out of the buffer, but for the beginning of a character that is not there yet.
fn whole_characters(buffer: &mut Vec<u8>) -> String {
    let end = match std::str::from_utf8(buffer) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => buffer.len(),
    };
    let rest = buffer.split_off(end);
    let text = String::from_utf8_lossy(buffer).into_owned();
    *buffer = rest;
    text
}

#[cfg(test)]
mod tests {
    use super::whole_characters;

    #[test]
    fn a_character_is_delivered_when_it_is_whole() {
        let mut buffer = "aé".as_bytes().to_vec();
        let last = buffer.pop();
        assert_eq!(whole_characters(&mut buffer), "a");
        assert_eq!(whole_characters(&mut buffer), "");
        buffer.extend(last);
        assert_eq!(whole_characters(&mut buffer), "é");
        assert!(buffer.is_empty());
    }
}
