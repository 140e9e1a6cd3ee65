//! What is compiled when.
//!
//! Interpreting so far is taken as the measure of what is to come: a function is compiled when interpreting it has cost about as much
//! as compiling it will (the ski rental argument: at worst twice the cost of the better choice made at once). Both costs are counted
//! in instructions.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use kiln_bytecode::LoopInfo;
use kiln_codegen::baseline::{Job, name_of};
use kiln_codegen::code_memory::{
    CodeHandle, CodeMemory, CodeMemoryError, CodeMemoryOptions, MachineCode,
};
use kiln_codegen::optimizing::{Faults, Listing, OptimizingJob};
use kiln_vm::Vm;
use kiln_vm::feedback::CodeInstance;
use kiln_vm::tier::{Entry, Exit, ExitKind, Hot, Tiering};
use kiln_vm::watch::Validity;

use super::compile_threads::{CompileThreads, Orders};
use super::delayed::Delayed;
use super::machine_code::assembly;
use super::optimization::{self, GuardFailure, Names};
use super::optimized::{InstalledExit, Optimized, Pending, Verdict};
use super::worker::{self, Compilers, Delivery, Goods, Making, Optimize, Order, Work};
use super::{CodeListing, JitOptions, JitReport, Tier, TierEvent, TierEventKind};
use crate::profile::names;

/// The policy, for the interpreter's hooks.
pub(super) type Shared = Arc<Mutex<Policy>>;

/// What has become of a code instance.
enum State {
    /// Waits for the compiler.
    Queued,
    Compiled(CodeHandle),
    /// Never to be compiled again.
    Refused,
}

/// How compilations are carried out.
enum Executor {
    Here(Box<Compilers>),
    Background(Orders),
}

/// The most events recorded.
const MAX_EVENTS: usize = 10_000;

/// The most different failures of guards recorded.
const MAX_FAILURES: usize = 1000;

/// A function whose code has been evicted so often stays in the interpreter.
const MAX_EVICTIONS: u32 = 8;

/// A function whose code has been evicted so often is spared by `evict_always`: a long program would never end.
const MAX_IDLE_EVICTIONS: u32 = 100;

/// With more frames than this, `evict_always` leaves code alone.
const MAX_SCANNED_FRAMES: usize = 100;

/// Decides what is compiled, and owns the code.
pub(super) struct Policy {
    options: JitOptions,
    states: HashMap<usize, State>,
    /// How often code of an instance has been evicted.
    evictions: HashMap<usize, u32>,
    optimized: Optimized,
    /// What goes wrong on purpose in optimized code.
    faults: Arc<Faults>,
    /// What waits on purpose.
    delayed: Delayed<Delivery>,
    memory: CodeMemory,
    executor: Executor,
    started: Instant,
    report: JitReport,
    /// There is no memory for code: nothing is compiled any more.
    is_off: bool,
}

/// The policy as the interpreter knows it.
struct Link(Shared);

impl Tiering for Link {
    fn hot(&mut self, vm: &mut Vm, code: &CodeInstance, what: Hot) {
        lock(&self.0).hot(vm, code, what);
    }

    fn exited(&mut self, vm: &mut Vm, code: &CodeInstance, exit: &Exit) {
        lock(&self.0).exited(vm, code, exit);
    }
}

fn lock(policy: &Shared) -> MutexGuard<'_, Policy> {
    // A panic elsewhere leaves the policy in order: at worst a function is compiled twice.
    policy.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What has been compiled so far.
pub(super) fn report(policy: &Shared) -> JitReport {
    lock(policy).report.clone()
}

impl Policy {
    /// Gives an interpreter a policy. None if nothing can be compiled on this machine.
    pub fn install(vm: &mut Vm, options: JitOptions, threads: &CompileThreads) -> Option<Shared> {
        let executor = if options.background && threads.may_start() {
            if !threads.is_possible() {
                return None;
            }
            Executor::Background(threads.orders(vm.safepoint_handle()))
        } else {
            Executor::Here(Box::new(Compilers::new().ok()?))
        };
        let memory = CodeMemory::new(CodeMemoryOptions {
            reserved_bytes: CodeMemoryOptions::default()
                .reserved_bytes
                .max(options.code_bytes),
            budget_bytes: options.code_bytes,
            perf_map: options.perf_map,
            debugger: options.debugger,
        });
        // The countdowns end often enough for the count of instructions to be looked at.
        let first = (options.threshold / 8).max(1);
        let started = Instant::now();
        let mut policy = Policy {
            states: HashMap::new(),
            evictions: HashMap::new(),
            optimized: Optimized::new(options.faults.leaves_code()),
            faults: Faults::new(options.faults.fail_guards, options.faults.invalidate),
            delayed: Delayed::new(options.faults.delay),
            memory,
            executor,
            started,
            report: JitReport {
                started: Some(started),
                ..JitReport::default()
            },
            is_off: false,
            options,
        };
        if policy.options.code_bytes == 0 {
            policy.turn_off("the budget for machine code is zero");
        }
        let policy = Arc::new(Mutex::new(policy));
        vm.set_tiering(Box::new(Link(policy.clone())), first, first);
        let installer = policy.clone();
        vm.hooks().install_code = Some(Box::new(move |vm| lock(&installer).take_deliveries(vm)));
        Some(policy)
    }

