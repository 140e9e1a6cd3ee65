//! Bytecode and feedback to SSA form, by abstract interpretation.
//!
//! The builder walks over the bytecode once, with what each register holds as a [`Value`]. Where several ways meet, a block gets a parameter
//! for every live register, tagged; passes remove what is superfluous and unbox the rest. Where feedback is stable, an instruction
//! becomes guards and a typed operation; where it is not, the `runtime` form, which does what the interpreter does. So every
//! instruction can be built. Instructions that have never run become exits.
//!
//! Known callees are built in place, as long as they fit the job's limits.

mod access;
mod allocation;
mod arith;
mod call;
mod cases;
mod compare;
mod control;
mod generic;
mod iter;
mod plan;
mod strings;
mod variables;

use std::collections::HashMap;

use kiln_bytecode::{CodeBlock, Instruction, Liveness, Op, Register, RegisterSet, Role};
use thiserror::Error;

use crate::entity::EntityVec;
use crate::ir::{
    Block, BlockCall, Effects, Entry, ExitReason, FrameId, FrameState, Function, Kinds, Node,
    Number, Representation, ShapeSet, Site, Type, Value, bound_global,
};
use crate::job::{CodeId, CodeInput, CompileJob, ConstantId, ConstantInput, SiteFeedback};
use plan::{Plan, PlannedBlock};

/// Why a job cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BuildError {
    /// The function is too large.
    #[error("the function is too large to be optimized")]
    TooLarge,
    /// The job asks to enter the code where there is no instruction.
    #[error("there is no instruction at @{0}")]
    NoSuchEntry(u32),
    /// The builder has left a block without an end. That is a defect of it; code without that block would do anything.
    #[error("the builder has left {0} without an end")]
    Unfinished(Block),
}

/// More 64-bit words of live sets (one set for each instruction) are too many: 32 MiB.
const MAX_LIVE_WORDS: usize = 1 << 22;

/// Builds the function that a job asks for.
///
/// # Errors
///
/// Declines functions that exceed the limits.
pub fn build(job: &CompileJob) -> Result<Function, BuildError> {
    let block = &job.codes[job.root].block;
    let mut function = Function::new(&block.name);
    function.entry = job.entry;
    let entry = function.add_block();
    let start = match job.entry {
        Entry::Call => 0,
        Entry::Loop(position) => position,
    };
    if start as usize >= block.instructions.len() {
        return Err(BuildError::NoSuchEntry(start));
    }
    let (begin, counter) = match job.entry {
        Entry::Call => (start, None),
        Entry::Loop(header) => entry_of_loop(block, header),
    };
    let frame = Frame::new(job, job.root, begin, job.limits.instructions)?;
    let mut builder = Builder {
        job,
        function,
        block: entry,
        frame,
        callers: Vec::new(),
        inlined_instructions: 0,
        continuation: None,
        shapes: Shapes::new(),
    };
    builder.enter(start);
    if let Entry::Loop(_) = job.entry {
        builder.frame.position = start;
        builder.frame.resume = start;
        let frame = builder.frame_state();
        builder.effect(Node::GuardValid { frame });
    }
    if let Some(counter) = counter {
        builder.enter(begin);
        builder.rewind(start, counter);
    }
    builder.frame_body(begin);
    let mut function = builder.function;
    remove_unreachable(&mut function);
    let mut blocks = function.layout.iter().copied();
    match blocks.find(|&block| function.terminator(block).is_none()) {
        None => Ok(function),
        Some(block) => Err(BuildError::Unfinished(block)),
    }
}

/// Where code begins that is entered at the header of a loop, and the counter to be set back by one for that. A `for` loop is entered at
/// its test, which then finds the same element again: so there is one way into the loop, the one that loops around it take too.
fn entry_of_loop(block: &CodeBlock, header: u32) -> (u32, Option<Register>) {
    let mut loops = block.loops.iter();
    let test = loops
        .find(|info| info.header == header)
        .and_then(|info| info.end.checked_sub(1))
        .and_then(|test| Some((test, *block.instructions.get(test as usize)?)));
    match test {
        Some((test, instruction))
            if instruction.op() == Some(Op::ForLoop)
                && instruction.jump_target(test) == Some(i64::from(header)) =>
        {
            (test, Some(Register(instruction.b().saturating_add(1))))
        }
        _ => (header, None),
    }
}

