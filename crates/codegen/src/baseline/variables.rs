//! Variables: locals that may be unassigned, globals, variables looked up by name.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, Value, types};
use kiln_bytecode::{Instruction, Op, ReadMode};
use kiln_vm::Value as Word;
use kiln_vm::feedback::Access;
use kiln_vm::object::function::FunctionCell;
use kiln_vm::object::map::globals::GlobalCell;
use kiln_vm::value::Tag;

use super::calls::Invoked;
use super::sites::Known;
use super::translator::{TAG_SHIFT, Translator};

impl Translator<'_, '_> {
    /// Goes to `otherwise` if the word is that of a function.
    pub fn refuse_function(&mut self, bits: Value, otherwise: ir::Block) {
        let upper = self.builder.ins().ushr_imm_u(bits, TAG_SHIFT);
        let is_function = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, upper, Tag::Function as i64);
        self.refuse(is_function, otherwise);
    }

    pub(super) fn settle(&mut self, op: Op, instruction: Instruction) {
        if self.is_number(instruction.a()) {
            return;
        }
        let bits = self.bits(instruction.a());
        let slow = self.cold_block();
        let merge = self.merge_block(&[]);
        self.refuse_function(bits, slow);
        self.refuse_unassigned(bits, slow);
        self.builder.ins().jump(merge, &[]);
        self.complete(op, instruction, slow, merge);
    }

    /// Goes to `otherwise` if the word is the marker of a variable without a value.
    pub fn refuse_unassigned(&mut self, bits: Value, otherwise: ir::Block) {
        let unassigned = self.word(Word::UNASSIGNED.bits());
        let is_unassigned = self.builder.ins().icmp(IntCC::Equal, bits, unassigned);
        self.refuse(is_unassigned, otherwise);
    }

    pub(super) fn read_local(&mut self, op: Op, instruction: Instruction) {
        if self.is_number(instruction.b()) {
            let value = self.value(instruction.b());
            self.set(instruction.a(), value);
            return;
        }
        let bits = self.bits(instruction.b());
        let slow = self.cold_block();
        let merge = self.merge_block(&[instruction.a()]);
        self.refuse_unassigned(bits, slow);
        match ReadMode(instruction.flags()) {
            ReadMode::INVOKE => self.invoke_variable(instruction, bits, slow, merge),
            mode if mode.has(ReadMode::INVOKE) => {
                self.refuse_function(bits, slow);
                self.finish_fast(merge, instruction.a(), bits);
            }
            _ => self.finish_fast(merge, instruction.a(), bits),
        }
        self.complete(op, instruction, slow, merge);
    }

    /// Delivers a variable's value, the result of its call if it is a function.
    fn invoke_variable(
        &mut self,
        instruction: Instruction,
        bits: Value,
        slow: ir::Block,
        merge: ir::Block,
    ) {
        let index = usize::from(instruction.c());
        let calls = self.job.sites[index].calls_script;
        self.invoke_or_finish(
            instruction,
            bits,
            calls.then_some(Invoked::Variable(Some(index))),
            slow,
            merge,
        );
    }

    /// The address of the cell of the global variable in field `bc`.
    fn global_cell(&mut self, instruction: Instruction) -> Value {
        let address = self.word(self.job.globals + u64::from(instruction.bc()) * 8);
        self.load(types::I64, address, 0)
    }

    /// What reading the global variable in field `bc` gave when the job was made.
    pub fn known_global(&self, instruction: Instruction) -> Known {
        let index = instruction.bc() as usize;
        self.job
            .global_values
            .get(index)
            .copied()
            .unwrap_or(Known::Other)
    }

    pub(super) fn get_global(&mut self, op: Op, instruction: Instruction) {
        let mode = ReadMode(instruction.flags());
        let cell = self.global_cell(instruction);
        let bits = self.load(types::I64, cell, offset_of!(GlobalCell, value));
        let slow = self.cold_block();
        let merge = self.merge_block(&[instruction.a()]);
        if mode == ReadMode::PLAIN {
            let fallback = self.new_block();
            self.refuse_unassigned(bits, fallback);
            self.finish_fast(merge, instruction.a(), bits);
            self.builder.switch_to_block(fallback);
            let bits = self.load(types::I64, cell, offset_of!(GlobalCell, fallback));
            self.refuse_unassigned(bits, slow);
            self.finish_fast(merge, instruction.a(), bits);
        } else {
            self.refuse_unassigned(bits, slow);
            // The handler does not record what is called either.
            let is_called =
                mode == ReadMode::INVOKE && self.known_global(instruction) == Known::ScriptFunction;
            let invoked = is_called.then_some(Invoked::Variable(None));
            self.invoke_or_finish(instruction, bits, invoked, slow, merge);
        }
        self.complete(op, instruction, slow, merge);
    }

    pub(super) fn set_global(&mut self, op: Op, instruction: Instruction) {
        let cell = self.global_cell(instruction);
        let before = self.load(types::I64, cell, offset_of!(GlobalCell, value));
        let slow = self.cold_block();
        let merge = self.merge_block(&[]);
        self.refuse_unassigned(before, slow);
        let value = self.value(instruction.a());
        self.store(value, cell, offset_of!(GlobalCell, value));
        self.builder.ins().jump(merge, &[]);
        self.complete(op, instruction, slow, merge);
    }

    /// Reads a variable in the slot of a variable map that the site's inline cache knows.
    fn cached_variable(
        &mut self,
        op: Op,
        instruction: Instruction,
        map: Value,
        slow: ir::Block,
        merge: ir::Block,
    ) {
        let index = usize::from(instruction.c());
        let bits = self.load_cached(index, map, &[Access::Own], Access::Own, slow);
        match ReadMode(instruction.flags()) {
            ReadMode::PLAIN => self.finish_fast(merge, instruction.a(), bits),
            ReadMode::INVOKE => self.invoke_variable(instruction, bits, slow, merge),
            _ => {
                self.refuse_function(bits, slow);
                self.finish_fast(merge, instruction.a(), bits);
            }
        }
        self.complete(op, instruction, slow, merge);
    }

    pub(super) fn get_variable(&mut self, op: Op, instruction: Instruction) {
        let slow = self.cold_block();
        let merge = self.merge_block(&[instruction.a()]);
        let bits = self.bits(instruction.b());
        let map = self.cell_of(bits, Tag::Map, slow);
        self.cached_variable(op, instruction, map, slow, merge);
    }

    pub(super) fn get_outer_variable(&mut self, op: Op, instruction: Instruction) {
        let slow = self.cold_block();
        let merge = self.merge_block(&[instruction.a()]);
        let bits = self.bits(0);
        let function = self.cell_of(bits, Tag::Function, slow);
        let outer = self.load(types::I64, function, FunctionCell::OUTER_OFFSET);
        let map = self.cell_of(outer, Tag::Map, slow);
        self.cached_variable(op, instruction, map, slow, merge);
    }

    pub(super) fn set_variable(&mut self, op: Op, instruction: Instruction) {
        let slow = self.cold_block();
        let merge = self.merge_block(&[]);
        let bits = self.bits(instruction.a());
        let map = self.cell_of(bits, Tag::Map, slow);
        let value = self.bits(instruction.b());
        let index = usize::from(instruction.c());
        self.store_member(index, map, value, slow, merge);
        self.complete(op, instruction, slow, merge);
    }

    pub(super) fn get_self(&mut self, op: Op, instruction: Instruction) {
        let bits = self.bits(1);
        let slow = self.cold_block();
        let merge = self.merge_block(&[instruction.a()]);
        self.refuse_unassigned(bits, slow);
        self.finish_fast(merge, instruction.a(), bits);
        self.complete(op, instruction, slow, merge);
    }
}
