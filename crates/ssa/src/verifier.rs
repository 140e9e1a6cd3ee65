//! Checks that a function keeps the rules of the intermediate representation. Runs behind every pass in debug builds.

use std::collections::HashMap;

use kiln_bytecode::{CodeBlock, Liveness, Register, register_written};
use thiserror::Error;

use crate::analysis::Dominators;
use crate::entity::EntityVec;
use crate::ir::{
    Block, Definition, FieldRole, FrameId, FrameState, Function, Inst, Node, Representation, Value,
    bound_global,
};
use crate::job::CompileJob;

/// A rule that a function breaks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{place}: {defect}")]
pub struct VerifyError {
    /// The block or instruction.
    pub place: String,
    /// What is wrong there.
    pub defect: Defect,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Defect {
    /// Blocks end with a terminator and have no other.
    #[error("a block needs exactly one terminator, at its end")]
    Terminator,
    /// The entry has no parameters and no predecessors.
    #[error("nothing may lead to the entry block")]
    Entry,
    /// A successor is not in the layout.
    #[error("{0} is not in the layout")]
    NoBlock(Block),
    /// A successor takes another number of arguments.
    #[error("{0} takes {1} arguments, not {2}")]
    Arguments(Block, usize, usize),
    /// An operand or argument has the wrong representation.
    #[error("{0} is not {1}")]
    Representation(Value, &'static str),
    /// A value is used where its definition need not have been reached.
    #[error("{0} is used where it is not defined")]
    Dominance(Value),
    /// The result is of other kinds than the table allows.
    #[error("the result is not as the instruction table says")]
    Result,
    /// The definition recorded for a value is another one.
    #[error("{0} has a wrong definition")]
    Definition(Value),
    /// A frame state holds an address.
    #[error("{0} holds a value that is no value of the language")]
    FrameValue(FrameId),
    /// A frame state's callers make a circle or lie above it.
    #[error("{0} has no proper callers")]
    Callers(FrameId),
    /// A frame state lacks a live register.
    #[error("{0} lacks r{1}")]
    Incomplete(FrameId, u16),
    /// An argument stands outside the entry block.
    #[error("an argument belongs into the entry block")]
    Argument,
}

/// Checks the rules.
///
/// # Errors
///
/// Reports the first rule found broken.
pub fn verify(function: &Function) -> Result<(), VerifyError> {
    Verifier::new(function).run()
}

/// Checks also that frame states have all registers that are live at their positions.
///
/// # Errors
///
/// Reports the first rule found broken.
pub fn verify_with_job(function: &Function, job: &CompileJob) -> Result<(), VerifyError> {
    verify(function)?;
    let mut known = HashMap::new();
    for &block in &function.layout {
        for &inst in &function.blocks[block].instructions {
            let mut next = function.node(inst).frame();
            let mut is_caller = false;
            while let Some(id) = next {
                let frame = &function.frames[id];
                let block = &*job.codes[frame.code].block;
                let liveness = known
                    .entry(frame.code)
                    .or_insert_with(|| Liveness::of(block));
                if let Some(register) = liveness
                    .as_ref()
                    .and_then(|liveness| missing_register(frame, is_caller, block, liveness))
                {
                    return Err(VerifyError {
                        place: function.display_inst(inst),
                        defect: Defect::Incomplete(id, register.0),
                    });
                }
                next = frame.caller;
                is_caller = true;
            }
        }
    }
    Ok(())
}

/// A register that is live where the frame goes on, but has no value there.
fn missing_register(
    frame: &FrameState,
    is_caller: bool,
    block: &CodeBlock,
    liveness: &Liveness<'_>,
) -> Option<Register> {
    let mut live = liveness.at(frame.position + u32::from(is_caller));
    let call = block.instructions.get(frame.position as usize);
    if let Some(result) = call
        .and_then(|call| register_written(*call))
        .filter(|_| is_caller)
    {
        live.remove(result);
    }
    let is_listed = |register| {
        frame
            .registers
            .iter()
            .any(|(listed, _)| *listed == register)
    };
    live.iter()
        .find(|&register| bound_global(block, register).is_none() && !is_listed(register))
}

struct Verifier<'a> {
    function: &'a Function,
    dominators: Dominators,
    /// Where each value is defined: the block, and the place in it (0 for parameters).
    defined: EntityVec<Value, Option<(Block, usize)>>,
    is_in_layout: EntityVec<Block, bool>,
}

impl<'a> Verifier<'a> {
    fn new(function: &'a Function) -> Verifier<'a> {
        let mut is_in_layout = EntityVec::filled(false, function.blocks.len());
        for &block in &function.layout {
            is_in_layout[block] = true;
        }
        Verifier {
            is_in_layout,
            function,
            dominators: Dominators::of(function),
            defined: EntityVec::filled(None, function.values.len()),
        }
    }

    fn run(mut self) -> Result<(), VerifyError> {
        let function = self.function;
        for &block in &function.layout {
            let at_block = |defect| VerifyError {
                place: block.to_string(),
                defect,
            };
            self.terminators(block).map_err(at_block)?;
            self.definitions(block).map_err(at_block)?;
        }
        let entry = function.entry_block();
        let leads_to_entry = |&block: &Block| function.successors(block).contains(&entry);
        if !function.blocks[entry].parameters.is_empty()
            || function.layout.iter().any(leads_to_entry)
        {
            return Err(VerifyError {
                place: entry.to_string(),
                defect: Defect::Entry,
            });
        }
        for &block in &function.layout {
            if !self.dominators.is_reachable(block) {
                continue;
            }
            for (index, &inst) in function.blocks[block].instructions.iter().enumerate() {
                self.instruction(block, index + 1, inst)
                    .map_err(|defect| VerifyError {
                        place: format!("{block}: {}", function.display_inst(inst)),
                        defect,
                    })?;
            }
        }
        Ok(())
    }

    fn terminators(&self, block: Block) -> Result<(), Defect> {
        let instructions = &self.function.blocks[block].instructions;
        let ends = |&&inst: &&Inst| self.function.node(inst).is_terminator();
        let is_last = instructions.last().is_some_and(|last| ends(&last));
        match is_last && instructions.iter().filter(ends).count() == 1 {
            true => Ok(()),
            false => Err(Defect::Terminator),
        }
    }

    fn definitions(&mut self, block: Block) -> Result<(), Defect> {
        let function = self.function;
        let data = &function.blocks[block];
        let parameters = data
            .parameters
            .iter()
            .map(|&value| (value, 0, Definition::Parameter(block)));
        let results = data.instructions.iter().enumerate();
        let results = results.filter_map(|(index, &inst)| {
            Some((function.result(inst)?, index + 1, Definition::Result(inst)))
        });
        for (value, place, definition) in parameters.chain(results) {
            if self.defined[value].is_some() || function.values[value].definition != definition {
                return Err(Defect::Definition(value));
            }
            self.defined[value] = Some((block, place));
        }
        Ok(())
    }

    fn instruction(&self, block: Block, place: usize, inst: Inst) -> Result<(), Defect> {
        let function = self.function;
        let node = function.node(inst);
        let info = node.info();
        if matches!(node, Node::Argument { .. }) && block != function.entry_block() {
            return Err(Defect::Argument);
        }
        match (info.result, function.result(inst)) {
            (None, None) => {}
            (Some(widest), Some(result)) => {
                let ty = function.ty(result);
                if ty.representation != widest.representation || !ty.kinds.is_within(widest.kinds) {
                    return Err(Defect::Result);
                }
            }
            _ => return Err(Defect::Result),
        }
        let mut roles = info.fields.iter().map(|(_, role)| *role);
        let mut result = Ok(());
        node.for_each_field(|field| {
            let role = roles.next().unwrap_or(FieldRole::Attribute);
            field.operands(&mut |value| {
                if result.is_ok() {
                    result = self.operand(value, role, block, place);
                }
            });
            if let Some(frame) = field.frame().filter(|_| result.is_ok()) {
                result = self.frame(frame, block, place);
            }
            if let Some(target) = field.target().filter(|_| result.is_ok()) {
                result = self.target(target.block, &target.arguments);
            }
        });
        result
    }

    fn operand(
        &self,
        value: Value,
        role: FieldRole,
        block: Block,
        place: usize,
    ) -> Result<(), Defect> {
        self.reaches(value, block, place)?;
        let required = match role {
            FieldRole::Operand(representation) => representation,
            FieldRole::Operands => Representation::Tagged,
            _ => return Ok(()),
        };
        match self.function.ty(value).representation == required {
            true => Ok(()),
            false => Err(Defect::Representation(value, required.name())),
        }
    }

    fn reaches(&self, value: Value, block: Block, place: usize) -> Result<(), Defect> {
        let is_defined = match self.defined.get(value) {
            Some(&Some((at, defined))) if at == block => defined < place,
            Some(&Some((at, _))) => self.dominators.dominates(at, block),
            _ => false,
        };
        match is_defined {
            true => Ok(()),
            false => Err(Defect::Dominance(value)),
        }
    }

    fn frame(&self, frame: FrameId, block: Block, place: usize) -> Result<(), Defect> {
        let mut next = Some(frame);
        let mut steps = 0;
        let mut window = u32::MAX;
        while let Some(id) = next {
            let Some(frame) = self.function.frames.get(id) else {
                return Err(Defect::Callers(id));
            };
            steps += 1;
            if frame.window >= window || steps > self.function.frames.len() {
                return Err(Defect::Callers(id));
            }
            window = frame.window;
            for value in frame.values() {
                self.reaches(value, block, place)?;
                if self.function.ty(value).representation == Representation::Pointer {
                    return Err(Defect::FrameValue(id));
                }
            }
            next = frame.caller;
        }
        Ok(())
    }

    fn target(&self, block: Block, arguments: &[Value]) -> Result<(), Defect> {
        if self.is_in_layout.get(block) != Some(&true) {
            return Err(Defect::NoBlock(block));
        }
        let parameters = &self.function.blocks[block].parameters;
        if parameters.len() != arguments.len() {
            return Err(Defect::Arguments(block, parameters.len(), arguments.len()));
        }
        for (&argument, &parameter) in arguments.iter().zip(parameters) {
            let wanted = self.function.ty(parameter);
            let given = self.function.ty(argument);
            // What is known about a parameter need not be what its arguments show: passes replace values by equal ones that less is
            // known of.
            if wanted.representation != given.representation {
                return Err(Defect::Representation(
                    argument,
                    wanted.representation.name(),
                ));
            }
        }
        Ok(())
    }
}
