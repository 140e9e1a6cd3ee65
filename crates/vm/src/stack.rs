//! The script stack: interpreter, runtime functions and compiled code run on a stack of the instance's own.
//!
//! That gives the collector known bounds to scan, makes exact overflow checks possible, and lets a script be suspended
//! anywhere. The stack is never unwound: a suspended one that is dropped is reset, so nothing on it may own anything.

use std::marker::PhantomData;

use corosensei::stack::{DefaultStack, Stack};
use corosensei::{Coroutine, CoroutineResult, Yielder};

use crate::heap::{Marker, with_spilled_registers};
use crate::vm::Vm;

/// Bytes of address space for the stack while only the interpreter runs, in which calls of the script take none of it; memory is
/// committed when it is touched.
const STACK_BYTES: usize = 16 << 20;

/// The share of a call in compiled code: so many bytes of this stack for each register of the value stack, so that the value stack
/// is what bounds recursion in all tiers. A call between tiers takes some hundred bytes, its window at least four registers.
const BYTES_PER_REGISTER: usize = 128;

/// What is kept for runtime functions, which bound their own recursion.
const RESERVE: usize = 2 << 20;

/// Why a script gives control back before it has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Suspension {
    /// The intrinsic `yield`: until the host has had a look.
    Yield,
    /// The intrinsic `wait`: for this many seconds.
    Wait(f64),
    /// The host asked for it at a safepoint: the time slice is over.
    SliceOver,
}

/// The script stack of an interpreter.
#[derive(Default)]
pub struct ScriptStack {
    spare: Option<DefaultStack>,
    /// The address of the coroutine's yielder while code runs on the stack.
    yielder: usize,
    /// The highest address of the stack while code runs on it.
    base: usize,
}

impl ScriptStack {
    /// Whether code is running on the stack, so that a collection may scan it.
    pub fn is_active(&self) -> bool {
        self.yielder != 0
    }

    /// The words of the stack, from the caller's frame to its base.
    fn for_each_word(&self, mut visit: impl FnMut(usize)) {
        if !self.is_active() {
            return;
        }
        let base = self.base as *const usize;
        with_spilled_registers(|top| {
            let mut at = top.cast::<usize>();
            while at < base {
                // SAFETY: everything from the current stack pointer to the base is the stack of the running coroutine.
                visit(unsafe { at.read() });
                // SAFETY: not beyond the base.
                at = unsafe { at.add(1) };
            }
        });
    }

    /// Marks what the stack holds, from the caller's frame to its base.
    pub(crate) fn trace(&self, marker: &mut Marker) {
        if self.is_active() {
            let base = self.base;
            // SAFETY: everything from the current stack pointer to the base is the stack of the running coroutine.
            with_spilled_registers(|top| unsafe { marker.conservative(top, base as *const u64) });
        }
    }
}

/// Work on the script stack that has been started.
pub struct Activity<T: 'static> {
    coroutine: Option<Coroutine<(), Suspension, T, DefaultStack>>,
    yielder: usize,
    base: usize,
    /// The lowest address that calls of the script may use.
    limit: usize,
    not_send: PhantomData<*mut ()>,
}

/// What a started activity has come to.
pub enum Progress<T> {
    /// It has ended.
    Done(T),
    /// It waits to be resumed.
    Suspended(Suspension),
}

impl Vm {
    /// Prepares `work` to run on the script stack. The activity must only be resumed with this interpreter.
    ///
    /// While an activity is suspended nothing else may run on this interpreter's script stack: the collector scans only the stack
    /// of the activity that is running, so it would free what a suspended one holds.
    ///
    /// # Errors
    /// The system refuses memory for the stack.
    pub fn start<T: 'static>(
        &mut self,
        work: impl FnOnce(&mut Vm) -> T + 'static,
    ) -> std::io::Result<Activity<T>> {
        let stack = match self.stack.spare.take() {
            Some(stack) => stack,
            None => self.new_stack()?,
        };
        let limit = stack.limit().get() + RESERVE;
        let base = stack.base().get();
        let vm: *mut Vm = self;
        let coroutine =
            Coroutine::with_stack(stack, move |yielder: &Yielder<(), Suspension>, ()| {
                // SAFETY: `resume` runs this only while it holds the exclusive borrow of the same interpreter.
                let vm = unsafe { &mut *vm };
                vm.stack.yielder = std::ptr::from_ref(yielder) as usize;
                work(vm)
            });
        Ok(Activity {
            coroutine: Some(coroutine),
            yielder: 0,
            base,
            limit,
            not_send: PhantomData,
        })
    }

    /// Visits the words of the script stack that are in use: return addresses are among them.
    pub fn for_each_stack_word(&self, visit: impl FnMut(usize)) {
        self.stack.for_each_word(visit);
    }

    fn new_stack(&self) -> std::io::Result<DefaultStack> {
        if self.has_tiering() {
            let bytes = self
                .limits
                .stack_registers
                .saturating_mul(BYTES_PER_REGISTER);
            if let Ok(stack) = DefaultStack::new(bytes.max(STACK_BYTES)) {
                return Ok(stack);
            }
        }
        DefaultStack::new(STACK_BYTES)
    }

    /// Runs an activity on until it ends or suspends itself.
    pub fn resume<T>(&mut self, activity: &mut Activity<T>) -> Option<Progress<T>> {
        let mut coroutine = activity.coroutine.take()?;
        let outside = (self.stack.yielder, self.stack.base);
        // The yielder's address is known once the coroutine has begun; from the start the stack counts as active.
        self.stack.yielder = activity.yielder.max(1);
        self.stack.base = activity.base;
        let outside_limit = self.set_stack_limit(activity.limit);
        let result = coroutine.resume(());
        self.set_stack_limit(outside_limit);
        activity.yielder = self.stack.yielder;
        (self.stack.yielder, self.stack.base) = outside;
        Some(match result {
            CoroutineResult::Yield(suspension) => {
                activity.coroutine = Some(coroutine);
                Progress::Suspended(suspension)
            }
            CoroutineResult::Return(value) => {
                self.stack.spare = Some(coroutine.into_stack());
                Progress::Done(value)
            }
        })
    }

    /// Gives control to whoever resumed the activity. Returns at once if no code runs on the script stack.
    pub fn suspend(&mut self, why: Suspension) {
        if self.stack.yielder > 1 {
            // SAFETY: the address was stored by the running coroutine and is valid until it ends.
            let yielder = unsafe { &*(self.stack.yielder as *const Yielder<(), Suspension>) };
            yielder.suspend(why);
        }
    }
}

impl<T: 'static> Drop for Activity<T> {
    fn drop(&mut self) {
        if let Some(coroutine) = &mut self.coroutine
            && coroutine.started()
            && !coroutine.done()
        {
            // SAFETY: by the rule of this module no frame on the script stack owns anything.
            unsafe { coroutine.force_reset() };
        }
    }
}
