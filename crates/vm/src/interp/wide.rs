//! The `wide` prefix: an instruction whose feedback or function index does not fit into 16 bits.

use kiln_bytecode::{Instruction, Op};

use super::{State, Step, access, calls, variables};

#[inline(always)]
pub(super) fn wide(state: &mut State, instruction: Instruction) -> Step {
    execute_wide(state, instruction)
}

/// Executes the next instruction with the upper half of its index taken from the prefix.
#[cold]
#[inline(never)]
fn execute_wide(state: &mut State, prefix: Instruction) -> Step {
    // SAFETY: the verifier has checked that an instruction follows.
    let instruction = unsafe { (*state.next).get() };
    state.jump(1);
    let index = usize::from(prefix.a()) << 16 | usize::from(instruction.c());
    let (vm, next) = (&mut *state.vm, state.next);
    match instruction.op() {
        Some(Op::GetMember) => access::slow_get_member(vm, next, index),
        Some(Op::SetMember | Op::InitMember) => access::slow_set_member(vm, next, index),
        Some(Op::ReadLocal) => variables::slow_read_local(vm, next, index),
        Some(Op::GetVariable) => variables::slow_get_variable(vm, next, index),
        Some(Op::GetOuterVariable) => variables::slow_get_outer_variable(vm, next, index),
        Some(Op::BindSuper) => variables::slow_bind_super(vm, next, index),
        Some(Op::SetVariable) => variables::slow_set_variable(vm, next, index),
        Some(Op::NewFunction) => calls::slow_new_function(vm, next, index),
        Some(Op::NewClosure) => calls::slow_new_closure(vm, next, index),
        Some(Op::Call) => calls::slow_call(vm, next, index),
        Some(Op::CallMember) => calls::slow_call_member(vm, next, index),
        Some(Op::CallSuper) => calls::slow_call_super(vm, next, index),
        Some(Op::Invoke) => calls::slow_invoke(vm, next, index),
        // The verifier admits the prefix nowhere else.
        _ => Step::Continue,
    }
}
