//! New lists, maps, functions.

use kiln_bytecode::{Instruction, Op, Register};

use super::Builder;
use crate::ir::{Kinds, Node};
use crate::job::{CallTarget, Layout, SiteFeedback};

impl Builder<'_> {
    /// Builds an instruction of this family; false if it is none, or has to be left to the interpreter's form.
    pub(super) fn allocation(&mut self, op: Op, instruction: Instruction) -> bool {
        match op {
            Op::NewList => {
                let frame = self.frame_state();
                let capacity = i64::from(instruction.b());
                let list = self.value(Node::NewList { capacity, frame });
                self.write(Register(instruction.a()), list);
                true
            }
            Op::Append => self.append(instruction),
            Op::NewMap | Op::NewVariables => {
                let SiteFeedback::Layout(layout) = *self.frame.feedback() else {
                    return false;
                };
                let frame = self.frame_state();
                let map = self.value(Node::NewMap {
                    shape: layout.shape,
                    room: i64::from(layout.room),
                    frame,
                });
                self.shapes.insert(map, layout.shape.into());
                self.write(Register(instruction.a()), map);
                true
            }
            Op::New => self.new_instance(instruction),
            Op::NewClosure => self.new_closure(instruction),
            _ => false,
        }
    }

    fn append(&mut self, instruction: Instruction) -> bool {
        let list = self.read(Register(instruction.a()));
        if self.kinds(list) != Kinds::LIST {
            return false;
        }
        let value = self.read(Register(instruction.b()));
        let value = self.tagged(value);
        let frame = self.frame_state();
        self.effect(Node::PushElement { list, value, frame });
        true
    }

    fn new_instance(&mut self, instruction: Instruction) -> bool {
        let prototype = self.read(Register(instruction.b()));
        let known = self.known_constant(prototype);
        let Some(Layout { shape, room }) = known.and_then(|(_, known)| known.instance) else {
            return false;
        };
        let frame = self.frame_state();
        let map = self.value(Node::NewInstance {
            prototype,
            shape,
            room: i64::from(room),
            frame,
        });
        self.shapes.insert(map, shape.into());
        self.write(Register(instruction.a()), map);
        true
    }

    fn new_closure(&mut self, instruction: Instruction) -> bool {
        let SiteFeedback::Call(calls) = self.frame.feedback() else {
            return false;
        };
        let Some(CallTarget::Code(code)) = calls.only_target() else {
            return false;
        };
        let variables = self.read(Register(instruction.b()));
        let kinds = self.kinds(variables);
        let variables = if kinds.is_within(Kinds::MAP) {
            variables
        } else if !kinds.meets(Kinds::MAP) {
            self.value(Node::Null {})
        } else {
            return false;
        };
        let receiver = match self.frame.input.block.is_top_level {
            true => self.value(Node::Unassigned {}),
            false => self.read(Register::SELF),
        };
        let receiver = self.tagged(receiver);
        let frame = self.frame_state();
        let function = self.value(Node::NewClosure {
            code,
            variables,
            receiver,
            frame,
        });
        self.write(Register(instruction.a()), function);
        true
    }
}
