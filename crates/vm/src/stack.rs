//! The script stack: interpreter, runtime functions and compiled code run on a stack of the instance's own.
//!
//! That gives the collector known bounds to scan, makes exact overflow checks possible, and lets a script be suspended
//! anywhere. The stack is never unwound: a suspended one that is dropped is reset, so nothing on it may own anything.
//!
//! Work comes to the script stack in two ways. An [`Activity`] can be suspended, and goes on where it was when it is resumed. What
//! [`Vm::enter`] runs, and everything that runs inside a function of the host, is *pinned*: it runs to its end, since Rust
//! frames that own something are waiting for it.

use std::any::Any;
use std::cell::Cell;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use corosensei::stack::{DefaultStack, Stack};
use corosensei::{Coroutine, CoroutineResult, Yielder};

use crate::error::{Fallible, RuntimeError, Throw};
use crate::frame::FrameMark;
use crate::heap::{Marker, with_spilled_registers};
use crate::host::Host;
use crate::safepoint::Reason;
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
    /// An intrinsic of the host is not done yet and wants to be asked again.
    Pending,
    /// The host asked for it at a safepoint: the time slice is over.
    SliceOver,
}

/// What comes out of a worker.
enum Signal {
    Suspended(Suspension),
    /// The job is done, and the worker wants another.
    Idle,
}

/// What a worker is given: where to find its work, and the interpreter.
#[derive(Clone, Copy)]
struct Job {
    vm: *mut Vm,
    run: unsafe fn(*mut (), &mut Vm),
    data: *mut (),
}

/// A stack with a coroutine that does one job after the other. Making one for each job would cost more than many a job.
struct Worker {
    coroutine: Coroutine<Job, Signal, (), DefaultStack>,
    /// The address of the coroutine's yielder, once it has begun.
    yielder: usize,
    /// The highest address of the stack.
    base: usize,
    /// The lowest address that calls of the script may use.
    limit: usize,
}

impl Worker {
    fn new(stack: DefaultStack) -> Worker {
        let base = stack.base().get();
        let limit = stack.limit().get() + RESERVE;
        let coroutine =
            Coroutine::with_stack(stack, |yielder: &Yielder<Job, Signal>, mut job: Job| {
                loop {
                    // SAFETY: the caller of `Vm::switch` lends its exclusive borrow, and waits until control comes back.
                    let vm = unsafe { &mut *job.vm };
                    vm.stack.yielder = std::ptr::from_ref(yielder) as usize;
                    // SAFETY: whoever made the job vouches for its parts.
                    unsafe { (job.run)(job.data, vm) };
                    job = yielder.suspend(Signal::Idle);
                }
            });
        Worker {
            coroutine,
            yielder: 0,
            base,
            limit,
        }
    }

    /// Gives up what the worker is doing.
    fn reset(&mut self) {
        if self.coroutine.started() && !self.coroutine.done() {
            // SAFETY: by the rule of this module no frame on the script stack owns anything.
            unsafe { self.coroutine.force_reset() };
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.reset();
    }
}

/// The part of a suspended activity's stack that is in use, from its lowest address to its base; empty while it runs.
type Segment = Cell<(usize, usize)>;

/// The script stack of an interpreter.
#[derive(Default)]
pub struct ScriptStack {
    /// Idle.
    spare: Option<Worker>,
    /// The address of the running worker's yielder; 0 while no code runs on the stack.
    yielder: usize,
    /// The highest address of the stack while code runs on it.
    base: usize,
    /// Where the running activity notes which part of its stack is in use when it is suspended.
    segment: Option<Rc<Segment>>,
    /// What the collector must scan besides the running stack.
    suspended: Vec<Rc<Segment>>,
    /// How many Rust frames that may own something are waiting for code on the stack.
    pinned: usize,
    /// Whether the time slice ended while that was so.
    is_overdue: bool,
    /// Whether the runtime itself has panicked, after which nothing can be relied on.
    is_broken: bool,
}

impl ScriptStack {
    /// Whether code is running on the stack, so that a collection may scan it.
    pub fn is_active(&self) -> bool {
        self.yielder != 0
    }

    /// Calls `visit` with each part of a stack that is in use: from the caller's frame to the base of the running stack, and those of
    /// suspended activities.
    fn for_each_part(&self, mut visit: impl FnMut(*const u64, *const u64)) {
        if self.is_active() {
            with_spilled_registers(|top| visit(top, self.base as *const u64));
        }
        for segment in &self.suspended {
            let (top, base) = segment.get();
            visit(top as *const u64, base as *const u64);
        }
    }

