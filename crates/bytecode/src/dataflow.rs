//! What an instruction does to registers and control, where the roles of its operands do not say it all.

use crate::code_block::CodeBlock;
use crate::instruction::{Instruction, Register};
use crate::opcodes::{Effects, FlagUse, Op, Role};

impl Op {
    /// Whether control can continue at the next instruction.
    pub fn falls_through(self) -> bool {
        !matches!(self, Op::Jump | Op::LoopBack | Op::Return | Op::Throw)
    }

    /// Whether the register written is written only if the instruction jumps.
    pub fn writes_only_if_it_jumps(self) -> bool {
        matches!(self, Op::MakeRange | Op::ForLoop | Op::ForLoopGlobal)
    }

    /// Whether the instruction polls for interrupts when it jumps.
    pub fn polls(self) -> bool {
        let counts_passes = self.info().flags == FlagUse::loop_counter;
        counts_passes || self == Op::LoopBack
    }

    /// Whether the interpreter notes in the instruction which kinds of operands came by.
    pub fn observes(self) -> bool {
        self.info().flags == FlagUse::observed
    }

    /// Which of the window slots 0 to 2 the instruction reads; it fills in the others itself.
    /// Empty for instructions without a window.
    pub fn window_inputs(self) -> &'static [u16] {
        match self {
            Op::Call | Op::MakeRange => &[0],
            Op::CallMember | Op::CallIndex => &[1],
            Op::CallSuper => &[1, 2],
            _ => &[],
        }
    }

    /// Whether everything from the window on is lost: the callee has run there.
    pub fn overwrites_window(self) -> bool {
        matches!(
            self,
            Op::Call | Op::CallMember | Op::CallSuper | Op::CallIndex
        )
    }

    /// The registers of the frame that the instruction reads without naming them, besides
    /// [`Register::CALLEE`], which every instruction may read.
    fn implicit_inputs(self) -> &'static [Register] {
        match self {
            Op::GetSelf | Op::NewClosure => &[Register::SELF],
            Op::BindSuper => &[Register::SUPER],
            _ => &[],
        }
    }
}

/// How far behind its reading an element is looked for that is changed in place.
const CHANGE_DISTANCE: usize = 8;

/// Where the element that `call_index` at `position` reads is stored again, as a statement like `a[i] += 1` does.
pub fn changed_element(instructions: &[Instruction], position: usize) -> Option<usize> {
    let index = instructions.get(position)?.c();
    let behind = instructions.iter().enumerate().skip(position + 1);
    let mut behind = behind.take(CHANGE_DISTANCE);
    let found = behind.find(|(_, other)| other.op() == Some(Op::SetIndex) && other.b() == index);
    found.map(|(position, _)| position)
}

/// Calls `read` with every register that `instruction`, one of `block`, may read.
///
/// An instruction that may run other code reads the variable map: that code may name its variables.
pub fn for_each_register_read(
    block: &CodeBlock,
    instruction: Instruction,
    mut read: impl FnMut(Register),
) {
    let Some(op) = instruction.op() else { return };
    let row = op.info();
    read(Register::CALLEE);
    op.implicit_inputs().iter().copied().for_each(&mut read);
    if row.effects.contains(Effects::calls) {
        block.variables_register.into_iter().for_each(&mut read);
    }
    for operand in row.operands {
        let first = instruction.field(operand.field);
        match operand.role {
            Role::In => read(Register(first)),
            Role::InPair | Role::InOutPair => {
                read(Register(first));
                read(Register(first.saturating_add(1)));
            }
            Role::Window => {
                let slot = |slot| Register(first.saturating_add(slot));
                op.window_inputs()
                    .iter()
                    .copied()
                    .map(slot)
                    .for_each(&mut read);
                let arguments = 0..u16::from(instruction.flags());
                arguments
                    .map(|argument| slot(Register::FIRST_PARAMETER.0 + argument))
                    .for_each(&mut read);
            }
            _ => {}
        }
    }
}

/// The register that `instruction` writes and does not also read.
pub fn register_written(instruction: Instruction) -> Option<Register> {
    let operands = instruction.op()?.info().operands;
    let out = operands.iter().find(|operand| operand.role == Role::Out)?;
    Some(Register(instruction.field(out.field)))
}

/// The window whose registers are lost after `instruction`.
pub fn overwritten_window(instruction: Instruction) -> Option<Register> {
    let op = instruction.op().filter(|op| op.overwrites_window())?;
    let mut operands = op.info().operands.iter();
    let window = operands.find(|operand| operand.role == Role::Window)?;
    Some(Register(instruction.field(window.field)))
}
