//! Where the interpreter and compiled code meet.
//!
//! Nothing here knows how code is compiled. Every code instance has an *entry*, a machine function that runs one call of it; while there
//! is no compiled code that is [`interpret`]. Frame records and register windows are the same in all tiers, so stack traces, limits
//! and the collector need not know which one a frame runs in.
//!
//! | from | to | how |
//! |---|---|---|
//! | interpreter | interpreter | a new frame in the same dispatch loop |
//! | interpreter | compiled code | [`Vm::enter_compiled`], like an intrinsic |
//! | a hot loop | compiled code | [`Vm::enter_loop`]: on-stack replacement |
//! | compiled code | any function | through the entry of its code instance |
//! | compiled code | one instruction | through [`out_of_line`]: the interpreter's own handler |
//!
//! An entry returns the result's word, or [`THROWN`] with the error in [`Vm::outcome`]; whoever entered compiled code leaves the frames.
//! Code that was entered in a loop may also return [`LEFT`]: the interpreter that entered it goes on, so that a loop which is left and
//! entered again and again takes no more of the native stack.

use std::cell::Cell;
use std::collections::HashMap;
use std::mem::offset_of;

use kiln_bytecode::{Instruction, Op, Register};

use crate::error::{Fallible, RuntimeError, Throw};
use crate::feedback::{Access, CacheEntry, CodeInstance};
use crate::frame::{Frame, FrameMark, FrameStack};
use crate::heap::{Gc, Heap, Kind, Marker};
use crate::interp;
use crate::interp::literal_slots;
use crate::object::function::FunctionCell;
use crate::object::list::ListCell;
use crate::object::map::shape::ShapeId;
use crate::object::map::{MAX_INLINE_SLOTS, MapCell, Slot};
use crate::object::range::RangeCell;
use crate::value::Value;
use crate::vm::Vm;

/// Runs a call whose window is in order, or a call's loop.
///
/// `at` is 0 for a call: the frame is not entered yet. Otherwise it is one more than the index of the loop to go on in, in the current
/// frame.
pub type Entry = unsafe extern "C" fn(
    vm: *mut Vm,
    window: *mut Value,
    code: *const CodeInstance,
    at: u64,
) -> u64;

/// Executes the instruction before `next` of the current frame. The result is the position of the instruction to go on with, or
/// [`GONE`].
pub type OutOfLine = extern "C" fn(vm: *mut Vm, next: *const Cell<Instruction>) -> u64;

/// What an entry returns when the call has ended in an error. No value of a program has this word.
pub const THROWN: u64 = Value::FIRST_NON_NUMBER | 2;

/// What an entry for a loop returns when its code gave up: frames and registers are as the interpreter needs them, the innermost frame
/// says where it goes on. No value of a program has this word.
pub const LEFT: u64 = Value::FIRST_NON_NUMBER | 3;

/// The position an [`OutOfLine`] function returns when the call has ended in an error.
pub const GONE: u64 = u64::MAX;

/// The position an [`OutOfLine`] function returns when optimized code has taken over. [`taken_over`] knows what the compiled code returns.
pub const TAKEN_OVER: u64 = u64::MAX - 1;

/// Why optimized code gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitKind {
    /// Something that feedback promised is not so.
    Guard,
    /// Control got where it had never been.
    NeverRun,
    /// The interpreter is to see to an interrupt, or an assumption of the code has been broken.
    Poll,
}

/// A place where optimized code can give up.
#[derive(Debug)]
pub struct Exit {
    /// The code of the instruction that the interpreter goes on with.
    pub code: *const CodeInstance,
    /// Its position.
    pub position: u32,
    /// Why.
    pub kind: ExitKind,
    /// How often code was left here.
    pub count: Cell<u64>,
}

// SAFETY: made by the compiler on its thread; the pointer is not followed there, and the counter belongs to the script's thread as soon
// as the code is installed.
unsafe impl Send for Exit {}

/// What has become hot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hot {
    /// The function: it was called often.
    Call,
    /// The loop with this index.
    Loop(usize),
}

