//! Which registers hold a value that will still be read.
//!
//! An exit from compiled code has to restore the live registers and no others. The analysis is the
//! textbook one, backwards over the instructions until nothing changes (Aho, Lam, Sethi, Ullman:
//! *Compilers*, section 9.2.5). Sets are kept only for positions that jumps name; all others follow from
//! the nearest such position behind them.

use crate::code_block::CodeBlock;
use crate::dataflow::{for_each_register_read, overwritten_window, register_written};
use crate::instruction::{Instruction, Register};

/// Analyses that would need more than these 64-bit words of sets are declined: 256 MiB.
const MAX_WORDS: usize = 1 << 25;

/// A bound on the words visited, some seconds of work. Reached only by control flow that no front end
/// produces.
const MAX_STEPS: u64 = 1 << 32;

/// A set of registers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegisterSet {
    words: Vec<u64>,
}

impl RegisterSet {
    /// The empty set, with room for registers below `register_count`.
    pub fn with_room_for(register_count: u32) -> RegisterSet {
        RegisterSet {
            words: vec![0; words_for(register_count)],
        }
    }

    /// Whether `register` is in the set.
    pub fn contains(&self, register: Register) -> bool {
        let (word, bit) = place(register);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Adds `register`; those there is no room for are left out.
    pub fn insert(&mut self, register: Register) {
        let (word, bit) = place(register);
        if let Some(word) = self.words.get_mut(word) {
            *word |= bit;
        }
    }

    /// Takes `register` out.
    pub fn remove(&mut self, register: Register) {
        let (word, bit) = place(register);
        if let Some(word) = self.words.get_mut(word) {
            *word &= !bit;
        }
    }

    /// Takes `first` and all registers above it out.
    pub fn remove_from(&mut self, first: Register) {
        let (word, bit) = place(first);
        if let Some((partial, rest)) = self
            .words
            .get_mut(word..)
            .and_then(<[u64]>::split_first_mut)
        {
            *partial &= bit - 1;
            rest.fill(0);
        }
    }

    /// The registers in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = Register> + '_ {
        self.iter_from(Register(0))
    }

    /// The registers from `first` up, in ascending order.
    pub fn iter_from(&self, first: Register) -> impl Iterator<Item = Register> + '_ {
        let (skipped, bit) = place(first);
        let words = self.words.iter().enumerate().skip(skipped);
        words.flat_map(move |(index, &word)| {
            let below = if index == skipped { bit - 1 } else { 0 };
            let mut rest = word & !below;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(Register((index * 64) as u16 + bit as u16))
            })
        })
    }

    fn union_words(&mut self, other: &[u64]) {
        for (word, other) in self.words.iter_mut().zip(other) {
            *word |= other;
        }
    }
}

/// Index and mask of a register's bit.
fn place(register: Register) -> (usize, u64) {
    (usize::from(register.0 / 64), 1 << (register.0 % 64))
}

fn words_for(register_count: u32) -> usize {
    register_count.min(1 << 16).div_ceil(64) as usize
}

/// The live registers of a code block at every position.
#[derive(Clone, Debug)]
pub struct Liveness<'a> {
    block: &'a CodeBlock,
    /// The positions that jumps and invoke paths name, ascending.
    targets: Vec<u32>,
    /// The sets at the targets, one after the other.
    words: Vec<u64>,
    words_per_set: usize,
    /// The registers of global variables, which other code may read at any time: live everywhere.
    bound: RegisterSet,
}

