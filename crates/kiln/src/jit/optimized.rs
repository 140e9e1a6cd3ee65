//! What became of optimized code: where it is installed, what it relies on, how often it gave up.
//!
//! Speculation that fails costs more than it saves. A place where code gives up [`MAX_EXITS`] times is no longer speculated on: the code is
//! thrown away and made anew when the function has been hot for a while again. A function to which that happens
//! [`MAX_FAILURES`] times stays with what the baseline compiler made.

use std::collections::HashMap;
use std::sync::Arc;

use kiln_codegen::code_memory::CodeHandle;
use kiln_codegen::optimizing::Failed;
use kiln_vm::tier::Exit;
use kiln_vm::watch::Validity;

use super::optimization::ExitSite;

/// How often code may give up at one place.
const MAX_EXITS: u64 = 4;

/// How often a loop looks for its code in a hurry.
const MAX_HURRIED: u32 = 64;

/// How often code of one function may be thrown away because speculation failed or an assumption was broken.
const MAX_FAILURES: u32 = 12;

/// As [`MAX_EXITS`] and [`MAX_FAILURES`] where code gives up on purpose: often enough for everything to be made anew now and then, and
/// few enough for programs to end.
const MAX_FAULTS: (u64, u32) = (40, 100);

/// An order for optimized code.
pub(super) struct Pending {
    pub validity: Arc<Validity>,
    pub for_loop: Option<usize>,
}

/// Optimized code that is installed, or was and may still be running.
pub(super) struct Installed {
    /// The number under which values that it mentions are kept alive.
    pub number: u64,
    pub handle: CodeHandle,
    pub validity: Arc<Validity>,
    pub for_loop: Option<usize>,
    /// Where the code can be left.
    pub exits: Vec<InstalledExit>,
}

/// A place where installed code can be left.
pub(super) struct InstalledExit {
    /// The code contains its address.
    pub exit: Box<Exit>,
    /// What it is in the program, if that is recorded.
    pub site: Option<ExitSite>,
}

/// What is known about the optimized code of one instance.
#[derive(Default)]
pub(super) struct History {
    /// Waits for the compiler, by the loop it is for.
    pub pending: Vec<Option<usize>>,
    pub installed: Vec<Installed>,
    /// The loops, and calls, that the optimizer or code generator declined.
    pub declined: Vec<Option<usize>>,
    /// The loops that have waited for other code of the function to be enough.
    deferred: Vec<usize>,
    /// How often a loop has looked for its code in a hurry since code was installed.
    hurried: u32,
    failures: u32,
}

impl History {
    /// Whether code for this loop, or for calls, may be ordered.
    pub fn wants(&self, for_loop: Option<usize>) -> bool {
        !self.pending.contains(&for_loop)
            && !self.declined.contains(&for_loop)
            && !self.installed.iter().any(|code| code.for_loop == for_loop)
    }

    /// Whether there is optimized code, or will be soon.
    pub fn is_busy(&self) -> bool {
        !self.pending.is_empty() || !self.installed.is_empty()
    }

    /// Lets a loop wait for code of its own; false if it has waited.
    pub fn defer(&mut self, index: usize) -> bool {
        let is_new = !self.deferred.contains(&index);
        if is_new {
            self.deferred.push(index);
        }
        is_new
    }
}

/// All optimized code.
#[derive(Default)]
pub(super) struct Optimized {
    /// By the address of the code instance.
    pub histories: HashMap<usize, History>,
    /// Code no longer installed that may still be running.
    pub retired: Vec<Installed>,
    /// Places where speculation has failed.
    pub failed: Failed,
    orders: HashMap<u64, Pending>,
    next_order: u64,
    /// Code gives up on purpose: nothing is concluded from it.
    has_faults: bool,
}

/// What to do after code has given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Go on with it.
    Keep,
    /// Throw it away.
    Discard,
}

impl Optimized {
    /// No code yet.
    pub fn new(has_faults: bool) -> Optimized {
        Optimized {
            has_faults,
            ..Optimized::default()
        }
    }

