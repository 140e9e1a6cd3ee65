//! Elements of lists by number.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, Value, types};
use kiln_bytecode::{Instruction, Op};
use kiln_vm::object::list::ListCell;
use kiln_vm::tier::Observed;
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
        // What the interpreter has seen so far; nothing if the code is entered before it came here.
        let has_seen_strings = self.job.observed[self.position as usize] & Observed::STRING != 0;
        let index = self.float(instruction.c());
        let index = self.whole_number(index, slow);
        let text = if has_seen_strings {
            self.new_block()
        } else {
            slow
        };
        let list = self.cell_of(object, Tag::List, text);
        let address = self.element_address(list, index, slow);
        let kind = if self.is_kept_as_float(instruction.a()) {
            types::F64
        } else {
            types::I64
        };
        let value = self.load(kind, address, 0);
        self.finish_fast(merge, instruction.a(), value);
        if has_seen_strings {
            self.builder.switch_to_block(text);
            let character = self.character_at(object, index, slow);
            self.finish_fast(merge, instruction.a(), character);
        }
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
            self.check_element(list, bits, slow);
        }
        self.builder.ins().store(trusted(), value, address, 0);
        self.builder.ins().jump(merge, &[]);
        self.complete(op, instruction, slow, merge);
    }
}
