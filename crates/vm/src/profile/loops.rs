//! Where the loops of a code block are, so that executing its instructions tells when they are entered, passed and left.
//!
//! The code of a loop is one range of instructions but for invoke paths, which stand at the end of the code block and belong
//! to whichever loop execution came from.

use std::collections::BTreeMap;

use kiln_bytecode::{CodeBlock, Instruction, Op};

use crate::interp;

/// The number of a loop in its code block.
pub type LoopIndex = u32;

/// What standing at an instruction means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The innermost loop around it.
    pub(crate) inside: Option<LoopIndex>,
    /// On an invoke path: `inside` says nothing.
    pub(crate) is_out_of_line: bool,
    /// A pass of one or more loops begins here.
    pub(crate) begins_pass: bool,
    /// It jumps back for another pass of this loop.
    pub(crate) repeats: Option<LoopIndex>,
}

/// The loops of a code block.
#[derive(Debug)]
pub(crate) struct LoopMap {
    marks: Box<[Mark]>,
    parents: Box<[Option<LoopIndex>]>,
    /// Which of the loops are `for` loops.
    is_for: Box<[bool]>,
    /// By position, the loops whose passes begin there, outermost first.
    headers: BTreeMap<u32, Vec<LoopIndex>>,
    block: std::sync::Arc<CodeBlock>,
}

impl LoopMap {
    pub(crate) fn new(block: &std::sync::Arc<CodeBlock>) -> LoopMap {
        let mut marks = vec![Mark::default(); block.instructions.len()].into_boxed_slice();
        let starts = starts(block);
        let range = |index: usize| starts[index]..block.loops[index].end;
        // Outer loops first, so that inner ones overwrite them.
        let mut order: Vec<usize> = (0..block.loops.len()).collect();
        order.sort_by_key(|index| (range(*index).start, std::cmp::Reverse(range(*index).end)));
        let mut parents = vec![None; block.loops.len()].into_boxed_slice();
        let mut headers = BTreeMap::<u32, Vec<LoopIndex>>::new();
        for index in order {
            let range = range(index);
            parents[index] = marks.get(range.start as usize).and_then(|mark| mark.inside);
            for position in range {
                if let Some(mark) = marks.get_mut(position as usize) {
                    mark.inside = Some(index as LoopIndex);
                }
            }
            let header = block.loops[index].header;
            headers.entry(header).or_default().push(index as LoopIndex);
            if let Some(mark) = marks.get_mut(header as usize) {
                mark.begins_pass = true;
            }
        }
        let out_of_line = block.invoke_paths.iter().map(|path| path.to).min();
        for position in out_of_line.unwrap_or(u32::MAX)..marks.len() as u32 {
            marks[position as usize].is_out_of_line = true;
        }
        let mut map = LoopMap {
            marks,
            parents,
            is_for: is_for(block),
            headers,
            block: block.clone(),
        };
        for position in 0..map.marks.len() as u32 {
            map.marks[position as usize].repeats = map.repeated_at(position);
        }
        map
    }

    pub(crate) fn mark(&self, position: u32) -> Mark {
        self.marks
            .get(position as usize)
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn parent(&self, index: LoopIndex) -> Option<LoopIndex> {
        self.parents[index as usize]
    }

    /// Whether `inner` is `outer` or inside it.
    pub(crate) fn contains(&self, outer: LoopIndex, inner: LoopIndex) -> bool {
        let mut at = Some(inner);
        while let Some(index) = at {
            if index == outer {
                return true;
            }
            at = self.parent(index);
        }
        false
    }

    /// The loops of which a pass begins at `position`, where the instruction at `from` was executed before.
    pub(crate) fn passes_begun(
        &self,
        position: u32,
        from: Option<u32>,
    ) -> impl Iterator<Item = LoopIndex> {
        let begun = self.headers.get(&position).map_or(&[][..], Vec::as_slice);
        // A jump back to where an outer loop's pass begins, too, begins none of the outer loop.
        let repeated = from.and_then(|from| {
            let target = self.block.instructions[from as usize].jump_target(from);
            let repeated = self.mark(from).repeats?;
            (target == Some(i64::from(position))).then_some(repeated)
        });
        // A `for` loop begins with a jump to its end, where it looks for an element; that is also where an empty body stands.
        let is_jump =
            from.is_some_and(|from| self.block.instructions[from as usize].op() == Some(Op::Jump));
        begun.iter().copied().filter(move |index| {
            repeated.is_none_or(|repeated| self.contains(repeated, *index))
                && !(is_jump && self.is_for[*index as usize])
        })
    }

    /// The loop for whose next pass the instruction at `position` jumps back.
    fn repeated_at(&self, position: u32) -> Option<LoopIndex> {
        let instruction = self.block.instructions[position as usize];
        if !instruction.op()?.polls() || instruction.jump_target(position)? > i64::from(position) {
            return None;
        }
        loop_index(instruction).or_else(|| {
            // One of so many loops that its index does not fit into the instruction.
            let target = instruction.jump_target(position)?;
            let mut inside = self.mark(position).inside;
            while let Some(index) = inside {
                if i64::from(self.block.loops[index as usize].header) == target {
                    break;
                }
                inside = self.parent(index);
            }
            inside
        })
    }
}

/// The loop that an instruction which polls belongs to, if its index fits into the instruction.
fn loop_index(instruction: Instruction) -> Option<LoopIndex> {
    interp::loop_index(instruction).map(|index| index as LoopIndex)
}

/// Which of the loops are `for` loops.
fn is_for(block: &CodeBlock) -> Box<[bool]> {
    let mut is_for = vec![false; block.loops.len()].into_boxed_slice();
    for instruction in &block.instructions {
        if let Some(Op::ForLoop | Op::ForLoopGlobal) = instruction.op()
            && let Some(index) = loop_index(*instruction)
            && let Some(is_for) = is_for.get_mut(index as usize)
        {
            *is_for = true;
        }
    }
    is_for
}

/// The first instruction of each loop: what is executed again with every pass, and the first look at a loop's sequence.
fn starts(block: &CodeBlock) -> Vec<u32> {
    let mut starts: Vec<u32> = block.loops.iter().map(|info| info.header).collect();
    for (position, instruction) in block.instructions.iter().enumerate() {
        let position = position as u32;
        let target = instruction.jump_target(position).unwrap_or(i64::MAX);
        if instruction.op().is_some_and(Op::polls)
            && let Some(index) = loop_index(*instruction)
            && let Some(start) = starts.get_mut(index as usize)
        {
            let first = target.min(i64::from(position));
            *start = (*start).min(first as u32);
        }
    }
    starts
}
