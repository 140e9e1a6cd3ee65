//! Lists, ranges, maps, global variables.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, Value as ClifValue, types};
use kiln_ssa::ir::{FrameId, Kinds, Node, SlotIndex, Value};
use kiln_ssa::job::{GlobalId, ShapeId};
use kiln_vm::Value as Word;
use kiln_vm::heap::{Header, Heap};
use kiln_vm::object::function::FunctionCell;
use kiln_vm::object::list::ListCell;
use kiln_vm::object::map::MapCell;
use kiln_vm::object::map::globals::GlobalCell;
use kiln_vm::object::range::RangeCell;
use kiln_vm::object::values::{ElementKind, ValuesCell};
use kiln_vm::tier::{self, layout};
use kiln_vm::value::Tag;

use super::lower::Lowering;
use crate::emit::Emit;

impl Lowering<'_, '_> {
    /// Lowers an instruction of this family: its result, if it has one; none if it is of another.
    pub(super) fn lower_access(&mut self, node: &Node) -> Option<Option<ClifValue>> {
        Some(Some(match *node {
            Node::ListLength { list } => {
                let list = self.cell(list, Tag::List);
                self.load_half(list, ListCell::LENGTH_OFFSET)
            }
            Node::ListElements { list } => {
                let list = self.cell(list, Tag::List);
                self.load(types::I64, list, ListCell::START_OFFSET)
            }
            Node::LoadElement { elements, index } => {
                let address = self.element(elements, index);
                self.load(types::I64, address, 0)
            }
            // Every list is.
            Node::GuardWritable { list, .. } => self.value(list),
            Node::StoreElement {
                list,
                elements,
                index,
                value,
            } => {
                self.store_element(list, elements, index, value);
                return Some(None);
            }
            Node::PushElement { list, value, frame } => {
                self.push_element(list, value, frame);
                return Some(None);
            }
            Node::PopElement { list } => self.pop_element(list),
            Node::PullElement { list } => self.pull_element(list),
            Node::NewRange { first, step, count } => self.new_range(first, step, count),
            Node::RangeCount { range } => {
                let range = self.cell(range, Tag::Other);
                let count = self.load(types::F64, range, offset_of!(RangeCell, count));
                self.builder.ins().fcvt_to_sint_sat(types::I64, count)
            }
            Node::RangeFirst { range } => {
                let range = self.cell(range, Tag::Other);
                self.load(types::F64, range, offset_of!(RangeCell, first))
            }
            Node::RangeStep { range } => {
                let range = self.cell(range, Tag::Other);
                self.load(types::F64, range, offset_of!(RangeCell, step))
            }
            Node::LoadSlot { map, slot } => {
                let map = self.cell(map, Tag::Map);
                let (address, _) = self.slot(map, slot);
                self.load(types::I64, address, 0)
            }
            Node::StoreSlot { map, slot, value } => {
                self.store_slot(map, slot, value);
                return Some(None);
            }
            Node::AddSlot {
                map,
                slot,
                value,
                shape,
                frame,
            } => {
                self.add_slot(map, slot, value, shape, frame);
                return Some(None);
            }
            Node::LoadGlobal { global } => {
                let cell = self.global(global);
                self.load(types::I64, cell, offset_of!(GlobalCell, value))
            }
            Node::StoreGlobal { global, value } => {
                let cell = self.global(global);
                let word = self.value(value);
                self.store(word, cell, offset_of!(GlobalCell, value) as i32);
                return Some(None);
            }
            Node::FunctionOuter { function } => {
                let function = self.cell(function, Tag::Function);
                self.load(types::I64, function, FunctionCell::OUTER_OFFSET)
            }
            _ => return None,
        }))
    }

    /// Makes a range; its word.
    pub(super) fn new_range(&mut self, first: Value, step: Value, count: Value) -> ClifValue {
        let (vm, first, step) = (self.vm, self.value(first), self.value(step));
        let count = self.value(count);
        let count = self.builder.ins().fcvt_from_sint(types::F64, count);
        let function = self.word(tier::new_range as *const () as u64);
        let call = self.builder.ins().call_indirect(
            self.signatures.range,
            function,
            &[vm, first, step, count],
        );
        self.builder.inst_results(call)[0]
    }

    /// The address of the cell that a value with this tag refers to.
    fn cell(&mut self, value: Value, tag: Tag) -> ClifValue {
        let word = self.value(value);
        self.address_in(word, tag)
    }

    fn element(&mut self, elements: Value, index: Value) -> ClifValue {
        let (elements, index) = self.pair(elements, index);
        let bytes = self.builder.ins().ishl_imm_u(index, 3);
        self.builder.ins().iadd(elements, bytes)
    }

    fn may_be_cell(&self, value: Value) -> bool {
        let plain = Kinds::NUMBER.union(Kinds::NULL).union(Kinds::UNASSIGNED);
        !self.function.ty(value).kinds.is_within(plain)
    }

