//! The basic blocks of a code block's bytecode, as far as control can get there.

use std::collections::HashMap;
use std::ops::Range;

use kiln_bytecode::{Register, RegisterSet, Role, overwritten_window, register_written};

use crate::job::{CodeInput, SiteFeedback};

/// A basic block of bytecode.
#[derive(Clone, Debug)]
pub(super) struct PlannedBlock {
    /// The first instruction.
    pub start: u32,
    /// The position behind the last instruction.
    pub end: u32,
    /// Several ways lead here, so what registers hold has to be joined.
    pub is_merge: bool,
    /// A backward jump leads here.
    pub is_loop_header: bool,
    /// The registers that the passes of this loop may write, if it is a natural one: all others hold the same in every pass.
    pub written: Option<RegisterSet>,
    /// For the header of a loop into which several ways lead: the instructions of the loop. The ways from elsewhere meet in a block of
    /// their own in front of the header. One of them may come from around the loop, as in code entered in mid-loop: without
    /// that block, both loops would be one with one header.
    pub landing: Option<Landing>,
}

/// See [`PlannedBlock::landing`].
#[derive(Clone, Debug)]
pub(super) struct Landing {
    /// The instructions of the loop.
    pub inside: Range<u32>,
    /// Whether a loop around this one leads back here.
    pub is_loop_header: bool,
}

/// The blocks that can be reached, each before its successors but for backward jumps.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub blocks: Vec<PlannedBlock>,
    /// The index of the block that starts at a position.
    pub index: HashMap<u32, usize>,
}

impl Plan {
    /// Divides the bytecode reached from `start`. Invoke paths that have not been taken are reached by nothing; instructions that have never
    /// run lead nowhere.
    pub fn of(input: &CodeInput, start: u32) -> Plan {
        let code = Flow { input };
        let leaders = code.leaders(start);
        let successors = |start: u32| code.successors(start, code.end(start, &leaders));

        let mut order = Vec::new();
        let mut seen = HashMap::from([(start, ())]);
        let mut stack = vec![(start, successors(start))];
        while let Some((block, pending)) = stack.last_mut() {
            match pending.pop() {
                Some(next) => {
                    if seen.insert(next, ()).is_none() {
                        stack.push((next, successors(next)));
                    }
                }
                None => {
                    order.push(*block);
                    stack.pop();
                }
            }
        }
        order.reverse();

        let index: HashMap<u32, usize> = order.iter().copied().zip(0..).collect();
        let mut predecessors = vec![Vec::new(); order.len()];
        for (from, &block) in order.iter().enumerate() {
            for next in successors(block) {
                predecessors[index[&next]].push(from);
            }
        }
        let blocks = order.iter().enumerate().map(|(at, &start)| {
            let latches = predecessors[at].iter().copied().filter(|&from| from >= at);
            let latches: Vec<usize> = latches.collect();
            let is_loop_header = !latches.is_empty();
            // In code entered in mid-loop, a test may be where only ways around its loop lead back to.
            let inside = code.loop_at(start).filter(|inside| {
                latches
                    .iter()
                    .any(|&from| inside.contains(&input.owner(order[from])))
            });
            let is_inside = |from: usize| {
                let range = inside.as_ref();
                range.is_none_or(|range| range.contains(&input.owner(order[from])))
            };
            let (latches, around): (Vec<usize>, Vec<usize>) =
                latches.into_iter().partition(|&from| is_inside(from));
            let entered = predecessors[at].len() - latches.len() + usize::from(at == 0);
            let body = loop_body(at, latches, &predecessors);
            // Code entered in mid-loop can have loops with two entrances; then the walk back gets to the function's.
            let is_natural = body
                .iter()
                .all(|&block| block >= at && (block == at || is_inside(block)));
            let landing = match &inside {
                Some(inside) if is_natural && entered > 1 => Some(Landing {
                    inside: inside.clone(),
                    is_loop_header: !around.is_empty(),
                }),
                _ => None,
            };
            let has_one_entrance = entered == 1 || landing.is_some();
            let written = (is_loop_header && has_one_entrance && is_natural).then(|| {
                let ranges = body.into_iter().map(|block| {
                    let start = order[block];
                    start..code.end(start, &leaders)
                });
                code.registers_written(ranges.flatten())
            });
            PlannedBlock {
                start,
                end: code.end(start, &leaders),
                is_merge: is_loop_header || entered > 1,
                is_loop_header,
                written,
                landing,
            }
        });
        Plan {
            blocks: blocks.collect(),
            index,
        }
    }

