//! The usual cases of the commonest intrinsics, as in the interpreter.
//!
//! Which intrinsic a site calls is known from its feedback or from the global variable read; code compares the function found with the
//! one known then, and does what that one does.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{self, InstBuilder, Value, types};
use kiln_bytecode::{Instruction, Op, Register, register_written};
use kiln_vm::Value as Word;
use kiln_vm::heap::Header;
use kiln_vm::intrinsics::Shortcut;
use kiln_vm::object::list::ListCell;
use kiln_vm::object::string::{SHARED_CHARACTERS, StringCell, flags};
use kiln_vm::object::values::ElementKind;
use kiln_vm::value::Tag;

use super::sites::Known;
use super::sites::Method;
use super::translator::{TAG_SHIFT, Translator, trusted};

/// How many instructions back the function of a call is looked for.
const MAX_DISTANCE: usize = 16;

impl Translator<'_, '_> {
    /// The object's address if it is of the kind that a method is for, else goes to `other`; to `slow` if the name means something
    /// else for it by now.
    fn receiver(
        &mut self,
        object: Value,
        entry: u64,
        method: Method,
        other: ir::Block,
        slow: ir::Block,
    ) -> Value {
        let cell = self.cell_of(object, method.tag, other);
        let entry = self.word(entry);
        let member = self.load_built_in(entry, method.shape, slow);
        let expected = self.word(method.function);
        let same = self.builder.ins().icmp(IntCC::Equal, member, expected);
        self.require(same, slow);
        cell
    }