/// Takes blocks that cannot be reached out of the layout.
fn remove_unreachable(function: &mut Function) {
    let mut is_reached = EntityVec::<Block, bool>::filled(false, function.blocks.len());
    for block in crate::analysis::reverse_postorder(function) {
        is_reached[block] = true;
    }
    function.layout.retain(|&block| is_reached[block]);
}

/// A function being built: the one to compile, or one that is inlined.
struct Frame<'a> {
    code: CodeId,
    input: &'a CodeInput,
    plan: Plan,
    /// The registers live before each instruction.
    live: Vec<RegisterSet>,
    /// What the registers hold; none if that does not matter.
    registers: Vec<Option<Value>>,
    /// Where the window begins, in registers above the outermost one.
    window: u32,
    /// How the caller goes on.
    caller: Option<FrameId>,
    /// The blocks that edges already lead to, by their first position.
    targets: HashMap<u32, Target>,
    /// The blocks in front of loops that edges already lead to, by the position of the loop's header.
    landings: HashMap<u32, Target>,
    /// The instruction being built, and its `wide` prefix or itself: where the interpreter would resume.
    position: u32,
    resume: u32,
}

/// A block that edges lead to.
struct Target {
    block: Block,
    /// What registers hold there.
    registers: Vec<Option<Value>>,
    /// The maps whose shapes are known there.
    shapes: Option<Shapes>,
}

impl<'a> Frame<'a> {
    fn new(
        job: &'a CompileJob,
        code: CodeId,
        start: u32,
        limit: usize,
    ) -> Result<Frame<'a>, BuildError> {
        let input = &job.codes[code];
        let block: &CodeBlock = &input.block;
        let count = block.instructions.len();
        let words = block.register_count.div_ceil(64) as usize;
        if count > limit || count.saturating_mul(words) > MAX_LIVE_WORDS {
            return Err(BuildError::TooLarge);
        }
        let liveness = Liveness::of(block).ok_or(BuildError::TooLarge)?;
        let mut live = vec![RegisterSet::default(); count];
        liveness.for_each_site(|position, before, _| {
            live[position as usize] = before.clone();
        });
        Ok(Frame {
            code,
            input,
            plan: Plan::of(input, start),
            live,
            registers: vec![None; block.register_count as usize],
            window: 0,
            caller: None,
            targets: HashMap::new(),
            landings: HashMap::new(),
            position: start,
            resume: start,
        })
    }

    fn instruction(&self) -> Instruction {
        self.input.instruction(self.position)
    }

    fn feedback(&self) -> &'a SiteFeedback {
        self.input.feedback(self.position)
    }

    /// The index in field `c` with what a `wide` prefix adds.
    fn site(&self) -> Site {
        Site {
            code: self.code,
            position: self.position,
            op: self.instruction().op().unwrap_or(Op::Nop),
        }
    }
}

struct Builder<'a> {
    job: &'a CompileJob,
    function: Function,
    /// The block being filled. Behind a terminator it is a new one that nothing leads to, so that building can go on.
    block: Block,
    frame: Frame<'a>,
    /// The code of the functions that the current one is inlined into, outermost first.
    callers: Vec<CodeId>,
    inlined_instructions: usize,
    /// Where an inlined function's result goes.
    continuation: Option<Continuation>,
    /// The maps whose shapes are known in the current block.
    shapes: Shapes,
}

/// The maps whose shapes are known at some place.
type Shapes = HashMap<Value, ShapeSet>;

/// Where an inlined function returns to.
struct Continuation {
    block: Block,
    /// What is known there, as far as returns have been built.
    shapes: Option<Shapes>,
}

/// Adds a way to a place: what was known there, if anything led there before, must be known on this way too.
fn join_shapes(known: &mut Option<Shapes>, way: &Shapes) {
    match known {
        Some(known) => known.retain(|value, shape| way.get(value) == Some(shape)),
        None => *known = Some(way.clone()),
    }
}

impl<'a> Builder<'a> {
    // ---- frames ----