    /// The words that are in use.
    fn for_each_word(&self, mut visit: impl FnMut(usize)) {
        self.for_each_part(|top, base| {
            let mut at = top.cast::<usize>();
            while at < base.cast() {
                // SAFETY: parts in use are readable.
                visit(unsafe { at.read() });
                at = at.wrapping_add(1);
            }
        });
    }

    /// Marks what the stack holds, and what suspended activities hold.
    pub(crate) fn trace(&self, marker: &mut Marker) {
        // SAFETY: parts in use are readable; dropped activities leave an empty one.
        self.for_each_part(|top, base| unsafe { marker.conservative(top, base) });
    }
}

/// Work on the script stack that has been started. It must only be resumed with the interpreter that started it.
pub struct Activity<T: 'static> {
    worker: Option<Worker>,
    /// Made by `Box::into_raw`, since the script stack refers to it.
    task: *mut Task<T>,
    segment: Rc<Segment>,
    /// What to return to if the activity is abandoned.
    origin: Origin,
    not_send: PhantomData<*mut ()>,
}

type Work<T> = dyn FnMut(&mut Vm) -> Fallible<T>;

/// What an activity does, and what comes of it.
struct Task<T> {
    /// Called once. Not `FnOnce`, which would be moved to the script stack, where nothing may own anything.
    work: Box<Work<T>>,
    result: Option<Result<Fallible<T>, Panicked>>,
}

/// The state of the interpreter before an activity.
#[derive(Clone, Copy)]
struct Origin {
    frames: FrameMark,
    bound_globals: usize,
    roots: usize,
    import_depth: usize,
}

/// What a started activity has come to.
pub enum Progress<T> {
    /// It has ended.
    Done(T),
    /// It waits to be resumed.
    Suspended(Suspension),
}

/// The message of a panic.
struct Panicked(Box<str>);

impl Panicked {
    fn new(payload: Box<dyn Any + Send>) -> Panicked {
        let text = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        let text = text.into();
        // What was thrown may itself panic when it is dropped.
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(again);
        }
        Panicked(text)
    }
}

/// Runs the work of a [`Task`].
///
/// # Safety
/// `data` must point to a `Task<T>` that nobody else uses meanwhile.
unsafe fn run_task<T>(data: *mut (), vm: &mut Vm) {
    // SAFETY: by contract.
    let task = unsafe { &mut *data.cast::<Task<T>>() };
    let outcome = catch_unwind(AssertUnwindSafe(|| (task.work)(vm)));
    task.result = Some(outcome.map_err(Panicked::new));
}

/// What [`Vm::enter`] runs, and what comes of it.
struct Entry<F, T> {
    work: Option<F>,
    result: Option<Result<Fallible<T>, Panicked>>,
}

/// Runs the work of an [`Entry`].
///
/// # Safety
/// `data` must point to an `Entry<F, T>` that nobody else uses meanwhile.
unsafe fn run_entry<F: FnOnce(&mut Vm) -> Fallible<T>, T>(data: *mut (), vm: &mut Vm) {
    // SAFETY: by contract.
    let entry = unsafe { &mut *data.cast::<Entry<F, T>>() };
    if let Some(work) = entry.work.take() {
        let outcome = catch_unwind(AssertUnwindSafe(|| work(vm)));
        entry.result = Some(outcome.map_err(Panicked::new));
    }
}

