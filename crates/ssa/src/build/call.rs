//! Calls: of intrinsics that the optimizer knows, of functions with known code, in place where they are small enough.

use kiln_bytecode::{Constant, Instruction, Op, Register, Role, register_written};

use super::access::KEYS;
use super::{Builder, Continuation, Frame, operand};
use crate::ir::{Kinds, Node, Number, Type, Value};
use crate::job::{
    CallFeedback, CallTarget, CodeId, ConstantId, Intrinsic, MemberAccess, MemberCase,
    MemberFeedback, SiteFeedback,
};
use crate::summary::{Inlining, Place};

/// What a method is called on.
#[derive(Clone, Copy)]
pub(super) struct Receiver {
    /// `self`
    pub object: Value,
    /// `super`, if it is known.
    pub parent: Option<ConstantId>,
}

impl<'a> Builder<'a> {
    /// Builds an instruction of this family; false if it is none, or has to be left to the interpreter's form.
    pub(super) fn call(&mut self, op: Op, instruction: Instruction) -> bool {
        let Some(window) = operand(instruction, Role::Window) else {
            return false;
        };
        let arguments = self.arguments(window, instruction);
        let base = u32::from(window.0);
        match op {
            Op::Call => {
                let callee = self.read(window);
                if self.call_intrinsic(callee, &arguments, instruction) {
                    return true;
                }
                let SiteFeedback::Call(calls) = self.frame.feedback() else {
                    return match self
                        .known_constant(callee)
                        .and_then(|(_, known)| known.code)
                    {
                        Some(code) => {
                            self.call_code(code, callee, None, &arguments, base, instruction)
                        }
                        None => false,
                    };
                };
                self.call_observed(calls, callee, None, &arguments, base, instruction)
            }
            Op::CallMember => {
                let object = self.read(window.offset(1));
                self.call_member(object, instruction)
            }
            Op::CallSuper => {
                let parent = self.read(window.offset(2));
                self.call_member(parent, instruction)
            }
            _ => false,
        }
    }

    fn call_member(&mut self, object: Value, instruction: Instruction) -> bool {
        let SiteFeedback::Member(member) = self.frame.feedback() else {
            return false;
        };
        let is_known = |case: &MemberCase| match case.access {
            MemberAccess::Inherited { value, .. } => value.is_some(),
            _ => false,
        };
        let is_called_alike = member.cases.len() == 1 && member.calls.only_target().is_some();
        if member.is_open || !(is_called_alike || member.cases.iter().all(is_known)) {
            return false;
        }
        self.by_cases(object, member, instruction, Self::call_case)
    }

    /// Calls a member of an object of this case. For `super`, the method's `self` is another one.
    fn call_case(
        &mut self,
        object: Value,
        access: MemberAccess,
        member: &MemberFeedback,
        instruction: Instruction,
    ) -> bool {
        let Some(window) = operand(instruction, Role::Window) else {
            return false;
        };
        let Some(callee) = self.load_member(object, access) else {
            return false;
        };
        let arguments = self.arguments(window, instruction);
        let (calls, base) = (&member.calls, u32::from(window.0));
        let object = match instruction.op() {
            Some(Op::CallSuper) => self.read(window.offset(1)),
            _ => object,
        };
        if self.call_method_in_place(callee, object, &arguments, instruction) {
            return true;
        }
        let receiver = Receiver {
            object,
            parent: self.parent_of(access),
        };
        self.call_observed(calls, callee, Some(receiver), &arguments, base, instruction)
    }

    /// What `super` is in a method that was found so.
    pub(super) fn parent_of(&self, access: MemberAccess) -> Option<ConstantId> {
        match access {
            MemberAccess::Inherited { holder, .. } => self.job.constants[holder].parent,
            _ => None,
        }
    }

    /// Calls of methods of lists, strings and maps that are one instruction.
    pub(super) fn call_method_in_place(
        &mut self,
        callee: Value,
        object: Value,
        arguments: &[Value],
        instruction: Instruction,
    ) -> bool {
        let Some((_, known)) = self.known_constant(callee) else {
            return false;
        };
        let (Some(intrinsic), Some(destination)) = (known.intrinsic, register_written(instruction))
        else {
            return false;
        };
        let kinds = self.kinds(object);
        let result = if kinds == Kinds::LIST {
            self.list_method(intrinsic, object, arguments)
        } else if kinds == Kinds::MAP {
            self.map_method(intrinsic, object, arguments)
        } else if arguments.is_empty() {
            self.string_intrinsic(intrinsic, &[object])
        } else {
            None
        };
        match result {
            Some(result) => self.deliver_result(instruction, destination, result),
            None => return false,
        }
        true
    }

    fn list_method(
        &mut self,
        intrinsic: Intrinsic,
        list: Value,
        arguments: &[Value],
    ) -> Option<Value> {
        Some(match (intrinsic, arguments) {
            (Intrinsic::Length, []) => self.value(Node::ListLength { list }),
            (Intrinsic::Pop, []) => self.value(Node::PopElement { list }),
            (Intrinsic::Pull, []) => self.value(Node::PullElement { list }),
            (Intrinsic::Push, &[value]) => {
                let value = self.tagged(value);
                let frame = self.frame_state();
                self.effect(Node::PushElement { list, value, frame });
                list
            }
            _ => return None,
        })
    }