    /// Fills the entry block of the function to compile with the registers that are live at a position.
    fn enter(&mut self, start: u32) {
        let parameters = self.frame.input.block.parameters.len() as u16;
        let fixed = Register::FIRST_PARAMETER.0;
        let live = self.frame.live[start as usize].clone();
        for register in live.iter() {
            let node = match self.function.entry {
                Entry::Call if register.0 < fixed + parameters => Node::Argument { register },
                Entry::Call => continue,
                Entry::Loop(_) => Node::LoadRegister { register },
            };
            let is_known = self.frame.registers[usize::from(register.0)].is_some();
            if !is_known && self.bound_global(register).is_none() {
                let value = self.value(node);
                if register == Register::CALLEE {
                    self.assume(value, Kinds::FUNCTION);
                }
                self.frame.registers[usize::from(register.0)] = Some(value);
            }
        }
    }

    /// Sets the counter of a `for` loop, entered at `header`, back by one.
    fn rewind(&mut self, header: u32, counter: Register) {
        self.frame.position = header;
        self.frame.resume = header;
        let value = self.read(counter);
        let index = self.index(value);
        let most = self.value(Node::Whole { number: 1 << 31 });
        let frame = self.frame_state();
        let index = self.value(Node::CheckBounds {
            index,
            length: most,
            frame,
        });
        let one = self.value(Node::Whole { number: 1 });
        let before = self.value(Node::SubtractI64 {
            lhs: index,
            rhs: one,
        });
        self.write(counter, before);
    }

    /// Builds all blocks of the current frame, entered at `start` from the current block.
    fn frame_body(&mut self, start: u32) {
        let target = self.target_from(None, start);
        self.end_block(Node::Jump { target });
        // In loops with several entrances a block may be found to be reached only when its turn is over.
        let mut is_complete = false;
        let count = self.frame.plan.blocks.len();
        let (mut landed, mut built) = (vec![false; count], vec![false; count]);
        while !is_complete {
            is_complete = true;
            for index in 0..count {
                let start = self.frame.plan.blocks[index].start;
                let lands = self.frame.landings.contains_key(&start);
                if lands && !std::mem::replace(&mut landed[index], true) {
                    is_complete = false;
                    self.landing(index);
                }
                let is_reached = self.frame.targets.contains_key(&start);
                if is_reached && !std::mem::replace(&mut built[index], true) {
                    is_complete = false;
                    self.reached_block(index);
                }
            }
        }
    }

    /// Builds what lies in front of a block where ways meet.
    fn landing(&mut self, index: usize) {
        let planned = self.frame.plan.blocks[index].clone();
        let (Some(target), Some(landing)) =
            (self.frame.landings.get(&planned.start), &planned.landing)
        else {
            return;
        };
        self.block = target.block;
        self.frame.registers.clone_from(&target.registers);
        self.shapes = Shapes::new();
        self.frame.resume = planned.start;
        if landing.is_loop_header {
            let frame = self.frame_state();
            self.effect(Node::Checkpoint { frame });
        }
        let target = self.merge(&planned, false);
        self.end_block(Node::Jump { target });
    }

    fn reached_block(&mut self, index: usize) {
        let planned = self.frame.plan.blocks[index].clone();
        let Some(target) = self.frame.targets.get(&planned.start) else {
            return;
        };
        self.block = target.block;
        self.frame.registers.clone_from(&target.registers);
        self.shapes = match planned.is_loop_header {
            true => Shapes::new(),
            false => target.shapes.clone().unwrap_or_default(),
        };
        self.planned_block(&planned);
    }

    fn planned_block(&mut self, planned: &PlannedBlock) {
        if planned.is_loop_header {
            self.frame.resume = planned.start;
            let frame = self.frame_state();
            self.effect(Node::Checkpoint { frame });
        }
        let mut prefix = None;
        for position in planned.start..planned.end {
            self.frame.position = position;
            self.frame.resume = prefix.take().unwrap_or(position);
            let Some(op) = self.frame.instruction().op() else {
                continue;
            };
            if *self.frame.feedback() == SiteFeedback::NeverRun {
                return self.exit(ExitReason::NeverRun);
            }
            if op == Op::Wide {
                prefix = Some(position);
                continue;
            }
            self.instruction(op, self.frame.instruction());
            let ends =
                !op.falls_through() || self.frame.instruction().jump_target(position).is_some();
            if ends {
                return;
            }
        }
        let target = self.target(planned.end);
        self.end_block(Node::Jump { target });
    }

    fn instruction(&mut self, op: Op, instruction: Instruction) {
        self.branch_to_invoke_path(instruction);
        let has_failed = matches!(self.frame.feedback(), SiteFeedback::Failed(_));
        let is_built = self.control(op, instruction)
            || self.iter(op, instruction)
            || !has_failed && self.speculate(op, instruction);
        if !is_built {
            self.generic(instruction);
        }
    }

