//! Frame states: how to go on in the interpreter from a point of compiled code.

use kiln_bytecode::Register;

use super::{FrameId, Value};
use crate::job::{CodeId, GlobalId};

/// Where the interpreter goes on, and what its registers hold.
///
/// An exit writes the registers into the window and resumes *before* the instruction at `position`. Registers that are not listed are dead:
/// they may hold anything. Registers that are global variables are never listed: they are memory, which is up to date but for `globals`.
///
/// The values may be in any representation but `pointer`; an exit makes tagged words of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FrameState {
    /// The code block.
    pub code: CodeId,
    /// Where the window lies: registers above the outermost frame's window. 0 for the outermost frame.
    pub window: u32,
    /// The instruction to go on with. In a caller's frame state it is the call in progress, whose result goes to its destination when the
    /// callee returns.
    pub position: u32,
    /// The live registers in ascending order, with their values.
    pub registers: Vec<(Register, Value)>,
    /// Global variables whose values are not in memory: an exit writes them there. Ascending, and only in the innermost frame's state.
    pub globals: Vec<(GlobalId, Value)>,
    /// The frame state of the caller, if this frame is an inlined function's.
    pub caller: Option<FrameId>,
    /// The instruction whose guard this is, if the guard has been moved away from it: there speculation has failed when code is left.
    pub origin: Option<(CodeId, u32)>,
}

impl FrameState {
    /// The instruction that speculates.
    pub fn origin(&self) -> (CodeId, u32) {
        self.origin.unwrap_or((self.code, self.position))
    }

    /// Its own values, without the callers'.
    pub fn values(&self) -> impl Iterator<Item = Value> + '_ {
        let registers = self.registers.iter().map(|(_, value)| *value);
        registers.chain(self.globals.iter().map(|(_, value)| *value))
    }

    /// Its own values, without the callers', to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> + '_ {
        let registers = self.registers.iter_mut().map(|(_, value)| value);
        registers.chain(self.globals.iter_mut().map(|(_, value)| value))
    }
}
