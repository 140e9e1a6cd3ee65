//! Accesses to members of objects of several shapes: one way for each.

use kiln_bytecode::{Instruction, overwritten_window, register_written};

use super::Builder;
use crate::ir::{BlockCall, Kinds, Node, ShapeSet, Type, Value};
use crate::job::{MemberAccess, MemberFeedback, Receiver};

/// Accesses that differ in more ways are left to the interpreter's form, which has a cache of its own.
const MAX_CASES: usize = 4;

/// Builds the access to a member of an object that is known to be of a case; false if it has to be left to the interpreter's form.
type Access<'a> = fn(&mut Builder<'a>, Value, MemberAccess, &MemberFeedback, Instruction) -> bool;

/// Objects whose member is reached in the same way.
struct Case {
    receivers: Receivers,
    access: MemberAccess,
}

enum Receivers {
    Shapes(ShapeSet),
    Kind(Kinds),
    Dictionary,
}

/// The feedback's cases, those put together that are reached in the same way.
fn cases(member: &MemberFeedback) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for case in &member.cases {
        let shape = match case.receiver {
            Receiver::Shape(shape) => shape,
            Receiver::Kind(kinds) => {
                let receivers = Receivers::Kind(kinds);
                let access = case.access;
                cases.push(Case { receivers, access });
                continue;
            }
            Receiver::Dictionary => {
                let receivers = Receivers::Dictionary;
                let access = case.access;
                cases.push(Case { receivers, access });
                continue;
            }
        };
        let alike = cases.iter_mut().find_map(|known| {
            let both = same_access(known.access, case.access)?;
            match &mut known.receivers {
                Receivers::Shapes(shapes) => Some((shapes, &mut known.access, both)),
                Receivers::Kind(_) | Receivers::Dictionary => None,
            }
        });
        match alike {
            Some((shapes, access, both)) => {
                *shapes = ShapeSet::of(shapes.iter().chain([shape]));
                *access = both;
            }
            None => cases.push(Case {
                receivers: Receivers::Shapes(shape.into()),
                access: case.access,
            }),
        }
    }
    cases
}

/// The access that does for both what each does, if there is one.
fn same_access(one: MemberAccess, other: MemberAccess) -> Option<MemberAccess> {
    match (one, other) {
        (MemberAccess::Own(one), MemberAccess::Own(other)) if one.number == other.number => {
            let mut slot = one;
            slot.is_inside &= other.is_inside;
            Some(MemberAccess::Own(slot))
        }
        (MemberAccess::Inherited { .. }, MemberAccess::Inherited { .. }) if one == other => {
            Some(one)
        }
        _ => None,
    }
}

impl<'a> Builder<'a> {
    /// The access that needs no test: the object is the very map that has a constant member, or has just been found to be of the case.
    fn proven_access(
        &self,
        object: Value,
        member: &MemberFeedback,
        cases: &[Case],
    ) -> Option<MemberAccess> {
        let constant = self.known_constant(object).map(|(constant, _)| constant);
        let is_constant = |access: &MemberAccess| match access {
            MemberAccess::Inherited {
                holder,
                value: Some(_),
                ..
            } => Some(*holder) == constant,
            _ => false,
        };
        let mut accesses = member.cases.iter().map(|case| case.access);
        if let Some(access) = accesses.find(is_constant) {
            return Some(access);
        }
        let known = self.shapes.get(&object)?;
        let is_proven = |case: &&Case| match &case.receivers {
            Receivers::Shapes(shapes) => known.is_within(shapes),
            Receivers::Kind(_) | Receivers::Dictionary => false,
        };
        cases.iter().find(is_proven).map(|case| case.access)
    }

    /// Whether an object can be of a case.
    fn can_be(&self, object: Value, case: &Case) -> bool {
        match &case.receivers {
            Receivers::Shapes(shapes) => {
                self.kinds(object).meets(Kinds::MAP)
                    && (self.shapes.get(&object)).is_none_or(|known| known.meets(shapes))
            }
            Receivers::Kind(kinds) => self.kinds(object).meets(*kinds),
            Receivers::Dictionary => self.kinds(object).meets(Kinds::MAP),
        }
    }

    /// The object, checked to be of a case; none if it cannot be.
    fn of_case(&mut self, object: Value, case: &Case) -> Option<Value> {
        if !self.can_be(object, case) {
            return None;
        }
        Some(match &case.receivers {
            Receivers::Shapes(shapes) => self.of_shape(object, shapes.clone()),
            Receivers::Kind(kinds) => self.of_kind(object, *kinds),
            Receivers::Dictionary => self.of_dictionary(object)?,
        })
    }

    /// Builds an access as often as there are cases, each behind its test; the last one's is a guard. False if nothing has been built.
    pub(super) fn by_cases(
        &mut self,
        object: Value,
        member: &MemberFeedback,
        instruction: Instruction,
        access: Access<'a>,
    ) -> bool {
        let mut cases = cases(member);
        if let Some(proven) = self.proven_access(object, member, &cases) {
            return access(self, object, proven, member, instruction)
                || self.leave_to_interpreter(instruction);
        }
        cases.retain(|case| self.can_be(object, case));
        let Some((last, others)) = cases.split_last() else {
            return false;
        };
        let are_shapes = || {
            let mut receivers = others.iter().map(|case| &case.receivers);
            receivers.all(|receivers| matches!(receivers, Receivers::Shapes(_)))
        };
        if cases.len() > MAX_CASES || !are_shapes() {
            return false;
        }
        if others.is_empty() {
            let Some(object) = self.of_case(object, last) else {
                return false;
            };
            return access(self, object, last.access, member, instruction)
                || self.leave_to_interpreter(instruction);
        }
        let before = self.frame.registers.clone();
        let shapes_before = self.shapes.clone();
        let mut joined = None;
        let join = self.function.add_block();
        let result = register_written(instruction)
            .map(|register| (register, self.function.add_parameter(join, Type::ANY)));
        let object = self.tagged(object);
        for (index, case) in cases.iter().enumerate() {
            let mut miss = None;
            let known = match &case.receivers {
                Receivers::Shapes(shapes) if index + 1 < cases.len() => {
                    let condition = self.value(Node::IsShape {
                        value: object,
                        shapes: shapes.clone(),
                    });
                    let (hit, next) = (self.function.add_block(), self.function.add_block());
                    self.end_block(Node::Branch {
                        condition,
                        holds: BlockCall::to(hit),
                        fails: BlockCall::to(next),
                    });
                    miss = Some(next);
                    self.block = hit;
                    let known = self.value(Node::AssumeShape {
                        map: object,
                        shapes: shapes.clone(),
                    });
                    self.shapes.insert(known, shapes.clone());
                    self.shapes.insert(object, shapes.clone());
                    Some(known)
                }
                _ => self.of_case(object, case),
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
            self.shapes.clone_from(&shapes_before);
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