/// The bits that the flag byte of an instruction collects on its slow path in the interpreter: which kinds of operands came by.
pub struct Observed;

#[expect(missing_docs, reason = "the names say it")]
impl Observed {
    pub const NUMBER: u8 = 1;
    pub const STRING: u8 = 1 << 1;
    pub const LIST: u8 = 1 << 2;
    pub const MAP: u8 = 1 << 3;
    pub const FUNCTION: u8 = 1 << 4;
    pub const OTHER: u8 = 1 << 5;
}

/// Decides which code is compiled, when.
pub trait Tiering {
    /// A countdown of the instance has ended. The policy arms it again.
    fn hot(&mut self, vm: &mut Vm, code: &CodeInstance, what: Hot);

    /// Optimized code of the instance gave up.
    fn exited(&mut self, _vm: &mut Vm, _code: &CodeInstance, _exit: &Exit) {}
}

/// An interpreter's link to the compiled tiers.
pub struct Tiers {
    policy: Option<Box<dyn Tiering>>,
    /// Calls of a new instance until the policy hears of it.
    pub first_calls: u32,
    /// Passes of a loop of a new instance until the policy hears of it.
    pub first_passes: u32,
    /// The lowest address of the script stack that code may use.
    stack_limit: usize,
    /// What the optimized code returned that took over last, and the mark below the frame that it took over.
    taken_over: (u64, Option<FrameMark>),
    /// Values that machine code mentions, by the number of the code.
    values: HashMap<u64, Vec<Value>>,
    /// Optimized code has an instruction executed out of line and must not be taken over by other optimized code there.
    pub(crate) keeps_loops: bool,
}

/// How a loop that went on in compiled code came back to the interpreter.
pub(crate) enum LoopOutcome {
    /// The call has returned this; its frame is left.
    Returned(Value),
    /// The interpreter goes on in the current frame.
    Left,
    /// The call has ended in an error.
    Threw(Throw),
}

impl Default for Tiers {
    /// No compiled tiers.
    fn default() -> Tiers {
        Tiers {
            policy: None,
            first_calls: u32::MAX,
            first_passes: u32::MAX,
            stack_limit: 0,
            taken_over: (0, None),
            values: HashMap::new(),
            keeps_loops: false,
        }
    }
}

impl Tiers {
    /// Marks what machine code mentions.
    pub(crate) fn trace(&self, marker: &mut Marker) {
        for value in self.values.values().flatten() {
            marker.value(*value);
        }
    }
}

/// Offsets in [`Vm`] and in records that compiled code uses.
pub mod layout {
    use super::*;

    /// From a [`Vm`] to the address behind the current frame's record.
    pub const FRAMES_TOP: usize = offset_of!(Vm, frames) + FrameStack::TOP_OFFSET;
    /// From a [`Vm`] to the lowest address of the native stack that code may use.
    pub const STACK_LIMIT: usize = offset_of!(Vm, tiers) + offset_of!(Tiers, stack_limit);
    /// From a [`Vm`] to the byte that keeps other optimized code from taking over a loop in the next instruction executed out of line.
    pub const KEEPS_LOOPS: usize = offset_of!(Vm, tiers) + offset_of!(Tiers, keeps_loops);
    /// From a [`Vm`] to the epoch of inherited members, 32 bits.
    pub const PROTOTYPE_EPOCH: usize = offset_of!(Vm, prototype_epoch);
    /// From a [`Vm`] to the byte that the write barrier compares with.
    pub const HEAP_BLACK: usize = offset_of!(Vm, heap) + Heap::BLACK_OFFSET;
    /// From a [`Vm`] to its heap, from which offsets in [`InlineAllocation`](crate::heap::InlineAllocation) count.
    pub const HEAP: usize = offset_of!(Vm, heap);
    /// The size of a frame's record.
    pub const FRAME_SIZE: usize = size_of::<Frame>();
}

impl Vm {
    /// Hands decisions about hot code to a policy. New instances count calls and passes down from these numbers.
    pub fn set_tiering(&mut self, policy: Box<dyn Tiering>, first_calls: u32, first_passes: u32) {
        self.tiers.policy = Some(policy);
        self.tiers.first_calls = first_calls;
        self.tiers.first_passes = first_passes;
    }

