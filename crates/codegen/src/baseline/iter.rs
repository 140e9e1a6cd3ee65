//! `for` loops over lists, strings and ranges.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, types};
use kiln_bytecode::{Instruction, Op};
use kiln_vm::heap::Kind;
use kiln_vm::object::range::RangeCell;
use kiln_vm::object::string::StringCell;
use kiln_vm::tier::Observed;
use kiln_vm::value::Tag;

use super::translator::{TAG_SHIFT, Translator};
use crate::emit::Emit;

impl Translator<'_, '_> {
    pub(super) fn for_loop(&mut self, op: Op, instruction: Instruction) {
        let (element, state) = (instruction.a(), instruction.b());
        let slow = self.cold_block();
        let results = self.written_by(instruction);
        let next_pass = self.merge_block(&results);
        let sequence = self.bits(state);
        let index = self.float(state + 1);
        let one = self.number(1.0);
        let index = self.builder.ins().fadd(index, one);
        let whole = self.whole_number(index, slow);

        let upper = self.builder.ins().ushr_imm_u(sequence, TAG_SHIFT);
        let is_list = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, upper, Tag::List as i64);
        let (list_block, other) = (self.new_block(), self.new_block());
        self.builder
            .ins()
            .brif(is_list, list_block, &[], other, &[]);

        self.builder.switch_to_block(list_block);
        let list = self.address_in(sequence, Tag::List);
        let ended = self.new_block();
        let address = self.element_address(list, whole, ended);
        let value = self.load(types::I64, address, 0);
        let arguments = [self.as_kept(element, value), self.as_kept(state + 1, index)];
        self.builder.ins().jump(next_pass, &arguments);

        self.builder.switch_to_block(other);
        if self.job.observed[self.position as usize] & Observed::STRING != 0 {
            let (text, no_text) = (self.new_block(), self.new_block());
            let is_text = self.has_tag(sequence, Tag::String);
            self.builder.ins().brif(is_text, text, &[], no_text, &[]);
            self.builder.switch_to_block(text);
            let cell = self.address_in(sequence, Tag::String);
            let length = self.load(types::I32, cell, StringCell::LENGTH_OFFSET);
            let less = IntCC::UnsignedLessThan;
            let exists = self.builder.ins().icmp(less, whole, length);
            self.require(exists, ended);
            let value = self.character_at(sequence, whole, slow);
            let arguments = [self.as_kept(element, value), self.as_kept(state + 1, index)];
            self.builder.ins().jump(next_pass, &arguments);
            self.builder.switch_to_block(no_text);
        }
        let range = self.cell_of(sequence, Tag::Other, slow);
        let kind = self.load_byte(range, 0);
        let is_range = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, kind, Kind::Range as i64);
        self.require(is_range, slow);
        let count = self.load(types::F64, range, offset_of!(RangeCell, count));
        let goes_on = self.builder.ins().fcmp(FloatCC::LessThan, index, count);
        self.require(goes_on, ended);
        let zero = self.builder.ins().iconst(types::I32, 0);
        let exists = self
            .builder
            .ins()
            .icmp(IntCC::SignedGreaterThanOrEqual, whole, zero);
        self.require(exists, slow);
        let first = self.load(types::F64, range, offset_of!(RangeCell, first));
        let step = self.load(types::F64, range, offset_of!(RangeCell, step));
        let distance = self.builder.ins().fmul(index, step);
        let value = self.builder.ins().fadd(first, distance);
        let arguments = [self.as_kept(element, value), self.as_kept(state + 1, index)];
        self.builder.ins().jump(next_pass, &arguments);

        // Another pass. Nothing is written before it is certain that the handler need not see to the pass.
        self.builder.switch_to_block(next_pass);
        let target = self.target_of(instruction);
        let counted = self.new_block();
        let loop_index = usize::from(instruction.flags());
        self.begin_pass((loop_index < 255).then_some(loop_index), counted, slow);
        self.builder.switch_to_block(counted);
        for (position, register) in results.iter().enumerate() {
            let value = self.builder.block_params(next_pass)[position];
            self.set(*register, value);
        }
        self.builder.ins().jump(target, &[]);

        // Behind the last element: the index is advanced nevertheless.
        let end = self.new_block();
        self.builder.switch_to_block(ended);
        let zero = self.builder.ins().iconst(types::I32, 0);
        let is_behind = self
            .builder
            .ins()
            .icmp(IntCC::SignedGreaterThanOrEqual, whole, zero);
        self.require(is_behind, slow);
        let window = self.window;
        self.store(index, window, Self::slot(state + 1));
        self.builder.ins().jump(end, &[]);

        // Everything else.
        self.slow_path(op, instruction, slow, end, &[]);
        self.builder.switch_to_block(end);
        self.forget_bound(op);
        // The index may have been advanced past the end.
        self.reload(state + 1);
    }
}
