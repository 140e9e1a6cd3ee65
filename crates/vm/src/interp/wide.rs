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
    let site = state.site(instruction);
    let vm = &mut *state.vm;
    match instruction.op() {
        Some(Op::GetMember) => access::slow_get_member(vm, site, index),
        Some(Op::SetMember | Op::InitMember) => access::slow_set_member(vm, site, index),
        Some(Op::ReadLocal) => variables::slow_read_local(vm, site, index),
        Some(Op::GetVariable) => variables::slow_get_variable(vm, site, index),
        Some(Op::GetOuterVariable) => variables::slow_get_outer_variable(vm, site, index),
        Some(Op::BindSuper) => variables::slow_bind_super(vm, site, index),
        Some(Op::SetVariable) => variables::slow_set_variable(vm, site, index),
        Some(Op::NewFunction) => calls::slow_new_function(vm, site, index),
        Some(Op::NewClosure) => calls::slow_new_closure(vm, site, index),
        Some(Op::Call) => calls::slow_call(vm, site, index),
        Some(Op::CallMember) => calls::slow_call_member(vm, site, index),
        Some(Op::CallSuper) => calls::slow_call_super(vm, site, index),
        Some(Op::Invoke) => calls::slow_invoke(vm, site, index),
        // The verifier admits the prefix nowhere else.
        _ => Step::Continue,
    }
}