    /// The epoch of inherited members: it changes whenever what they are looked up by does.
    pub fn prototype_epoch(&self) -> u32 {
        self.prototype_epoch
    }

    /// Never gives a shape's number to another one: machine code mentions it.
    pub fn pin_shape(&mut self, shape: ShapeId) {
        self.shapes.pin(shape);
    }

    /// The names of the keys of a shape, if it is in use.
    pub fn shape_members(&self, shape: ShapeId) -> Option<Box<[Box<str>]>> {
        self.shapes.key_names(shape)
    }

    /// What a register of the current frame holds; none if it has no such register, or there is no frame.
    pub fn register(&self, register: Register) -> Option<Value> {
        if self.frames.is_empty() {
            return None;
        }
        let frame = self.frames.top();
        // SAFETY: the code of a frame that has been entered lives as long as the interpreter.
        let count = unsafe { &*frame.code }.block.register_count;
        // SAFETY: all registers of its window are on the value stack, and hold values.
        (u32::from(register.0) < count)
            .then(|| unsafe { frame.base.add(usize::from(register.0)).read() })
    }

    /// Keeps values alive that machine code mentions, until they are given up under the same number.
    pub fn keep_alive(&mut self, number: u64, values: Vec<Value>) {
        self.tiers.values.insert(number, values);
    }

    /// Gives up what was kept alive under the number.
    pub fn give_up(&mut self, number: u64) {
        self.tiers.values.remove(&number);
    }

    /// The code instance at an address, if there is one.
    pub fn instance_at(&self, address: usize) -> Option<&CodeInstance> {
        self.instances
            .iter()
            .map(|instance| &**instance)
            .find(|instance| std::ptr::from_ref(*instance) as usize == address)
    }

    /// Whether hot code is compiled.
    pub fn has_tiering(&self) -> bool {
        self.tiers.policy.is_some()
    }

    /// Whether there can be objects that an inline cache entry is about. If not, the collector may have freed what it mentions.
    pub fn is_live(&self, entry: CacheEntry) -> bool {
        self.shapes.is_live(entry.shape)
            && (entry.access != Access::Add || self.shapes.is_live(ShapeId(entry.epoch)))
    }

    /// Whether a slot lies in the cells of all maps of a shape.
    pub fn is_inside(&self, shape: ShapeId, slot: Slot) -> bool {
        shape.is_of_maps() && (slot.0 as usize) < self.shapes.least_inline_slots(shape)
    }

    /// The shape of a map that an instruction makes with room for so many entries, and the number of slots inside; none if it is made
    /// as a table.
    pub fn literal_layout(&mut self, capacity: usize) -> Option<(ShapeId, usize)> {
        self.empty_layout(literal_slots(capacity))
    }

    /// The shape of a function's new variable map, and the number of slots inside.
    pub fn variables_layout(&mut self, code: &CodeInstance) -> Option<(ShapeId, usize)> {
        self.empty_layout(code.variable_count.min(MAX_INLINE_SLOTS))
    }

    fn empty_layout(&mut self, slots: usize) -> Option<(ShapeId, usize)> {
        (slots <= MAX_INLINE_SLOTS).then(|| (self.shapes.root(slots), slots))
    }

    /// The shape of a prototype's new instances, and the number of slots inside; none if it has no instances that have a shape.
    pub fn instance_layout(&mut self, prototype: Gc<MapCell>) -> Option<(ShapeId, usize)> {
        let shape = prototype.shape();
        if shape == ShapeId::NONE || !self.shapes.get(shape).has_instances() {
            return None;
        }
        let root = self.shapes.instance_root(prototype, shape, self.names.isa);
        Some((root, self.shapes.inline_slots(root)))
    }

    /// What `super` is in methods found in a map: what it has under `__isa`, or null.
    pub fn parent(&mut self, map: Gc<MapCell>) -> Value {
        self.isa_of(map).unwrap_or(Value::NULL)
    }