    fn hot(&mut self, vm: &mut Vm, code: &CodeInstance, what: Hot) {
        self.take_deliveries(vm);
        self.free_retired(vm);
        if self.options.evict_always {
            self.evict_idle(vm);
        }
        let address = std::ptr::from_ref(code) as usize;
        let interval = match self.states.get(&address) {
            None => {
                let missing = match self.is_off {
                    true => u32::MAX,
                    false => self.missing(code, what, self.options.threshold),
                };
                // If too much is waiting already, this comes again.
                if missing == 0 && self.has_room() {
                    self.compile(vm, code, address);
                }
                missing
            }
            Some(State::Queued) => {
                if let Executor::Background(orders) = &self.executor {
                    orders.raise(address, gain(code, BASELINE_SAVING));
                }
                0
            }
            Some(State::Compiled(handle)) => {
                self.memory.touch(*handle);
                match self.options.tier {
                    Tier::Optimizing => self.consider_optimizing(vm, code, what),
                    // Compiled code counts on; the number tells how recently it was used.
                    _ if self.options.evict_always => 1,
                    _ => u32::MAX,
                }
            }
            Some(State::Refused) => u32::MAX,
        };
        let countdown = match what {
            Hot::Call => Some(&code.calls),
            Hot::Loop(index) => code.loops.get(index),
        };
        if let Some(countdown) = countdown {
            let least = if interval == SOON {
                SOON
            } else {
                (self.options.threshold / 8).max(1)
            };
            countdown.arm(interval.max(least));
        }
    }

    /// How many more of these events there must be, at the rate so far, until compiling pays. 0 if it does now.
    fn missing(&self, code: &CodeInstance, what: Hot, threshold: u32) -> u32 {
        let size = code.instructions.len() as u64;
        let unit = match what {
            Hot::Call => size,
            Hot::Loop(index) => code.block.loops.get(index).map_or(size, body_size),
        };
        let wanted = size.saturating_mul(u64::from(threshold));
        let missing = wanted.saturating_sub(executed(code)).div_ceil(unit.max(1));
        u32::try_from(missing).unwrap_or(u32::MAX)
    }

    fn compile(&mut self, vm: &mut Vm, code: &CodeInstance, address: usize) {
        let job = Box::new(Job::new(vm, code));
        self.record(&job.name, TierEventKind::Queued);
        self.states.insert(address, State::Queued);
        let order = Order::new(address, Work::Baseline(job));
        self.execute(vm, order, gain(code, BASELINE_SAVING));
    }

    /// Whether another order would be taken.
    fn has_room(&self) -> bool {
        match &self.executor {
            Executor::Here(_) => true,
            Executor::Background(orders) => orders.has_room(),
        }
    }

    /// Has an order carried out. What promises more `gain` is carried out earlier.
    fn execute(&mut self, vm: &mut Vm, order: Order, gain: u64) {
        self.start_thread();
        match &mut self.executor {
            Executor::Here(compilers) => {
                let delivery = compilers.carry_out(order);
                if let Some(delivery) = self.delayed.delay(delivery) {
                    self.install_delivery(vm, delivery);
                }
            }
            Executor::Background(orders) => orders.order(order, gain),
        }
    }

    /// Starts a compile thread if one is needed. Without any the compiler works when it is asked.
    fn start_thread(&mut self) {
        if let Executor::Background(orders) = &mut self.executor
            && let Err(error) = orders.start_thread()
            && let Ok(compilers) = Compilers::new()
        {
            self.executor = Executor::Here(Box::new(compilers));
            let reason =
                format!("no thread ({error}): the script waits while its code is compiled");
            self.record("compiler", TierEventKind::Limited { reason });
        }
    }

