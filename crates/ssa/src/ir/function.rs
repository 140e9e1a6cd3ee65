//! A function in SSA form and the operations that passes change it with.

use super::{Block, BlockCall, FrameId, FrameState, Inst, Kinds, Node, Type, Value};
use crate::entity::EntityVec;
use crate::ir::SlotIndex;
use crate::job::{ConstantId, GlobalId};
use crate::summary::Inlining;

/// A basic block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BlockData {
    /// The parameters.
    pub parameters: Vec<Value>,
    /// The instructions; the last one, and no other, is a terminator.
    pub instructions: Vec<Inst>,
    /// The block is hardly ever run: its code belongs out of the way.
    pub is_cold: bool,
}

/// An instruction with its result.
#[derive(Clone, Debug, PartialEq)]
pub struct InstData {
    /// What it does.
    pub node: Node,
    /// The value it defines.
    pub result: Option<Value>,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Definition {
    /// It is the result of an instruction.
    Result(Inst),
    /// It is a parameter of a block.
    Parameter(Block),
}

/// A value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueData {
    /// What is known about it.
    pub ty: Type,
    /// Where it comes from.
    pub definition: Definition,
}

/// An assumption that holds as long as nothing breaks it; breaking it makes the code invalid. Checked again when the code is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dependency {
    /// No prototype gains or loses a key, none is replaced.
    Prototypes,
    /// A slot of this map keeps its value.
    ConstantSlot(ConstantId, SlotIndex),
    /// A global variable keeps its value, or stays without one.
    ConstantGlobal(GlobalId),
    /// A global variable keeps a value, whatever it is.
    AssignedGlobal(GlobalId),
}

/// Where the code is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// At the beginning, with arguments.
    Call,
    /// At the loop header at this bytecode position, with the registers in the window.
    Loop(u32),
}

/// A function in SSA form.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// The name for listings.
    pub name: String,
    /// Where it is entered.
    pub entry: Entry,
    /// The blocks in use, in the order of code; the first is the entry.
    pub layout: Vec<Block>,
    /// All blocks.
    pub blocks: EntityVec<Block, BlockData>,
    /// All instructions, also those no block contains any more.
    pub instructions: EntityVec<Inst, InstData>,
    /// All values.
    pub values: EntityVec<Value, ValueData>,
    /// All frame states.
    pub frames: EntityVec<FrameId, FrameState>,
    /// What the code relies on, sorted.
    pub dependencies: Vec<Dependency>,
    /// What was built in place. No instruction depends on it.
    pub inlined: Vec<Inlining>,
}

impl Function {
    /// A function without blocks.
    pub fn new(name: &str) -> Function {
        Function {
            name: name.to_owned(),
            entry: Entry::Call,
            layout: Vec::new(),
            blocks: EntityVec::default(),
            instructions: EntityVec::default(),
            values: EntityVec::default(),
            frames: EntityVec::default(),
            dependencies: Vec::new(),
            inlined: Vec::new(),
        }
    }

    /// A new, empty block at the end of the layout.
    pub fn add_block(&mut self) -> Block {
        let block = self.blocks.push(BlockData::default());
        self.layout.push(block);
        block
    }

    /// The entry block.
    ///
    /// # Panics
    /// If there are no blocks.
    pub fn entry_block(&self) -> Block {
        self.layout[0]
    }

    /// A new parameter of `block`.
    pub fn add_parameter(&mut self, block: Block, ty: Type) -> Value {
        let definition = Definition::Parameter(block);
        let value = self.values.push(ValueData { ty, definition });
        self.blocks[block].parameters.push(value);
        value
    }

    /// A new instruction that stands in no block yet, with a result of the table's type if it has one.
    pub fn create(&mut self, node: Node) -> Inst {
        let ty = node.info().result;
        let inst = self.instructions.push(InstData { node, result: None });
        if let Some(ty) = ty {
            let definition = Definition::Result(inst);
            self.instructions[inst].result = Some(self.values.push(ValueData { ty, definition }));
        }
        inst
    }

    /// Adds an instruction at the end of `block`.
    pub fn append(&mut self, block: Block, node: Node) -> Inst {
        let inst = self.create(node);
        self.blocks[block].instructions.push(inst);
        inst
    }

    /// Adds an instruction that has a result at the end of `block`; the result.
    ///
    /// # Panics
    /// If the table says that the instruction has no result.
    pub fn append_value(&mut self, block: Block, node: Node) -> Value {
        let inst = self.append(block, node);
        match self.instructions[inst].result {
            Some(result) => result,
            None => panic!("{:?} has no result", self.instructions[inst].node),
        }
    }

    /// Adds an instruction in front of the terminator of `block`.
    pub fn insert_at_end(&mut self, block: Block, node: Node) -> Inst {
        let inst = self.create(node);
        let instructions = &mut self.blocks[block].instructions;
        let at = instructions.len().saturating_sub(1);
        instructions.insert(at, inst);
        inst
    }

    /// Adds an instruction at the beginning of `block`.
    pub fn insert_at_start(&mut self, block: Block, node: Node) -> Inst {
        let inst = self.create(node);
        self.blocks[block].instructions.insert(0, inst);
        inst
    }

    /// Notes that a value can only be of these kinds.
    pub fn narrow(&mut self, value: Value, kinds: Kinds) {
        let ty = &mut self.values[value].ty;
        *ty = ty.narrowed(kinds);
    }

