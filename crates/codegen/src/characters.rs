//! Characters of strings, where they are found without the runtime's help.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, Value, types};
use kiln_vm::heap::Header;
use kiln_vm::object::string::{SHARED_CHARACTERS, StringCell, flags};
use kiln_vm::value::Tag;

use crate::emit::{Emit, TAG_SHIFT};

/// Emits accesses to characters. Strings are the addresses of their cells.
pub trait EmitCharacters<'function>: Emit<'function> {
    /// The byte at an index, 32 bits, of an ASCII string; goes to `slow` if that takes longer to find.
    fn byte_of(&mut self, text: Value, index: Value, slow: ir::Block) -> Value {
        let length = self.load(types::I32, text, StringCell::LENGTH_OFFSET);
        let exists = self
            .builder()
            .ins()
            .icmp(IntCC::UnsignedLessThan, index, length);
        self.require(exists, slow);
        let flags = self.load_byte(text, offset_of!(Header, flags));
        let form = i64::from(flags::ROPE | flags::ASCII);
        let form = self.builder().ins().band_imm_u(flags, form);
        let ascii = i64::from(flags::ASCII);
        let is_flat = self.builder().ins().icmp_imm_u(IntCC::Equal, form, ascii);
        self.require(is_flat, slow);
        let index = self.builder().ins().uextend(types::I64, index);
        let inline = self
            .builder()
            .ins()
            .iadd_imm_s(text, StringCell::ASCII_BYTES_OFFSET as i64);
        let (view, found) = (self.new_block(), self.new_block());
        let start = self.builder().append_block_param(found, types::I64);
        let view_flag = i64::from(flags::VIEW);
        let is_view = self.builder().ins().band_imm_u(flags, view_flag);
        self.builder()
            .ins()
            .brif(is_view, view, &[], found, &[inline.into()]);
        self.builder().switch_to_block(view);
        let owner = self.load(types::I64, text, StringCell::OWNER_OFFSET);
        let flags = self.load_byte(owner, offset_of!(Header, flags));
        let is_ascii = self.builder().ins().band_imm_u(flags, ascii);
        let ascii_start = self.word(StringCell::ASCII_BYTES_OFFSET as u64);
        let other_start = self.word(StringCell::OTHER_BYTES_OFFSET as u64);
        let offset = self
            .builder()
            .ins()
            .select(is_ascii, ascii_start, other_start);
        let first = self.load_half(text, StringCell::START_BYTE_OFFSET);
        let bytes = self.builder().ins().iadd(owner, offset);
        let bytes = self.builder().ins().iadd(bytes, first);
        self.builder().ins().jump(found, &[bytes.into()]);
        self.builder().switch_to_block(found);
        let address = self.builder().ins().iadd(start, index);
        self.load_byte(address, 0)
    }

    /// The string of the character with this code, of 32 bits and below [`SHARED_CHARACTERS`]; goes to `slow` if it has not been made
    /// yet. `table` is where the interpreter keeps them.
    fn shared_character(&mut self, table: u64, code: Value, slow: ir::Block) -> Value {
        let table = self.word(table);
        let code = self.builder().ins().uextend(types::I64, code);
        let bytes = self.builder().ins().ishl_imm_u(code, 3);
        let address = self.builder().ins().iadd(table, bytes);
        let cell = self.load(types::I64, address, 0);
        self.require(cell, slow);
        let tag = self.word((Tag::String as u64) << TAG_SHIFT);
        self.builder().ins().bor(cell, tag)
    }

    /// Goes on here if a code, of 32 bits, is that of a character whose string is shared, else in `slow`.
    fn require_shared(&mut self, code: Value, slow: ir::Block) {
        let most = SHARED_CHARACTERS as i64;
        let is_shared = self
            .builder()
            .ins()
            .icmp_imm_u(IntCC::UnsignedLessThan, code, most);
        self.require(is_shared, slow);
    }
}

impl<'function, T: Emit<'function>> EmitCharacters<'function> for T {}