    /// Whether only this prototype has its shape.
    pub fn has_unique_shape(&self, map: Gc<MapCell>) -> bool {
        map.shape() != ShapeId::NONE && self.shapes.get(map.shape()).is_unique()
    }

    /// What an inline cache entry finds in a prototype, if the entry is valid now.
    pub fn inherited_member(&self, entry: CacheEntry) -> Option<Value> {
        if entry.access != Access::Inherited
            || entry.epoch != self.prototype_epoch
            || !self.is_live(entry)
        {
            return None;
        }
        Some(entry.holder?.slot(entry.slot).get())
    }

    /// The address of the strings of one character, in the order of their code points: cells of strings, or 0 where there is none yet.
    pub fn characters_address(&self) -> usize {
        self.strings.characters_address()
    }

    /// What the global variable with this number holds, or what its name means without one.
    pub fn global_value(&self, number: u32) -> Value {
        let cell = self.globals.cell(number);
        let value = cell.value.get();
        if value.is_unassigned() {
            cell.fallback.get()
        } else {
            value
        }
    }

    /// The number of calls that have not returned.
    pub fn stack_depth(&self) -> usize {
        self.frames.depth()
    }

    /// Sets the lowest address of the native stack that script code may use.
    pub(crate) fn set_stack_limit(&mut self, limit: usize) -> usize {
        std::mem::replace(&mut self.tiers.stack_limit, limit)
    }

    /// Tells the policy that a countdown has ended.
    #[cold]
    #[inline(never)]
    pub(crate) fn is_hot(&mut self, code: *const CodeInstance, what: Hot) {
        // SAFETY: instances live as long as the interpreter.
        let code = unsafe { &*code };
        if !self.profiles_exactly()
            && let Some(mut policy) = self.tiers.policy.take()
        {
            policy.hot(self, code, what);
            self.tiers.policy = Some(policy);
        }
        let countdown = match what {
            Hot::Call => &code.calls,
            Hot::Loop(index) => match code.loops.get(index) {
                Some(countdown) => countdown,
                None => return,
            },
        };
        if countdown.has_ended() {
            countdown.arm(u32::MAX);
        }
    }

    /// Whether there is room on the native stack for another call between tiers.
    pub(crate) fn has_native_stack(&self) -> bool {
        let here = 0u8;
        std::ptr::from_ref(&here) as usize > self.tiers.stack_limit
    }

    /// Runs a call of compiled code. The window is in order, the frame not entered.
    pub(crate) fn enter_compiled(
        &mut self,
        code: *const CodeInstance,
        window: *mut Value,
    ) -> Fallible<Value> {
        if !self.has_native_stack() {
            return Err(RuntimeError::CallStackOverflow.into());
        }
        let mark = self.frames.mark();
        // SAFETY: instances live as long as the interpreter; what is installed as an entry runs calls of the instance.
        let word = unsafe { ((*code).entry.get())(self, window, code, 0) };
        self.left_compiled(word, mark)
    }

    /// Goes on in compiled code in a loop of the current frame, if there is any.
    pub(crate) fn enter_loop(&mut self, index: usize) -> Option<LoopOutcome> {
        let Frame { code, base, .. } = *self.frames.top();
        // SAFETY: instances live as long as the interpreter.
        let instance = unsafe { &*code };
        let entry = instance.entry_of_loop(index)?;
        if self.profiles_exactly() || !self.has_native_stack() {
            return None;
        }
        let mark = self.frames.mark();
        // SAFETY: as in `enter_compiled`.
        let word = unsafe { entry(self, base, code, index as u64 + 1) };
        if word == LEFT {
            return Some(LoopOutcome::Left);
        }
        Some(match self.left_compiled(word, mark) {
            Ok(value) => LoopOutcome::Returned(value),
            Err(throw) => LoopOutcome::Threw(throw),
        })
    }

