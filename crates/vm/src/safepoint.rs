//! Safepoints: where a running script looks whether somebody wants something of it.
//!
//! Calls compare the end of the new window with a limit word, and loops look at the same word when they go back. A [`request`]
//! from any thread notes its reason and lowers the word to 0, so that the next comparison fails and the script comes to
//! [`Vm::safepoint`], the one place where requests are answered.
//!
//! [`request`]: Safepoint::request

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::error::{Fallible, RuntimeError};
use crate::stack::Suspension;
use crate::vm::Vm;

/// Why a script is asked to come to a safepoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Reason {
    /// The script is to end with the error `interrupted`.
    Stop = 1,
    /// The script has used up all the time it may take and is to end with an error.
    TimeUp = 2,
    /// The script is to give control back to the host, and to go on when it is resumed.
    SliceOver = 4,
    /// A profiler wants to know where the script is.
    Sample = 8,
    /// Machine code is ready to be installed.
    InstallCode = 16,
}

/// A set of reasons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reasons(u32);

impl Reasons {
    const ALL: Reasons = Reasons(u32::MAX);
    /// What may be answered while the script is in a state in which it cannot be suspended, nor its code changed.
    const ANYWHERE: Reasons =
        Reasons(Reason::Stop as u32 | Reason::TimeUp as u32 | Reason::Sample as u32);

    /// Whether the reason is one of these.
    pub fn contains(self, reason: Reason) -> bool {
        self.0 & reason as u32 != 0
    }
}

impl From<Reason> for Reasons {
    fn from(reason: Reason) -> Reasons {
        Reasons(reason as u32)
    }
}

/// What a script and those who want something of it share.
#[derive(Debug)]
struct Shared {
    /// A window must end below this address: the end of the value stack, or 0 while anything is requested.
    limit: AtomicUsize,
    /// What is requested.
    reasons: AtomicU32,
}

/// A handle with which any thread, or a signal handler, can bring a script to its next safepoint.
#[derive(Clone, Debug)]
pub struct Safepoint {
    shared: Arc<Shared>,
}

impl Safepoint {
    /// A safepoint of a stack that ends at `limit`.
    pub(crate) fn new(limit: usize) -> Safepoint {
        Safepoint {
            shared: Arc::new(Shared {
                limit: AtomicUsize::new(limit),
                reasons: AtomicU32::new(0),
            }),
        }
    }

    /// Makes the script come to a safepoint for this reason. Does not wait for it.
    pub fn request(&self, reason: Reason) {
        // The reason first: whoever sees the lowered limit must find it.
        self.shared
            .reasons
            .fetch_or(reason as u32, Ordering::Release);
        self.shared.limit.store(0, Ordering::Release);
    }

    /// Whether this is requested and not yet answered.
    pub fn is_requested(&self, reason: Reason) -> bool {
        Reasons(self.shared.reasons.load(Ordering::Acquire)).contains(reason)
    }

    /// The address that the end of a window is compared with, for compiled code.
    pub fn limit_address(&self) -> *const AtomicUsize {
        &self.shared.limit
    }

    /// The limit for the end of a window.
    #[inline(always)]
    pub(crate) fn limit(&self) -> usize {
        self.shared.limit.load(Ordering::Relaxed)
    }

    /// Takes those of the pending reasons that are `among` these; `limit` is the end of the stack.
    pub(crate) fn take(&self, among: Reasons, limit: usize) -> Reasons {
        // A request that comes after this line lowers the limit again; one that came before it is visible in the next.
        self.shared.limit.swap(limit, Ordering::AcqRel);
        let pending = self.shared.reasons.fetch_and(!among.0, Ordering::AcqRel);
        if pending & !among.0 != 0 {
            self.shared.limit.store(0, Ordering::Release);
        }
        Reasons(pending & among.0)
    }
}

/// Answers a request at a safepoint. It must not run script code, and cannot suspend the script.
pub type Hook = Box<dyn FnMut(&mut Vm) + Send>;

/// Who answers the requests that are not the interpreter's own business. A request without a hook is dropped.
#[derive(Default)]
pub struct Hooks {
    /// Answers [`Reason::Sample`].
    pub sample: Option<Hook>,
    /// Answers [`Reason::InstallCode`].
    pub install_code: Option<Hook>,
}