    /// Goes to `otherwise` if storing the word in `owner` needs the slow half of the write barrier.
    fn refuse_barrier(&mut self, owner: ClifValue, word: ClifValue, otherwise: ir::Block) {
        let first_cell = self.word((Tag::String as u64) << 48);
        let is_cell = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThanOrEqual, word, first_cell);
        let (check, done) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(is_cell, check, &[], done, &[]);
        self.builder.switch_to_block(check);
        let state = self.load_byte(owner, Heap::STATE_OFFSET);
        let vm = self.vm;
        let black = self.load_byte(vm, layout::HEAP_BLACK);
        let is_black = self.builder.ins().icmp(IntCC::Equal, state, black);
        self.builder.ins().brif(is_black, otherwise, &[], done, &[]);
        self.builder.switch_to_block(done);
    }

    fn store_element(&mut self, list: Value, elements: Value, index: Value, value: Value) {
        let address = self.element(elements, index);
        let word = self.value(value);
        if self.function.ty(value).kinds.is_within(Kinds::NUMBER) {
            self.store(word, address, 0);
            return;
        }
        let (store, other) = (self.builder.create_block(), self.builder.create_block());
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        let first = self.word(Word::FIRST_NON_NUMBER);
        let is_number = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, word, first);
        self.builder.ins().brif(is_number, store, &[], other, &[]);
        self.builder.switch_to_block(other);
        let cell = self.cell(list, Tag::List);
        let kind = self.load_byte(cell, ListCell::KIND_OFFSET);
        let is_mixed = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, kind, ElementKind::Mixed as i64);
        self.require(is_mixed, slow);
        let owner = self.load(types::I64, cell, ListCell::ELEMENTS_OFFSET);
        self.refuse_barrier(owner, word, slow);
        self.builder.ins().jump(store, &[]);
        self.builder.switch_to_block(store);
        self.store(word, address, 0);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(slow);
        let (list, index) = self.pair(list, index);
        self.call_store(tier::store_element as *const (), list, index, word);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
    }

    /// Appends in place if there is room and the value is one that the list holds already; else the runtime does it.
    fn push_element(&mut self, list: Value, value: Value, frame: FrameId) {
        let cell = self.cell(list, Tag::List);
        let word = self.value(value);
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        let length = self.load(types::I32, cell, ListCell::LENGTH_OFFSET);
        let capacity = self.load(types::I32, cell, ListCell::CAPACITY_OFFSET);
        let is_full = self.builder.ins().icmp(IntCC::Equal, length, capacity);
        self.refuse(is_full, slow);
        if !self.function.ty(value).kinds.is_within(Kinds::NUMBER) {
            let (store, other) = (self.builder.create_block(), self.builder.create_block());
            let first = self.word(Word::FIRST_NON_NUMBER);
            let is_number = self
                .builder
                .ins()
                .icmp(IntCC::UnsignedLessThan, word, first);
            self.builder.ins().brif(is_number, store, &[], other, &[]);
            self.builder.switch_to_block(other);
            let kind = self.load_byte(cell, ListCell::KIND_OFFSET);
            let is_mixed =
                self.builder
                    .ins()
                    .icmp_imm_u(IntCC::Equal, kind, ElementKind::Mixed as i64);
            self.require(is_mixed, slow);
            let owner = self.load(types::I64, cell, ListCell::ELEMENTS_OFFSET);
            self.refuse_barrier(owner, word, slow);
            self.builder.ins().jump(store, &[]);
            self.builder.switch_to_block(store);
        }
        let elements = self.load(types::I64, cell, ListCell::START_OFFSET);
        let index = self.builder.ins().uextend(types::I64, length);
        let bytes = self.builder.ins().ishl_imm_u(index, 3);
        let address = self.builder.ins().iadd(elements, bytes);
        self.store(word, address, 0);
        let more = self.builder.ins().iadd_imm_s(length, 1);
        self.store(more, cell, ListCell::LENGTH_OFFSET as i32);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(slow);
        let list = self.value(list);
        self.call_runtime(frame, tier::push_element as *const (), &[list, word]);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
    }

    fn pop_element(&mut self, list: Value) -> ClifValue {
        let cell = self.cell(list, Tag::List);
        let done = self.begin_removal(cell);
        let length = self.load(types::I32, cell, ListCell::LENGTH_OFFSET);
        let length = self.builder.ins().iadd_imm_s(length, -1);
        let elements = self.load(types::I64, cell, ListCell::START_OFFSET);
        let index = self.builder.ins().uextend(types::I64, length);
        let bytes = self.builder.ins().ishl_imm_u(index, 3);
        let address = self.builder.ins().iadd(elements, bytes);
        let element = self.load(types::I64, address, 0);
        let null = self.word(Word::NULL.bits());
        self.store(null, address, 0);
        self.store(length, cell, ListCell::LENGTH_OFFSET as i32);
        self.end_removal(element, done)
    }

    fn pull_element(&mut self, list: Value) -> ClifValue {
        let cell = self.cell(list, Tag::List);
        let done = self.begin_removal(cell);
        let elements = self.load(types::I64, cell, ListCell::START_OFFSET);
        let element = self.load(types::I64, elements, 0);
        let null = self.word(Word::NULL.bits());
        self.store(null, elements, 0);
        let next = self.builder.ins().iadd_imm_s(elements, 8);
        self.store(next, cell, ListCell::START_OFFSET as i32);
        for offset in [ListCell::LENGTH_OFFSET, ListCell::CAPACITY_OFFSET] {
            let count = self.load(types::I32, cell, offset);
            let count = self.builder.ins().iadd_imm_s(count, -1);
            self.store(count, cell, offset as i32);
        }
        self.end_removal(element, done)
    }

    /// Goes on here if the list has elements; the block returned is reached with null if it has none.
    fn begin_removal(&mut self, cell: ClifValue) -> ir::Block {
        let (some, done) = (self.builder.create_block(), self.builder.create_block());
        self.builder.append_block_param(done, types::I64);
        let length = self.load(types::I32, cell, ListCell::LENGTH_OFFSET);
        let null = self.word(Word::NULL.bits());
        self.builder
            .ins()
            .brif(length, some, &[], done, &[null.into()]);
        self.builder.switch_to_block(some);
        done
    }

    /// The element that was removed, or null.
    fn end_removal(&mut self, element: ClifValue, done: ir::Block) -> ClifValue {
        self.builder.ins().jump(done, &[element.into()]);
        self.builder.switch_to_block(done);
        self.builder.block_params(done)[0]
    }

    fn call_store(
        &mut self,
        function: *const (),
        object: ClifValue,
        place: ClifValue,
        word: ClifValue,
    ) {
        let vm = self.vm;
        let function = self.word(function as u64);
        self.builder.ins().call_indirect(
            self.signatures.four_to_none,
            function,
            &[vm, object, place, word],
        );
    }

    /// The address of a slot of a map, and the cell it is in.
    fn slot(&mut self, map: ClifValue, slot: SlotIndex) -> (ClifValue, ClifValue) {
        if slot.is_inside {
            let inside = MapCell::SLOTS_OFFSET as i64 + i64::from(slot.number) * 8;
            return (self.builder.ins().iadd_imm_s(map, inside), map);
        }
        let slot = slot.number;
        let inline = self.load_byte(map, offset_of!(Header, small));
        let is_inside =
            self.builder
                .ins()
                .icmp_imm_u(IntCC::UnsignedGreaterThan, inline, i64::from(slot));
        let (outside, found) = (self.builder.create_block(), self.builder.create_block());
        self.builder.append_block_param(found, types::I64);
        self.builder.append_block_param(found, types::I64);
        let inside = MapCell::SLOTS_OFFSET as i64 + i64::from(slot) * 8;
        let address = self.builder.ins().iadd_imm_s(map, inside);
        self.builder.ins().brif(
            is_inside,
            found,
            &[address.into(), map.into()],
            outside,
            &[],
        );
        self.builder.switch_to_block(outside);
        let values = self.load(types::I64, map, MapCell::OVERFLOW_OFFSET);
        let inline = self.builder.ins().uextend(types::I64, inline);
        let slot = self.word(u64::from(slot));
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

    fn add_slot(
        &mut self,
        map: Value,
        slot: SlotIndex,
        value: Value,
        shape: ShapeId,
        frame: FrameId,
    ) {
        let cell = self.cell(map, Tag::Map);
        let word = self.value(value);
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        if !slot.is_inside {
            let inline = self.load_byte(cell, offset_of!(Header, small));
            let fits = self.builder.ins().icmp_imm_u(
                IntCC::UnsignedGreaterThan,
                inline,
                i64::from(slot.number),
            );
            self.require(fits, slow);
        }
        if self.may_be_cell(value) {
            self.refuse_barrier(cell, word, slow);
        }
        let offset = MapCell::SLOTS_OFFSET + slot.number as usize * 8;
        self.store(word, cell, offset as i32);
        let new_shape = self.builder.ins().iconst(types::I32, i64::from(shape.0));
        self.store(new_shape, cell, offset_of!(Header, word) as i32);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(slow);
        let map = self.value(map);
        let place = self.word(u64::from(shape.0) << 32 | u64::from(slot.number));
        self.call_runtime(frame, tier::add_slot as *const (), &[map, place, word]);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
    }

    fn store_slot(&mut self, map: Value, slot: SlotIndex, value: Value) {
        let cell = self.cell(map, Tag::Map);
        let (address, owner) = self.slot(cell, slot);
        let word = self.value(value);
        if !self.may_be_cell(value) {
            self.store(word, address, 0);
            return;
        }
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        self.refuse_barrier(owner, word, slow);
        self.store(word, address, 0);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(slow);
        let map = self.value(map);
        let slot = self.word(u64::from(slot.number));
        self.call_store(tier::store_slot as *const (), map, slot, word);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
    }

    /// The address of a global variable's cell, which moves when a top level that binds it begins or ends.
    pub(super) fn global(&mut self, global: GlobalId) -> ClifValue {
        let place = self.word(self.job.places.globals[global].cell);
        self.load(types::I64, place, 0)
    }
}