    fn map_method(
        &mut self,
        intrinsic: Intrinsic,
        map: Value,
        arguments: &[Value],
    ) -> Option<Value> {
        match (intrinsic, arguments) {
            (Intrinsic::HasIndex, &[key]) if self.kinds(key).meets(KEYS) => {
                let key = self.key(key);
                let frame = self.frame_state();
                Some(self.value(Node::HasKey { map, key, frame }))
            }
            _ => None,
        }
    }

    /// The arguments in a call's window.
    fn arguments(&mut self, window: Register, instruction: Instruction) -> Vec<Value> {
        let first = Register::FIRST_PARAMETER.0;
        let arguments = 0..u16::from(instruction.flags());
        arguments
            .map(|index| self.read(window.offset(first + index)))
            .collect()
    }

    /// Calls of intrinsics that are one instruction.
    fn call_intrinsic(
        &mut self,
        callee: Value,
        arguments: &[Value],
        instruction: Instruction,
    ) -> bool {
        let Some((_, known)) = self.known_constant(callee) else {
            return false;
        };
        let (Some(intrinsic), &[argument]) = (known.intrinsic, arguments) else {
            return false;
        };
        let Some(destination) = register_written(instruction) else {
            return false;
        };
        if let Some(result) = self.string_intrinsic(intrinsic, arguments) {
            self.deliver_result(instruction, destination, result);
            return true;
        }
        let kinds = self.kinds(argument);
        let result = match intrinsic {
            Intrinsic::Length if kinds == Kinds::LIST => {
                self.value(Node::ListLength { list: argument })
            }
            Intrinsic::Pop if kinds == Kinds::LIST => {
                self.value(Node::PopElement { list: argument })
            }
            Intrinsic::Pull if kinds == Kinds::LIST => {
                self.value(Node::PullElement { list: argument })
            }
            Intrinsic::Floor | Intrinsic::SquareRoot | Intrinsic::Absolute
                if kinds.meets(Kinds::NUMBER) =>
            {
                let value = self.number(argument);
                self.value(match intrinsic {
                    Intrinsic::SquareRoot => Node::SquareRootF64 { value },
                    Intrinsic::Absolute => Node::AbsoluteF64 { value },
                    _ => Node::FloorF64 { value },
                })
            }
            _ => return false,
        };
        self.deliver_result(instruction, destination, result);
        true
    }

    /// Calls a function as far as is known what functions come by; false if several do.
    pub(super) fn call_observed(
        &mut self,
        calls: &CallFeedback,
        callee: Value,
        receiver: Option<Receiver>,
        arguments: &[Value],
        window: u32,
        instruction: Instruction,
    ) -> bool {
        if let Some((_, known)) = self.known_constant(callee) {
            return known.code.is_some_and(|code| {
                self.call_code(code, callee, receiver, arguments, window, instruction)
            });
        }
        if let Some(&Node::NewClosure { code, .. }) = self.function.defining_node(callee) {
            return self.call_code(code, callee, receiver, arguments, window, instruction);
        }
        let Some(target) = calls.only_target() else {
            return false;
        };
        if !self.kinds(callee).meets(Kinds::FUNCTION) {
            return false;
        }
        match target {
            CallTarget::Code(code) => {
                if self.parameters(code, receiver, arguments).is_none() {
                    return false;
                }
                let function = self.tagged(callee);
                let frame = self.frame_state();
                let callee = self.value(Node::GuardCode {
                    function,
                    code,
                    frame,
                });
                self.refine(function, callee);
                self.call_code(code, callee, receiver, arguments, window, instruction)
            }
            CallTarget::Constant(constant) => {
                let Some(code) = self.job.constants[constant].code else {
                    return false;
                };
                if self.parameters(code, receiver, arguments).is_none() {
                    return false;
                }
                let value = self.tagged(callee);
                let frame = self.frame_state();
                self.value(Node::GuardConstant {
                    value,
                    constant,
                    frame,
                });
                let callee = self.constant(constant);
                self.call_code(code, callee, receiver, arguments, window, instruction)
            }
        }
    }

    /// The values of all parameters, as a call fills them in; none if the call has to be left to the interpreter's form.
    fn parameters(
        &mut self,
        code: CodeId,
        receiver: Option<Receiver>,
        arguments: &[Value],
    ) -> Option<Vec<Result<Value, Node>>> {
        let block = &self.job.codes[code].block;
        let is_forbidden = |name: &str| name == "locals" || name == "globals";
        let names = || block.parameters.iter().map(|parameter| &*parameter.name);
        let is_known = receiver.is_none_or(|receiver| receiver.parent.is_some());
        if (block.uses_super && !is_known) || names().any(is_forbidden) {
            return None;
        }
        let object = receiver.filter(|_| block.self_parameter);
        let object = object.map(|receiver| receiver.object);
        let given = object.into_iter().chain(arguments.iter().copied());
        let mut values: Vec<Result<Value, Node>> = given.map(Ok).collect();
        let defaults = block.parameters.get(values.len()..)?;
        for parameter in defaults {
            values.push(Err(match &parameter.default {
                Constant::Null => Node::Null {},
                Constant::Number(number) => Node::Number {
                    number: Number(*number),
                },
                // A string that is in no table of constants.
                Constant::String(_) => return None,
            }));
        }
        Some(values)
    }

