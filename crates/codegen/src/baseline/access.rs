//! Members: reads and writes through the first entry of the site's inline cache, which the interpreter and all tiers share.
//!
//! Code reads the entry's shape, slot and holder from memory, so the interpreter can change it without changing code. Only how the
//! member is reached (own slot, prototype's slot, added) is fixed when the code is made; an entry that turns into another kind is left to the interpreter's handler.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, Value, types};
use kiln_bytecode::{Instruction, Op, ReadMode};
use kiln_vm::feedback::{Access, CacheEntry, FeedbackCell};
use kiln_vm::heap::{Header, Heap};
use kiln_vm::object::map::MapCell;
use kiln_vm::object::values::ValuesCell;
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

    /// The address of the slot that an entry names in the map `owner`, and the cell that the slot is in.
    fn slot_address(&mut self, cell: Value, owner: Value) -> (Value, Value) {
        let slot = self.builder.ins().uload32(trusted(), cell, SLOT as i32);
        let inline = self.builder.ins().uload8(
            types::I64,
            trusted(),
            owner,
            offset_of!(Header, small) as i32,
        );
        let bytes = self.builder.ins().ishl_imm_u(slot, 3);
        let address = self.builder.ins().iadd(owner, bytes);
        let address = self
            .builder
            .ins()
            .iadd_imm_s(address, MapCell::SLOTS_OFFSET as i64);
        let is_inline = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, slot, inline);
        let (outside, found) = (self.builder.create_block(), self.builder.create_block());
        self.builder.append_block_param(found, types::I64);
        self.builder.append_block_param(found, types::I64);
        self.builder.ins().brif(
            is_inline,
            found,
            &[address.into(), owner.into()],
            outside,
            &[],
        );
        self.builder.switch_to_block(outside);
        let values = self.load(types::I64, owner, MapCell::OVERFLOW_OFFSET);
        let slot = self.builder.ins().isub(slot, inline);
        let bytes = self.builder.ins().ishl_imm_u(slot, 3);
        let address = self.builder.ins().iadd(values, bytes);
        let address = self
            .builder
            .ins()
            .iadd_imm_s(address, ValuesCell::VALUES_OFFSET as i64);
        self.builder
            .ins()
            .jump(found, &[address.into(), values.into()]);
        self.builder.switch_to_block(found);
        let parameters = self.builder.block_params(found);
        (parameters[0], parameters[1])
    }

    /// Goes to `slow` if a map with the shape of an adding entry has no memory for the slot.
    fn check_room(&mut self, cell: Value, map: Value, slow: ir::Block) {
        let slot = self.builder.ins().uload32(trusted(), cell, SLOT as i32);
        let inline =
            self.builder
                .ins()
                .uload8(types::I64, trusted(), map, offset_of!(Header, small) as i32);
        let is_inline = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, slot, inline);
        let (outside, found) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(is_inline, found, &[], outside, &[]);
        self.builder.switch_to_block(outside);
        let values = self.load(types::I64, map, MapCell::OVERFLOW_OFFSET);
        self.require(values, slow);
        let slot = self.builder.ins().isub(slot, inline);
        let capacity =
            self.builder
                .ins()
                .uload32(trusted(), values, offset_of!(Header, word) as i32);
        let fits = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, slot, capacity);
        self.builder.ins().brif(fits, found, &[], slow, &[]);
        self.builder.switch_to_block(found);
    }

    /// Loads the member that an entry finds in the object's own slot.
    pub fn load_own_slot(&mut self, feedback: u64, map: Value, slow: ir::Block) -> Value {
        let cell = self.check_entry(feedback, map, Access::Own, slow);
        let (slot, _) = self.slot_address(cell, map);
        self.load(types::I64, slot, 0)
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
        let (slot, _) = self.slot_address(cell, holder);
        self.load(types::I64, slot, 0)
    }

    /// Loads the member of an object through the inline cache. A site that has not been executed yet is taken for an `expected` one.
    pub fn load_member(
        &mut self,
        index: usize,
        object: u16,
        expected: Access,
        slow: ir::Block,
    ) -> Value {
        let access = match self.job.accesses[index] {
            Access::Empty | Access::Add => expected,
            known => known,
        };
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
        let slow = self.cold_block();
        let bits = self.load_member(index, instruction.b(), Access::Own, slow);
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
        if access == Access::Add {
            self.check_room(cell, map, slow);
        }
        let (slot, owner) = self.slot_address(cell, map);
        self.check_barrier(owner, value, slow);
        self.store(value, slot, 0);
        if access == Access::Add {
            // The shape that the transition leads to.
            let shape = self.load(types::I32, cell, EPOCH);
            self.store(shape, map, offset_of!(Header, word));
        }
    }

    pub(super) fn set_member(&mut self, op: Op, instruction: Instruction) {
        let index = usize::from(instruction.c());
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