    /// Builds an instruction as feedback says; false if it says too little.
    fn speculate(&mut self, op: Op, instruction: Instruction) -> bool {
        self.arith(op, instruction)
            || self.compare(op, instruction)
            || self.variables(op, instruction)
            || self.access(op, instruction)
            || self.allocation(op, instruction)
            || self.call(op, instruction)
    }

    /// Goes to the instruction's invoke path if an operand is a function, where that has been seen.
    fn branch_to_invoke_path(&mut self, instruction: Instruction) {
        let position = self.frame.position;
        let Some(path) = self.frame.input.taken_invoke_path(position) else {
            return;
        };
        let operands = instruction.op().map_or(&[][..], |op| op.info().operands);
        for operand in operands.iter().filter(|operand| operand.role == Role::In) {
            let register = Register(instruction.field(operand.field));
            let value = self.read(register);
            if !self.kinds(value).meets(Kinds::FUNCTION) {
                continue;
            }
            let tagged = self.tagged(value);
            let condition = self.value(Node::IsKind {
                value: tagged,
                kinds: Kinds::FUNCTION,
            });
            let holds = self.target(path);
            let others = self.function.add_block();
            self.end_block(Node::Branch {
                condition,
                holds,
                fails: BlockCall::to(others),
            });
            self.block = others;
        }
    }

    // ---- blocks ----

    /// The edge from the current instruction to the bytecode block at a position, with what registers hold now.
    fn target(&mut self, start: u32) -> BlockCall {
        self.target_from(Some(self.frame.position), start)
    }

    /// The edge from an instruction, or from the entry, to the bytecode block at a position.
    fn target_from(&mut self, from: Option<u32>, start: u32) -> BlockCall {
        let Some(planned) = self.frame.plan.block(start) else {
            // Behind the last instruction, which verified bytecode does not get to.
            return BlockCall::to(self.unreachable_block());
        };
        if !planned.is_merge {
            let block = self.function.add_block();
            let registers = self.frame.registers.clone();
            let shapes = Some(self.shapes.clone());
            let target = Target {
                block,
                registers,
                shapes,
            };
            self.frame.targets.insert(start, target);
            return BlockCall::to(block);
        }
        let planned = planned.clone();
        let is_inside = |landing: &plan::Landing| {
            from.is_some_and(|at| landing.inside.contains(&self.frame.input.owner(at)))
        };
        let lands = planned
            .landing
            .as_ref()
            .is_some_and(|landing| !is_inside(landing));
        self.merge(&planned, lands)
    }

    /// The edge to a block where ways meet, or to the one in front of it.
    fn merge(&mut self, planned: &PlannedBlock, lands: bool) -> BlockCall {
        let start = planned.start;
        let written = planned.written.as_ref().filter(|_| !lands);
        let changes = |register| written.is_none_or(|set| set.contains(register));
        let mut live = self.live_registers(start);
        live.retain(|&register| changes(register));
        let known = match lands {
            true => self.frame.landings.get(&start),
            false => self.frame.targets.get(&start),
        };
        let block = match known {
            Some(target) => target.block,
            None => {
                let block = self.function.add_block();
                let mut registers = match written {
                    Some(_) => self.frame.registers.clone(),
                    None => vec![None; self.frame.registers.len()],
                };
                for register in &live {
                    let parameter = self.function.add_parameter(block, Type::ANY);
                    registers[usize::from(register.0)] = Some(parameter);
                }
                let target = Target {
                    block,
                    registers,
                    shapes: None,
                };
                match lands {
                    true => self.frame.landings.insert(start, target),
                    false => self.frame.targets.insert(start, target),
                };
                block
            }
        };
        let target = match lands {
            true => self.frame.landings.get_mut(&start),
            false => self.frame.targets.get_mut(&start),
        };
        if let Some(target) = target {
            join_shapes(&mut target.shapes, &self.shapes);
        }
        let arguments = live
            .into_iter()
            .map(|register| {
                let value = self.read(register);
                self.tagged(value)
            })
            .collect();
        BlockCall { block, arguments }
    }

    fn unreachable_block(&mut self) -> Block {
        let block = self.function.add_block();
        self.function.append(block, Node::Unreachable {});
        block
    }

