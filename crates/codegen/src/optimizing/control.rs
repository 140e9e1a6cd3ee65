//! Constants, the window, guards, jumps.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value as ClifValue, types};
use kiln_ssa::ir::{ExitReason, FrameId, Kinds, Node, ShapeSet};
use kiln_vm::Value as Word;
use kiln_vm::feedback::CodeInstance;
use kiln_vm::heap::Header;
use kiln_vm::object::function::FunctionCell;
use kiln_vm::tier::{ExitKind, layout};
use kiln_vm::value::Tag;

use std::mem::offset_of;

use super::lower::Lowering;
use crate::emit::Emit;

impl Lowering<'_, '_> {
    /// Lowers an instruction of this family; its result, if it has one.
    pub(super) fn lower_control(&mut self, node: &Node) -> Option<ClifValue> {
        match node {
            Node::Argument { register } | Node::LoadRegister { register } => {
                let window = self.window;
                return Some(self.load(types::I64, window, usize::from(register.0) * 8));
            }
            Node::StoreRegister { register, value } => {
                let value = self.boxed(*value);
                self.store_register(0, *register, value);
            }
            Node::GuardNumber { value, frame } => {
                let word = self.value(*value);
                if !self.function.ty(*value).kinds.is_within(Kinds::NUMBER) {
                    let first = self.word(Word::FIRST_NON_NUMBER);
                    let is_number = self
                        .builder
                        .ins()
                        .icmp(IntCC::UnsignedLessThan, word, first);
                    self.guard(is_number, *frame);
                }
                return Some(self.float_of(word));
            }
            Node::GuardKind {
                value,
                kinds,
                frame,
            } => {
                let fits = self.is_of(*value, *kinds);
                self.guard(fits, *frame);
                return Some(self.value(*value));
            }
            Node::GuardShape { map, shapes, frame } => {
                let exit = self.exit(*frame, ExitKind::Guard);
                let word = self.value(*map);
                if !self.function.ty(*map).kinds.is_within(Kinds::MAP) {
                    let is_map = self.has_tag(word, Tag::Map);
                    self.require(is_map, exit);
                }
                let cell = self.address_in(word, Tag::Map);
                let found = self.load(types::I32, cell, offset_of!(Header, word));
                let same = self.is_any_shape(found, shapes);
                self.require(same, exit);
                return Some(word);
            }
            Node::GuardCode {
                function,
                code,
                frame,
            } => {
                let exit = self.exit(*frame, ExitKind::Guard);
                let word = self.value(*function);
                if !self.function.ty(*function).kinds.is_within(Kinds::FUNCTION) {
                    let is_function = self.has_tag(word, Tag::Function);
                    self.require(is_function, exit);
                }
                let cell = self.address_in(word, Tag::Function);
                // The address of an intrinsic is never that of a code instance.
                let found = self.load(types::I64, cell, FunctionCell::CODE_OFFSET);
                let address = self.job.places.codes[*code].address;
                let same = self.is_word(found, address);
                self.require(same, exit);
                return Some(word);
            }
            Node::GuardConstant {
                value,
                constant,
                frame,
            } => {
                let word = self.value(*value);
                let same = self.is_word(word, self.job.places.constants[*constant]);
                self.guard(same, *frame);
                return Some(word);
            }
            Node::GuardTrue { condition, frame } => {
                let condition = self.value(*condition);
                self.guard(condition, *frame);
            }
            Node::GuardFalse { condition, frame } => {
                let exit = self.exit(*frame, ExitKind::Guard);
                let condition = self.value(*condition);
                self.refuse(condition, exit);
            }
            Node::GuardEpoch { frame } => {
                let vm = self.vm;
                let epoch = self.load(types::I32, vm, layout::PROTOTYPE_EPOCH);
                let expected = i64::from(self.job.epoch);
                let same = self.builder.ins().icmp_imm_u(IntCC::Equal, epoch, expected);
                self.guard(same, *frame);
            }
            Node::GuardValid { frame } => {
                let exit = self.exit(*frame, ExitKind::Poll);
                self.revoke_on_purpose();
                let validity = self.word(self.job.validity);
                let is_valid = self.load_byte(validity, 0);
                self.require(is_valid, exit);
            }
            Node::CheckBounds {
                index,
                length,
                frame,
            } => {
                let (index, length) = self.pair(*index, *length);
                let fits = self
                    .builder
                    .ins()
                    .icmp(IntCC::UnsignedLessThan, index, length);
                self.guard(fits, *frame);
                return Some(index);
            }
            Node::Poll { frame } => {
                let exit = self.exit(*frame, ExitKind::Poll);
                let limit = self.word(self.job.limit);
                let limit = self.load(types::I64, limit, 0);
                self.require(limit, exit);
            }
            Node::Jump { target } => {
                let (block, arguments) = self.successor(target);
                self.builder.ins().jump(block, &arguments);
            }
            Node::Branch {
                condition,
                holds,
                fails,
            } => {
                let condition = self.value(*condition);
                let (then, then_arguments) = self.successor(holds);
                let (other, other_arguments) = self.successor(fails);
                self.builder
                    .ins()
                    .brif(condition, then, &then_arguments, other, &other_arguments);
            }
            Node::Return { value } => {
                let word = self.value(*value);
                self.set_frames_top(0);
                self.builder.ins().return_(&[word]);
            }
            Node::Exit { reason, frame } => {
                let kind = match reason {
                    ExitReason::NeverRun => ExitKind::NeverRun,
                    ExitReason::Contradiction => ExitKind::Guard,
                };
                let exit = self.exit(*frame, kind);
                self.builder.ins().jump(exit, &[]);
            }
            Node::Unreachable {} => {
                let thrown = self.thrown;
                self.builder.ins().jump(thrown, &[]);
            }
            Node::AssumeShape { map, .. } => return Some(self.value(*map)),
            // Constants are made where they are used.
            Node::Number { .. }
            | Node::Whole { .. }
            | Node::Truth { .. }
            | Node::Null {}
            | Node::Unassigned {}
            | Node::Constant { .. }
            | Node::PoolConstant { .. }
            | Node::Checkpoint { .. } => {}
            other => self.unsupported = Some(other.info().name),
        }
        None
    }

    /// Whether the number of a shape is that of one of these.
    pub(super) fn is_any_shape(&mut self, found: ClifValue, shapes: &ShapeSet) -> ClifValue {
        let mut any = None;
        for shape in shapes.iter() {
            let same = self
                .builder
                .ins()
                .icmp_imm_u(IntCC::Equal, found, i64::from(shape.0));
            any = Some(match any {
                Some(any) => self.builder.ins().bor(any, same),
                None => same,
            });
        }
        match any {
            Some(any) => any,
            None => self.builder.ins().iconst(types::I8, 0),
        }
    }

    /// Exits unless the condition holds.
    fn guard(&mut self, condition: ClifValue, frame: FrameId) {
        let exit = self.exit(frame, ExitKind::Guard);
        self.require(condition, exit);
    }

    /// Where an instance's entry is found.
    pub(super) const ENTRY: usize = offset_of!(CodeInstance, entry);
}
