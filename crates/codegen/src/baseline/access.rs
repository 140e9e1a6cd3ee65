//! Members: reads and writes through the first entry of the site's inline cache, which the interpreter and all tiers share.
//!
//! Code reads the entry's shape, slot and holder from memory, so the interpreter can change it without changing code. Only how the
//! member is reached (own slot, prototype's slot, added) is fixed when the code is made; a site that has seen nothing yet, and an entry
//! that turns into another kind, are left to the interpreter's handler.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, Value, types};
use kiln_bytecode::{Instruction, Op, ReadMode};
use kiln_vm::feedback::{Access, CacheEntry, FeedbackCell};
use kiln_vm::heap::{Header, Heap};
use kiln_vm::object::map::MapCell;
use kiln_vm::tier::layout;
use kiln_vm::value::Tag;

use super::translator::{Translator, trusted};

const ENTRY: usize = offset_of!(FeedbackCell, first);
const SHAPE: usize = ENTRY + offset_of!(CacheEntry, shape);
const ACCESS: usize = ENTRY + offset_of!(CacheEntry, access);
const SLOT: usize = ENTRY + offset_of!(CacheEntry, slot);
const EPOCH: usize = ENTRY + offset_of!(CacheEntry, epoch);
const HOLDER: usize = ENTRY + offset_of!(CacheEntry, holder);

impl Translator<'_, '_> {
    /// The feedback cell whose entry has the shape of `map`, checked together with how it is reached.
    fn check_entry(&mut self, feedback: u64, map: Value, access: Access, slow: ir::Block) -> Value {
        let cell = self.word(feedback);
        let known = self.load(types::I32, cell, SHAPE);
        let shape = self.load(types::I32, map, offset_of!(Header, word));
        let same = self.builder.ins().icmp(IntCC::Equal, known, shape);
        self.require(same, slow);
        let kind = self.load_byte(cell, ACCESS);
        let fits = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, kind, access as i64);
        self.require(fits, slow);
        cell
    }

    /// The address of the slot that an entry names, in the map `owner`; slots outside of the cell are left to the handler.
    fn inline_slot(&mut self, cell: Value, owner: Value, slow: ir::Block) -> Value {
        let slot = self.builder.ins().uload32(trusted(), cell, SLOT as i32);
        let inline = self.builder.ins().uload8(
            types::I64,
            trusted(),
            owner,
            offset_of!(Header, small) as i32,
        );
        let is_inline = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, slot, inline);
        self.require(is_inline, slow);
        let bytes = self.builder.ins().ishl_imm_u(slot, 3);
        self.builder.ins().iadd(owner, bytes)
    }

    /// Loads the member that an entry finds in the object's own slot.
    pub fn load_own_slot(&mut self, feedback: u64, map: Value, slow: ir::Block) -> Value {
        let cell = self.check_entry(feedback, map, Access::Own, slow);
        let slot = self.inline_slot(cell, map, slow);
        self.load(types::I64, slot, MapCell::SLOTS_OFFSET)
    }

    /// Loads the member that an entry finds in the slot of a prototype.
    fn load_inherited_slot(&mut self, feedback: u64, map: Value, slow: ir::Block) -> Value {
        let cell = self.check_entry(feedback, map, Access::Inherited, slow);
        let epoch = self.load(types::I32, cell, EPOCH);
        let vm = self.vm;
        let current = self.load(types::I32, vm, layout::PROTOTYPE_EPOCH);
        let is_valid = self.builder.ins().icmp(IntCC::Equal, epoch, current);
        self.require(is_valid, slow);
        let holder = self.load(types::I64, cell, HOLDER);
        let slot = self.inline_slot(cell, holder, slow);
        self.load(types::I64, slot, MapCell::SLOTS_OFFSET)
    }

    /// Whether the inline cache holds a member read that is of a kind known here.
    pub fn can_load_member(&self, index: usize) -> bool {
        matches!(self.job.accesses[index], Access::Own | Access::Inherited)
    }

    /// Loads the member of an object through the inline cache.
    pub fn load_member(&mut self, index: usize, object: u16, slow: ir::Block) -> Value {
        let access = self.job.accesses[index];
        let feedback = self.job.feedback_address(index);
        let bits = self.bits(object);
        let map = self.cell_of(bits, Tag::Map, slow);
        match access {
            Access::Own => self.load_own_slot(feedback, map, slow),
            _ => self.load_inherited_slot(feedback, map, slow),
        }
    }

    pub(super) fn get_member(&mut self, op: Op, instruction: Instruction) {
        let index = usize::from(instruction.c());
        if !self.can_load_member(index) {
            return self.translate_out_of_line(op, instruction);
        }
        let slow = self.cold_block();
        let bits = self.load_member(index, instruction.b(), slow);
        let merge = self.merge_block(&[instruction.a()]);
        if ReadMode(instruction.flags()).has(ReadMode::INVOKE) {
            self.refuse_function(bits, slow);
        }
        self.finish_fast(merge, instruction.a(), bits);
        self.complete(op, instruction, slow, merge);
    }

    /// Goes to `slow` if storing `value` in `owner` needs the write barrier's slow half.
    pub fn check_barrier(&mut self, owner: Value, value: Value, slow: ir::Block) {
        let first_cell = self.word((Tag::String as u64) << 48);
        let is_cell = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThanOrEqual, value, first_cell);
        let check = self.builder.create_block();
        let done = self.builder.create_block();
        self.builder.ins().brif(is_cell, check, &[], done, &[]);
        self.builder.switch_to_block(check);
        let state = self.load_byte(owner, Heap::STATE_OFFSET);
        let vm = self.vm;
        let black = self.load_byte(vm, layout::HEAP_BLACK);
        let is_black = self.builder.ins().icmp(IntCC::Equal, state, black);
        self.builder.ins().brif(is_black, slow, &[], done, &[]);
        self.builder.switch_to_block(done);
    }

    /// Stores a member of a map through the inline cache; goes to `slow` if that does not know how.
    pub fn store_member(&mut self, index: usize, map: Value, value: Value, slow: ir::Block) {
        let feedback = self.job.feedback_address(index);
        let access = match self.job.accesses[index] {
            Access::Add => Access::Add,
            _ => Access::Own,
        };
        let cell = self.check_entry(feedback, map, access, slow);
        let slot = self.inline_slot(cell, map, slow);
        self.check_barrier(map, value, slow);
        self.store(value, slot, MapCell::SLOTS_OFFSET);
        if access == Access::Add {
            // The shape that the transition leads to.
            let shape = self.load(types::I32, cell, EPOCH);
            self.store(shape, map, offset_of!(Header, word));
        }
    }

    pub(super) fn set_member(&mut self, op: Op, instruction: Instruction) {
        let index = usize::from(instruction.c());
        if self.job.accesses[index] == Access::Empty {
            return self.translate_out_of_line(op, instruction);
        }
        let slow = self.cold_block();
        let merge = self.merge_block(&[]);
        let bits = self.bits(instruction.a());
        let map = self.cell_of(bits, Tag::Map, slow);
        let value = self.bits(instruction.b());
        self.store_member(index, map, value, slow);
        self.builder.ins().jump(merge, &[]);
        self.complete(op, instruction, slow, merge);
    }
}