    /// Orders optimized code if it pays; the number of events after which to look again.
    fn consider_optimizing(&mut self, vm: &mut Vm, code: &CodeInstance, what: Hot) -> u32 {
        let missing = self.missing(code, what, self.options.optimize_threshold);
        if missing > 0 {
            return missing;
        }
        if !self.has_room() {
            return self.options.threshold;
        }
        let address = std::ptr::from_ref(code) as usize;
        let for_loop = match what {
            Hot::Call => None,
            Hot::Loop(index) => Some(index),
        };
        if self.optimized.has_broken_assumption(address) {
            // It was left where it is entered, of which nobody else has heard.
            self.discard(code, code.block.line, None, true);
            self.optimized.note_failure(address);
        }
        if self.optimized.has_given_up(address) {
            return u32::MAX;
        }
        let history = self.optimized.histories.entry(address).or_default();
        let wants_loop = history.wants(for_loop);
        // A function whose loops are hot and that is called again and again is better entered at its beginning.
        let wants_calls =
            for_loop.is_some() && code.calls.total() >= REPEATED_CALLS && history.wants(None);
        let has_loop = history
            .installed
            .iter()
            .any(|code| code.for_loop == for_loop);
        // With other code of the function there or on its way, which contains this loop too, most likely none is needed for the
        // loop itself. If it is still hot a good while later, it is.
        let is_busy = wants_calls || history.is_busy();
        let waits =
            matches!(for_loop, Some(index) if wants_loop && is_busy && history.defer(index));
        if wants_calls {
            self.optimize(vm, code, address, None);
        }
        if waits {
            return self.options.optimize_threshold.saturating_mul(DEFERRED);
        }
        if wants_loop {
            self.optimize(vm, code, address, for_loop);
        }
        match for_loop {
            // What runs in other code comes over at the end of the countdown, unless it may not just now.
            Some(_) if has_loop && self.optimized.hurries(address) => SOON,
            Some(_) if has_loop => 0,
            _ => self.options.optimize_threshold,
        }
    }

    fn optimize(
        &mut self,
        vm: &mut Vm,
        code: &CodeInstance,
        address: usize,
        for_loop: Option<usize>,
    ) {
        let validity = Validity::new();
        let failed = &self.optimized.failed;
        let Some(mut job) = OptimizingJob::new(vm, code, for_loop, failed, &validity) else {
            self.optimized.decline(address, for_loop);
            return;
        };
        job.wants_summary = self.is_recording();
        job.faults = self.faults.clone();
        let values = job.values();
        let pending = Pending { validity, for_loop };
        let number = self.optimized.order(address, pending);
        vm.keep_alive(number, values);
        let optimize = Optimize {
            number,
            job,
            passes: self.options.passes.clone(),
            lists: self.options.list,
        };
        let order = Order::new(address, Work::Optimize(Box::new(optimize)));
        self.execute(vm, order, gain(code, OPTIMIZED_SAVING));
    }

    /// Installs optimized code if what it takes for granted still holds.
    fn install_optimized(
        &mut self,
        vm: &mut Vm,
        number: u64,
        optimized: worker::Optimized,
        making: &Making,
    ) {
        let worker::Optimized {
            code: optimized,
            job,
        } = optimized;
        let address = making.code;
        let Some(pending) = self.optimized.take_order(address, number) else {
            return;
        };
        if !pending.validity.is_valid() {
            vm.give_up(number);
            return;
        }
        let handle = match self.publish(vm, &optimized.machine_code) {
            Ok(handle) => handle,
            Err(reason) => {
                vm.give_up(number);
                self.optimized.decline(address, pending.for_loop);
                self.record(&making.name, TierEventKind::Refused { reason });
                return;
            }
        };
        let Some(object) = self.memory.get(handle) else {
            return;
        };
        let code = instance_at(address);
        // SAFETY: as in `install_baseline`.
        unsafe {
            let entry = std::mem::transmute::<*const u8, Entry>(object.entry());
            code.install_optimized(entry, pending.for_loop);
        }
        self.report.optimized += 1;
        self.report.code_bytes += optimized.machine_code.size();
        let failed = &self.optimized.failed;
        let names = Names {
            vm,
            job: &job,
            has_failed: &|code, position| failed.contains(&(code, position)),
        };
        let kind = TierEventKind::Optimized {
            for_loop: pending.for_loop,
            bytes: optimized.machine_code.size(),
            instructions: optimized.instructions,
            compile_time: making.time,
            phases: making.phases(),
            optimization: optimized
                .summary
                .as_ref()
                .map(|summary| Box::new(names.optimization(summary, &optimized.dependencies))),
        };
        let exits = optimized.exits.into_iter().map(|place| InstalledExit {
            exit: place.exit,
            site: place.guard.map(|guard| names.exit(&guard)),
        });
        let exits = exits.collect();
        self.record(&making.name, kind);
        self.optimized
            .install(address, number, handle, pending, exits);
        // Whatever runs elsewhere comes over soon.
        arm_loops(code, SOON);
    }

