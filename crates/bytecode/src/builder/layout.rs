//! The last step of building: gives labels their positions and jumps their distances.
//!
//! A jump with a 16-bit distance that does not reach its target becomes three instructions:
//!
//! ```text
//! jump_if_less r3, r4, target        jump_if_less r3, r4, +1
//!                               ⇒    jump +1
//!                                    jump target
//! ```
//!
//! which also suits instructions that do more than jump, such as `for_loop`. Which jumps grow depends on
//! the distances, and these on which jumps grow. Instead of iterating, distances are measured as if all
//! 16-bit jumps grew: what reaches its target then does so in any case.

use crate::code_block::{CodeBlock, InvokePath, LineEntry, LoopInfo, SpanEntry};
use crate::instruction::Instruction;
use crate::opcodes::{Op, Role};

use super::{BuildError, CodeBlockBuilder, Label, Position};

/// The instructions that follow a 16-bit jump that has grown.
const ISLAND: u32 = 2;

/// A jump whose distance is still missing.
#[derive(Debug)]
pub(super) struct Jump {
    pub(super) position: Position,
    pub(super) label: Label,
}

#[derive(Debug)]
pub(super) struct LoopLabels {
    pub(super) header: Label,
    pub(super) end: Label,
    pub(super) line: u32,
}

#[derive(Debug)]
pub(super) struct InvokePathLabels {
    pub(super) from: Position,
    pub(super) to: Label,
}

/// A jump whose target is known, in positions before any jump grows.
struct ResolvedJump {
    from: u32,
    to: u32,
    is_short: bool,
}

/// The positions before which islands are inserted, ascending.
struct Islands(Vec<u32>);

impl Islands {
    /// Where the instruction at `position` is, once all islands are in place.
    fn moved(&self, position: u32) -> u32 {
        let before = self.0.partition_point(|&island| island <= position);
        position + ISLAND * before as u32
    }

    /// The distance field of a jump between two final positions.
    fn distance(from: u32, to: u32) -> i64 {
        i64::from(to) - i64::from(from) - 1
    }

    /// The islands that `jumps`, ascending by `from`, need.
    fn for_jumps(jumps: &[ResolvedJump]) -> Islands {
        let reaches = |islands: &Islands, jump: &ResolvedJump| {
            let distance = Islands::distance(islands.moved(jump.from), islands.moved(jump.to));
            i16::try_from(distance).is_ok()
        };
        let short = || jumps.iter().filter(|jump| jump.is_short);
        let none = Islands(Vec::new());
        if short().all(|jump| reaches(&none, jump)) {
            return none;
        }
        let all = Islands(short().map(|jump| jump.from + 1).collect());
        Islands(
            short()
                .filter(|jump| !reaches(&all, jump))
                .map(|jump| jump.from + 1)
                .collect(),
        )
    }
}

impl CodeBlockBuilder {
    pub(super) fn lay_out(self) -> Result<CodeBlock, BuildError> {
        let jumps = self.resolve_jumps()?;
        let islands = Islands::for_jumps(&jumps);
        let moved = |position| islands.moved(position);
        let moved_label = |label| Ok::<_, BuildError>(moved(self.position_of(label)?));

        let mut loops = Vec::with_capacity(self.loops.len());
        for LoopLabels { header, end, line } in &self.loops {
            loops.push(LoopInfo {
                header: moved_label(*header)?,
                end: moved_label(*end)?,
                line: *line,
            });
        }
        let mut invoke_paths = Vec::with_capacity(self.invoke_paths.len());
        for InvokePathLabels { from, to } in &self.invoke_paths {
            if from.0 as usize >= self.instructions.len() {
                return Err(BuildError::Foreign);
            }
            invoke_paths.push(InvokePath {
                from: moved(from.0),
                to: moved_label(*to)?,
            });
        }
        invoke_paths.sort_unstable_by_key(|path| path.from);
        if let Some(twice) = invoke_paths
            .windows(2)
            .find(|pair| pair[0].from == pair[1].from)
        {
            return Err(BuildError::TwoInvokePaths(Position(twice[0].from)));
        }
        // A `set_line` that no instruction followed leaves an entry behind the end.
        let lines = self
            .lines
            .iter()
            .filter(|entry| (entry.start as usize) < self.instructions.len())
            .map(|entry| LineEntry {
                start: moved(entry.start),
                line: entry.line,
            })
            .collect();
        let spans = self
            .spans
            .iter()
            .map(|entry| SpanEntry {
                start: moved(entry.start),
                span: entry.span,
            })
            .collect();
        let instructions = with_distances(&self.instructions, &jumps, &islands);

        Ok(CodeBlock {
            name: self.name,
            origin: self.origin,
            line: self.line,
            language: self.language,
            parameters: self.parameters,
            register_count: self.register_count,
            instructions,
            constants: self.constants.constants,
            feedback: self.feedback,
            globals: self.globals,
            global_registers: self.global_registers,
            functions: self.functions,
            loops,
            invoke_paths,
            lines,
            spans,
            variables: self.variables,
            variables_register: self.variables_register,
            variables_by_name: self.variables_by_name,
            uses_super: self.uses_super,
            self_parameter: self.self_parameter,
            is_top_level: self.is_top_level,
        })
    }

    fn position_of(&self, label: Label) -> Result<u32, BuildError> {
        self.labels
            .get(label.0 as usize)
            .ok_or(BuildError::Foreign)?
            .ok_or(BuildError::UnboundLabel(label))
    }

    fn resolve_jumps(&self) -> Result<Vec<ResolvedJump>, BuildError> {
        self.jumps
            .iter()
            .map(|jump| {
                let from = jump.position.0;
                Ok(ResolvedJump {
                    from,
                    to: self.position_of(jump.label)?,
                    is_short: has_short_distance(self.instructions[from as usize]),
                })
            })
            .collect()
    }
}

/// Whether the distance of a jump has 16 bits.
fn has_short_distance(instruction: Instruction) -> bool {
    instruction.op().is_some_and(|op| {
        let operands = op.info().operands;
        operands.iter().any(|operand| operand.role == Role::Jump)
    })
}

/// The instructions with all distances filled in and the islands inserted.
fn with_distances(
    instructions: &[Instruction],
    jumps: &[ResolvedJump],
    islands: &Islands,
) -> Vec<Instruction> {
    let mut result = Vec::with_capacity(instructions.len() + islands.0.len() * ISLAND as usize);
    let mut copied = 0;
    for jump in jumps {
        let from = jump.from as usize;
        result.extend_from_slice(&instructions[copied..from]);
        copied = from + 1;
        let (at, to) = (result.len() as u32, islands.moved(jump.to));
        let needs_island = islands.0.binary_search(&(jump.from + 1)).is_ok();
        let instruction = instructions[from];
        if needs_island {
            result.push(instruction.with_c(1));
            result.push(Instruction::new_32(Op::Jump, 0, 0, 1));
            let distance = Islands::distance(at + ISLAND, to);
            result.push(Instruction::new_32(Op::Jump, 0, 0, distance as u32));
        } else if jump.is_short {
            result.push(instruction.with_c(Islands::distance(at, to) as u16));
        } else {
            result.push(instruction.with_bc(Islands::distance(at, to) as u32));
        }
    }
    result.extend_from_slice(&instructions[copied..]);
    result
}