    /// The instruction.
    pub fn node(&self, inst: Inst) -> &Node {
        &self.instructions[inst].node
    }

    /// The result of an instruction that has one.
    pub fn result(&self, inst: Inst) -> Option<Value> {
        self.instructions[inst].result
    }

    /// The type of a value.
    pub fn ty(&self, value: Value) -> Type {
        self.values[value].ty
    }

    /// The instruction that defines a value; none for parameters.
    pub fn defining_node(&self, value: Value) -> Option<&Node> {
        match self.values[value].definition {
            Definition::Result(inst) => Some(self.node(inst)),
            Definition::Parameter(_) => None,
        }
    }

    /// The terminator of a block; none if it is not finished.
    pub fn terminator(&self, block: Block) -> Option<Inst> {
        let last = *self.blocks[block].instructions.last()?;
        self.node(last).is_terminator().then_some(last)
    }

    /// The successors of a block, one for each edge.
    pub fn successors(&self, block: Block) -> Vec<Block> {
        let mut successors = Vec::new();
        if let Some(terminator) = self.terminator(block) {
            let push = |target: &BlockCall| successors.push(target.block);
            self.node(terminator).for_each_target(push);
        }
        successors
    }

    /// The predecessors of each block, one for each edge.
    pub fn predecessors(&self) -> EntityVec<Block, Vec<Block>> {
        let mut predecessors = EntityVec::filled(Vec::new(), self.blocks.len());
        for &block in &self.layout {
            for successor in self.successors(block) {
                predecessors[successor].push(block);
            }
        }
        predecessors
    }

    /// Splits the edges from `from` to `to` with one new block, whose parameters are passed on.
    pub fn split_edge(&mut self, from: Block, to: Block) -> Block {
        let middle = self.add_block();
        let types: Vec<Type> = self.blocks[to]
            .parameters
            .iter()
            .map(|&parameter| self.ty(parameter))
            .collect();
        let arguments = types
            .into_iter()
            .map(|ty| self.add_parameter(middle, ty))
            .collect();
        let target = BlockCall {
            block: to,
            arguments,
        };
        self.append(middle, Node::Jump { target });
        self.redirect(from, to, middle);
        middle
    }

    /// Makes the edges from `from` to `to` lead to `target` instead.
    pub fn redirect(&mut self, from: Block, to: Block, target: Block) {
        if let Some(terminator) = self.terminator(from) {
            self.instructions[terminator]
                .node
                .for_each_target_mut(|call| {
                    if call.block == to {
                        call.block = target;
                    }
                });
        }
    }

    /// Replaces values everywhere, frame states included. `replacement` gives each value the one to use instead; chains are followed.
    pub fn replace_values(&mut self, replacement: &EntityVec<Value, Option<Value>>) {
        self.replace_operands(replacement);
        for frame in self.frames.values_mut() {
            frame
                .values_mut()
                .for_each(|value| *value = resolve(replacement, *value));
        }
    }

    /// Replaces values where they are operands of instructions, but not in frame states.
    pub fn replace_operands(&mut self, replacement: &EntityVec<Value, Option<Value>>) {
        for block in &self.layout {
            for &inst in &self.blocks[*block].instructions {
                let node = &mut self.instructions[inst].node;
                node.for_each_operand_mut(|value| *value = resolve(replacement, *value));
            }
        }
    }

    /// Adds a frame state, or finds the same one among the latest.
    pub fn add_frame(&mut self, frame: FrameState) -> FrameId {
        const LATEST: usize = 4;
        let latest = self.frames.iter().rev().take(LATEST);
        if let Some((id, _)) = latest.into_iter().find(|(_, known)| **known == frame) {
            return id;
        }
        self.frames.push(frame)
    }

    /// The same frame state (and its callers') with values exchanged.
    pub fn map_frame(&mut self, frame: FrameId, map: &impl Fn(Value) -> Value) -> FrameId {
        let mut copy = self.frames[frame].clone();
        copy.values_mut().for_each(|value| *value = map(*value));
        copy.caller = copy.caller.map(|caller| self.map_frame(caller, map));
        self.add_frame(copy)
    }

    /// The frame state for a guard that moves from where it has the frame state `from` to where `to` is right.
    pub fn moved_frame(&mut self, from: FrameId, to: FrameId) -> FrameId {
        let origin = self.frames[from].origin();
        if self.frames[to].origin() == origin {
            return to;
        }
        let mut copy = self.frames[to].clone();
        copy.origin = Some(origin);
        self.add_frame(copy)
    }

    /// Calls `visit` with all values of a frame state and its callers'.
    pub fn for_each_frame_value(&self, frame: FrameId, mut visit: impl FnMut(Value)) {
        let mut next = Some(frame);
        while let Some(frame) = next {
            let frame = &self.frames[frame];
            frame.values().for_each(&mut visit);
            next = frame.caller;
        }
    }

    /// Notes an assumption.
    pub fn depend_on(&mut self, dependency: Dependency) {
        if let Err(at) = self.dependencies.binary_search(&dependency) {
            self.dependencies.insert(at, dependency);
        }
    }
}

/// Follows replacements from a value to the one to use.
pub fn resolve(replacement: &EntityVec<Value, Option<Value>>, mut value: Value) -> Value {
    while let Some(&Some(next)) = replacement.get(value) {
        value = next;
    }
    value
}
