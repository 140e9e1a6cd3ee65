//! Variables: locals that may be unassigned, globals, variables looked up by name.

use kiln_bytecode::{Instruction, Op, ReadMode, Register};

use super::Builder;
use crate::ir::{Dependency, Kinds, Node, Value};
use crate::job::{
    CallFeedback, ConstantId, GlobalId, GlobalInput, MemberAccess, Receiver, SiteFeedback,
};

impl Builder<'_> {
    /// Builds an instruction of this family; false if it is none, or has to be left to the interpreter's form.
    pub(super) fn variables(&mut self, op: Op, instruction: Instruction) -> bool {
        let mode = ReadMode(instruction.flags());
        match op {
            Op::ReadLocal => {
                let value = self.read(Register(instruction.b()));
                self.settle(value, instruction, mode)
            }
            Op::GetGlobal => self.get_global(instruction, mode),
            Op::SetGlobal => self.set_global(instruction),
            Op::GetVariable => {
                let map = self.read(Register(instruction.b()));
                self.get_variable(map, instruction, mode)
            }
            Op::GetOuterVariable => {
                let function = self.read(Register::CALLEE);
                let function = self.tagged(function);
                let map = self.value(Node::FunctionOuter { function });
                self.get_variable(map, instruction, mode)
            }
            Op::GetOuter => self.get_outer(instruction),
            Op::SetVariable => {
                let map = self.read(Register(instruction.a()));
                self.store_member(map, instruction)
            }
            Op::GetSelf => {
                let mut value = self.read(Register::SELF);
                let set = Kinds::ANY.without(Kinds::UNASSIGNED);
                if let SiteFeedback::Operands(seen) = self.frame.feedback()
                    && seen.is_within(set)
                    && self.kinds(value).meets(set)
                {
                    value = self.of_kind(value, set);
                }
                let is_set = self.kinds(value).is_within(set);
                if is_set {
                    self.write(Register(instruction.a()), value);
                }
                is_set
            }
            _ => false,
        }
    }

    fn global(&self, instruction: Instruction) -> Option<GlobalId> {
        let globals = &self.frame.input.globals;
        globals.get(instruction.bc() as usize).copied()
    }

    /// A constant that a global variable is known to hold.
    fn constant_global(&mut self, global: GlobalId, constant: ConstantId) -> Value {
        self.function.depend_on(Dependency::ConstantGlobal(global));
        match self.job.constants[constant].number {
            Some(number) => self.number_constant(number),
            None => self.constant(constant),
        }
    }

    fn get_global(&mut self, instruction: Instruction, mode: ReadMode) -> bool {
        let Some(global) = self.global(instruction) else {
            return false;
        };
        // The interpreter's form knows what is an error, a warning, or a member of the map of all globals.
        let is_plain = !mode.has(ReadMode::STRICT) && !mode.has(ReadMode::WARN);
        let nothing_called = CallFeedback::default();
        let calls = match self.frame.feedback() {
            SiteFeedback::Call(calls) => calls,
            _ => &nothing_called,
        };
        match self.job.globals[global] {
            GlobalInput::Unknown => false,
            GlobalInput::Constant(constant) => {
                let function = self.job.constants[constant].kinds.meets(Kinds::FUNCTION);
                if mode.has(ReadMode::STRICT) || (mode.has(ReadMode::MEMBER) && function) {
                    return false;
                }
                let value = self.constant_global(global, constant);
                self.settle_with(value, instruction, mode, Some(calls), None)
            }
            GlobalInput::Intrinsic(constant) => {
                if !is_plain || mode.has(ReadMode::MEMBER) {
                    return false;
                }
                let value = self.constant_global(global, constant);
                self.settle_with(value, instruction, mode, Some(calls), None)
            }
            GlobalInput::Assigned => {
                if mode.has(ReadMode::STRICT) {
                    return false;
                }
                let value = self.value(Node::LoadGlobal { global });
                let unusual = match mode.has(ReadMode::INVOKE) {
                    true => Kinds::SETTLED,
                    false => Kinds::ANY.without(Kinds::UNASSIGNED),
                };
                if calls.targets.is_empty() || !mode.has(ReadMode::INVOKE) {
                    let value = self.of_kind(value, unusual);
                    self.write(Register(instruction.a()), value);
                    return true;
                }
                !mode.has(ReadMode::MEMBER)
                    && self.settle_with(value, instruction, mode, Some(calls), None)
            }
        }
    }

    fn set_global(&mut self, instruction: Instruction) -> bool {
        let Some(global) = self.global(instruction) else {
            return false;
        };
        if self.job.globals[global] != GlobalInput::Assigned {
            return false;
        }
        self.function.depend_on(Dependency::AssignedGlobal(global));
        let value = self.read(Register(instruction.a()));
        let value = self.tagged(value);
        self.effect(Node::StoreGlobal { global, value });
        true
    }

    /// `outer`: the variables of the function's creator if it has any, which feedback tells by their shape.
    fn get_outer(&mut self, instruction: Instruction) -> bool {
        let SiteFeedback::Member(member) = self.frame.feedback() else {
            return false;
        };
        let [case] = member.cases.as_slice() else {
            return false;
        };
        let (Receiver::Shape(shape), MemberAccess::Own(_)) = (case.receiver, case.access) else {
            return false;
        };
        let function = self.read(Register::CALLEE);
        let function = self.tagged(function);
        let map = self.value(Node::FunctionOuter { function });
        // A shape that has a slot is that of a map that is not empty.
        let map = self.of_shape(map, shape.into());
        self.write(Register(instruction.a()), map);
        true
    }

    fn get_variable(&mut self, map: Value, instruction: Instruction, mode: ReadMode) -> bool {
        let SiteFeedback::Member(member) = self.frame.feedback() else {
            return false;
        };
        let [case] = member.cases.as_slice() else {
            return false;
        };
        let (Receiver::Shape(shape), MemberAccess::Own(slot)) = (case.receiver, case.access) else {
            return false;
        };
        if member.is_open || mode.has(ReadMode::STRICT) || mode.has(ReadMode::WARN) {
            return false;
        }
        let map = self.of_shape(map, shape.into());
        let value = self.value(Node::LoadSlot { map, slot });
        // A slot never holds the mark of no value.
        self.assume(value, Kinds::ANY.without(Kinds::UNASSIGNED));
        self.settle_with(value, instruction, mode, Some(&member.calls), None)
            || self.leave_to_interpreter(instruction)
    }

    /// The interpreter's form of an instruction of which guards have been built already.
    pub(super) fn leave_to_interpreter(&mut self, instruction: Instruction) -> bool {
        self.generic(instruction);
        true
    }
}
