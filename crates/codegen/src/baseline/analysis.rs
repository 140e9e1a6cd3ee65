//! What is known about a code block before it is translated: its basic blocks and which registers hold numbers where.
//!
//! A forward data-flow analysis from the kinds of constants and the results of arithmetic alone: nothing is assumed about what the
//! feedback has seen. It starts out optimistic, so a loop counter stays a number around its loop.

use kiln_bytecode::{
    CodeBlock, Constant, Effects, Instruction, Liveness, Op, Register, RegisterSet, Role,
    register_written,
};
use kiln_vm::tier::Observed;

/// The greatest product of registers and basic blocks at which registers are kept as values from block to block.
const MAX_KEPT: usize = 1 << 17;

/// A set of registers known to hold numbers.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Numbers {
    words: Vec<u64>,
}

impl Numbers {
    pub(super) fn none(registers: usize) -> Numbers {
        Numbers {
            words: vec![0; registers.div_ceil(64)],
        }
    }

    pub(super) fn contains(&self, register: u16) -> bool {
        self.words[usize::from(register / 64)] & 1 << (register % 64) != 0
    }

    pub(super) fn set(&mut self, register: u16, is_number: bool) {
        let (word, bit) = (usize::from(register / 64), 1 << (register % 64));
        if is_number {
            self.words[word] |= bit;
        } else {
            self.words[word] &= !bit;
        }
    }

    fn forget_from(&mut self, first: u16) {
        for register in usize::from(first)..self.words.len() * 64 {
            self.set(register as u16, false);
        }
    }

    /// Keeps what is in both. Says whether anything was taken out.
    fn intersect(&mut self, other: &Numbers) -> bool {
        let mut changed = false;
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            changed |= *word & !other != 0;
            *word &= other;
        }
        changed
    }
}

/// A basic block.
pub(super) struct BasicBlock {
    /// The first instruction.
    pub start: u32,
    /// The registers that hold numbers when it begins. None if it is never reached.
    pub numbers: Option<Numbers>,
    /// Reached only when an operand turns out to be a function.
    pub is_cold: bool,
}

pub(super) struct Analysis<'a> {
    pub block: &'a CodeBlock,
    /// In the order of their positions.
    pub blocks: Vec<BasicBlock>,
    /// The registers of global variables, which other code may read and assign whenever it runs.
    pub bound: RegisterSet,
    /// There are so many registers that none is kept as a value from block to block: the time for that grows with both.
    pub in_memory: bool,
    /// Which registers are better kept as doubles than as words.
    pub floats: Vec<bool>,
    pub liveness: Liveness<'a>,
}

/// The instruction a `wide` prefix belongs to, or the instruction itself; and the number of words the two take.
pub(super) fn full_instruction(block: &CodeBlock, position: u32) -> Option<(Instruction, u32)> {
    let instruction = *block.instructions.get(position as usize)?;
    if instruction.op()? == Op::Wide {
        return Some((*block.instructions.get(position as usize + 1)?, 2));
    }
    Some((instruction, 1))
}

