//! Ctrl-C.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use kiln::Interrupter;

use crate::terminal;

/// The exit status of a program that was interrupted: 128 and the number of the signal.
pub const STATUS: u8 = 130;

/// What the signal handler, the console and the main program know in common.
#[derive(Debug, Default)]
pub struct Interrupt {
    pending: AtomicBool,
    interrupter: OnceLock<Interrupter>,
}

impl Interrupt {
    /// Installs the handler of Ctrl-C. Where that is impossible Ctrl-C just ends the program.
    pub fn install() -> Arc<Interrupt> {
        let interrupt = Arc::new(Interrupt::default());
        let shared = interrupt.clone();
        // A program that does not stop at the first request is ended by the second.
        let _ = ctrlc::set_handler(move || {
            if shared.pending.swap(true, Ordering::Relaxed) {
                terminal::restore();
                std::process::exit(STATUS.into());
            }
            shared.stop();
        });
        interrupt
    }

    /// Tells what to interrupt.
    pub fn watch(&self, interrupter: Interrupter) {
        // There is one interpreter in this program.
        let _ = self.interrupter.set(interrupter);
    }

    /// Stops the script at its next call or loop pass.
    pub fn stop(&self) {
        if let Some(interrupter) = self.interrupter.get() {
            interrupter.interrupt();
        }
    }

    /// Whether Ctrl-C was pressed.
    pub fn is_pending(&self) -> bool {
        self.pending.load(Ordering::Relaxed)
    }

    /// Forgets that Ctrl-C was pressed.
    pub fn clear(&self) {
        self.pending.store(false, Ordering::Relaxed);
    }
}