    /// Goes on in optimized code, if there is any, in a loop of the current frame, which runs in other compiled code. What the
    /// [`OutOfLine`] function is to return.
    pub(crate) fn enter_optimized_loop(&mut self, index: usize) -> Option<u64> {
        let Frame { code, base, .. } = *self.frames.top();
        // SAFETY: instances live as long as the interpreter.
        let entry = unsafe { (*code).optimized_loop(index)? };
        if !self.has_native_stack() {
            return None;
        }
        let mark = FrameMark::below(std::ptr::from_ref(self.frames.top()).cast_mut());
        // SAFETY: as in `enter_compiled`.
        let word = unsafe { entry(self, base, code, index as u64 + 1) };
        if word == THROWN {
            return Some(GONE);
        }
        self.tiers.taken_over = (word, Some(mark));
        Some(TAKEN_OVER)
    }

    /// The result of compiled code. After an error the frames entered since the mark are left.
    fn left_compiled(&mut self, word: u64, mark: FrameMark) -> Fallible<Value> {
        if word == THROWN {
            self.frames.truncate(mark);
            return match self.outcome.take() {
                Some(Err(throw)) => Err(throw),
                _ => Err(Throw::message("an error without a message")),
            };
        }
        // SAFETY: the word of a value that was just returned.
        Ok(unsafe { Value::from_bits(word) })
    }

    /// Keeps an error, with the stack as it is now, for the one who entered compiled code.
    #[cold]
    pub(crate) fn throw_from_compiled(&mut self, throw: Throw) {
        let throw = self.located(throw);
        self.outcome = Some(Err(throw));
    }
}

/// The entry of instances without compiled code: the interpreter.
///
/// # Safety
/// `vm` must be the interpreter of `code` with the window in order; see [`Entry`].
pub unsafe extern "C" fn interpret(
    vm: *mut Vm,
    window: *mut Value,
    code: *const CodeInstance,
    _at: u64,
) -> u64 {
    // SAFETY: compiled code passes the interpreter that runs it.
    let vm = unsafe { &mut *vm };
    match interp::interpret_call(vm, window, code) {
        Ok(value) => value.bits(),
        Err(throw) => {
            vm.throw_from_compiled(throw);
            THROWN
        }
    }
}

/// What compiled code calls when the window of a call is beyond the limit or the native stack is used up: answers requests. Zero if the
/// call may go on, else [`THROWN`].
///
/// # Safety
/// `vm` must be the interpreter that runs the calling code, `code` one of its instances.
pub unsafe extern "C" fn make_room(
    vm: *mut Vm,
    code: *const CodeInstance,
    window: *mut Value,
) -> u64 {
    // SAFETY: compiled code passes the interpreter that runs it.
    let vm = unsafe { &mut *vm };
    let result = match vm.has_native_stack() {
        true => vm.make_call_room(code, window),
        false => Err(RuntimeError::CallStackOverflow.into()),
    };
    match result {
        Ok(()) => 0,
        Err(throw) => {
            vm.throw_from_compiled(throw);
            THROWN
        }
    }
}

/// What code made for a call calls when it gives up. The frames are entered and their registers written; the interpreter goes on at `next` in the
/// innermost one and brings the call, whose frame's record is at `record`, to its end.
///
/// # Safety
/// `vm` must be the interpreter that runs the calling code; everything else as said.
pub unsafe extern "C" fn leave_optimized(
    vm: *mut Vm,
    next: *const Cell<Instruction>,
    record: *mut Frame,
    exit: *const Exit,
) -> u64 {
    // SAFETY: passed on.
    unsafe { leave_loop(vm, next, record, exit) };
    // SAFETY: compiled code passes the interpreter that runs it.
    let vm = unsafe { &mut *vm };
    resume(vm, FrameMark::below(record))
}

/// What code made for a loop returns when it gives up. Otherwise as [`leave_optimized`], but the interpreter below it goes on.
///
/// # Safety
/// As [`leave_optimized`].
pub unsafe extern "C" fn leave_loop(
    vm: *mut Vm,
    next: *const Cell<Instruction>,
    record: *mut Frame,
    exit: *const Exit,
) -> u64 {
    // SAFETY: compiled code passes the interpreter that runs it, and an exit that lives as long as the code.
    let (vm, exit) = unsafe { (&mut *vm, &*exit) };
    exit.count.set(exit.count.get() + 1);
    vm.frames.set_next(next);
    // SAFETY: the record of a frame that has been entered.
    let code = unsafe { &*(*record).code };
    if let Some(mut policy) = vm.tiers.policy.take() {
        policy.exited(vm, code, exit);
        vm.tiers.policy = Some(policy);
    }
    LEFT
}