    /// Optimized code of an instance has given up.
    fn exited(&mut self, vm: &Vm, code: &CodeInstance, exit: &Exit) {
        let address = std::ptr::from_ref(code) as usize;
        let broken_assumption = self.optimized.has_broken_assumption(address);
        let failure = self.note_failure(vm, code, exit, broken_assumption);
        match self.optimized.judge(address, exit) {
            Verdict::Keep => arm_loops(code, SOON),
            Verdict::Discard => {
                let line = instance_at(exit.code as usize).block.line_at(exit.position);
                self.discard(code, line, failure, broken_assumption);
                let again = (self.options.optimize_threshold / 8).max(1);
                code.calls.arm(again);
                arm_loops(code, again);
            }
        }
    }

    /// Takes optimized code out of use. It may be running now, or be further out on the stack: it is freed later.
    fn discard(
        &mut self,
        code: &CodeInstance,
        line: u32,
        failure: Option<GuardFailure>,
        broken_assumption: bool,
    ) {
        code.uninstall_optimized();
        self.optimized.retire(std::ptr::from_ref(code) as usize);
        self.report.deoptimized += 1;
        let kind = TierEventKind::Deoptimized {
            line,
            failure: failure.map(Box::new),
            broken_assumption,
        };
        self.record(&name_of(&code.block), kind);
    }

    /// Records that a guard of optimized code has failed; how it did.
    fn note_failure(
        &mut self,
        vm: &Vm,
        code: &CodeInstance,
        exit: &Exit,
        broken_assumption: bool,
    ) -> Option<GuardFailure> {
        // Whoever interrupts the script, such as a profiler that takes samples, has code left at a poll.
        let is_interrupted = exit.kind == ExitKind::Poll && !broken_assumption;
        if !self.is_recording() || is_interrupted {
            return None;
        }
        let address = std::ptr::from_ref(code) as usize;
        let site = self.optimized.exit_site(address, exit)?;
        let value = site.register.and_then(|register| vm.register(register));
        let mut failure = GuardFailure {
            function: names::of_block(&code.block),
            guard: site.guard.clone(),
            met: value.map(|value| optimization::in_words(vm, value, site.guard.kind)),
            count: 1,
        };
        let failures = &mut self.report.guard_failures;
        let known = failures.iter().position(|it| {
            (&it.function, &it.guard, &it.met) == (&failure.function, &failure.guard, &failure.met)
        });
        match known {
            Some(known) => {
                failures[known].count += 1;
                failure.count = failures[known].count;
            }
            None if failures.len() < MAX_FAILURES => failures.push(failure.clone()),
            None => {}
        }
        Some(failure)
    }

    /// Frees optimized code that is neither installed nor running.
    fn free_retired(&mut self, vm: &mut Vm) {
        if self.optimized.retired.is_empty() || vm.stack_depth() > MAX_SCANNED_FRAMES {
            return;
        }
        let running = self.running(vm);
        let (stay, go): (Vec<_>, Vec<_>) = std::mem::take(&mut self.optimized.retired)
            .into_iter()
            .partition(|code| running.contains(&code.handle));
        self.optimized.retired = stay;
        for code in go {
            self.memory.free(code.handle);
            vm.give_up(code.number);
        }
    }

    /// Installs what the compiler has made meanwhile.
    fn take_deliveries(&mut self, vm: &mut Vm) {
        let mut deliveries = self.delayed.due();
        if let Executor::Background(orders) = &self.executor {
            let arrived = orders.deliveries().into_iter();
            deliveries.extend(arrived.filter_map(|delivery| self.delayed.delay(delivery)));
        }
        for delivery in deliveries {
            self.install_delivery(vm, delivery);
        }
    }

