//! New objects: cut from the run of free memory of their size, or made by the runtime.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, Value as ClifValue, types};
use kiln_ssa::ir::{FrameId, Node};
use kiln_vm::Value as Word;
use kiln_vm::heap::{Heap, Kind};
use kiln_vm::object::function::FunctionCell;
use kiln_vm::object::list::ListCell;
use kiln_vm::object::map::MapCell;
use kiln_vm::object::values::{ElementKind, ValuesCell};
use kiln_vm::tier::{self, layout};
use kiln_vm::value::Tag;

use super::lower::Lowering;
use crate::emit::{Emit, TAG_SHIFT};

/// What the runtime is told of an object that it is to make.
#[derive(Clone, Copy)]
enum Argument {
    Number(u64),
    Value(ClifValue),
}

/// The first word of a new cell.
fn header(kind: Kind, small: u8, word: u32) -> u64 {
    kind as u64 | u64::from(small) << 24 | u64::from(word) << 32
}

impl Lowering<'_, '_> {
    /// Lowers an instruction of this family: its result; none if it is of another.
    pub(super) fn lower_allocation(&mut self, node: &Node) -> Option<ClifValue> {
        Some(match *node {
            Node::NewList { capacity, frame } => self.new_list(capacity as usize, frame),
            Node::NewMap { shape, room, frame } => {
                self.new_map(shape.0, room as usize, None, frame)
            }
            Node::NewInstance {
                prototype,
                shape,
                room,
                frame,
            } => {
                let prototype = self.value(prototype);
                self.new_map(shape.0, room as usize, Some(prototype), frame)
            }
            Node::NewClosure {
                code,
                variables,
                receiver,
                frame,
            } => {
                let (variables, receiver) = self.pair(variables, receiver);
                let code = self.word(self.job.places.codes[code].address);
                let (slow, done) = self.begin_allocation();
                let bytes = size_of::<FunctionCell>();
                let header = header(Kind::Function, FunctionCell::PLAIN, 0);
                let cell = self.cell_of(bytes, header, slow);
                self.store(code, cell, FunctionCell::CODE_OFFSET as i32);
                self.store(variables, cell, FunctionCell::OUTER_OFFSET as i32);
                self.store(receiver, cell, FunctionCell::OUTER_SELF_OFFSET as i32);
                let arguments = [code, variables, receiver].map(Argument::Value);
                let function = tier::new_closure as *const ();
                self.end_allocation(cell, Tag::Function, slow, done, frame, function, &arguments)
            }
            _ => return None,
        })
    }

    fn begin_allocation(&mut self) -> (ir::Block, ir::Block) {
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        self.builder.append_block_param(done, types::I64);
        (slow, done)
    }

    /// Ends an allocation: the word of the new cell, or, if there was no memory at hand, of what the runtime has made.
    #[expect(clippy::too_many_arguments, reason = "two ways to say")]
    fn end_allocation(
        &mut self,
        cell: ClifValue,
        tag: Tag,
        slow: ir::Block,
        done: ir::Block,
        frame: FrameId,
        function: *const (),
        arguments: &[Argument],
    ) -> ClifValue {
        let tag = self.word((tag as u64) << TAG_SHIFT);
        let word = self.builder.ins().bor(cell, tag);
        self.builder.ins().jump(done, &[word.into()]);
        self.builder.switch_to_block(slow);
        let words: Vec<ClifValue> = arguments
            .iter()
            .map(|argument| match *argument {
                Argument::Number(number) => self.word(number),
                Argument::Value(value) => value,
            })
            .collect();
        let word = self.call_runtime(frame, function, &words);
        self.builder.ins().jump(done, &[word.into()]);
        self.builder.switch_to_block(done);
        self.builder.block_params(done)[0]
    }

    /// A new cell with this header, the rest of which is undefined; goes to `slow` if the runtime has to make it.
    fn cell_of(&mut self, bytes: usize, header: u64, slow: ir::Block) -> ClifValue {
        let Some(place) = Heap::inline_allocation(bytes) else {
            let next = self.builder.create_block();
            self.builder.ins().jump(slow, &[]);
            self.builder.switch_to_block(next);
            return self.word(0);
        };
        let vm = self.vm;
        let cell = self.load(types::I64, vm, layout::HEAP + place.cursor);
        let end = self.builder.ins().iadd_imm_s(cell, place.bytes as i64);
        let limit = self.load(types::I64, vm, layout::HEAP + place.limit);
        let is_beyond = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThan, end, limit);
        self.refuse(is_beyond, slow);
        self.store(end, vm, (layout::HEAP + place.cursor) as i32);
        let header = self.word(header);
        self.store(header, cell, 0);
        cell
    }

    fn new_map(
        &mut self,
        shape: u32,
        room: usize,
        first: Option<ClifValue>,
        frame: FrameId,
    ) -> ClifValue {
        let (slow, done) = self.begin_allocation();
        let header = header(Kind::Map, room as u8, shape);
        let cell = self.cell_of(MapCell::size(room), header, slow);
        let none = self.word(0);
        self.store(none, cell, MapCell::OVERFLOW_OFFSET as i32);
        let null = self.word(Word::NULL.bits());
        for slot in 0..room {
            let value = match (slot, first) {
                (0, Some(first)) => first,
                _ => null,
            };
            self.store(value, cell, (MapCell::SLOTS_OFFSET + slot * 8) as i32);
        }
        let first = match first {
            Some(first) => Argument::Value(first),
            None => Argument::Number(Word::UNASSIGNED.bits()),
        };
        let function = tier::new_map as *const ();
        let numbers = [u64::from(shape), room as u64].map(Argument::Number);
        let arguments = [numbers[0], numbers[1], first];
        self.end_allocation(cell, Tag::Map, slow, done, frame, function, &arguments)
    }

    fn new_list(&mut self, capacity: usize, frame: FrameId) -> ClifValue {
        let (slow, done) = self.begin_allocation();
        let numbers = ElementKind::Numbers as u8;
        let (elements, start) = match capacity {
            0 => (self.word(0), self.word(0)),
            _ => {
                // If there is no memory for the list behind it, this one is garbage.
                let header = header(Kind::Values, numbers, capacity as u32);
                let elements = self.cell_of(ValuesCell::size(capacity), header, slow);
                let offset = ValuesCell::VALUES_OFFSET as i64;
                (elements, self.builder.ins().iadd_imm_s(elements, offset))
            }
        };
        let header = header(Kind::List, numbers, 0);
        let cell = self.cell_of(size_of::<ListCell>(), header, slow);
        self.store(elements, cell, ListCell::ELEMENTS_OFFSET as i32);
        self.store(start, cell, ListCell::START_OFFSET as i32);
        let zero = self.builder.ins().iconst(types::I32, 0);
        self.store(zero, cell, ListCell::LENGTH_OFFSET as i32);
        let room = self.builder.ins().iconst(types::I32, capacity as i64);
        self.store(room, cell, ListCell::CAPACITY_OFFSET as i32);
        let room = Argument::Number(capacity as u64);
        let function = tier::new_list as *const ();
        self.end_allocation(cell, Tag::List, slow, done, frame, function, &[room])
    }
}