/// What compiled code returns after optimized code has taken over one of its loops; `at` as it was entered itself. A call is brought
/// to its end in the interpreter if the optimized code was left: once, since whatever that interpreter enters comes back to it.
///
/// # Safety
/// `vm` must be the interpreter that runs the calling code.
pub unsafe extern "C" fn taken_over(vm: *mut Vm, at: u64) -> u64 {
    // SAFETY: compiled code passes the interpreter that runs it.
    let vm = unsafe { &mut *vm };
    match vm.tiers.taken_over {
        (LEFT, Some(mark)) if at == 0 => resume(vm, mark),
        (word, _) => word,
    }
}

/// Goes on in the interpreter where the current frame stands, until the frame entered after the mark returns.
fn resume(vm: &mut Vm, mark: FrameMark) -> u64 {
    match interp::resume(vm, mark) {
        Ok(value) => value.bits(),
        Err(throw) => {
            vm.throw_from_compiled(throw);
            THROWN
        }
    }
}

/// What optimized code calls to store an element of a list where that is more than a store.
///
/// # Safety
/// `vm` must be the interpreter that runs the calling code, `list` the word of a list with this index.
pub unsafe extern "C" fn store_element(vm: *mut Vm, list: u64, index: u64, value: u64) {
    // SAFETY: as said.
    unsafe {
        let (list, value) = (Value::from_bits(list), Value::from_bits(value));
        if let Some(list) = list.as_list() {
            list.set(&mut *vm, index as usize, value);
        }
    }
}

/// What optimized code calls to append to a list where that is more than a store; [`THROWN`] if there is no memory.
///
/// # Safety
/// `vm` must be the interpreter that runs the calling code, `list` the word of a list.
pub unsafe extern "C" fn push_element(vm: *mut Vm, list: u64, value: u64) -> u64 {
    // SAFETY: as said.
    let (vm, list, value) = unsafe { (&mut *vm, Value::from_bits(list), Value::from_bits(value)) };
    let Some(list) = list.as_list() else { return 0 };
    match list.push(vm, value) {
        Ok(()) => 0,
        Err(throw) => {
            vm.throw_from_compiled(throw);
            THROWN
        }
    }
}

/// What optimized code calls to make a list with room for so many elements; [`THROWN`] if there is no memory.
///
/// # Safety
/// `vm` must be the interpreter that runs the calling code.
pub unsafe extern "C" fn new_list(vm: *mut Vm, capacity: u64) -> u64 {
    // SAFETY: as said.
    let vm = unsafe { &mut *vm };
    let list = ListCell::allocate(vm, capacity as usize);
    made(vm, list.map(Value::list))
}

/// What optimized code calls to make a map of a shape, with so many slots inside, the first of which gets the value unless that is
/// the mark of no value; [`THROWN`] if there is no memory.
///
/// # Safety
/// `vm` must be the interpreter that runs the calling code, the shape one of empty maps, or of new instances of the prototype `first`.
pub unsafe extern "C" fn new_map(vm: *mut Vm, shape: u64, room: u64, first: u64) -> u64 {
    // SAFETY: as said.
    let (vm, first) = unsafe { (&mut *vm, Value::from_bits(first)) };
    let map = MapCell::allocate(vm, ShapeId(shape as u32), room as usize, 0);
    if let Ok(map) = map
        && !first.is_unassigned()
    {
        map.set_slot(vm, Slot(0), first);
    }
    made(vm, map.map(Value::map))
}