    fn install_delivery(&mut self, vm: &mut Vm, delivery: Delivery) {
        let Delivery { goods, making } = delivery;
        self.report.compile_time += making.time;
        match goods {
            Goods::Baseline(Ok(machine_code)) => self.install_baseline(vm, &machine_code, &making),
            Goods::Baseline(Err(error)) => {
                self.refuse(making.code, &making.name, error.to_string());
            }
            Goods::Optimized(number, result, listing) => match *result {
                Ok(optimized) => {
                    if let Some(listing) = listing {
                        let machine_code = &optimized.code.machine_code;
                        self.list(making.code, number, machine_code, *listing);
                    }
                    self.install_optimized(vm, number, optimized, &making);
                }
                Err(error) => {
                    if let Some(pending) = self.optimized.take_order(making.code, number) {
                        self.optimized.decline(making.code, pending.for_loop);
                    }
                    vm.give_up(number);
                    let reason = error.to_string();
                    self.record(&making.name, TierEventKind::Refused { reason });
                }
            },
        }
    }

    /// Makes code ready to run, in place of other code if there is no room; else why not.
    fn publish(&mut self, vm: &mut Vm, code: &MachineCode) -> Result<CodeHandle, String> {
        let mut published = self.memory.publish(code, |_| None);
        if let Err(CodeMemoryError::OverBudget { missing }) = published {
            self.evict(vm, missing);
            published = self.memory.publish(code, |_| None);
        }
        published.map_err(|error| {
            let reason = error.to_string();
            if matches!(
                error,
                CodeMemoryError::Unsupported | CodeMemoryError::Refused { .. }
            ) {
                self.turn_off(&reason);
            }
            reason
        })
    }

    fn install_baseline(&mut self, vm: &mut Vm, machine_code: &MachineCode, making: &Making) {
        let address = making.code;
        let handle = match self.publish(vm, machine_code) {
            Ok(handle) => handle,
            Err(reason) => return self.refuse(address, &making.name, reason),
        };
        let Some(object) = self.memory.get(handle) else {
            return;
        };
        let code = instance_at(address);
        // SAFETY: the code was compiled from a job of this instance to the entry's signature, and it is freed only when it is no
        // longer installed and no frame returns into it.
        unsafe {
            let entry = std::mem::transmute::<*const u8, Entry>(object.entry());
            code.install(entry);
        }
        self.report.compiled += 1;
        self.report.code_bytes += machine_code.size();
        self.report.instructions += code.instructions.len();
        let kind = TierEventKind::Installed {
            bytes: machine_code.size(),
            instructions: code.instructions.len(),
            compile_time: making.time,
            phases: making.phases(),
        };
        self.states.insert(address, State::Compiled(handle));
        self.record(&making.name, kind);
        if self.options.tier == Tier::Optimizing {
            let next = (self.options.optimize_threshold / 8).max(1);
            code.calls.arm(next);
            arm_loops(code, next);
        }
    }

    fn refuse(&mut self, code: usize, name: &str, reason: String) {
        self.states.insert(code, State::Refused);
        self.report.refused += 1;
        self.record(name, TierEventKind::Refused { reason });
    }

    /// Frees at least so many bytes of code, those used least recently first, as far as they are not running.
    fn evict(&mut self, vm: &mut Vm, bytes: usize) {
        let running = self.running(vm);
        self.evict_others(&running, bytes);
    }

    fn evict_others(&mut self, spared: &[CodeHandle], bytes: usize) {
        let candidates = self
            .memory
            .eviction_candidates(bytes, |handle, _| spared.contains(&handle));
        for handle in candidates {
            self.throw_away(handle);
        }
    }

    /// Frees all code that is not running, unless looking for it would take long, or it has been through that often enough.
    fn evict_idle(&mut self, vm: &mut Vm) {
        if vm.stack_depth() >= MAX_SCANNED_FRAMES {
            return;
        }
        let worn: Vec<usize> = self
            .evictions
            .iter()
            .filter(|(_, evictions)| **evictions >= MAX_IDLE_EVICTIONS)
            .map(|(address, _)| *address)
            .collect();
        let mut spared = self.running(vm);
        for address in worn {
            if let Some(State::Compiled(handle)) = self.states.get(&address) {
                spared.push(*handle);
            }
        }
        self.evict_others(&spared, usize::MAX);
    }

    /// The code objects that frames on the script stack return into.
    fn running(&self, vm: &Vm) -> Vec<CodeHandle> {
        let mut running = Vec::new();
        vm.for_each_stack_word(|word| {
            // A return address is behind its call, which may be the last instruction.
            for address in [word, word.wrapping_sub(1)] {
                if let Some(handle) = self.memory.find(address)
                    && !running.contains(&handle)
                {
                    running.push(handle);
                }
            }
        });
        running
    }