    /// Whether nothing more of an instance will be optimized.
    pub fn has_given_up(&self, address: usize) -> bool {
        let most = match self.has_faults {
            true => MAX_FAULTS.1,
            false => MAX_FAILURES,
        };
        self.histories
            .get(&address)
            .is_some_and(|history| history.failures >= most)
    }

    /// A number for an order, under which its validity is kept.
    pub fn order(&mut self, address: usize, pending: Pending) -> u64 {
        let history = self.histories.entry(address).or_default();
        history.pending.push(pending.for_loop);
        self.next_order += 1;
        self.orders.insert(self.next_order, pending);
        self.next_order
    }

    /// The loop that the code of an order is for; none if it is for calls.
    pub fn loop_of(&self, number: u64) -> Option<usize> {
        self.orders.get(&number)?.for_loop
    }

    /// An order has been carried out.
    pub fn take_order(&mut self, address: usize, number: u64) -> Option<Pending> {
        let pending = self.orders.remove(&number)?;
        if let Some(history) = self.histories.get_mut(&address) {
            history.pending.retain(|known| *known != pending.for_loop);
        }
        Some(pending)
    }

    /// Code has been installed.
    pub fn install(
        &mut self,
        address: usize,
        number: u64,
        handle: CodeHandle,
        pending: Pending,
        exits: Vec<InstalledExit>,
    ) {
        let history = self.histories.entry(address).or_default();
        history.hurried = 0;
        history.installed.push(Installed {
            number,
            handle,
            validity: pending.validity,
            for_loop: pending.for_loop,
            exits,
        });
    }

    /// Whether a loop that still runs in other code is to look for its code again soon: so often only, as looking takes time.
    pub fn hurries(&mut self, address: usize) -> bool {
        let history = self.histories.entry(address).or_default();
        history.hurried += 1;
        history.hurried <= MAX_HURRIED
    }

    /// The optimizer or the code generator has declined.
    pub fn decline(&mut self, address: usize, for_loop: Option<usize>) {
        let history = self.histories.entry(address).or_default();
        history.declined.push(for_loop);
    }

    /// Takes the code of an instance out of use. It may still be running.
    pub fn retire(&mut self, address: usize) {
        if let Some(history) = self.histories.get_mut(&address) {
            self.retired.append(&mut history.installed);
        }
    }

    /// What is known about a place where code of an instance was left.
    pub fn exit_site(&self, address: usize, exit: &Exit) -> Option<&ExitSite> {
        let installed = self.histories.get(&address).map(|it| &it.installed);
        let all = installed.into_iter().flatten().chain(&self.retired);
        let mut exits = all.flat_map(|code| &code.exits);
        let known = exits.find(|known| std::ptr::eq(&*known.exit, exit))?;
        known.site.as_ref()
    }

    /// Whether something has changed that code of an instance takes for granted.
    pub fn has_broken_assumption(&self, address: usize) -> bool {
        let installed = self.histories.get(&address).map(|it| &it.installed);
        let mut installed = installed.into_iter().flatten();
        installed.any(|code| !code.validity.is_valid())
    }

    /// Optimized code of an instance was thrown away: it cannot go on so forever.
    pub fn note_failure(&mut self, address: usize) {
        self.histories.entry(address).or_default().failures += 1;
    }

    /// Judges code of an instance that has given up.
    pub fn judge(&mut self, address: usize, exit: &Exit) -> Verdict {
        let is_invalid = self.has_broken_assumption(address);
        let history = self.histories.entry(address).or_default();
        if is_invalid {
            // Whatever broke the assumptions may go on doing so: compiling again and again does not pay.
            history.failures += 1;
            return Verdict::Discard;
        }
        let most = match self.has_faults {
            true => MAX_FAULTS.0,
            false => MAX_EXITS,
        };
        if exit.kind == kiln_vm::tier::ExitKind::Poll || exit.count.get() < most {
            return Verdict::Keep;
        }
        if !self.has_faults {
            self.failed.insert((exit.code as usize, exit.position));
        }
        history.failures += 1;
        Verdict::Discard
    }
}