    /// Calls a function that is known to have this code. `window` is where its window begins in the current one's.
    pub(super) fn call_code(
        &mut self,
        code: CodeId,
        callee: Value,
        receiver: Option<Receiver>,
        arguments: &[Value],
        window: u32,
        instruction: Instruction,
    ) -> bool {
        // Null is no receiver.
        let receiver = receiver.filter(|receiver| self.kinds(receiver.object) != Kinds::NULL);
        let is_settled = |receiver: Receiver| {
            let none = Kinds::NULL.union(Kinds::UNASSIGNED);
            !self.kinds(receiver.object).meets(none)
        };
        if !receiver.is_none_or(is_settled) {
            return false;
        }
        let Some(parameters) = self.parameters(code, receiver, arguments) else {
            return false;
        };
        let Some(destination) = register_written(instruction) else {
            return false;
        };
        let object = match receiver {
            Some(receiver) => receiver.object,
            None => self.value(Node::Unassigned {}),
        };
        let uses_super = self.job.codes[code].block.uses_super;
        let parent = match receiver.and_then(|receiver| receiver.parent) {
            Some(parent) if uses_super => self.constant(parent),
            _ => self.value(Node::Unassigned {}),
        };
        let mut slots = vec![callee, object, parent];
        for parameter in parameters {
            slots.push(match parameter {
                Ok(value) => value,
                Err(Node::Number { number }) => self.number_constant(number.0),
                Err(default) => self.value(default),
            });
        }
        if let Some(inlined) = self.inlined_frame(code, &slots) {
            let window = self.frame.window + window;
            let result = self.inline(inlined, slots, window, destination);
            self.deliver_result(instruction, destination, result);
            return true;
        }
        let inputs = slots.into_iter().map(|value| self.tagged(value)).collect();
        let site = self.frame.site();
        let frame = self.frame_state();
        let result = self.value(Node::CallKnown {
            code,
            site,
            inputs,
            frame,
        });
        self.assume(result, Kinds::ANY.without(Kinds::UNASSIGNED));
        self.deliver_result(instruction, destination, result);
        self.check_validity();
        true
    }

    /// The frame of a function that is to be inlined; none if it should not be.
    fn inlined_frame(&mut self, code: CodeId, slots: &[Value]) -> Option<Frame<'a>> {
        let input = &self.job.codes[code];
        let limits = self.job.limits;
        let size = input.block.instructions.len();
        let depth = self.callers.len();
        let around = self.callers.iter().chain([&self.frame.code]);
        let recursion = around.filter(|&&caller| caller == code).count();
        // A loop repays the call by itself, unless it calls a function that only the caller knows.
        let takes_function = || {
            let parameters = slots.get(usize::from(Register::FIRST_PARAMETER.0)..);
            let mut parameters = parameters.unwrap_or_default().iter();
            parameters.any(|&value| {
                self.known_constant(value)
                    .is_some_and(|(_, c)| c.code.is_some())
            })
        };
        if input.calls == 0
            || size > limits.inlined_function
            || self.inlined_instructions + size > limits.inlined_instructions
            || depth >= limits.inlining_depth
            || recursion > limits.inlined_recursion
            || !(input.block.loops.is_empty() || takes_function())
        {
            return None;
        }
        let frame = Frame::new(self.job, code, 0, limits.inlined_function).ok()?;
        self.inlined_instructions += size;
        Some(frame)
    }

    /// Builds a function in place; its result.
    fn inline(
        &mut self,
        mut inlined: Frame<'a>,
        slots: Vec<Value>,
        window: u32,
        destination: Register,
    ) -> Value {
        let (position, next) = (self.frame.position, self.next_position());
        self.function.inlined.push(Inlining {
            code: inlined.code,
            call: Place {
                code: self.frame.code,
                position,
            },
        });
        let caller = self.frame_state_at(position, next, Some(destination));
        for (register, value) in inlined.registers.iter_mut().zip(slots) {
            *register = Some(value);
        }
        inlined.window = window;
        inlined.caller = Some(caller);
        let continuation = self.function.add_block();
        let result = self.function.add_parameter(continuation, Type::ANY);

        let outer_frame = std::mem::replace(&mut self.frame, inlined);
        let outer_continuation = self.continuation.replace(Continuation {
            block: continuation,
            shapes: None,
        });
        self.callers.push(outer_frame.code);
        self.frame_body(0);
        self.callers.pop();
        self.frame = outer_frame;
        let returned = std::mem::replace(&mut self.continuation, outer_continuation);
        self.block = continuation;
        let known = returned.and_then(|continuation| continuation.shapes);
        self.shapes = known.unwrap_or_default();
        result
    }
}
