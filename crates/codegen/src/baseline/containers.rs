//! Elements of lists by number.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, Value, types};
use kiln_bytecode::{Instruction, Op};
use kiln_vm::Value as Word;
use kiln_vm::object::list::ListCell;
use kiln_vm::object::values::ElementKind;
use kiln_vm::value::Tag;

use super::translator::{Translator, trusted};

impl Translator<'_, '_> {
    /// The address of the element at an index, 32 bits; goes to `slow` if there is none.
    pub fn element_address(&mut self, list: Value, index: Value, slow: ir::Block) -> Value {
        let length = self.load(types::I32, list, ListCell::LENGTH_OFFSET);
        let exists = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, index, length);
        self.require(exists, slow);
        let start = self.load(types::I64, list, ListCell::START_OFFSET);
        let index = self.builder.ins().uextend(types::I64, index);
        let bytes = self.builder.ins().ishl_imm_u(index, 3);
        self.builder.ins().iadd(start, bytes)
    }

    pub(super) fn get_index(&mut self, op: Op, instruction: Instruction) {
        let slow = self.cold_block();
        let merge = self.merge_block(&[instruction.a()]);
        let object = self.bits(instruction.b());
        let list = self.cell_of(object, Tag::List, slow);
        let index = self.float(instruction.c());
        let index = self.whole_number(index, slow);
        let address = self.element_address(list, index, slow);
        let kind = if self.is_kept_as_float(instruction.a()) {
            types::F64
        } else {
            types::I64
        };
        let value = self.load(kind, address, 0);
        self.finish_fast(merge, instruction.a(), value);
        self.complete(op, instruction, slow, merge);
    }

    pub(super) fn set_index(&mut self, op: Op, instruction: Instruction) {
        let slow = self.cold_block();
        let merge = self.merge_block(&[]);
        let object = self.bits(instruction.a());
        let list = self.cell_of(object, Tag::List, slow);
        let index = self.float(instruction.b());
        let index = self.whole_number(index, slow);
        let address = self.element_address(list, index, slow);
        let value = self.value(instruction.c());
        if !self.is_number(instruction.c()) {
            let bits = self.bits_of(value);
            let (store, other) = (self.builder.create_block(), self.builder.create_block());
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
        self.builder.ins().store(trusted(), value, address, 0);
        self.builder.ins().jump(merge, &[]);
        self.complete(op, instruction, slow, merge);
    }
}
