//! What the profiler is told of the instructions that are executed.

use kiln_bytecode::{FlagUse, Op, ReadMode, Role};

use super::{Operands, Site, State, access};
use crate::error::Fallible;
use crate::intrinsics::{Arguments, Intrinsic, Shortcut};
use crate::object::function::Callee;
use crate::profile::{FunctionId, Method, OperandKind, Profiler, Settings, Signature};
use crate::safepoint::Reason;
use crate::value::Value;
use crate::vm::Vm;

/// What is known of an instruction before it is executed.
pub(super) struct Watched {
    /// The number of frames.
    depth: usize,
    /// The kinds of its operands, if they say anything.
    signature: Option<Signature>,
    /// The intrinsic whose work the interpreter may do without calling it.
    shortcut: Option<&'static Intrinsic>,
}

/// Begins to record a run in the current frame: how many functions were running.
pub(super) fn begin(state: &mut State) -> usize {
    let vm = &mut *state.vm;
    let Some(profiler) = &mut vm.profiler else {
        return 0;
    };
    let depth = profiler.depth();
    if depth == 0 {
        profiler.begin_run(&vm.heap);
    } else {
        profiler.attribute_allocations(&mut vm.heap);
    }
    // SAFETY: instances live as long as the interpreter.
    let block = unsafe { &(*vm.frames.top().code).block };
    let function = profiler.script(block);
    profiler.enter(function, &vm.heap);
    depth
}

/// The run has ended; so have all calls made in it.
pub(super) fn end(vm: &mut Vm, depth: usize) {
    if let Some(profiler) = &mut vm.profiler {
        profiler.leave_to(depth, &vm.heap);
    }
}

/// An instruction is about to be executed.
pub(super) fn before(state: &mut State, instruction: Operands) -> Watched {
    let mut site = state.site(instruction);
    let is_wide = instruction.word().op() == Some(Op::Wide);
    if is_wide {
        // The prefix executes the instruction behind it.
        // The verifier has checked that an instruction follows.
        site.next = site.next.wrapping_add(1);
        site.instruction = Operands(site.next);
    }
    let vm = &mut *state.vm;
    if let Some(profiler) = &mut vm.profiler {
        profiler.execute(site.position(), &vm.heap);
    }
    Watched {
        depth: vm.frames.depth(),
        signature: signature(site),
        // The prefix leads past the shortcuts.
        shortcut: (!is_wide).then(|| shortcut(vm, site)).flatten(),
    }
}

/// The instruction has been executed.
pub(super) fn after(vm: &mut Vm, watched: Watched, has_failed: bool) {
    let depth = vm.frames.depth();
    let Some(profiler) = &mut vm.profiler else {
        return;
    };
    profiler.attribute_allocations(&mut vm.heap);
    let mut target = profiler.take_ended();
    if depth > watched.depth {
        // SAFETY: instances live as long as the interpreter.
        let block = unsafe { &(*vm.frames.top().code).block };
        target = profiler.script(block);
    } else if target == FunctionId::NONE
        && !has_failed
        && let Some(intrinsic) = watched.shortcut
    {
        target = profiler.count_shortcut(intrinsic);
    }
    if let Some(signature) = watched.signature
        && (signature != Signature::EMPTY || target != FunctionId::NONE)
    {
        profiler.count_signature(signature.calling(target), &vm.shapes);
    }
    if depth > watched.depth {
        profiler.enter(target, &vm.heap);
    } else if depth < watched.depth {
        profiler.leave_to(profiler.depth() - 1, &vm.heap);
    }
}

/// Runs an intrinsic under the eyes of the profiler.
#[cold]
#[inline(never)]
pub(super) fn run_intrinsic(
    vm: &mut Vm,
    intrinsic: &'static Intrinsic,
    arguments: Arguments,
) -> Fallible<Value> {
    let Some(profiler) = &mut vm.profiler else {
        return (intrinsic.run)(vm, arguments);
    };
    if profiler.is_exact() {
        let depth = profiler.depth();
        profiler.begin_intrinsic(intrinsic, &vm.heap);
        let result = (intrinsic.run)(vm, arguments);
        if let Some(profiler) = &mut vm.profiler {
            profiler.end_intrinsic(depth, &vm.heap);
        }
        return result;
    }
    let result = (intrinsic.run)(vm, arguments);
    // A request that came meanwhile was meant for the intrinsic.
    if vm.frames.is_requested() && vm.frames.safepoint().is_requested(Reason::Sample) {
        vm.withdraw(Reason::Sample);
        vm.sample(Some(intrinsic));
    }
    result
}

