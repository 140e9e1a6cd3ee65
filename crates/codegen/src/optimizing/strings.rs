//! Strings: characters, comparisons, concatenation.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value as ClifValue, types};
use kiln_ssa::ir::{FrameId, Node, Value};
use kiln_vm::heap::Header;
use kiln_vm::object::string::{StringCell, flags};
use kiln_vm::runtime;
use kiln_vm::tier::ExitKind;
use kiln_vm::value::Tag;

use super::lower::Lowering;
use crate::characters::EmitCharacters;
use crate::emit::Emit;

impl Lowering<'_, '_> {
    /// Lowers an instruction of this family; none if it is of another.
    pub(super) fn lower_strings(&mut self, node: &Node) -> Option<ClifValue> {
        Some(match *node {
            Node::StringLength { string } => {
                let word = self.value(string);
                let cell = self.address_in(word, Tag::String);
                self.load_half(cell, StringCell::LENGTH_OFFSET)
            }
            Node::CharacterAt {
                string,
                index,
                frame,
            } => self.character_at(string, index, frame),
            Node::CharacterCode { string, frame } => self.character_code(string, frame),
            Node::CharacterOf { code, frame } => self.character_of(code, frame),
            Node::EqualStrings { lhs, rhs, frame } => self.equal_strings(lhs, rhs, frame),
            Node::CompareStrings { lhs, rhs, frame } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                let exit = self.exit(frame, ExitKind::Guard);
                self.ask(runtime::compare_strings as *const (), &[lhs, rhs], exit)
            }
            Node::Concatenate { lhs, rhs, frame } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                let exit = self.exit(frame, ExitKind::Guard);
                self.ask(runtime::concatenate as *const (), &[lhs, rhs], exit)
            }
            _ => return None,
        })
    }

    fn character_at(&mut self, string: Value, index: Value, frame: FrameId) -> ClifValue {
        let (word, index) = self.pair(string, index);
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        self.builder.append_block_param(done, types::I64);
        let cell = self.address_in(word, Tag::String);
        // What does not fit 32 bits is left to the runtime; a negative index is beyond every length.
        let high = self.builder.ins().ushr_imm_u(index, 32);
        self.refuse(high, slow);
        let low = self.builder.ins().ireduce(types::I32, index);
        let byte = self.byte_of(cell, low, slow);
        let character = self.shared_character(self.job.characters, byte, slow);
        self.builder.ins().jump(done, &[character.into()]);
        self.builder.switch_to_block(slow);
        let exit = self.exit(frame, ExitKind::Guard);
        let character = self.ask(runtime::character_at as *const (), &[word, index], exit);
        self.builder.ins().jump(done, &[character.into()]);
        self.builder.switch_to_block(done);
        self.builder.block_params(done)[0]
    }

    fn character_code(&mut self, string: Value, frame: FrameId) -> ClifValue {
        let word = self.value(string);
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        self.builder.append_block_param(done, types::I64);
        let cell = self.address_in(word, Tag::String);
        let first = self.builder.ins().iconst(types::I32, 0);
        let byte = self.byte_of(cell, first, slow);
        let code = self.builder.ins().uextend(types::I64, byte);
        self.builder.ins().jump(done, &[code.into()]);
        self.builder.switch_to_block(slow);
        let exit = self.exit(frame, ExitKind::Guard);
        let code = self.ask(runtime::character_code as *const (), &[word], exit);
        self.builder.ins().jump(done, &[code.into()]);
        self.builder.switch_to_block(done);
        self.builder.block_params(done)[0]
    }

    fn character_of(&mut self, code: Value, frame: FrameId) -> ClifValue {
        let code = self.value(code);
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        self.builder.append_block_param(done, types::I64);
        let high = self.builder.ins().ushr_imm_u(code, 32);
        self.refuse(high, slow);
        let low = self.builder.ins().ireduce(types::I32, code);
        self.require_shared(low, slow);
        let character = self.shared_character(self.job.characters, low, slow);
        self.builder.ins().jump(done, &[character.into()]);
        self.builder.switch_to_block(slow);
        let exit = self.exit(frame, ExitKind::Guard);
        let character = self.ask(runtime::character_of as *const (), &[code], exit);
        self.builder.ins().jump(done, &[character.into()]);
        self.builder.switch_to_block(done);
        self.builder.block_params(done)[0]
    }

    /// Interned strings, to which all of one character from the shared table belong, are equal if they are the same.
    fn equal_strings(&mut self, lhs: Value, rhs: Value, frame: FrameId) -> ClifValue {
        let (lhs, rhs) = self.pair(lhs, rhs);
        let done = self.builder.create_block();
        self.builder.append_block_param(done, types::I8);
        let (differ, lengths, look) = (
            self.builder.create_block(),
            self.builder.create_block(),
            self.builder.create_block(),
        );
        let yes = self.builder.ins().iconst(types::I8, 1);
        let no = self.builder.ins().iconst(types::I8, 0);
        let same = self.builder.ins().icmp(IntCC::Equal, lhs, rhs);
        self.builder
            .ins()
            .brif(same, done, &[yes.into()], differ, &[]);
        self.builder.switch_to_block(differ);
        let a = self.address_in(lhs, Tag::String);
        let b = self.address_in(rhs, Tag::String);
        let flags = self.load_byte(a, offset_of!(Header, flags));
        let others = self.load_byte(b, offset_of!(Header, flags));
        let both = self.builder.ins().band(flags, others);
        let interned = i64::from(flags::INTERNED);
        let are_interned = self.builder.ins().band_imm_u(both, interned);
        self.builder
            .ins()
            .brif(are_interned, done, &[no.into()], lengths, &[]);
        self.builder.switch_to_block(lengths);
        let length = self.load(types::I32, a, StringCell::LENGTH_OFFSET);
        let other = self.load(types::I32, b, StringCell::LENGTH_OFFSET);
        let alike = self.builder.ins().icmp(IntCC::Equal, length, other);
        self.builder
            .ins()
            .brif(alike, look, &[], done, &[no.into()]);
        self.builder.switch_to_block(look);
        let exit = self.exit(frame, ExitKind::Guard);
        let equal = self.ask(runtime::equal_strings as *const (), &[lhs, rhs], exit);
        let equal = self.builder.ins().ireduce(types::I8, equal);
        self.builder.ins().jump(done, &[equal.into()]);
        self.builder.switch_to_block(done);
        self.builder.block_params(done)[0]
    }
}
