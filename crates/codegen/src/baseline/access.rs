//! Members: reads and writes through the site's inline cache, which the interpreter and all tiers share.
//!
//! Code reads an entry's shape, slot and holder from memory, so the interpreter can change it without changing code. Only which entries
//! there are and how they reach the member (own slot, prototype's slot, added) is fixed when the code is made; one that turns into
//! another kind is left to the interpreter's handler.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, Value, types};
use kiln_bytecode::{Instruction, Op, ReadMode};
use kiln_vm::feedback::{Access, CacheEntry};
use kiln_vm::heap::{Header, Heap};
use kiln_vm::object::map::MapCell;
use kiln_vm::object::values::ValuesCell;
use kiln_vm::tier::layout;
use kiln_vm::value::Tag;

use super::calls::Invoked;
use super::translator::{Translator, trusted};

const SHAPE: usize = offset_of!(CacheEntry, shape);
const ACCESS: usize = offset_of!(CacheEntry, access);
const SLOT: usize = offset_of!(CacheEntry, slot);
const EPOCH: usize = offset_of!(CacheEntry, epoch);
const HOLDER: usize = offset_of!(CacheEntry, holder);

/// How the members that a site reads may be reached.
const READS: [Access; 2] = [Access::Own, Access::Inherited];
/// How the members that a site writes may be reached.
const WRITES: [Access; 2] = [Access::Own, Access::Add];

/// Where a search for an entry goes on: with which kind of access, in which block, with which entry's address.
struct Found {
    access: Access,
    block: ir::Block,
    entry: Value,
}

impl Translator<'_, '_> {
    /// Searches entries for the one with the shape of `map`. There is a block for each kind of access among them.
    fn search(&mut self, entries: &[(u64, Access)], map: Value, slow: ir::Block) -> Vec<Found> {
        let shape = self.load(types::I32, map, offset_of!(Header, word));
        let mut found: Vec<Found> = Vec::new();
        for (address, access) in entries {
            let block = match found.iter().find(|found| found.access == *access) {
                Some(found) => found.block,
                None => {
                    let block = self.new_block();
                    let entry = self.builder.append_block_param(block, types::I64);
                    found.push(Found {
                        access: *access,
                        block,
                        entry,
                    });
                    block
                }
            };
            let entry = self.word(*address);
            let known = self.load(types::I32, entry, SHAPE);
            let same = self.builder.ins().icmp(IntCC::Equal, known, shape);
            let next = self.new_block();
            self.builder
                .ins()
                .brif(same, block, &[entry.into()], next, &[]);
            self.builder.switch_to_block(next);
        }
        self.builder.ins().jump(slow, &[]);
        found
    }

