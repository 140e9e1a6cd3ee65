//! The interpreter's forms of instructions.

use kiln_bytecode::{
    Effects as BytecodeEffects, Instruction, Op, Register, overwritten_window, register_written,
};

use super::Builder;
use crate::ir::{Kinds, Node, Value, runtime_inputs};

impl Builder<'_> {
    /// The values of the registers that the interpreter's form of the current instruction reads.
    pub(super) fn inputs(&mut self) -> Vec<Value> {
        let instruction = self.frame.instruction();
        let registers = runtime_inputs(&self.frame.input.block, instruction);
        let values = registers.into_iter().map(|register| {
            let value = self.read(register);
            self.tagged(value)
        });
        values.collect()
    }

    /// The current instruction as the interpreter does it.
    pub(super) fn generic(&mut self, instruction: Instruction) {
        let Some(op) = instruction.op() else { return };
        if instruction.jump_target(self.frame.position).is_some() {
            let condition = self.runtime_test();
            return self.branch(condition, self.jump_target(), self.next_position());
        }
        let frame = self.frame_state();
        let site = self.frame.site();
        let inputs = self.inputs();
        match register_written(instruction) {
            Some(register) => {
                let result = self.value(Node::RuntimeValue {
                    site,
                    inputs,
                    frame,
                });
                self.assume(result, result_kinds(op));
                self.deliver_result(instruction, register, result);
            }
            None => self.effect(Node::RuntimeEffect {
                site,
                inputs,
                frame,
            }),
        }
        let effects = op.info().effects;
        if effects.contains(BytecodeEffects::writes) || effects.contains(BytecodeEffects::calls) {
            self.check_validity();
        }
    }

    /// Whether the interpreter's form of the current instruction would jump.
    pub(super) fn runtime_test(&mut self) -> Value {
        let frame = self.frame_state();
        let site = self.frame.site();
        let inputs = self.inputs();
        self.value(Node::RuntimeTest {
            site,
            inputs,
            frame,
        })
    }

    /// Writes an instruction's result, behind what a callee has overwritten.
    pub(super) fn deliver_result(
        &mut self,
        instruction: Instruction,
        register: Register,
        result: Value,
    ) {
        if let Some(window) = overwritten_window(instruction) {
            let lost = self.frame.registers.iter_mut().skip(usize::from(window.0));
            lost.for_each(|register| *register = None);
        }
        self.write(register, result);
    }

    /// What a register holds after a `runtime` instruction has written it.
    pub(super) fn load_written(&mut self, register: Register, kinds: Kinds) -> Value {
        let physical = self.frame.window + u32::from(register.0);
        let value = self.value(Node::LoadRegister {
            register: Register(physical.min(u32::from(u16::MAX)) as u16),
        });
        self.assume(value, kinds);
        value
    }
}

/// What the result of a bytecode instruction can be.
fn result_kinds(op: Op) -> Kinds {
    match op {
        Op::NewList => Kinds::LIST,
        Op::NewMap | Op::NewVariables | Op::GetOuter | Op::GetGlobals | Op::New => Kinds::MAP,
        Op::NewFunction | Op::NewClosure => Kinds::FUNCTION,
        Op::Not | Op::And | Op::Or => Kinds::NUMBER,
        Op::Isa => Kinds::TRUTH,
        Op::Equal | Op::NotEqual | Op::Less | Op::LessEqual | Op::Greater | Op::GreaterEqual => {
            Kinds::TRUTH.union(Kinds::NULL)
        }
        _ => Kinds::ANY,
    }
}