    /// The registers whose values matter at a position, without those that are global variables.
    fn live_registers(&self, position: u32) -> Vec<Register> {
        let live = self.frame.live.get(position as usize);
        let registers = live.into_iter().flat_map(RegisterSet::iter);
        registers
            .filter(|&register| self.bound_global(register).is_none())
            .collect()
    }

    /// Ends the current block; what is built next cannot be reached until another block is begun.
    fn end_block(&mut self, terminator: Node) {
        self.function.append(self.block, terminator);
        self.block = self.function.add_block();
    }

    /// Leaves compiled code in front of the current instruction.
    fn exit(&mut self, reason: ExitReason) {
        let frame = self.frame_state();
        self.end_block(Node::Exit { reason, frame });
    }

    /// Ends the block with a branch to two bytecode positions.
    fn branch(&mut self, condition: Value, holds: u32, fails: u32) {
        let holds = self.target(holds);
        let fails = self.target(fails);
        self.end_block(Node::Branch {
            condition,
            holds,
            fails,
        });
    }

    /// Where the current instruction jumps to.
    fn jump_target(&self) -> u32 {
        let target = self.frame.instruction().jump_target(self.frame.position);
        target.unwrap_or_default() as u32
    }

    fn next_position(&self) -> u32 {
        self.frame.position + 1
    }

    // ---- instructions and values ----

    fn effect(&mut self, node: Node) {
        self.note_effects(&node);
        self.function.append(self.block, node);
    }

    fn value(&mut self, node: Node) -> Value {
        self.note_effects(&node);
        self.function.append_value(self.block, node)
    }

    /// Forgets the shapes that an instruction may change.
    fn note_effects(&mut self, node: &Node) {
        if self.shapes.is_empty() || !node.effects().contains(Effects::writes_shapes) {
            return;
        }
        match node {
            // What has another shape is another map.
            Node::AddSlot { map, .. } => match self.shapes.remove(map) {
                Some(before) => self.shapes.retain(|_, shapes| !shapes.meets(&before)),
                None => self.shapes.clear(),
            },
            _ => self.shapes.clear(),
        }
    }

    fn kinds(&self, value: Value) -> Kinds {
        self.function.ty(value).kinds
    }

    /// Notes that a value can only be of these kinds.
    fn assume(&mut self, value: Value, kinds: Kinds) {
        let ty = self.function.ty(value).narrowed(kinds);
        self.function.values[value].ty = ty;
    }

    fn number_constant(&mut self, number: f64) -> Value {
        let value = self.value(Node::Number {
            number: Number(number),
        });
        self.assume(value, Kinds::of_number(number));
        value
    }

    fn constant(&mut self, constant: ConstantId) -> Value {
        let kinds = self.job.constants[constant].kinds;
        let value = self.value(Node::Constant { constant });
        self.assume(value, kinds);
        value
    }

    /// What is known about a value that is a constant of the job.
    fn known_constant(&self, value: Value) -> Option<(ConstantId, ConstantInput)> {
        match self.function.defining_node(value)? {
            Node::Constant { constant } => Some((*constant, self.job.constants[*constant])),
            _ => None,
        }
    }

    /// The global variable that a register is.
    fn bound_global(&self, register: Register) -> Option<u32> {
        bound_global(&self.frame.input.block, register)
    }

    /// What a register holds.
    fn read(&mut self, register: Register) -> Value {
        if let Some(global) = self.bound_global(register) {
            let global = self.frame.input.globals[global as usize];
            return self.value(Node::LoadGlobal { global });
        }
        match self.frame.registers.get(usize::from(register.0)) {
            Some(&Some(value)) => value,
            // Live only on ways that are not taken with it.
            _ => self.value(Node::Unassigned {}),
        }
    }

    fn write(&mut self, register: Register, value: Value) {
        if let Some(global) = self.bound_global(register) {
            let global = self.frame.input.globals[global as usize];
            let value = self.tagged(value);
            self.effect(Node::StoreGlobal { global, value });
        } else if let Some(place) = self.frame.registers.get_mut(usize::from(register.0)) {
            *place = Some(value);
        }
    }

    /// From now on registers that hold `value` are known to hold `better`, which is the same.
    fn refine(&mut self, value: Value, better: Value) {
        for register in &mut self.frame.registers {
            if *register == Some(value) {
                *register = Some(better);
            }
        }
    }

