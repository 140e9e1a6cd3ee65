//! Checks what depends on the order in which instructions run.
//! Expects that every instruction by itself is valid.

use crate::code_block::CodeBlock;
use crate::dataflow::{overwritten_window, register_written};
use crate::instruction::Register;
use crate::liveness::{Liveness, bound_registers};

use super::{Defect, Rejection};

pub(super) fn verify(block: &CodeBlock) -> Result<(), Rejection> {
    verify_registers_are_written(block)?;
    verify_loops_poll(block)
}

/// A register live at the start, and live after a call whose window covers it, is read without having
/// been written.
fn verify_registers_are_written(block: &CodeBlock) -> Result<(), Rejection> {
    let liveness = Liveness::of(block).ok_or(Defect::TooLarge)?;
    let first_free = usize::from(Register::FIRST_PARAMETER.0) + block.parameters.len();
    let bound = bound_registers(block);
    let has_value = |register: Register| match register {
        Register::SUPER => block.uses_super,
        _ => usize::from(register.0) < first_free || bound.contains(register),
    };
    if let Some(register) = liveness.at(0).iter().find(|&register| !has_value(register)) {
        return Err(Defect::Uninitialized(register).into());
    }
    let mut rejection = None;
    liveness.for_each_site(|position, _, after| {
        let instruction = block.instructions[position as usize];
        let Some(window) = overwritten_window(instruction) else {
            return;
        };
        let result = register_written(instruction);
        let mut read_later = after.iter_from(window);
        if let Some(lost) = read_later.find(|&register| Some(register) != result) {
            rejection = Some(Defect::Overwritten(lost).at(position));
        }
    });
    rejection.map_or(Ok(()), Err)
}

/// Whether a position has been visited by the search for cycles.
#[derive(Clone, Copy, PartialEq)]
enum Visit {
    NotYet,
    /// On the path from the start of the search.
    Open,
    Done,
}

/// Looks for a cycle on which no jump polls, by depth-first search.
fn verify_loops_poll(block: &CodeBlock) -> Result<(), Rejection> {
    let mut visits = vec![Visit::NotYet; block.instructions.len()];
    // Positions on the path and which of their successors come next.
    let mut path: Vec<(u32, usize)> = Vec::new();
    for start in 0..block.instructions.len() as u32 {
        if visits[start as usize] == Visit::NotYet {
            visits[start as usize] = Visit::Open;
            path.push((start, 0));
        }
        while let Some((position, next)) = path.last_mut() {
            let Some(successor) = successors(block, *position).nth(*next) else {
                visits[*position as usize] = Visit::Done;
                path.pop();
                continue;
            };
            *next += 1;
            match visits.get_mut(successor as usize) {
                Some(visit @ Visit::NotYet) => {
                    *visit = Visit::Open;
                    path.push((successor, 0));
                }
                Some(Visit::Open) => return Err(Defect::UninterruptibleLoop.at(successor)),
                Some(Visit::Done) | None => {}
            }
        }
    }
    Ok(())
}

/// Where control may go from `position` without a poll.
fn successors(block: &CodeBlock, position: u32) -> impl Iterator<Item = u32> {
    let instruction = block.instructions[position as usize];
    let op = instruction.op();
    let jump = op.filter(|op| !op.polls());
    let jump = jump.and_then(|_| instruction.jump_target(position));
    let jump = jump.and_then(|target| u32::try_from(target).ok());
    let next = op.filter(|op| op.falls_through()).map(|_| position + 1);
    let invoke_path = block.invoke_path(position);
    jump.into_iter().chain(next).chain(invoke_path)
}
