//! Elements of lists by number, and what else is indexed.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, Value, types};
use kiln_bytecode::{Instruction, Op, changed_element};
use kiln_vm::object::list::ListCell;
use kiln_vm::tier::Observed;
use kiln_vm::value::Tag;

use super::translator::{Translator, trusted};
use crate::emit::Emit;

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

    /// What kinds of objects the interpreter has seen here so far; none if the code is entered before it came here.
    fn observed_objects(&self, op: Op) -> u8 {
        let position = self.position as usize;
        let position = match op {
            Op::CallIndex => changed_element(&self.job.block.instructions, position),
            _ => Some(position),
        };
        position.map_or(0, |position| self.job.observed[position])
    }

    /// `get_index`, or `call_index` without arguments, whose element has to be called if it is a function.
    pub(super) fn get_index(&mut self, op: Op, instruction: Instruction) {
        let slow = self.cold_block();
        let result = instruction.a();
        let merge = self.merge_block(&[result]);
        let observed = self.observed_objects(op);
        let register = match op {
            Op::CallIndex => instruction.b() + 1,
            _ => instruction.b(),
        };
        let object = self.bits(register);
        if observed & Observed::MAP != 0 {
            let (map, other) = (self.new_block(), self.new_block());
            let is_map = self.has_tag(object, Tag::Map);
            self.builder.ins().brif(is_map, map, &[], other, &[]);
            self.builder.switch_to_block(map);
            let value = self.map_element(object, instruction.c(), slow);
            self.finish_element(op, result, value, slow, merge);
            self.builder.switch_to_block(other);
        }
        let index = self.float(instruction.c());
        let index = self.whole_number(index, slow);
        let has_seen_strings = observed & Observed::STRING != 0;
        let text = if has_seen_strings {
            self.new_block()
        } else {
            slow
        };
        let list = self.cell_of(object, Tag::List, text);
        let address = self.element_address(list, index, slow);
        let kind = if self.is_kept_as_float(result) && op == Op::GetIndex {
            types::F64
        } else {
            types::I64
        };
        let value = self.load(kind, address, 0);
        self.finish_element(op, result, value, slow, merge);
        if has_seen_strings {
            self.builder.switch_to_block(text);
            let character = self.character_at(object, index, slow);
            self.finish_fast(merge, result, character);
        }
        self.complete(op, instruction, slow, merge);
    }

    /// Delivers an element, unless it is one that has to be called.
    fn finish_element(
        &mut self,
        op: Op,
        result: u16,
        value: Value,
        slow: ir::Block,
        merge: ir::Block,
    ) {
        if op == Op::CallIndex {
            self.refuse_function(value, slow);
        }
        self.finish_fast(merge, result, value);
    }

    pub(super) fn set_index(&mut self, op: Op, instruction: Instruction) {
        let slow = self.cold_block();
        let merge = self.merge_block(&[]);
        let object = self.bits(instruction.a());
        if self.observed_objects(op) & Observed::MAP != 0 {
            let (map, other) = (self.new_block(), self.new_block());
            let is_map = self.has_tag(object, Tag::Map);
            self.builder.ins().brif(is_map, map, &[], other, &[]);
            self.builder.switch_to_block(map);
            let value = self.bits(instruction.c());
            self.store_in_map(object, instruction.b(), value, slow);
            self.builder.ins().jump(merge, &[]);
            self.builder.switch_to_block(other);
        }
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