    /// Goes on with what a search has found, if the entry still is of that kind.
    fn begin_found(&mut self, found: &Found, slow: ir::Block) {
        self.builder.switch_to_block(found.block);
        let access = self.load_byte(found.entry, ACCESS);
        let fits = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, access, found.access as i64);
        self.require(fits, slow);
    }

    /// The address of the slot that an entry names in the map `owner`, and the cell that the slot is in.
    fn slot_address(&mut self, entry: Value, owner: Value) -> (Value, Value) {
        let slot = self.builder.ins().uload32(trusted(), entry, SLOT as i32);
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
        let (outside, found) = (self.cold_block(), self.new_block());
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
        let (outside, found) = (self.new_block(), self.new_block());
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

    /// The map from which an entry of a prototype's member reads; goes to `slow` if a prototype has changed since.
    fn holder_of(&mut self, entry: Value, slow: ir::Block) -> Value {
        let epoch = self.load(types::I32, entry, EPOCH);
        let vm = self.vm;
        let current = self.load(types::I32, vm, layout::PROTOTYPE_EPOCH);
        let is_valid = self.builder.ins().icmp(IntCC::Equal, epoch, current);
        self.require(is_valid, slow);
        self.load(types::I64, entry, HOLDER)
    }

    /// Loads a member of a map through the inline cache. A site that has not been executed yet is taken for an `expected` one.
    pub fn load_cached(
        &mut self,
        index: usize,
        map: Value,
        kinds: &[Access],
        expected: Access,
        slow: ir::Block,
    ) -> Value {
        let feedback = self.job.feedback_address(index);
        let entries = self.job.sites[index].map_entries(kinds, expected, feedback);
        let found = self.search(&entries, map, slow);
        let loaded = self.new_block();
        let value = self.builder.append_block_param(loaded, types::I64);
        for found in found {
            self.begin_found(&found, slow);
            let owner = match found.access {
                Access::Inherited => self.holder_of(found.entry, slow),
                _ => map,
            };
            let (slot, _) = self.slot_address(found.entry, owner);
            let value = self.load(types::I64, slot, 0);
            self.builder.ins().jump(loaded, &[value.into()]);
        }
        self.builder.switch_to_block(loaded);
        value
    }

    /// Loads the member of an object through the inline cache.
    pub fn load_member(
        &mut self,
        index: usize,
        object: Value,
        expected: Access,
        slow: ir::Block,
    ) -> Value {
        let map = self.cell_of(object, Tag::Map, slow);
        self.load_cached(index, map, &READS, expected, slow)
    }

    /// Loads the member that a prototype has for strings or lists, according to an entry.
    pub fn load_built_in(&mut self, entry: Value, shape: u32, slow: ir::Block) -> Value {
        let known = self.load(types::I32, entry, SHAPE);
        let same = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, known, i64::from(shape));
        self.require(same, slow);
        let holder = self.holder_of(entry, slow);
        let (slot, _) = self.slot_address(entry, holder);
        self.load(types::I64, slot, 0)
    }

    pub(super) fn get_member(&mut self, op: Op, instruction: Instruction) {
        let index = usize::from(instruction.c());
        let (slow, merge) = (self.cold_block(), self.merge_block(&[instruction.a()]));
        let object = self.bits(instruction.b());
        let invokes = ReadMode(instruction.flags()).has(ReadMode::INVOKE);
        if invokes && let Some((entry, method)) = self.job.sites[index].built_in_method() {
            let other = self.new_block();
            self.built_in_property(instruction, object, entry, method, other, slow, merge);
            self.builder.switch_to_block(other);
        }
        let value = self.load_member(index, object, Access::Own, slow);
        if invokes {
            let calls = self.job.sites[index].calls_script;
            let invoked = calls.then_some(Invoked::Member { index, object });
            self.invoke_or_finish(instruction, value, invoked, slow, merge);
        } else {
            self.finish_fast(merge, instruction.a(), value);
        }
        self.complete(op, instruction, slow, merge);
    }

    /// Goes to `slow` if storing `value` in `owner` needs the write barrier's slow half.
    pub fn check_barrier(&mut self, owner: Value, value: Value, slow: ir::Block) {
        let first_cell = self.word((Tag::String as u64) << 48);
        let is_cell = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThanOrEqual, value, first_cell);
        let check = self.new_block();
        let done = self.new_block();
        self.builder.ins().brif(is_cell, check, &[], done, &[]);
        self.builder.switch_to_block(check);
        let state = self.load_byte(owner, Heap::STATE_OFFSET);
        let vm = self.vm;
        let black = self.load_byte(vm, layout::HEAP_BLACK);
        let is_black = self.builder.ins().icmp(IntCC::Equal, state, black);
        self.builder.ins().brif(is_black, slow, &[], done, &[]);
        self.builder.switch_to_block(done);
    }

    /// Stores a member of a map through the inline cache and goes to `done`; goes to `slow` if that does not know how.
    pub fn store_member(
        &mut self,
        index: usize,
        map: Value,
        value: Value,
        slow: ir::Block,
        done: ir::Block,
    ) {
        let feedback = self.job.feedback_address(index);
        let entries = self.job.sites[index].map_entries(&WRITES, Access::Own, feedback);
        for found in self.search(&entries, map, slow) {
            self.begin_found(&found, slow);
            if found.access == Access::Add {
                self.check_room(found.entry, map, slow);
            }
            let (slot, owner) = self.slot_address(found.entry, map);
            self.check_barrier(owner, value, slow);
            self.store(value, slot, 0);
            if found.access == Access::Add {
                // The shape that the transition leads to.
                let shape = self.load(types::I32, found.entry, EPOCH);
                self.store(shape, map, offset_of!(Header, word));
            }
            self.builder.ins().jump(done, &[]);
        }
    }

    pub(super) fn set_member(&mut self, op: Op, instruction: Instruction) {
        let index = usize::from(instruction.c());
        let slow = self.cold_block();
        let merge = self.merge_block(&[]);
        let bits = self.bits(instruction.a());
        let map = self.cell_of(bits, Tag::Map, slow);
        let value = self.bits(instruction.b());
        self.store_member(index, map, value, slow, merge);
        self.complete(op, instruction, slow, merge);
    }
}