    /// `object.name`, where the name means an intrinsic for strings or lists. Other objects go on in `other`.
    #[expect(
        clippy::too_many_arguments,
        reason = "three of them are where it may go on"
    )]
    pub fn built_in_property(
        &mut self,
        instruction: Instruction,
        object: Value,
        entry: u64,
        method: Method,
        other: ir::Block,
        slow: ir::Block,
        merge: ir::Block,
    ) {
        let result = instruction.a();
        match (method.shortcut, method.tag) {
            (Shortcut::Length, Tag::List) => {
                let list = self.receiver(object, entry, method, other, slow);
                let length = self.load(types::I32, list, ListCell::LENGTH_OFFSET);
                let length = self.builder.ins().fcvt_from_sint(types::F64, length);
                self.finish_fast(merge, result, length);
            }
            (Shortcut::Length, _) => {
                let text = self.receiver(object, entry, method, other, slow);
                let length = self.load(types::I32, text, StringCell::LENGTH_OFFSET);
                let length = self.builder.ins().fcvt_from_sint(types::F64, length);
                self.finish_fast(merge, result, length);
            }
            (Shortcut::Pop, Tag::List) => {
                let list = self.receiver(object, entry, method, other, slow);
                let length = self.load(types::I32, list, ListCell::LENGTH_OFFSET);
                self.require(length, slow);
                let last = self.builder.ins().iadd_imm_s(length, -1);
                let start = self.load(types::I64, list, ListCell::START_OFFSET);
                let index = self.builder.ins().uextend(types::I64, last);
                let bytes = self.builder.ins().ishl_imm_u(index, 3);
                let address = self.builder.ins().iadd(start, bytes);
                let value = self.load(types::I64, address, 0);
                // The collector need not keep what is no longer in the list.
                let null = self.word(Word::NULL.bits());
                self.store(null, address, 0);
                self.store(last, list, ListCell::LENGTH_OFFSET);
                self.finish_fast(merge, result, value);
            }
            _ => {
                self.builder.ins().jump(other, &[]);
            }
        }
    }

    /// `object.name(…)`, where the name means an intrinsic for strings or lists. Other objects go on in `other`.
    #[expect(
        clippy::too_many_arguments,
        reason = "three of them are where it may go on"
    )]
    pub fn built_in_method(
        &mut self,
        instruction: Instruction,
        object: Value,
        entry: u64,
        method: Method,
        other: ir::Block,
        slow: ir::Block,
        merge: ir::Block,
    ) {
        match (method.shortcut, method.tag, instruction.flags()) {
            (Shortcut::Push, Tag::List, 1) => {
                let list = self.receiver(object, entry, method, other, slow);
                let value = self.bits(instruction.b() + 3);
                self.push(list, value, slow);
                self.finish_fast(merge, instruction.a(), object);
            }
            (_, _, 0) => {
                self.built_in_property(instruction, object, entry, method, other, slow, merge);
            }
            _ => {
                self.builder.ins().jump(other, &[]);
            }
        }
    }

    /// What is known about the function that a call instruction calls, if it was read from a global variable right before.
    pub fn known_callee(&self, call: Instruction) -> Known {
        let before = self.job.block.instructions.get(..self.position as usize);
        let load = before.and_then(|instructions| {
            instructions
                .iter()
                .rev()
                .take(MAX_DISTANCE)
                .find(|it| register_written(**it) == Some(Register(call.b())))
        });
        match load {
            Some(load) if load.op() == Some(Op::GetGlobal) => self.known_global(*load),
            _ => Known::Other,
        }
    }

    /// The result of calling an intrinsic with one argument, if there is a short way to it. The code checks that `callee` is the
    /// `function` known.
    pub fn shortcut_result(
        &mut self,
        shortcut: Shortcut,
        instruction: Instruction,
        callee: Value,
        function: u64,
        slow: ir::Block,
    ) -> Option<Value> {
        let is_known = matches!(
            shortcut,
            Shortcut::Floor | Shortcut::Length | Shortcut::Code | Shortcut::Character
        );
        if instruction.flags() != 1 || !is_known || (shortcut == Shortcut::Floor && !self.rounds) {
            return None;
        }
        let expected = self.word(function);
        let same = self.builder.ins().icmp(IntCC::Equal, callee, expected);
        self.require(same, slow);
        let argument = instruction.b() + 3;
        Some(match shortcut {
            Shortcut::Floor => {
                let number = self.float(argument);
                let result = self.builder.ins().floor(number);
                let is_ordered = self.builder.ins().fcmp(FloatCC::Ordered, result, result);
                self.require(is_ordered, slow);
                result
            }
            Shortcut::Length => {
                let object = self.bits(argument);
                let (text, found) = (self.new_block(), self.new_block());
                let length = self.builder.append_block_param(found, types::I32);
                let list = self.cell_of(object, Tag::List, text);
                let elements = self.load(types::I32, list, ListCell::LENGTH_OFFSET);
                self.builder.ins().jump(found, &[elements.into()]);
                self.builder.switch_to_block(text);
                let text = self.cell_of(object, Tag::String, slow);
                let characters = self.load(types::I32, text, StringCell::LENGTH_OFFSET);
                self.builder.ins().jump(found, &[characters.into()]);
                self.builder.switch_to_block(found);
                self.builder.ins().fcvt_from_sint(types::F64, length)
            }
            Shortcut::Code => {
                let object = self.bits(argument);
                let text = self.cell_of(object, Tag::String, slow);
                let first = self.builder.ins().iconst(types::I32, 0);
                let byte = self.byte_of(text, first, slow);
                self.builder.ins().fcvt_from_sint(types::F64, byte)
            }
            _ => {
                let number = self.float(argument);
                let code = self.whole_number(number, slow);
                let most = SHARED_CHARACTERS as i64;
                let is_shared = self
                    .builder
                    .ins()
                    .icmp_imm_u(IntCC::UnsignedLessThan, code, most);
                self.require(is_shared, slow);
                self.character(code, slow)
            }
        })
    }

    /// The byte at an index, 32 bits, of an ASCII string; goes to `slow` if that takes longer to find.
    fn byte_of(&mut self, text: Value, index: Value, slow: ir::Block) -> Value {
        let length = self.load(types::I32, text, StringCell::LENGTH_OFFSET);
        let exists = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, index, length);
        self.require(exists, slow);
        let flags = self.load_byte(text, offset_of!(Header, flags));
        let form = i64::from(flags::ROPE | flags::ASCII);
        let form = self.builder.ins().band_imm_u(flags, form);
        let ascii = i64::from(flags::ASCII);
        let is_flat = self.builder.ins().icmp_imm_u(IntCC::Equal, form, ascii);
        self.require(is_flat, slow);
        let index = self.builder.ins().uextend(types::I64, index);
        let inline = self
            .builder
            .ins()
            .iadd_imm_s(text, StringCell::ASCII_BYTES_OFFSET as i64);
        let (view, found) = (self.new_block(), self.new_block());
        let start = self.builder.append_block_param(found, types::I64);
        let is_view = self.builder.ins().band_imm_u(flags, i64::from(flags::VIEW));
        self.builder
            .ins()
            .brif(is_view, view, &[], found, &[inline.into()]);
        self.builder.switch_to_block(view);
        let owner = self.load(types::I64, text, StringCell::OWNER_OFFSET);
        let flags = self.load_byte(owner, offset_of!(Header, flags));
        let is_ascii = self.builder.ins().band_imm_u(flags, ascii);
        let ascii_start = self.word(StringCell::ASCII_BYTES_OFFSET as u64);
        let other_start = self.word(StringCell::OTHER_BYTES_OFFSET as u64);
        let offset = self
            .builder
            .ins()
            .select(is_ascii, ascii_start, other_start);
        let first =
            self.builder
                .ins()
                .uload32(trusted(), text, StringCell::START_BYTE_OFFSET as i32);
        let bytes = self.builder.ins().iadd(owner, offset);
        let bytes = self.builder.ins().iadd(bytes, first);
        self.builder.ins().jump(found, &[bytes.into()]);
        self.builder.switch_to_block(found);
        let address = self.builder.ins().iadd(start, index);
        self.load_byte(address, 0)
    }

    /// The string of the character with this code, of 32 bits and below [`SHARED_CHARACTERS`]; goes to `slow` if it has not been made
    /// yet.
    fn character(&mut self, code: Value, slow: ir::Block) -> Value {
        let table = self.word(self.job.characters);
        let code = self.builder.ins().uextend(types::I64, code);
        let bytes = self.builder.ins().ishl_imm_u(code, 3);
        let address = self.builder.ins().iadd(table, bytes);
        let cell = self.load(types::I64, address, 0);
        self.require(cell, slow);
        let tag = self.word((Tag::String as u64) << TAG_SHIFT);
        self.builder.ins().bor(cell, tag)
    }

    /// The character at an index, 32 bits, of a string, as a string.
    pub fn character_at(&mut self, object: Value, index: Value, slow: ir::Block) -> Value {
        let text = self.cell_of(object, Tag::String, slow);
        let byte = self.byte_of(text, index, slow);
        self.character(byte, slow)
    }

    /// Appends to a list that has room; else goes to `slow`.
    fn push(&mut self, list: Value, value: Value, slow: ir::Block) {
        let length = self.load(types::I32, list, ListCell::LENGTH_OFFSET);
        let capacity = self.load(types::I32, list, ListCell::CAPACITY_OFFSET);
        let fits = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, length, capacity);
        self.require(fits, slow);
        self.check_element(list, value, slow);
        let start = self.load(types::I64, list, ListCell::START_OFFSET);
        let index = self.builder.ins().uextend(types::I64, length);
        let bytes = self.builder.ins().ishl_imm_u(index, 3);
        let address = self.builder.ins().iadd(start, bytes);
        self.store(value, address, 0);
        let length = self.builder.ins().iadd_imm_s(length, 1);
        self.store(length, list, ListCell::LENGTH_OFFSET);
    }

    /// Goes to `slow` if storing a word in a list takes more than a store.
    pub fn check_element(&mut self, list: Value, bits: Value, slow: ir::Block) {
        let (store, other) = (self.new_block(), self.new_block());
        let first = self.word(Word::FIRST_NON_NUMBER);
        let is_number = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, bits, first);
        self.builder.ins().brif(is_number, store, &[], other, &[]);
        self.builder.switch_to_block(other);
        let kind = self.load_byte(list, ListCell::KIND_OFFSET);
        let mixed = ElementKind::Mixed as i64;
        let is_mixed = self.builder.ins().icmp_imm_u(IntCC::Equal, kind, mixed);
        self.require(is_mixed, slow);
        let elements = self.load(types::I64, list, ListCell::ELEMENTS_OFFSET);
        self.check_barrier(elements, bits, slow);
        self.builder.ins().jump(store, &[]);
        self.builder.switch_to_block(store);
    }
}
