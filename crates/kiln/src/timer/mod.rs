//! The timer thread of an engine: ends time slices, and calls that take too long.

mod calls;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use kiln_vm::safepoint::{Reason, Safepoint};

use calls::Calls;

/// One thread that wakes up when a running script has used up its time. It is started when it is first needed, and ends with the timer.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// The thread looks at calls now and then. If not, whoever begins one has to wake it up.
    looks_at_calls: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    calls: Calls,
    /// When the thread looks at calls next.
    next_look: Option<Instant>,
    /// The scripts that are running: about as many as there are threads.
    alarms: Vec<Alarm>,
    next_id: u64,
    has_thread: bool,
    /// When the thread will wake up by itself.
    wakes_at: Option<Instant>,
    has_ended: bool,
}

/// A running script's deadlines.
#[derive(Debug)]
struct Alarm {
    id: u64,
    safepoint: Safepoint,
    deadlines: Deadlines,
}

/// When something is to be requested of a running script.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Deadlines {
    /// When its time slice is over.
    pub slice: Option<Instant>,
    /// When it is to be ended.
    pub end: Option<Instant>,
}

impl Deadlines {
    fn next(&self) -> Option<Instant> {
        match (self.slice, self.end) {
            (Some(slice), Some(end)) => Some(slice.min(end)),
            (slice, end) => slice.or(end),
        }
    }
}

impl Alarm {
    /// Requests what is due, once.
    fn ring(&mut self, now: Instant) {
        if self.deadlines.slice.take_if(|at| *at <= now).is_some() {
            self.safepoint.request(Reason::SliceOver);
        }
        if self.deadlines.end.take_if(|at| *at <= now).is_some() {
            self.safepoint.request(Reason::TimeUp);
        }
    }
}

/// Deadlines that are being watched, until this is dropped. After that nothing is requested any more.
#[derive(Debug)]
pub(crate) struct Watch<'timer> {
    timer: &'timer Timer,
    id: u64,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at calls; when to look again.
    fn look_at_calls(&self, calls: &mut Calls, now: Instant) -> Option<Instant> {
        let next = calls.look(now);
        if next.is_none() {
            // Who begins a call from here on sees that the thread sleeps; one who has not seen it has begun, and is seen here.
            self.looks_at_calls.store(false, Ordering::SeqCst);
            if calls.has_news() {
                self.looks_at_calls.store(true, Ordering::SeqCst);
                return calls.look(now);
            }
        }
        next
    }

    fn run(&self) {
        let mut state = self.lock();
        while !state.has_ended {
            let now = Instant::now();
            for alarm in &mut state.alarms {
                alarm.ring(now);
            }
            if state.next_look.is_some_and(|at| at <= now) {
                state.next_look = self.look_at_calls(&mut state.calls, now);
            }
            let next_look = state.next_look;
            let next = state
                .alarms
                .iter()
                .filter_map(|alarm| alarm.deadlines.next())
                .chain(next_look)
                .min()
                // Whoever woke this thread up may be done already. It sleeps on as if not, so that the next one need not wake it.
                .or(state.wakes_at.filter(|wakes_at| *wakes_at > now));
            state.wakes_at = next;
            state = match next {
                Some(next) => {
                    let (state, _) = self
                        .changed
                        .wait_timeout(state, next.saturating_duration_since(now))
                        .unwrap_or_else(PoisonError::into_inner);
                    state
                }
                None => self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

impl Timer {
    fn start_thread(&self, state: &mut State) -> std::io::Result<()> {
        if !state.has_thread {
            let shared = self.shared.clone();
            thread::Builder::new()
                .name("kiln timer".into())
                .spawn(move || shared.run())?;
            state.has_thread = true;
        }
        Ok(())
    }

    /// Prepares an interpreter for calls of which each may take so long.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub(crate) fn limit_calls(
        &self,
        safepoint: Safepoint,
        limit: Duration,
    ) -> std::io::Result<CallLimit> {
        let call = Arc::new(calls::Shared::new(safepoint, limit));
        let mut state = self.shared.lock();
        self.start_thread(&mut state)?;
        state.calls.add(call.clone());
        drop(state);
        Ok(CallLimit {
            call,
            timer: self.shared.clone(),
        })
    }

    /// Watches the deadlines of a script that is about to run; none if there are none.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub(crate) fn watch(
        &self,
        safepoint: impl FnOnce() -> Safepoint,
        deadlines: Deadlines,
    ) -> std::io::Result<Option<Watch<'_>>> {
        let Some(next) = deadlines.next() else {
            return Ok(None);
        };
        let mut state = self.shared.lock();
        self.start_thread(&mut state)?;
        let id = state.next_id;
        state.next_id += 1;
        state.alarms.push(Alarm {
            id,
            safepoint: safepoint(),
            deadlines,
        });
        // Waking the thread takes longer than many a slice; mostly it will wake up early enough, for one that has passed.
        if state.wakes_at.is_none_or(|wakes_at| next < wakes_at) {
            state.wakes_at = Some(next);
            self.shared.changed.notify_one();
        }
        Ok(Some(Watch { timer: self, id }))
    }
}

/// An interpreter whose calls are limited. It is cheap to begin and end one, since that reads no clock.
#[derive(Debug)]
pub(crate) struct CallLimit {
    call: Arc<calls::Shared>,
    timer: Arc<Shared>,
}

/// A call that is limited, until this is dropped.
pub(crate) struct LimitedCall<'limit>(&'limit CallLimit);

impl CallLimit {
    /// A call begins.
    #[inline]
    pub(crate) fn begin(&self) -> LimitedCall<'_> {
        self.call.begin();
        if !self.timer.looks_at_calls.load(Ordering::SeqCst) {
            self.wake_up();
        }
        LimitedCall(self)
    }

    /// Makes the thread look at calls.
    #[cold]
    fn wake_up(&self) {
        let mut state = self.timer.lock();
        self.timer.looks_at_calls.store(true, Ordering::SeqCst);
        let now = Instant::now();
        state.next_look = Some(now);
        state.wakes_at = Some(now);
        self.timer.changed.notify_one();
    }
}

impl Drop for LimitedCall<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.call.end();
    }
}

impl Drop for CallLimit {
    fn drop(&mut self) {
        self.timer.lock().calls.remove(&self.call);
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let mut state = self.timer.shared.lock();
        if let Some(at) = state.alarms.iter().position(|alarm| alarm.id == self.id) {
            state.alarms.swap_remove(at);
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.shared.lock().has_ended = true;
        self.shared.changed.notify_one();
    }
}
