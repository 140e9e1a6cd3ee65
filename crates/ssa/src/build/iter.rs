//! `for` loops.

use kiln_bytecode::{Instruction, Op, Register};

use super::Builder;
use crate::ir::{Condition, Kinds, Node, Value};
use crate::job::{Intrinsic, SiteFeedback};

/// Ranges of more steps are left to the interpreter, which knows how long a range may be.
const MAX_STEPS: i64 = (1 << 24) - 1;

/// Longer steps are left to the interpreter.
const MAX_STEP: f64 = (1u64 << 32) as f64;

impl Builder<'_> {
    /// Builds an instruction of this family; false if it is none.
    pub(super) fn iter(&mut self, op: Op, instruction: Instruction) -> bool {
        match op {
            Op::MakeRange => {
                if !self.new_range(instruction) {
                    self.generic_loop(instruction, &[Register(instruction.a())], Kinds::RANGE);
                }
            }
            Op::ForLoop => self.for_loop(instruction),
            Op::ForLoopGlobal => {
                self.generic_loop(instruction, &[Register(instruction.a())], Kinds::ANY);
            }
            _ => return false,
        }
        true
    }

    /// The interpreter's form of an instruction that writes registers if it jumps.
    fn generic_loop(&mut self, instruction: Instruction, written: &[Register], kinds: Kinds) {
        let condition = self.runtime_test();
        let before = self.frame.registers.clone();
        for &register in written {
            // For a global variable this says what has happened in memory already.
            let value = self.load_written(register, kinds);
            self.write(register, value);
        }
        let holds = self.target(self.jump_target());
        // `state + 1` is written in any case.
        let counter = Register(instruction.b().saturating_add(1));
        let counts = written.contains(&counter);
        let index = self.frame.registers.get(usize::from(counter.0)).copied();
        self.frame.registers = before;
        if counts && let (Some(index), None) = (index, self.bound_global(counter)) {
            self.frame.registers[usize::from(counter.0)] = index;
        }
        let fails = self.target(self.next_position());
        self.end_block(Node::Branch {
            condition,
            holds,
            fails,
        });
    }

    /// Makes a range of numbers; false if that is not what the instruction does, as far as is known. Whole numbers, and without a step
    /// upwards: everything else is left to the interpreter.
    fn new_range(&mut self, instruction: Instruction) -> bool {
        let window = Register(instruction.b());
        let callee = self.read(window);
        let is_range = self
            .known_constant(callee)
            .is_some_and(|(_, known)| known.intrinsic == Some(Intrinsic::Range));
        let first = Register::FIRST_PARAMETER.0;
        let arguments: Vec<Value> = (0..u16::from(instruction.flags()))
            .map(|index| self.read(window.offset(first + index)))
            .collect();
        let are_numbers = *self.frame.feedback() == SiteFeedback::Operands(Kinds::NUMBER)
            && arguments
                .iter()
                .all(|&argument| self.kinds(argument).meets(Kinds::NUMBER));
        let step = match arguments.get(2) {
            None => 1,
            Some(&step) => match self.known_number(step) {
                Some(step) if step != 0.0 && step.trunc() == step && step.abs() < MAX_STEP => {
                    step as i64
                }
                _ => return false,
            },
        };
        if !is_range || !are_numbers || arguments.is_empty() {
            return false;
        }
        let from = self.whole_number(arguments[0]);
        let to = match arguments.get(1) {
            Some(&to) => self.whole_number(to),
            None => self.whole(0),
        };
        let (least, most) = if step > 0 { (from, to) } else { (to, from) };
        let condition = self.value(Node::CompareI64 {
            condition: Condition::GreaterEqual,
            lhs: most,
            rhs: least,
        });
        let frame = self.frame_state();
        self.effect(Node::GuardTrue { condition, frame });
        let frame = self.frame_state();
        let distance = self.value(Node::SubtractI64Checked {
            lhs: most,
            rhs: least,
            frame,
        });
        let steps = match step.unsigned_abs() {
            1 => distance,
            size => {
                let lhs = self.value(Node::I64ToF64 { value: distance });
                let rhs = self.number_constant(size as f64);
                let quotient = self.value(Node::DivideF64 { lhs, rhs });
                let value = self.value(Node::FloorF64 { value: quotient });
                let frame = self.frame_state();
                self.value(Node::F64ToI64 { value, frame })
            }
        };
        let limit = self.whole(MAX_STEPS);
        let condition = self.value(Node::CompareI64 {
            condition: Condition::Less,
            lhs: steps,
            rhs: limit,
        });
        let frame = self.frame_state();
        self.effect(Node::GuardTrue { condition, frame });
        let one = self.whole(1);
        let count = self.value(Node::AddI64 {
            lhs: steps,
            rhs: one,
        });
        let first = self.value(Node::I64ToF64 { value: from });
        let step = self.number_constant(step as f64);
        let range = self.value(Node::NewRange { first, step, count });
        self.write(Register(instruction.a()), range);
        let target = self.target(self.jump_target());
        self.end_block(Node::Jump { target });
        true
    }

    /// The number that a value is known to be.
    fn known_number(&self, value: Value) -> Option<f64> {
        match self.function.defining_node(value)? {
            Node::Number { number } => Some(number.0),
            _ => None,
        }
    }

    /// The value as an integer; guarded.
    fn whole_number(&mut self, value: Value) -> Value {
        let value = self.number(value);
        let frame = self.frame_state();
        self.value(Node::F64ToI64 { value, frame })
    }

    fn whole(&mut self, number: i64) -> Value {
        let value = self.value(Node::Whole { number });
        self.assume(value, Kinds::of_number(number as f64));
        value
    }

    fn for_loop(&mut self, instruction: Instruction) {
        let sequence = Register(instruction.b());
        let counter = Register(instruction.b().saturating_add(1));
        let element = Register(instruction.a());
        let value = self.read(sequence);
        let index = self.read(counter);
        let known = self.kinds(value);
        let kinds = match self.frame.feedback() {
            SiteFeedback::Container(seen) if known.meets(*seen) => *seen,
            _ => known,
        };
        let is_simple = [Kinds::RANGE, Kinds::LIST, Kinds::STRING].contains(&kinds)
            && self.kinds(index).meets(Kinds::NUMBER);
        if !is_simple {
            return self.generic_loop(instruction, &[counter, element], Kinds::ANY);
        }
        self.poll();
        let value = self.of_kind(value, kinds);
        let length = match kinds {
            Kinds::RANGE => self.value(Node::RangeCount { range: value }),
            Kinds::STRING => self.value(Node::StringLength { string: value }),
            _ => self.value(Node::ListLength { list: value }),
        };
        let next = self.next_index(index);
        let more = self.value(Node::CompareI64 {
            condition: Condition::Less,
            lhs: next,
            rhs: length,
        });
        // The way to the element is a block of its own: a list's may only be loaded if there is one.
        let (pass, end) = (self.function.add_block(), self.function.add_block());
        self.end_block(Node::Branch {
            condition: more,
            holds: crate::ir::BlockCall::to(pass),
            fails: crate::ir::BlockCall::to(end),
        });
        let before = self.frame.registers.clone();
        self.block = pass;
        let found = match kinds {
            Kinds::RANGE => self.range_element(value, next),
            Kinds::STRING => self.character_at(value, next),
            _ => {
                let elements = self.value(Node::ListElements { list: value });
                let index = next;
                self.value(Node::LoadElement { elements, index })
            }
        };
        self.write(counter, next);
        self.write(element, found);
        let target = self.target(self.jump_target());
        self.end_block(Node::Jump { target });
        self.block = end;
        self.frame.registers = before;
        self.write(counter, next);
        let target = self.target(self.next_position());
        self.end_block(Node::Jump { target });
    }

    /// The index of the next pass, which the script may have meddled with.
    fn next_index(&mut self, index: Value) -> Value {
        let index = self.index(index);
        let one = self.whole(1);
        let frame = self.frame_state();
        let next = self.value(Node::AddI64Checked {
            lhs: index,
            rhs: one,
            frame,
        });
        let zero = self.whole(0);
        let condition = self.value(Node::CompareI64 {
            condition: Condition::GreaterEqual,
            lhs: next,
            rhs: zero,
        });
        let frame = self.frame_state();
        self.effect(Node::GuardTrue { condition, frame });
        next
    }

    /// `first + index * step`, which is a whole number below 2^53 for every element. The first one may be -0, with which the loop is left to
    /// the interpreter.
    fn range_element(&mut self, range: Value, index: Value) -> Value {
        let first = self.value(Node::RangeFirst { range });
        let step = self.value(Node::RangeStep { range });
        let frame = self.frame_state();
        let first = self.value(Node::F64ToI64 {
            value: first,
            frame,
        });
        let frame = self.frame_state();
        let step = self.value(Node::F64ToI64 { value: step, frame });
        let distance = self.value(Node::MultiplyI64 {
            lhs: index,
            rhs: step,
        });
        self.value(Node::AddI64 {
            lhs: first,
            rhs: distance,
        })
    }
}