impl Vm {
    /// The handle with which any thread can bring the script to a safepoint.
    pub fn safepoint_handle(&self) -> Safepoint {
        self.frames.safepoint().clone()
    }

    /// Whether anything is requested.
    pub fn has_requests(&self) -> bool {
        self.frames.is_requested()
    }

    /// Takes back a request that has not been answered.
    pub fn withdraw(&mut self, reason: Reason) {
        self.frames.take_requests(reason.into());
    }

    /// Who answers requests.
    pub fn hooks(&mut self) -> &mut Hooks {
        &mut self.hooks
    }

    /// Answers all pending requests: what every poll comes to when the limit word is lowered.
    ///
    /// The script may be suspended here for as long as the host likes, and anything may have changed when this returns. So the
    /// caller must own nothing, as anything else on the script stack, and must look again at what it had in hand.
    ///
    /// # Errors
    /// The script is to end.
    #[cold]
    #[inline(never)]
    pub fn safepoint(&mut self) -> Fallible<()> {
        if self.frames.is_requested() {
            let reasons = self.frames.take_requests(Reasons::ALL);
            self.answer(reasons)?;
            if reasons.contains(Reason::InstallCode) {
                self.run_hook(|hooks| &mut hooks.install_code);
            }
            // What is requested meanwhile waits for the next safepoint: each slice gets that far.
            if reasons.contains(Reason::SliceOver) {
                self.suspend(Suspension::SliceOver)?;
            }
        }
        Ok(())
    }

    /// Answers the requests that may be answered in the middle of an intrinsic or operation that works for long. The others stay
    /// pending until the script comes to a safepoint of its own.
    ///
    /// # Errors
    /// The script is to end.
    pub fn poll(&mut self) -> Fallible<()> {
        if self.frames.is_requested() {
            let reasons = self.frames.take_requests(Reasons::ANYWHERE);
            self.answer(reasons)?;
        }
        Ok(())
    }

    /// [`Vm::poll`], but only at every so many of the steps that the caller counts.
    #[inline]
    pub(crate) fn poll_at(&mut self, step: usize) -> Fallible<()> {
        if step % POLL_INTERVAL == POLL_INTERVAL - 1 {
            self.poll()
        } else {
            Ok(())
        }
    }

    /// Answers what can be answered anywhere.
    fn answer(&mut self, reasons: Reasons) -> Fallible<()> {
        if reasons.contains(Reason::Sample) {
            self.run_hook(|hooks| &mut hooks.sample);
        }
        if reasons.contains(Reason::Stop) {
            return Err(RuntimeError::Interrupted.into());
        }
        if reasons.contains(Reason::TimeUp) {
            return Err(RuntimeError::TimeUp.into());
        }
        Ok(())
    }

    fn run_hook(&mut self, which: fn(&mut Hooks) -> &mut Option<Hook>) {
        if let Some(mut hook) = which(&mut self.hooks).take() {
            hook(self);
            // A hook that has put another one in its place is done.
            which(&mut self.hooks).get_or_insert(hook);
        }
    }
}

/// Steps of a loop over elements between two looks for requests: some microseconds.
pub(crate) const POLL_INTERVAL: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_lowers_the_limit_until_it_is_taken() {
        let safepoint = Safepoint::new(100);
        assert_eq!(safepoint.limit(), 100);
        safepoint.request(Reason::Sample);
        assert_eq!(safepoint.limit(), 0);
        let taken = safepoint.take(Reasons::ALL, 100);
        assert!(taken.contains(Reason::Sample) && !taken.contains(Reason::Stop));
        assert_eq!(safepoint.limit(), 100);
    }

    #[test]
    fn what_is_not_taken_stays_pending() {
        let safepoint = Safepoint::new(100);
        safepoint.request(Reason::SliceOver);
        safepoint.request(Reason::Stop);
        assert_eq!(safepoint.take(Reasons::ANYWHERE, 100), Reason::Stop.into());
        assert_eq!(safepoint.limit(), 0);
        assert!(safepoint.is_requested(Reason::SliceOver));
        assert_eq!(safepoint.take(Reasons::ALL, 100), Reason::SliceOver.into());
        assert_eq!(safepoint.limit(), 100);
    }
}