    /// Frees code that is not running. The interpreter takes over.
    fn throw_away(&mut self, handle: CodeHandle) {
        let owner = self
            .states
            .iter()
            .find(|(_, state)| matches!(state, State::Compiled(known) if *known == handle));
        let Some((&address, _)) = owner else {
            return;
        };
        let name = match self.memory.get(handle) {
            Some(object) => object.name().to_owned(),
            None => return,
        };
        let code = instance_at(address);
        code.uninstall();
        self.optimized.retire(address);
        let again = (self.options.threshold / 8).max(1);
        code.calls.arm(again);
        arm_loops(code, again);
        self.memory.free(handle);
        self.report.evicted += 1;
        let evictions = self.evictions.entry(address).or_default();
        *evictions += 1;
        if *evictions >= MAX_EVICTIONS && !self.options.evict_always {
            self.states.insert(address, State::Refused);
        } else {
            self.states.remove(&address);
        }
        self.record(&name, TierEventKind::Evicted);
    }

    /// Compiles nothing any more.
    fn turn_off(&mut self, reason: &str) {
        if !std::mem::replace(&mut self.is_off, true) {
            let reason = format!("{reason}: the interpreter runs everything else");
            self.record("compiler", TierEventKind::Limited { reason });
        }
    }

    /// Keeps the texts of optimized code.
    fn list(&mut self, address: usize, number: u64, code: &MachineCode, listing: Listing) {
        let block = &instance_at(address).block;
        self.report.listings.push(CodeListing {
            function: block.name.to_string(),
            for_loop: self.optimized.loop_of(number),
            passes: listing.steps,
            clif: listing.clif,
            assembly: assembly(code, block),
        });
    }

    /// Whether anybody wants to know what happens.
    fn is_recording(&self) -> bool {
        self.options.record || self.options.log
    }

    fn record(&mut self, function: &str, kind: TierEventKind) {
        if !self.is_recording() {
            return;
        }
        let event = TierEvent {
            time: self.started.elapsed(),
            function: function.to_owned(),
            kind,
        };
        if self.options.log {
            // Nothing depends on anybody reading it.
            let _ = writeln!(std::io::stderr(), "{event}");
        }
        if self.options.record && self.report.events.len() < MAX_EVENTS {
            self.report.events.push(event);
        }
    }
}

/// The code instance at an address that the interpreter has handed out.
fn instance_at<'a>(address: usize) -> &'a CodeInstance {
    // SAFETY: instances live as long as their interpreter, and the policy is only called by it.
    unsafe { &*(address as *const CodeInstance) }
}

/// What an execution in baseline code saves, for the effort of compiling it: see [`super::THRESHOLD`]. Only the proportion to
/// [`OPTIMIZED_SAVING`] matters.
const BASELINE_SAVING: u64 = 20;

/// What an execution in optimized code saves beyond that: half as much for ten times the effort.
const OPTIMIZED_SAVING: u64 = 1;

/// What code for a function is expected to save for the effort of making it: what it would have saved so far.
fn gain(code: &CodeInstance, saving: u64) -> u64 {
    let size = code.instructions.len().max(1) as u64;
    executed(code).saturating_mul(saving) / size
}

/// How many instructions of a function have been executed: a call executes a part of them, a pass of a loop its body.
fn executed(code: &CodeInstance) -> u64 {
    let calls = code.calls.total();
    let passes = code.block.loops.iter().zip(code.loops.iter());
    passes
        .map(|(info, countdown)| countdown.total().saturating_mul(body_size(info)))
        .fold(
            calls.saturating_mul(code.instructions.len() as u64),
            u64::saturating_add,
        )
}

/// The number of instructions in a loop.
fn body_size(info: &LoopInfo) -> u64 {
    u64::from(info.end.saturating_sub(info.header).max(1))
}

/// How much longer a loop waits for code of its own when the function has other code.
const DEFERRED: u32 = 4;

/// So many calls tell that a function is called again and again.
const REPEATED_CALLS: u64 = 4;

/// Passes of a loop until the policy looks again, when something is likely to have changed.
const SOON: u32 = 16;

/// Lets all loops of an instance end their countdowns after so many passes.
fn arm_loops(code: &CodeInstance, passes: u32) {
    for countdown in code.loops.iter() {
        countdown.arm(passes);
    }
}
