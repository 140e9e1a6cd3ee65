//! Checks the tables of a code block.

use crate::code_block::{CodeBlock, Constant, FeedbackKind};
use crate::instruction::Register;
use crate::opcodes::Op;

use super::{Defect, Rejection, is_instruction, require_string};

pub(super) fn verify(block: &CodeBlock) -> Result<(), Rejection> {
    verify_numbers(block)?;
    for &name in &block.globals {
        require_string(block, name)?;
    }
    for (cell, index) in block.feedback.iter().zip(0..) {
        match cell.kind {
            FeedbackKind::Variable | FeedbackKind::Member => require_string(block, cell.key)?,
            FeedbackKind::Call if cell.key != 0 => return Err(Defect::KeyOfCall(index).into()),
            FeedbackKind::Call => {}
        }
    }
    if block.self_parameter && block.parameters.is_empty() {
        return Err(Defect::NoSelfParameter.into());
    }
    let named = block.variables.iter().map(|variable| variable.register);
    for register in named.chain(block.variables_register) {
        if u32::from(register.0) >= block.register_count {
            return Err(Defect::RegisterOutOfRange(register).into());
        }
    }
    verify_global_registers(block)?;
    verify_positions(block)
}

/// The cells that other code uses are laid over these registers, so they must not overlap one another or the parameters.
fn verify_global_registers(block: &CodeBlock) -> Result<(), Defect> {
    let mut next = u64::from(Register::FIRST_PARAMETER.0) + block.parameters.len() as u64;
    for bound in &block.global_registers {
        let first = u64::from(bound.register.0);
        if !block.is_top_level || first < next || first + 2 > u64::from(block.register_count) {
            return Err(Defect::GlobalRegister(bound.register));
        }
        if bound.global as usize >= block.globals.len() {
            return Err(Defect::NoGlobal(bound.global));
        }
        next = first + 2;
    }
    Ok(())
}

/// A NaN's payload could pass for another kind of value where values are stored as NaNs.
fn verify_numbers(block: &CodeBlock) -> Result<(), Defect> {
    let defaults = block.parameters.iter().map(|parameter| &parameter.default);
    let is_foreign = |constant: &Constant| match constant {
        Constant::Number(number) => number.is_nan() && number.to_bits() != f64::NAN.to_bits(),
        Constant::Null | Constant::String(_) => false,
    };
    if block.constants.iter().chain(defaults).any(is_foreign) {
        return Err(Defect::ForeignNan);
    }
    Ok(())
}

fn verify_positions(block: &CodeBlock) -> Result<(), Rejection> {
    let length = block.instructions.len();
    for (info, index) in block.loops.iter().zip(0..) {
        let is_ordered = info.header < info.end && info.end as usize <= length;
        if !is_ordered || !is_instruction(block, info.header) {
            return Err(Defect::LoopExtent(index).into());
        }
    }
    let mut next = 0;
    for (entry, index) in block.lines.iter().zip(0..) {
        if entry.start < next || !is_instruction(block, entry.start) {
            return Err(Defect::LineEntry(index).into());
        }
        next = entry.start + 1;
    }
    let mut next = 0;
    for (entry, index) in block.spans.iter().zip(0..) {
        if entry.start < next || !is_instruction(block, entry.start) {
            return Err(Defect::SpanEntry(index).into());
        }
        next = entry.start + 1;
    }
    let mut next = 0;
    for (path, index) in block.invoke_paths.iter().zip(0..) {
        let from = block.instructions.get(path.from as usize);
        let starts_at_instruction = from.is_some_and(|from| from.op() != Some(Op::Wide));
        if path.from < next || !starts_at_instruction || !is_instruction(block, path.to) {
            return Err(Defect::InvokePath(index).into());
        }
        next = path.from + 1;
    }
    Ok(())
}
