//! Accesses to members of objects of several shapes: one way for each.

use kiln_bytecode::{Instruction, overwritten_window, register_written};

use super::Builder;
use crate::ir::{BlockCall, Node, Type, Value};
use crate::job::{MemberAccess, MemberCase, MemberFeedback, Receiver};

/// Objects of more shapes are left to the interpreter's form, which has a cache of its own.
const MAX_CASES: usize = 4;

/// Builds the access to a member of an object that is known to be of a case; false if it has to be left to the interpreter's form.
type Access<'a> = fn(&mut Builder<'a>, Value, MemberAccess, &MemberFeedback, Instruction) -> bool;

impl<'a> Builder<'a> {
    /// The case that needs no test: the object is the very map that has a constant member, or has just been found to be of the shape.
    fn proven_case(&self, object: Value, member: &MemberFeedback) -> Option<MemberCase> {
        let constant = self.known_constant(object).map(|(constant, _)| constant);
        let shape = self.shapes.get(&object).copied();
        let is_proven = |case: &&MemberCase| match (case.receiver, case.access) {
            (
                _,
                MemberAccess::Inherited {
                    holder,
                    value: Some(_),
                    ..
                },
            ) if Some(holder) == constant => true,
            (Receiver::Shape(known), _) => Some(known) == shape,
            _ => false,
        };
        member.cases.iter().find(is_proven).copied()
    }

    /// Builds an access as often as there are cases, each behind its test; the last one's is a guard. False if nothing has been built.
    pub(super) fn by_cases(
        &mut self,
        object: Value,
        member: &MemberFeedback,
        instruction: Instruction,
        access: Access<'a>,
    ) -> bool {
        if let Some(case) = self.proven_case(object, member) {
            return access(self, object, case.access, member, instruction)
                || self.leave_to_interpreter(instruction);
        }
        let cases = &member.cases;
        let Some((last, others)) = cases.split_last() else {
            return false;
        };
        let are_shapes = || {
            let mut receivers = others.iter().map(|case| case.receiver);
            receivers.all(|receiver| matches!(receiver, Receiver::Shape(_)))
        };
        if cases.len() > MAX_CASES || !are_shapes() {
            return false;
        }
        if others.is_empty() {
            let Some(object) = self.of_receiver(object, last.receiver) else {
                return false;
            };
            return access(self, object, last.access, member, instruction)
                || self.leave_to_interpreter(instruction);
        }
        // The last guard may never hold, but then the interpreter knows why.
        if !self.can_be(object, last.receiver) {
            return false;
        }
        let before = self.frame.registers.clone();
        let shapes = self.shapes.clone();
        let mut joined = None;
        let join = self.function.add_block();
        let result = register_written(instruction)
            .map(|register| (register, self.function.add_parameter(join, Type::ANY)));
        let object = self.tagged(object);
        for case in cases {
            let mut miss = None;
            let known = match case.receiver {
                Receiver::Shape(shape) if case != last => {
                    let condition = self.value(Node::IsShape {
                        value: object,
                        shape,
                    });
                    let (hit, next) = (self.function.add_block(), self.function.add_block());
                    self.end_block(Node::Branch {
                        condition,
                        holds: BlockCall::to(hit),
                        fails: BlockCall::to(next),
                    });
                    miss = Some(next);
                    self.block = hit;
                    let known = self.value(Node::AssumeShape { map: object, shape });
                    self.shapes.insert(known, shape);
                    self.shapes.insert(object, shape);
                    Some(known)
                }
                receiver => self.of_receiver(object, receiver),
            };
            let is_built =
                known.is_some_and(|known| access(self, known, case.access, member, instruction));
            if !is_built {
                self.generic(instruction);
            }
            let arguments = match result {
                Some((register, _)) => {
                    let value = self.read(register);
                    vec![self.tagged(value)]
                }
                None => Vec::new(),
            };
            let target = BlockCall {
                block: join,
                arguments,
            };
            self.end_block(Node::Jump { target });
            self.frame.registers.clone_from(&before);
            super::join_shapes(&mut joined, &self.shapes);
            self.shapes.clone_from(&shapes);
            if let Some(miss) = miss {
                self.block = miss;
            }
        }
        self.block = join;
        self.shapes = joined.unwrap_or_default();
        if let Some((register, value)) = result {
            match overwritten_window(instruction) {
                Some(_) => self.deliver_result(instruction, register, value),
                None => self.write(register, value),
            }
        }
        true
    }
}