impl<'a> Analysis<'a> {
    /// Analyses a verified code block, given which kinds of operands its instructions have seen. None if it is too large for that.
    pub(super) fn of(block: &'a CodeBlock, observed: &[u8]) -> Option<Analysis<'a>> {
        let registers = block.register_count as usize;
        let mut bound = RegisterSet::with_room_for(block.register_count);
        for global in &block.global_registers {
            bound.insert(global.register);
            bound.insert(global.register.offset(1));
        }
        let mut analysis = Analysis {
            block,
            blocks: find_blocks(block),
            bound,
            in_memory: false,
            floats: prefer_floats(block),
            liveness: Liveness::of(block)?,
        };
        if analysis.blocks.len().saturating_mul(registers) > 1 << 26 {
            return None;
        }
        analysis.in_memory = analysis.blocks.len().saturating_mul(registers) > MAX_KEPT;
        analysis.propagate(registers);
        analysis.find_cold_blocks(observed);
        Some(analysis)
    }

    /// The number of the block that begins at `position`.
    pub(super) fn block_at(&self, position: u32) -> Option<usize> {
        self.blocks
            .binary_search_by_key(&position, |block| block.start)
            .ok()
    }

    /// Where the block with this number ends.
    pub(super) fn end_of(&self, index: usize) -> u32 {
        let next = self.blocks.get(index + 1);
        next.map_or(self.block.instructions.len() as u32, |block| block.start)
    }

    fn propagate(&mut self, registers: usize) {
        let mut queue = vec![0];
        if let Some(entry) = self.blocks.first_mut() {
            entry.numbers = Some(Numbers::none(registers));
        }
        while let Some(index) = queue.pop() {
            let Some(mut numbers) = self.blocks[index].numbers.clone() else {
                continue;
            };
            let end = self.end_of(index);
            let mut position = self.blocks[index].start;
            let mut falls_through = true;
            while position < end
                && let Some((instruction, words)) = full_instruction(self.block, position)
                && let Some(op) = instruction.op()
            {
                let at = position + words - 1;
                if let Some(target) = self.block.invoke_path(at) {
                    self.flow(target, &numbers, &mut queue);
                }
                let before = op.writes_only_if_it_jumps().then(|| numbers.clone());
                self.step(instruction, &mut numbers);
                if let Some(target) = instruction.jump_target(at) {
                    self.flow(target as u32, &numbers, &mut queue);
                }
                if let Some(before) = before {
                    numbers.intersect(&before);
                }
                falls_through = op.falls_through();
                position += words;
            }
            if falls_through {
                self.flow(end, &numbers, &mut queue);
            }
        }
    }

    fn flow(&mut self, target: u32, numbers: &Numbers, queue: &mut Vec<usize>) {
        let Some(index) = self.block_at(target) else {
            return;
        };
        match &mut self.blocks[index].numbers {
            Some(known) => {
                if !known.intersect(numbers) {
                    return;
                }
            }
            unknown => *unknown = Some(numbers.clone()),
        }
        if !queue.contains(&index) {
            queue.push(index);
        }
    }

    /// What an instruction does to the knowledge about registers.
    pub(super) fn step(&self, instruction: Instruction, numbers: &mut Numbers) {
        let Some(op) = instruction.op() else { return };
        let result = self.makes_number(op, instruction, numbers);
        let row = op.info();
        if may_change_others(op) {
            for register in self.bound.iter() {
                numbers.set(register.0, false);
            }
        }
        for operand in row.operands {
            let first = instruction.field(operand.field);
            match operand.role {
                Role::Window if op.overwrites_window() => numbers.forget_from(first),
                Role::InOutPair => {
                    // A loop's index plus one: a number if it was one.
                }
                _ => {}
            }
        }
        if let Some(Register(register)) = register_written(instruction) {
            numbers.set(register, result && !self.is_fallback(register));
        }
    }

    /// Global variables' second registers are of no interest.
    fn is_fallback(&self, register: u16) -> bool {
        register > 0
            && self.bound.contains(Register(register))
            && !self
                .block
                .global_registers
                .iter()
                .any(|global| global.register.0 == register)
    }

    /// Whether the result is a number for sure.
    fn makes_number(&self, op: Op, instruction: Instruction, numbers: &Numbers) -> bool {
        match op {
            Op::LoadConstant => matches!(
                self.block.constants.get(instruction.bc() as usize),
                Some(Constant::Number(_))
            ),
            Op::Move | Op::Invoke | Op::ReadLocal | Op::Negate | Op::Not => {
                numbers.contains(instruction.b())
            }
            Op::AddConstant
            | Op::SubtractConstant
            | Op::MultiplyConstant
            | Op::DivideConstant
            | Op::ModuloConstant
            | Op::PowerConstant => numbers.contains(instruction.b()),
            Op::Add
            | Op::Subtract
            | Op::Multiply
            | Op::Divide
            | Op::Modulo
            | Op::Power
            | Op::And
            | Op::Or
            | Op::Equal
            | Op::NotEqual
            | Op::Less
            | Op::LessEqual
            | Op::Greater
            | Op::GreaterEqual => {
                numbers.contains(instruction.b()) && numbers.contains(instruction.c())
            }
            _ => false,
        }
    }

    /// Finds the blocks that only invoke paths lead to.
    fn find_cold_blocks(&mut self, observed: &[u8]) {
        let mut warm = vec![false; self.blocks.len()];
        let mut queue = vec![0];
        while let Some(index) = queue.pop() {
            if std::mem::replace(&mut warm[index], true) {
                continue;
            }
            let end = self.end_of(index);
            let mut position = self.blocks[index].start;
            let mut falls_through = true;
            while position < end
                && let Some((instruction, words)) = full_instruction(self.block, position)
            {
                let at = position + words - 1;
                let target = instruction.jump_target(at).map(|target| target as u32);
                queue.extend(target.and_then(|target| self.block_at(target)));
                let has_seen_function = observed
                    .get(at as usize)
                    .is_some_and(|kinds| kinds & Observed::FUNCTION != 0);
                if has_seen_function && instruction.op().is_some_and(Op::observes) {
                    let target = self.block.invoke_path(at);
                    queue.extend(target.and_then(|target| self.block_at(target)));
                }
                falls_through = instruction.op().is_some_and(Op::falls_through);
                position += words;
            }
            if falls_through {
                queue.extend(self.block_at(end));
            }
        }
        for (block, warm) in self.blocks.iter_mut().zip(warm) {
            block.is_cold = !warm;
        }
    }
}

/// Whether an instruction may run code that sees and assigns the registers of global variables.
pub(super) fn may_change_others(op: Op) -> bool {
    let effects = op.info().effects;
    // Loops poll: the host may look at the variables meanwhile.
    effects.contains(Effects::calls) || effects.contains(Effects::writes) || op.polls()
}

fn find_blocks(block: &CodeBlock) -> Vec<BasicBlock> {
    let mut starts = vec![0];
    starts.extend(block.invoke_paths.iter().map(|path| path.to));
    starts.extend(block.loops.iter().map(|info| info.header));
    for (instruction, position) in block.instructions.iter().zip(0u32..) {
        let Some(op) = instruction.op() else { continue };
        if let Some(target) = instruction.jump_target(position) {
            starts.push(target as u32);
            starts.push(position + 1);
        }
        if !op.falls_through() {
            starts.push(position + 1);
        }
    }
    starts.sort_unstable();
    starts.dedup();
    starts.retain(|start| (*start as usize) < block.instructions.len());
    let blocks = starts.into_iter().map(|start| BasicBlock {
        start,
        numbers: None,
        is_cold: false,
    });
    blocks.collect()
}

/// Counts uses: registers that arithmetic writes and reads are doubles.
fn prefer_floats(block: &CodeBlock) -> Vec<bool> {
    let mut votes = vec![0i32; block.register_count as usize];
    for instruction in &block.instructions {
        let Some(op) = instruction.op() else { continue };
        let is_arithmetic = matches!(
            op,
            Op::Add
                | Op::Subtract
                | Op::Multiply
                | Op::Divide
                | Op::Modulo
                | Op::Power
                | Op::AddConstant
                | Op::SubtractConstant
                | Op::MultiplyConstant
                | Op::DivideConstant
                | Op::ModuloConstant
                | Op::PowerConstant
                | Op::Negate
        );
        let is_comparison = op.info().name.starts_with("jump_if_") && op.info().operands.len() == 3
            || op.info().name.starts_with("loop_if_");
        for operand in op.info().operands {
            let register = usize::from(instruction.field(operand.field));
            let weight = match operand.role {
                Role::Out | Role::In if is_arithmetic || is_comparison => 2,
                Role::In if op == Op::GetIndex && operand.field == 2 => 1,
                Role::In if op == Op::SetIndex && operand.field == 1 => 1,
                Role::In if matches!(op, Op::Move | Op::SetIndex | Op::Return) => 0,
                Role::Out if matches!(op, Op::LoadConstant | Op::Move) => 0,
                Role::In | Role::Out => -1,
                Role::InPair | Role::InOutPair | Role::Window => {
                    if let Some(votes) = votes.get_mut(register) {
                        *votes -= 3;
                    }
                    continue;
                }
                _ => continue,
            };
            if let Some(votes) = votes.get_mut(register) {
                *votes += weight;
            }
            if matches!(op, Op::ForLoop) && operand.role == Role::Out {
                votes[register] += 1;
            }
        }
        if op == Op::ForLoop {
            // The index.
            if let Some(votes) = votes.get_mut(usize::from(instruction.b()) + 1) {
                *votes += 8;
            }
        }
    }
    votes.into_iter().map(|votes| votes > 0).collect()
}
