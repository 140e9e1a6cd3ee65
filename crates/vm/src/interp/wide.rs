//! The `wide` prefix: an instruction whose feedback or function index does not fit into 16 bits.

use kiln_bytecode::Op;

use super::{Operands, State, Step, access, calls, functions, variables};

/// Executes the next instruction the slow way: there its index is read together with the prefix.
#[inline(always)]
pub(super) fn wide(state: &mut State, _instruction: Operands) -> Step {
    // SAFETY: the verifier has checked that an instruction follows.
    let instruction = unsafe { (*state.next).get() };
    state.jump(1);
    Step::Slow(match instruction.op() {
        Some(Op::GetMember) => access::slow_get_member,
        Some(Op::SetMember | Op::InitMember) => access::slow_set_member,
        Some(Op::ReadLocal) => variables::slow_read_local,
        Some(Op::GetVariable) => variables::slow_get_variable,
        Some(Op::GetOuterVariable) => variables::slow_get_outer_variable,
        Some(Op::BindSuper) => variables::slow_bind_super,
        Some(Op::SetVariable) => variables::slow_set_variable,
        Some(Op::NewFunction) => functions::slow_new_function,
        Some(Op::NewClosure) => functions::slow_new_closure,
        Some(Op::Call) => calls::slow_call,
        Some(Op::CallMember) => calls::slow_call_member,
        Some(Op::CallSuper) => calls::slow_call_super,
        Some(Op::Invoke) => calls::slow_invoke,
        // The verifier admits the prefix nowhere else.
        _ => return Step::Continue,
    })
}