/// The kinds of an instruction's operands, unless it only moves values about.
fn signature(site: Site) -> Option<Signature> {
    let instruction = site.instruction.word();
    let op = instruction.op()?;
    if matches!(
        op,
        Op::Move
            | Op::ReadLocal
            | Op::NewClosure
            | Op::Append
            | Op::InitMember
            | Op::InitIndex
            | Op::SetVariable
            | Op::GetVariable
            | Op::BindSuper
    ) {
        return None;
    }
    let mut signature = Signature::EMPTY;
    let mut object = None;
    for operand in op.info().operands {
        let register = instruction.field(operand.field);
        match operand.role {
            Role::In | Role::InPair | Role::InOutPair => {
                let value = site.get(register);
                object.get_or_insert(value);
                signature.push(OperandKind::of(value));
            }
            Role::Window => {
                let has_object = !matches!(op, Op::Call | Op::MakeRange);
                if has_object {
                    let value = site.get(register + 1);
                    object = Some(value);
                    signature.push(OperandKind::of(value));
                }
                if op.info().flags == FlagUse::argument_count {
                    for index in 0..u16::from(instruction.flags()) {
                        signature.push(OperandKind::of(site.get(register + 3 + index)));
                    }
                }
            }
            _ => {}
        }
    }
    if matches!(
        op,
        Op::GetMember | Op::SetMember | Op::CallMember | Op::CallSuper
    ) && let Some(map) = object.and_then(Value::as_map)
    {
        signature.shape = map.shape().0;
    }
    Some(signature)
}

/// The intrinsic whose work the interpreter may do itself at this instruction.
fn shortcut(vm: &Vm, site: Site) -> Option<&'static Intrinsic> {
    let function = match site.instruction.word().op()? {
        Op::Call => site.get(site.instruction.b()),
        Op::CallMember => access::cached_member(vm, site, site.get(site.instruction.b() + 1))?.0,
        Op::GetMember if ReadMode(site.instruction.flags()).has(ReadMode::INVOKE) => {
            access::cached_member(vm, site, site.get(site.instruction.b()))?.0
        }
        _ => return None,
    };
    let function = function.as_function()?;
    match function.callee() {
        Callee::Intrinsic(intrinsic) if function.shortcut() != Shortcut::None => Some(intrinsic),
        _ => None,
    }
}

impl Vm {
    /// Records what programs do from now on, until [`Vm::stop_profiling`].
    pub fn start_profiling(&mut self, settings: Settings) {
        self.heap.set_counting(settings.method == Method::Exact);
        self.profiler = Some(Box::new(Profiler::new(settings, &self.heap)));
        self.hooks.sample = Some(Box::new(|vm| vm.sample(None)));
    }

    /// Ends the recording: what has been recorded, if anything was.
    pub fn stop_profiling(&mut self) -> Option<Box<Profiler>> {
        self.heap.set_counting(false);
        self.hooks.sample = None;
        self.profiler.take()
    }

    /// Whether there is compiled code of any function.
    pub fn has_compiled_code(&self) -> bool {
        self.instances.iter().any(|instance| instance.is_compiled())
    }

    /// What collections have taken since the recording began.
    pub fn collector_time(&self) -> std::time::Duration {
        self.profiler
            .as_ref()
            .map(|profiler| profiler.collector_time(&self.heap))
            .unwrap_or_default()
    }

    /// What is being recorded.
    pub fn profiler(&mut self) -> Option<&mut Profiler> {
        self.profiler.as_deref_mut()
    }

    /// Tells the profiler that a program begins.
    pub fn begin_profiled_run(&mut self) {
        if let Some(profiler) = &mut self.profiler {
            profiler.begin_run(&self.heap);
        }
    }

    /// Tells the profiler that the program has ended.
    pub fn end_profiled_run(&mut self) {
        if let Some(profiler) = &mut self.profiler {
            profiler.end_run(&self.heap);
        }
    }

    /// Whether every instruction is recorded.
    #[inline]
    pub(crate) fn profiles_exactly(&self) -> bool {
        self.profiler
            .as_ref()
            .is_some_and(|profiler| profiler.is_exact())
    }

    /// Tells the profiler where the script stands.
    fn sample(&mut self, inside: Option<&'static Intrinsic>) {
        if let Some(profiler) = &mut self.profiler
            && !profiler.is_exact()
        {
            profiler.sample(&self.frames, inside, &self.heap);
        }
    }
}