/// What optimized code calls to make a function; [`THROWN`] if there is no memory.
///
/// # Safety
/// `vm` must be the interpreter that runs the calling code, and `code` one of its instances; the others are words of values.
pub unsafe extern "C" fn new_closure(
    vm: *mut Vm,
    code: *const CodeInstance,
    variables: u64,
    receiver: u64,
) -> u64 {
    // SAFETY: as said.
    let (vm, variables, receiver) = unsafe {
        (
            &mut *vm,
            Value::from_bits(variables),
            Value::from_bits(receiver),
        )
    };
    let function = FunctionCell::script(vm, code, variables, receiver);
    made(vm, function.map(Value::function))
}

/// The word of a new object.
fn made(vm: &mut Vm, object: Fallible<Value>) -> u64 {
    match object {
        Ok(object) => object.bits(),
        Err(throw) => {
            vm.throw_from_compiled(throw);
            THROWN
        }
    }
}

/// What optimized code calls to give a map a further slot where that is more than two stores; [`THROWN`] if there is no memory.
///
/// # Safety
/// `vm` must be the interpreter that runs the calling code, `map` the word of a map whose shape has a transition to `shape`, whose last
/// slot then is `slot`.
pub unsafe extern "C" fn add_slot(vm: *mut Vm, map: u64, place: u64, value: u64) -> u64 {
    // SAFETY: as said.
    let (vm, map, value) = unsafe { (&mut *vm, Value::from_bits(map), Value::from_bits(value)) };
    let (slot, shape) = (Slot(place as u32), ShapeId((place >> 32) as u32));
    let Some(map) = map.as_map() else { return 0 };
    match vm.extend_map(map, shape, slot, value) {
        Ok(()) => 0,
        Err(throw) => {
            vm.throw_from_compiled(throw);
            THROWN
        }
    }
}

/// What optimized code calls to store into a slot of a map where that is more than a store.
///
/// # Safety
/// `vm` must be the interpreter that runs the calling code, `map` the word of a map whose shape has the slot.
pub unsafe extern "C" fn store_slot(vm: *mut Vm, map: u64, slot: u64, value: u64) {
    // SAFETY: as said.
    unsafe {
        let (map, value) = (Value::from_bits(map), Value::from_bits(value));
        if let Some(map) = map.as_map() {
            map.set_slot(&mut *vm, Slot(slot as u32), value);
        }
    }
}

/// What optimized code calls where it needs a range as an object: mostly when it gives up. The word of the range.
///
/// # Safety
/// `vm` must be the interpreter that runs the calling code; `first`, `step` and `count` as in a [`RangeCell`].
pub unsafe extern "C" fn new_range(vm: *mut Vm, first: f64, step: f64, count: f64) -> u64 {
    // SAFETY: as said.
    unsafe {
        let header = (*vm).allocate_beyond_limit(Kind::Range, size_of::<RangeCell>());
        Value::other(RangeCell::fill(header, first, step, count)).bits()
    }
}

/// `lhs % rhs`, as the language defines it for numbers.
pub extern "C" fn remainder(lhs: f64, rhs: f64) -> f64 {
    lhs % rhs
}

/// `lhs ^ rhs`, as the language defines it for numbers.
pub extern "C" fn power(lhs: f64, rhs: f64) -> f64 {
    crate::semantics::arith::power_of_numbers(lhs, rhs)
}

/// Runs a call in the interpreter because the optimized code that it was to enter is no longer valid.
///
/// # Safety
/// As [`interpret`].
pub unsafe extern "C" fn enter_invalid(
    vm: *mut Vm,
    window: *mut Value,
    code: *const CodeInstance,
    at: u64,
) -> u64 {
    // SAFETY: instances live as long as the interpreter.
    unsafe {
        (*code).uninstall_optimized();
        interpret(vm, window, code, at)
    }
}

/// What compiled code calls when the countdown of a function's calls has ended.
///
/// # Safety
/// `vm` must be the interpreter of `code`.
pub unsafe extern "C" fn call_is_hot(vm: *mut Vm, code: *const CodeInstance) {
    // SAFETY: compiled code passes the interpreter that runs it.
    unsafe { (*vm).is_hot(code, Hot::Call) };
}

/// The handler of an instruction, for compiled code.
pub fn out_of_line(op: Op) -> OutOfLine {
    interp::OUT_OF_LINE[op as usize]
}
