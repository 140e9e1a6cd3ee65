//! What bounds a script.

use std::time::Duration;

/// What bounds a script.
///
/// ```
/// use std::time::Duration;
/// use kiln::{Engine, Limits};
///
/// let engine = Engine::new();
/// let limits = Limits { run_time: Some(Duration::from_millis(20)), ..Limits::default() };
/// let mut interpreter = engine.interpreter().limits(limits).build()?;
/// let error = interpreter.run(&engine.compile("endless.ms", "while true\nend while")?).unwrap_err();
/// assert_eq!(error.to_string(), "Runtime Error: the time limit is reached [line 1]");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that the heap may grow to. What scripts allocate counts; the interpreter itself does not.
    pub heap_bytes: usize,
    /// Registers, eight bytes each, of all pending calls together: what bounds recursion.
    pub stack_registers: usize,
    /// The time that scripts may run in all, without the time in which they wait or are suspended.
    pub run_time: Option<Duration>,
    /// The longest that a function called from Rust may run; and how long a time slice may be overrun by something that cannot be
    /// suspended: a single intrinsic that works on very much data, a function that an intrinsic of the host has called.
    pub call_time: Option<Duration>,
}

impl Limits {
    /// For scripts from anywhere: 64 MiB of heap, a stack on which some ten thousand calls fit, a second for a call from Rust.
    /// Time in all is not limited, since a game's scripts run as long as the game: use time slices, or set
    /// [`run_time`](Limits::run_time).
    pub const UNTRUSTED: Limits = Limits {
        heap_bytes: 64 << 20,
        stack_registers: 256 << 10,
        run_time: None,
        call_time: Some(Duration::from_secs(1)),
    };

    /// For one's own programs: 1 GiB of heap, a stack on which some hundred thousand calls fit, all the time in the world.
    pub const TRUSTED: Limits = Limits {
        heap_bytes: 1 << 30,
        stack_registers: 4 << 20,
        run_time: None,
        call_time: None,
    };

    pub(crate) fn of_vm(&self) -> kiln_vm::frame::Limits {
        kiln_vm::frame::Limits {
            heap_bytes: self.heap_bytes,
            stack_registers: self.stack_registers,
        }
    }
}

impl Default for Limits {
    /// [`Limits::UNTRUSTED`].
    fn default() -> Limits {
        Limits::UNTRUSTED
    }
}