impl<'a> Liveness<'a> {
    /// Analyses `block`; none if it is so large that the result would be impractical.
    ///
    /// Expects a block that the verifier accepts; of any other the result means nothing.
    pub fn of(block: &'a CodeBlock) -> Option<Liveness<'a>> {
        let targets = jump_targets(block);
        let words_per_set = words_for(block.register_count);
        let size = targets.len().checked_mul(words_per_set)?;
        let mut liveness = Liveness {
            block,
            targets,
            words: vec![0; (size <= MAX_WORDS).then_some(size)?],
            words_per_set,
            bound: bound_registers(block),
        };
        let steps_per_sweep = block.instructions.len() as u64 * words_per_set as u64;
        for _ in 0..=MAX_STEPS / steps_per_sweep.max(1) {
            if !liveness.sweep() {
                return Some(liveness);
            }
        }
        None
    }

    /// The registers live before the instruction at `position`: those its execution, from there on, may
    /// read before writing them.
    pub fn at(&self, position: u32) -> RegisterSet {
        let mut live = self.empty_set();
        let behind = self.targets.partition_point(|&target| target <= position);
        let end = match self.targets.get(behind) {
            Some(&target) => {
                live.union_words(self.set_at(target).unwrap_or_default());
                target
            }
            None => self.block.instructions.len() as u32,
        };
        for position in (position..end).rev() {
            self.step(position, &mut live);
        }
        live
    }

    /// Calls `visit` for every instruction, last to first, with the registers live before and after it:
    /// `visit(position, before, after)`. What is live after a jump is live at either successor.
    pub fn for_each_site(&self, mut visit: impl FnMut(u32, &RegisterSet, &RegisterSet)) {
        let mut live = self.empty_set();
        let mut after = self.empty_set();
        for position in (0..self.block.instructions.len() as u32).rev() {
            let instruction = self.block.instructions[position as usize];
            self.clear_unless_falling_through(instruction, &mut live);
            after.clone_from(&live);
            if let Some(set) = self.set_at_jump_target(instruction, position) {
                after.union_words(set);
            }
            self.step(position, &mut live);
            visit(position, &live, &after);
        }
    }

    fn empty_set(&self) -> RegisterSet {
        self.bound.clone()
    }

    /// Goes over all instructions backwards once; says whether any target's set has grown.
    fn sweep(&mut self) -> bool {
        let mut live = self.empty_set();
        let mut changed = false;
        let mut target = self.targets.len();
        for position in (0..self.block.instructions.len() as u32).rev() {
            self.step(position, &mut live);
            if target > 0 && self.targets[target - 1] == position {
                target -= 1;
                let start = target * self.words_per_set;
                let set = &mut self.words[start..start + self.words_per_set];
                if *set != *live.words {
                    set.copy_from_slice(&live.words);
                    changed = true;
                }
            }
        }
        changed
    }

    /// Turns what is live at the next instruction into what is live before the one at `position`.
    fn step(&self, position: u32, live: &mut RegisterSet) {
        let Some(&instruction) = self.block.instructions.get(position as usize) else {
            return;
        };
        let Some(op) = instruction.op() else { return };
        self.clear_unless_falling_through(instruction, live);
        let taken = self.set_at_jump_target(instruction, position);
        let written = register_written(instruction);
        if op.writes_only_if_it_jumps() {
            if let (Some(taken), Some(written)) = (taken, written) {
                let live_anyway = live.contains(written);
                live.union_words(taken);
                if !live_anyway {
                    live.remove(written);
                }
            }
        } else {
            if let Some(taken) = taken {
                live.union_words(taken);
            }
            if let Some(window) = overwritten_window(instruction) {
                live.remove_from(window);
            }
            if let Some(written) = written {
                live.remove(written);
            }
        }
        for_each_register_read(self.block, instruction, |register| live.insert(register));
        // The invoke path starts before the instruction has done anything.
        if let Some(set) = self
            .block
            .invoke_path(position)
            .and_then(|to| self.set_at(to))
        {
            live.union_words(set);
        }
        live.union_words(&self.bound.words);
    }

    fn clear_unless_falling_through(&self, instruction: Instruction, live: &mut RegisterSet) {
        if instruction.op().is_some_and(|op| !op.falls_through()) {
            live.clone_from(&self.bound);
        }
    }

    fn set_at_jump_target(&self, instruction: Instruction, position: u32) -> Option<&[u64]> {
        let target = u32::try_from(instruction.jump_target(position)?).ok()?;
        self.set_at(target)
    }

    fn set_at(&self, target: u32) -> Option<&[u64]> {
        let index = self.targets.binary_search(&target).ok()?;
        let start = index * self.words_per_set;
        self.words.get(start..start + self.words_per_set)
    }
}

/// The positions that jumps and invoke paths name, ascending, each once.
fn jump_targets(block: &CodeBlock) -> Vec<u32> {
    let jumps = block.instructions.iter().zip(0..);
    let mut targets: Vec<u32> = jumps
        .filter_map(|(instruction, position)| instruction.jump_target(position))
        .filter_map(|target| u32::try_from(target).ok())
        .chain(block.invoke_paths.iter().map(|path| path.to))
        .filter(|&target| (target as usize) < block.instructions.len())
        .collect();
    targets.sort_unstable();
    targets.dedup();
    targets
}

/// The registers of a block's global variables.
pub(crate) fn bound_registers(block: &CodeBlock) -> RegisterSet {
    let mut set = RegisterSet::with_room_for(block.register_count);
    for bound in &block.global_registers {
        set.insert(bound.register);
        set.insert(Register(bound.register.0.saturating_add(1)));
    }
    set
}