    /// The block that starts at a position.
    pub fn block(&self, start: u32) -> Option<&PlannedBlock> {
        self.blocks.get(*self.index.get(&start)?)
    }
}

/// The blocks from which a loop's backward jumps can be reached without passing its header, which is the first.
fn loop_body(header: usize, latches: Vec<usize>, predecessors: &[Vec<usize>]) -> Vec<usize> {
    let mut is_inside = vec![false; predecessors.len()];
    is_inside[header] = true;
    let mut body = vec![header];
    let mut pending = latches;
    while let Some(block) = pending.pop() {
        if !std::mem::replace(&mut is_inside[block], true) {
            body.push(block);
            pending.extend(&predecessors[block]);
        }
    }
    body
}

struct Flow<'a> {
    input: &'a CodeInput,
}

impl Flow<'_> {
    /// The instructions of the loop that has its test, or begins, at a position.
    fn loop_at(&self, position: u32) -> Option<Range<u32>> {
        let mut loops = self.input.block.loops.iter();
        let info = loops.find(|info| info.header == position || info.end == position + 1)?;
        Some(info.header..info.end)
    }

    fn length(&self) -> u32 {
        self.input.block.instructions.len() as u32
    }

    /// The positions where blocks start, ascending.
    fn leaders(&self, start: u32) -> Vec<u32> {
        let mut leaders = vec![start];
        for position in 0..self.length() {
            if let Some(target) = self.input.instruction(position).jump_target(position) {
                leaders.extend([target as u32, position + 1]);
            }
            leaders.extend(self.input.block.invoke_path(position));
        }
        leaders.sort_unstable();
        leaders.dedup();
        leaders
    }

    /// Where the block that starts at a position ends.
    fn end(&self, start: u32, leaders: &[u32]) -> u32 {
        let next = leaders.partition_point(|&leader| leader <= start);
        leaders.get(next).copied().unwrap_or(self.length())
    }

    fn successors(&self, start: u32, end: u32) -> Vec<u32> {
        let mut successors = Vec::new();
        for position in start..end {
            if *self.input.feedback(position) == SiteFeedback::NeverRun {
                return successors;
            }
            // Once for each operand that may be a function.
            if let Some(path) = self.input.taken_invoke_path(position) {
                successors.extend([path, path]);
            }
            let instruction = self.input.instruction(position);
            let falls_through = instruction.op().is_some_and(|op| op.falls_through());
            if position + 1 == end || !falls_through {
                let target = instruction.jump_target(position);
                successors.extend(target.map(|target| target as u32));
                if falls_through && end < self.length() {
                    successors.push(end);
                }
                break;
            }
        }
        successors
    }

    /// The registers that instructions at these positions may write.
    fn registers_written(&self, positions: impl Iterator<Item = u32>) -> RegisterSet {
        let count = self.input.block.register_count;
        let mut written = RegisterSet::with_room_for(count);
        for position in positions {
            let instruction = self.input.instruction(position);
            register_written(instruction)
                .into_iter()
                .for_each(|register| written.insert(register));
            let window = overwritten_window(instruction);
            let lost = window.map_or(0..0, |window| window.0..count as u16);
            lost.for_each(|register| written.insert(Register(register)));
            let operands = instruction.op().map(|op| op.info().operands);
            for operand in operands.unwrap_or_default() {
                // A loop's sequence stays, its index is counted up.
                if operand.role == Role::InOutPair {
                    let index = instruction.field(operand.field).saturating_add(1);
                    written.insert(Register(index));
                }
            }
        }
        written
    }
}
