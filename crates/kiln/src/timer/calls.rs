//! Limits of short calls, which take less time than setting an alarm.
//!
//! A call writes down that it has begun, and that it has ended, in a word of its interpreter's own; it reads no clock and takes no
//! lock. The timer thread looks at these words now and then, and takes the time at which it first sees a call for its beginning. So a call may
//! take longer than its limit by two of these intervals, which are a small part of the limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kiln_vm::safepoint::{Reason, Safepoint};

/// The thread looks so many times in the time that a call may take, within the following bounds.
const LOOKS: u32 = 8;
const SHORTEST_INTERVAL: Duration = Duration::from_micros(500);
const LONGEST_INTERVAL: Duration = Duration::from_millis(50);

/// So many looks without any call, and the thread sleeps until there is one.
const IDLE_LOOKS: u32 = 20;

/// What an interpreter is doing: one of the following, below the number of the call.
#[derive(Debug)]
struct Phase(AtomicU64);

const RUNNING: u64 = 1;
/// The timer thread is just requesting that the call end.
const RINGING: u64 = 2;
const RUNG: u64 = 3;
const CALL: u64 = 4;

/// An interpreter's calls, as the thread sees them.
#[derive(Debug)]
pub(super) struct Shared {
    phase: Phase,
    safepoint: Safepoint,
    limit: Duration,
}

impl Shared {
    pub fn new(safepoint: Safepoint, limit: Duration) -> Shared {
        Shared {
            phase: Phase(AtomicU64::new(0)),
            safepoint,
            limit,
        }
    }

    /// A call begins. In the order of all threads this is before whatever the caller looks at next.
    #[inline]
    pub fn begin(&self) {
        let Phase(phase) = &self.phase;
        // Only the interpreter's own thread begins calls.
        let next = (phase.load(Ordering::Relaxed) & !(CALL - 1)) + CALL + RUNNING;
        phase.swap(next, Ordering::SeqCst);
    }

    /// The call has ended. From here on nothing is requested of it.
    #[inline]
    pub fn end(&self) {
        let Phase(phase) = &self.phase;
        let running = phase.load(Ordering::Relaxed) & !(CALL - 1) | RUNNING;
        let ended = phase.compare_exchange(
            running,
            running - RUNNING,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        if ended.is_err() {
            while phase.load(Ordering::Acquire) & (CALL - 1) == RINGING {
                std::hint::spin_loop();
            }
            phase.store(running - RUNNING, Ordering::Release);
        }
    }

    /// Requests that a call end, unless it has.
    fn ring(&self, call: u64) {
        let Phase(phase) = &self.phase;
        let ringing = call - RUNNING + RINGING;
        if phase
            .compare_exchange(call, ringing, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
        {
            self.safepoint.request(Reason::TimeUp);
            phase.store(call - RUNNING + RUNG, Ordering::Release);
        }
    }
}

/// An interpreter whose calls are limited, and what the thread saw of it last.
#[derive(Debug)]
struct Watched {
    shared: Arc<Shared>,
    seen: u64,
    /// When the call that was seen has to end.
    due: Option<Instant>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Calls {
    watched: Vec<Watched>,
    idle_looks: u32,
}

impl Calls {
    pub fn add(&mut self, shared: Arc<Shared>) {
        self.watched.push(Watched {
            shared,
            seen: 0,
            due: None,
        });
    }

    pub fn remove(&mut self, shared: &Arc<Shared>) {
        let mut watched = self.watched.iter();
        if let Some(at) = watched.position(|watched| Arc::ptr_eq(&watched.shared, shared)) {
            self.watched.swap_remove(at);
        }
    }

    /// Looks at all of them; when to look again, if there is a reason to.
    pub fn look(&mut self, now: Instant) -> Option<Instant> {
        let mut has_changed = false;
        let mut interval = LONGEST_INTERVAL;
        for watched in &mut self.watched {
            let phase = watched.shared.phase.0.load(Ordering::SeqCst);
            interval = interval.min(watched.shared.limit / LOOKS);
            if phase != watched.seen {
                watched.seen = phase;
                has_changed = true;
                let is_running = phase & (CALL - 1) == RUNNING;
                watched.due = is_running
                    .then(|| now.checked_add(watched.shared.limit))
                    .flatten();
            } else if watched.due.take_if(|due| *due <= now).is_some() {
                watched.shared.ring(phase);
            }
            has_changed |= watched.due.is_some();
        }
        self.idle_looks = if has_changed { 0 } else { self.idle_looks + 1 };
        (self.idle_looks < IDLE_LOOKS).then(|| now + interval.max(SHORTEST_INTERVAL))
    }

    /// Whether a call is running that has not been seen.
    pub fn has_news(&self) -> bool {
        let mut watched = self.watched.iter();
        watched.any(|watched| watched.shared.phase.0.load(Ordering::SeqCst) != watched.seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiln_vm::Vm;
    use kiln_vm::frame::Limits;
    use kiln_vm::host::NoHost;

    const LIMIT: Duration = Duration::from_millis(80);

    fn watched() -> (Box<Vm>, Calls, Arc<Shared>) {
        let limits = Limits {
            heap_bytes: 1 << 20,
            stack_registers: 1 << 10,
        };
        let vm = Vm::new(limits, Box::new(NoHost)).unwrap();
        let shared = Arc::new(Shared::new(vm.safepoint_handle(), LIMIT));
        let mut calls = Calls::default();
        calls.add(shared.clone());
        (vm, calls, shared)
    }

    #[test]
    fn a_call_that_takes_too_long_is_to_end() {
        let (mut vm, mut calls, shared) = watched();
        let begun = Instant::now();
        shared.begin();
        calls.look(begun);
        calls.look(begun + LIMIT / 2);
        assert!(!vm.has_requests());
        calls.look(begun + LIMIT);
        assert!(vm.has_requests());
        shared.end();
        vm.withdraw(Reason::TimeUp);
        // The next call has a time of its own.
        shared.begin();
        calls.look(begun + LIMIT * 2);
        assert!(!vm.has_requests());
        calls.look(begun + LIMIT * 3);
        assert!(vm.has_requests());
    }

    #[test]
    fn short_calls_are_left_alone_however_many_there_are() {
        let (vm, mut calls, shared) = watched();
        let begun = Instant::now();
        for millisecond in 0..1000 {
            shared.begin();
            calls.look(begun + Duration::from_millis(millisecond));
            shared.end();
        }
        assert!(!vm.has_requests());
    }

    #[test]
    fn nobody_looks_when_nothing_is_called() {
        let (_vm, mut calls, shared) = watched();
        let mut now = Instant::now();
        shared.begin();
        shared.end();
        let mut looks = 0;
        while let Some(next) = calls.look(now) {
            now = next;
            looks += 1;
            assert!(looks < 1000);
        }
        assert!(!calls.has_news());
        shared.begin();
        assert!(calls.has_news());
        assert!(calls.look(now).is_some());
    }
}