impl Vm {
    /// Prepares `work`, which is called once, to run on the script stack. No other activity may be suspended.
    ///
    /// # Errors
    /// The system refuses memory for the stack.
    pub fn start<T: 'static>(
        &mut self,
        work: impl FnMut(&mut Vm) -> Fallible<T> + 'static,
    ) -> std::io::Result<Activity<T>> {
        let worker = self.take_worker()?;
        let task = Task {
            work: Box::new(work),
            result: None,
        };
        let segment = Rc::new(Segment::default());
        self.stack
            .suspended
            .retain(|segment| Rc::strong_count(segment) > 1);
        self.stack.suspended.push(segment.clone());
        Ok(Activity {
            worker: Some(worker),
            task: Box::into_raw(Box::new(task)),
            segment,
            origin: self.origin(),
            not_send: PhantomData,
        })
    }

    /// Visits the words of the script stack that are in use, those of suspended activities included: return addresses are among
    /// them.
    pub fn for_each_stack_word(&self, visit: impl FnMut(usize)) {
        self.stack.for_each_word(visit);
    }

    /// Runs an activity on until it ends or suspends itself; none if it has ended before.
    pub fn resume<T>(&mut self, activity: &mut Activity<T>) -> Option<Progress<Fallible<T>>> {
        let mut worker = activity.worker.take()?;
        let outside = self.stack.segment.replace(activity.segment.clone());
        let job = Job {
            vm: self,
            run: run_task::<T>,
            data: activity.task.cast(),
        };
        // SAFETY: the job's pointer was made from this borrow.
        let signal = unsafe { Vm::switch(&mut worker, job) };
        self.stack.segment = outside;
        if let Signal::Suspended(suspension) = signal {
            activity.worker = Some(worker);
            return Some(Progress::Suspended(suspension));
        }
        self.stack.spare = Some(worker);
        // SAFETY: the activity owns the task, and the script stack is done with it.
        let result = unsafe { (*activity.task).result.take() };
        self.settle(result, activity.origin).map(Progress::Done)
    }

    /// Gives up an activity. What its program has assigned so far stays.
    pub fn abandon_activity<T>(&mut self, mut activity: Activity<T>) {
        if let Some(mut worker) = activity.worker.take() {
            activity.segment.set((0, 0));
            worker.reset();
            self.return_to(activity.origin);
        }
    }

    /// Runs `work` on the script stack to its end.
    ///
    /// # Errors
    /// That of the work; or the system refuses memory for the stack.
    #[inline]
    pub fn enter<T>(&mut self, work: impl FnOnce(&mut Vm) -> Fallible<T>) -> Fallible<T> {
        if self.stack.is_active() {
            self.stack.pinned += 1;
            let result = work(self);
            self.stack.pinned -= 1;
            return result;
        }
        self.enter_from_outside(work)
    }

    fn enter_from_outside<F: FnOnce(&mut Vm) -> Fallible<T>, T>(&mut self, work: F) -> Fallible<T> {
        let mut worker = self
            .take_worker()
            .map_err(|error| Throw::message(error.to_string()))?;
        let mut entry = Entry {
            work: Some(work),
            result: None,
        };
        let origin = self.origin();
        let floor = self.frames.raise_floor();
        self.stack.pinned += 1;
        let job = Job {
            vm: self,
            run: run_entry::<F, T>,
            data: (&raw mut entry).cast(),
        };
        // SAFETY: the job's pointer is made from this borrow.
        unsafe { Vm::switch(&mut worker, job) };
        self.stack.pinned -= 1;
        self.stack.spare = Some(worker);
        let result = self.settle(entry.result.take(), origin);
        self.frames.set_floor(floor);
        result.unwrap_or_else(|| Err(self.broken()))
    }

    /// The result of a job; a panic leaves the interpreter unusable.
    fn settle<T>(
        &mut self,
        result: Option<Result<Fallible<T>, Panicked>>,
        origin: Origin,
    ) -> Option<Fallible<T>> {
        match result? {
            Ok(result) => Some(result),
            Err(Panicked(text)) => {
                self.return_to(origin);
                self.stack.is_broken = true;
                Some(Err(Throw::message(format!(
                    "internal error of the runtime: {text}"
                ))))
            }
        }
    }

    #[cold]
    fn broken(&self) -> Throw {
        Throw::message("this interpreter has had an internal error and cannot go on")
    }

    fn take_worker(&mut self) -> std::io::Result<Worker> {
        if self.stack.is_broken {
            return Err(std::io::Error::other(
                "this interpreter has had an internal error and cannot go on",
            ));
        }
        match self.stack.spare.take() {
            Some(worker) => Ok(worker),
            None => Ok(Worker::new(self.new_stack()?)),
        }
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

    /// Lets a worker run until control comes back.
    ///
    /// # Safety
    /// `job.vm` must come from an exclusive borrow that is not used meanwhile.
    unsafe fn switch(worker: &mut Worker, job: Job) -> Signal {
        // What runs changes the interpreter through the same pointer: with a reference in its place the compiler would not expect that.
        let vm = job.vm;
        // SAFETY: by contract; each reference ends with its statement.
        let outside = unsafe {
            let outside = ((*vm).stack.yielder, (*vm).stack.base);
            // The yielder's address is known once the coroutine has begun; from the start the stack counts as active.
            (*vm).stack.yielder = worker.yielder.max(1);
            (*vm).stack.base = worker.base;
            (outside, (*vm).set_stack_limit(worker.limit))
        };
        let result = worker.coroutine.resume(job);
        let ((yielder, base), limit) = outside;
        // SAFETY: as above.
        unsafe {
            (*vm).set_stack_limit(limit);
            worker.yielder = (*vm).stack.yielder;
            (*vm).stack.yielder = yielder;
            (*vm).stack.base = base;
        }
        match result {
            CoroutineResult::Yield(signal) => signal,
            CoroutineResult::Return(()) => Signal::Idle,
        }
    }

    /// Gives control to whoever resumed the activity. Returns at once if no code runs on the script stack, or if it
    /// cannot be suspended and need not be.
    ///
    /// # Errors
    /// What runs is pinned, and has to wait for something.
    #[inline(never)]
    pub fn suspend(&mut self, why: Suspension) -> Fallible<()> {
        if self.stack.yielder <= 1 {
            return Ok(());
        }
        if self.stack.pinned > 0 {
            return match why {
                Suspension::Yield => Ok(()),
                Suspension::SliceOver => {
                    self.stack.is_overdue = true;
                    Ok(())
                }
                Suspension::Wait(_) | Suspension::Pending => Err(RuntimeError::CannotWait.into()),
            };
        }
        // SAFETY: the address was stored by the running coroutine and is valid until it ends.
        let yielder = unsafe { &*(self.stack.yielder as *const Yielder<Job, Signal>) };
        let base = self.stack.base;
        // The registers that the callers of this function have in use lie on the stack, too, where the collector finds them.
        with_spilled_registers(|top| {
            self.note_segment((top as usize, base));
            // The host changes the interpreter meanwhile: the compiler must not think that nobody else knows this reference.
            std::hint::black_box(&mut *self);
            yielder.suspend(Signal::Suspended(why));
            std::hint::black_box(&mut *self);
            self.note_segment((0, 0));
        });
        Ok(())
    }

    fn note_segment(&self, segment: (usize, usize)) {
        if let Some(place) = &self.stack.segment {
            place.set(segment);
        }
    }

    /// Runs code of the host inside an intrinsic: pinned, and a panic ends here as an error that names the intrinsic.
    ///
    /// # Errors
    /// That of the work, or a panic's.
    pub fn call_host<T>(
        &mut self,
        name: &str,
        work: impl FnOnce(&mut Vm) -> Fallible<T>,
    ) -> Fallible<T> {
        let origin = self.origin();
        let pinned = self.stack.pinned;
        self.stack.pinned = pinned + 1;
        let result = catch_unwind(AssertUnwindSafe(|| work(self)));
        self.stack.pinned = pinned;
        if pinned == 0 && std::mem::take(&mut self.stack.is_overdue) {
            self.frames.safepoint().request(Reason::SliceOver);
        }
        result.unwrap_or_else(|payload| {
            self.return_to(origin);
            let Panicked(text) = Panicked::new(payload);
            Err(Throw::message(format!("{name}: the host panicked: {text}")))
        })
    }

    /// Asks the host for something, on behalf of an intrinsic.
    ///
    /// # Errors
    /// The host panics.
    pub(crate) fn ask_host<T>(
        &mut self,
        name: &str,
        question: impl FnOnce(&mut dyn Host) -> T,
    ) -> Fallible<T> {
        self.call_host(name, |vm| Ok(question(&mut *vm.host)))
    }

    fn origin(&self) -> Origin {
        Origin {
            frames: self.frames.mark(),
            bound_globals: self.globals.bound_count(),
            roots: self.roots.len(),
            import_depth: self.import_depth,
        }
    }

    /// Leaves everything that has been entered since.
    fn return_to(&mut self, origin: Origin) {
        self.unbind_globals_beyond(origin.bound_globals);
        self.frames.truncate(origin.frames);
        self.roots.truncate(origin.roots);
        self.import_depth = origin.import_depth;
    }
}

impl<T: 'static> Drop for Activity<T> {
    fn drop(&mut self) {
        self.segment.set((0, 0));
        // Before the task, to which the stack refers.
        self.worker = None;
        // SAFETY: made by `Box::into_raw`, and nothing refers to it any more.
        drop(unsafe { Box::from_raw(self.task) });
    }
}
