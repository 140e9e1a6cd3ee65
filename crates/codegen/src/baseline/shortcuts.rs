//! The usual cases of the commonest intrinsics, as in the interpreter.
//!
//! Which intrinsic a site calls is known from its feedback or from the global variable read; code compares the function found with the
//! one known then, and does what that one does.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{self, InstBuilder, Value, types};
use kiln_bytecode::{Instruction, Op, Register, register_written};
use kiln_vm::Value as Word;
use kiln_vm::intrinsics::Shortcut;
use kiln_vm::object::list::ListCell;
use kiln_vm::object::string::StringCell;
use kiln_vm::object::values::ElementKind;
use kiln_vm::value::Tag;

use super::sites::Known;
use super::sites::Method;
use super::translator::Translator;
use crate::characters::EmitCharacters;

/// How many instructions back the function of a call is looked for.
const MAX_DISTANCE: usize = 16;

impl Translator<'_, '_> {
    /// The object's address if it is of the kind that a method is for, else goes to `other`; to `slow` if the name means something
    /// else for it by now.
    pub(super) fn receiver(
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
            (Shortcut::Length, Tag::String) => {
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
            (Shortcut::HasIndex, Tag::Map, 1) => {
                self.has_index(instruction, object, entry, method, other, slow, merge);
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
                self.require_shared(code, slow);
                self.shared_character(self.job.characters, code, slow)
            }
        })
    }

    /// The character at an index, 32 bits, of a string, as a string.
    pub fn character_at(&mut self, object: Value, index: Value, slow: ir::Block) -> Value {
        let text = self.cell_of(object, Tag::String, slow);
        let byte = self.byte_of(text, index, slow);
        self.shared_character(self.job.characters, byte, slow)
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