    /// The value as a tagged word.
    fn tagged(&mut self, value: Value) -> Value {
        let ty = self.function.ty(value);
        let number = match ty.representation {
            Representation::Tagged | Representation::Pointer => return value,
            Representation::F64 => value,
            Representation::I64 => self.value(Node::I64ToF64 { value }),
            Representation::I32 => self.value(Node::I32ToF64 { value }),
            Representation::Bool => self.value(Node::TruthToF64 { value }),
        };
        self.assume(number, ty.kinds);
        let boxed = self.value(Node::BoxF64 { value: number });
        self.assume(boxed, ty.kinds);
        boxed
    }

    /// The value as a double; what may be no number is guarded.
    fn number(&mut self, value: Value) -> Value {
        let ty = self.function.ty(value);
        let number = match ty.representation {
            Representation::F64 | Representation::Pointer => return value,
            Representation::I64 => self.value(Node::I64ToF64 { value }),
            Representation::I32 => self.value(Node::I32ToF64 { value }),
            Representation::Bool => self.value(Node::TruthToF64 { value }),
            Representation::Tagged if ty.kinds.is_within(Kinds::NUMBER) => {
                self.value(Node::UnboxF64 { value })
            }
            Representation::Tagged => {
                let frame = self.frame_state();
                let number = self.value(Node::GuardNumber { value, frame });
                self.assume(number, ty.kinds);
                self.refine(value, number);
                return number;
            }
        };
        self.assume(number, ty.kinds);
        number
    }

    /// The value, known to be of these kinds: guarded unless it is.
    fn of_kind(&mut self, value: Value, kinds: Kinds) -> Value {
        let known = self.kinds(value);
        if known.is_within(kinds) {
            return value;
        }
        let frame = self.frame_state();
        let tagged = self.tagged(value);
        let guarded = self.value(Node::GuardKind {
            value: tagged,
            kinds,
            frame,
        });
        self.assume(guarded, known.intersection(kinds));
        self.refine(value, guarded);
        guarded
    }

    /// Whether both operands are numbers as far as types and feedback say.
    fn are_numbers(&self, lhs: Value, rhs: Value) -> bool {
        let has_path = self
            .frame
            .input
            .taken_invoke_path(self.frame.position)
            .is_some();
        let (lhs, rhs) = (self.kinds(lhs), self.kinds(rhs));
        let known = lhs.union(rhs).is_within(Kinds::NUMBER);
        let possible = lhs.meets(Kinds::NUMBER) && rhs.meets(Kinds::NUMBER);
        let seen = match self.frame.feedback() {
            // Functions have gone the invoke path.
            SiteFeedback::Operands(kinds) if has_path => {
                kinds.without(Kinds::FUNCTION) == Kinds::NUMBER
            }
            SiteFeedback::Operands(kinds) => kinds.is_within(Kinds::NUMBER),
            _ => false,
        };
        known || (possible && seen)
    }

    // ---- frame states ----

    /// How to go on in the interpreter in front of the current instruction.
    fn frame_state(&mut self) -> FrameId {
        self.frame_state_at(self.frame.resume, self.frame.resume, None)
    }

    /// A frame state at `position` with the registers that are live at `live_at` but `without`.
    fn frame_state_at(
        &mut self,
        position: u32,
        live_at: u32,
        without: Option<Register>,
    ) -> FrameId {
        let mut registers = Vec::new();
        for register in self.live_registers(live_at) {
            if Some(register) != without {
                registers.push((register, self.read(register)));
            }
        }
        let frame = FrameState {
            code: self.frame.code,
            window: self.frame.window,
            position,
            registers,
            globals: Vec::new(),
            caller: self.frame.caller,
            origin: None,
        };
        self.function.add_frame(frame)
    }

    /// Leaves compiled code behind the current instruction if it has broken an assumption.
    fn check_validity(&mut self) {
        let next = self.next_position();
        if (next as usize) < self.frame.live.len() {
            let frame = self.frame_state_at(next, next, None);
            self.effect(Node::GuardValid { frame });
        }
    }
}

/// The register in the field of the first operand with this role.
fn operand(instruction: Instruction, role: Role) -> Option<Register> {
    let mut operands = instruction.op()?.info().operands.iter();
    let operand = operands.find(|operand| operand.role == role)?;
    Some(Register(instruction.field(operand.field)))
}
