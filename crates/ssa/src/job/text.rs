//! Compile jobs as text.

use std::sync::Arc;

use kiln_bytecode::{CodeBlock, Constant};
use thiserror::Error;

use super::{
    CallFeedback, CallTarget, CodeId, CompileJob, ConstantId, ConstantInput, GlobalId, GlobalInput,
    Intrinsic, Layout, MemberAccess, MemberCase, MemberFeedback, Receiver, SiteFeedback,
};
use crate::ir::{Entry, Field, Kinds};
use crate::text::{Problem, Scanner};

/// Why a text is no compile job.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum JobError {
    /// The bytecode cannot be read.
    #[error("bytecode: {0}")]
    Bytecode(#[from] kiln_bytecode::ParseError),
    /// The bytecode breaks a rule.
    #[error("bytecode: {0}")]
    Invalid(String),
    /// A line is not as it should be.
    #[error("`{line}`: {problem}")]
    Line {
        /// The line.
        line: String,
        /// What is wrong with it.
        problem: Problem,
    },
}

impl CompileJob {
    /// Reads a job: the text of a code block, then lines that say what is known.
    ///
    /// The code blocks nested in it are part of the job, numbered as their texts begin. Global variables are numbered in the order in which
    /// code blocks list them, each name once.
    ///
    /// ```text
    /// root code1 at @4                         ; what to compile, and the loop header to enter it at
    /// code1 called 100                         ; how often it was called
    /// code1 @3 operands number                 ; what arithmetic at position 3 has seen
    /// code1 @5 container list                  ; what was indexed
    /// code1 @7 never                           ; never run
    /// code1 @8 member shape3 own slot2, shape4 inherited constant0 slot1 constant1, list inherited constant2 slot0 constant3
    /// code1 @9 member shape3 add slot3 shape5, open
    /// code1 @6 makes shape7 room 2             ; what a map made there is like
    /// code1 @9 member dictionary inherited constant0 slot2 constant3
    /// code1 @9 calls code2, constant1          ; what it called; behind `member` if it has both
    /// constant0 = map
    /// constant4 = map parent constant0         ; what `super` is in its methods
    /// constant5 = map instance shape6 room 4   ; what its instances are like
    /// constant1 = function code2
    /// constant3 = function len                 ; an intrinsic
    /// global0 = constant constant1
    /// global1 = assigned
    /// global2 = intrinsic constant3
    /// ```
    ///
    /// # Errors
    ///
    /// Reports the first line that is not as described.
    pub fn parse(text: &str) -> Result<CompileJob, JobError> {
        let mut bytecode = String::new();
        let mut lines = text.lines();
        for line in lines.by_ref() {
            bytecode.push_str(line);
            bytecode.push('\n');
            if line == "end" {
                break;
            }
        }
        let block = kiln_bytecode::parse(&bytecode)?;
        kiln_bytecode::verify(&block).map_err(|error| JobError::Invalid(error.to_string()))?;
        let mut job = CompileJob::new(Arc::new(block));
        job.add_nested_codes();
        for line in lines {
            let mut scanner = Scanner::new(line);
            if !scanner.is_at_end() {
                let result = job.parse_line(&mut scanner);
                result
                    .and_then(|()| scanner.require_end())
                    .map_err(|problem| JobError::Line {
                        line: line.trim().to_owned(),
                        problem,
                    })?;
            }
        }
        Ok(job)
    }

    fn add_nested_codes(&mut self) {
        let root = self.codes[CodeId(0)].block.clone();
        let mut pending: Vec<Arc<CodeBlock>> = root.functions.iter().rev().cloned().collect();
        while let Some(block) = pending.pop() {
            pending.extend(block.functions.iter().rev().cloned());
            self.add_code(block);
        }
        // Each name once.
        self.globals = Default::default();
        let mut names: Vec<String> = Vec::new();
        for code in self.codes.values_mut() {
            let globals = code.block.globals.iter().map(|&constant| {
                let name = match code.block.constants.get(constant as usize) {
                    Some(Constant::String(name)) => name.to_string(),
                    _ => String::new(),
                };
                let known = names.iter().position(|known| *known == name);
                let index = known.unwrap_or_else(|| {
                    names.push(name);
                    self.globals.push(GlobalInput::Unknown);
                    names.len() - 1
                });
                GlobalId(index as u32)
            });
            code.globals = globals.collect();
        }
    }

    fn parse_line(&mut self, text: &mut Scanner<'_>) -> Result<(), Problem> {
        if text.take("root") {
            self.root = self.known_code(text)?;
            if text.take("at") {
                self.entry = Entry::Loop(text.prefixed("@")?);
            }
            return Ok(());
        }
        if text.take("constant") {
            let id = ConstantId(text.number()?);
            text.require("=")?;
            let constant = self.constant(text)?;
            return self.define_constant(id, constant);
        }
        if text.take("global") {
            let id = GlobalId(text.number()?);
            text.require("=")?;
            let input = match text.name() {
                "assigned" => GlobalInput::Assigned,
                "constant" => GlobalInput::Constant(self.known_constant(text)?),
                "intrinsic" => GlobalInput::Intrinsic(self.known_constant(text)?),
                other => return Err(Problem::Unknown(other.to_owned())),
            };
            return match self.globals.get(id) {
                Some(_) => {
                    self.globals[id] = input;
                    Ok(())
                }
                None => Err(Problem::Undefined(id.to_string())),
            };
        }
        let code = self.known_code(text)?;
        if text.take("called") {
            self.codes[code].calls = text.number()?;
            return Ok(());
        }
        let position = text.prefixed("@")?;
        let feedback = self.feedback(code, position, text)?;
        self.codes[code].set_feedback(position, feedback);
        Ok(())
    }

    fn feedback(
        &self,
        code: CodeId,
        position: u32,
        text: &mut Scanner<'_>,
    ) -> Result<SiteFeedback, Problem> {
        Ok(match text.name() {
            "never" => SiteFeedback::NeverRun,
            "failed" => SiteFeedback::Failed(Kinds::parse_field(text)?),
            "operands" => SiteFeedback::Operands(Kinds::parse_field(text)?),
            "container" => SiteFeedback::Container(Kinds::parse_field(text)?),
            "makes" => SiteFeedback::Layout(Layout::parse(text)?),
            "member" => SiteFeedback::Member(self.member(text)?),
            "calls" => {
                let calls = self.calls(text)?;
                match self.codes[code].feedback(position) {
                    SiteFeedback::Member(member) => SiteFeedback::Member(MemberFeedback {
                        calls,
                        ..member.clone()
                    }),
                    _ => SiteFeedback::Call(calls),
                }
            }
            other => return Err(Problem::Unknown(other.to_owned())),
        })
    }

    fn member(&self, text: &mut Scanner<'_>) -> Result<MemberFeedback, Problem> {
        let mut member = MemberFeedback::default();
        loop {
            if text.take("open") {
                member.is_open = true;
            } else {
                member.cases.push(self.member_case(text)?);
            }
            if !text.take(",") {
                return Ok(member);
            }
        }
    }

    fn member_case(&self, text: &mut Scanner<'_>) -> Result<MemberCase, Problem> {
        let receiver = match text.take("shape") {
            true => Receiver::Shape(super::ShapeId(text.number()?)),
            false if text.take("dictionary") => Receiver::Dictionary,
            false => Receiver::Kind(Kinds::parse_field(text)?),
        };
        let access = match text.name() {
            "own" => MemberAccess::Own(Field::parse(text)?),
            "add" => MemberAccess::Add(Field::parse(text)?, Field::parse(text)?),
            "inherited" => MemberAccess::Inherited {
                holder: self.known_constant(text)?,
                slot: Field::parse(text)?,
                value: match text.take("constant") {
                    true => Some(self.checked_constant(ConstantId(text.number()?))?),
                    false => None,
                },
            },
            other => return Err(Problem::Unknown(other.to_owned())),
        };
        Ok(MemberCase { receiver, access })
    }

    fn calls(&self, text: &mut Scanner<'_>) -> Result<CallFeedback, Problem> {
        let mut calls = CallFeedback::default();
        loop {
            if text.take("open") {
                calls.is_open = true;
            } else if text.take("constant") {
                let id = self.checked_constant(ConstantId(text.number()?))?;
                calls.targets.push(CallTarget::Constant(id));
            } else {
                calls.targets.push(CallTarget::Code(self.known_code(text)?));
            }
            if !text.take(",") {
                return Ok(calls);
            }
        }
    }

    fn constant(&self, text: &mut Scanner<'_>) -> Result<ConstantInput, Problem> {
        let kinds = Kinds::parse_field(text)?;
        let mut constant = ConstantInput {
            kinds,
            ..ConstantInput::default()
        };
        if kinds == Kinds::NUMBER {
            let number: f64 = text.number()?;
            constant.kinds = Kinds::of_number(number);
            constant.number = Some(number);
        } else if text.take("parent") {
            constant.parent = Some(self.known_constant(text)?);
        } else if text.take("instance") {
            constant.instance = Some(Layout::parse(text)?);
        } else if text.take("code") {
            let code = CodeId(text.number()?);
            constant.code = Some(self.checked_code(code)?);
        } else if kinds == Kinds::FUNCTION && !text.is_at_end() {
            let name = text.name();
            let mut known = Intrinsic::ALL.iter();
            constant.intrinsic = known.find(|(_, known)| *known == name).map(|(id, _)| *id);
        }
        Ok(constant)
    }

    fn define_constant(&mut self, id: ConstantId, constant: ConstantInput) -> Result<(), Problem> {
        let next = self.constants.len();
        if self.constants.push(constant) != id {
            return Err(Problem::OutOfOrder(next));
        }
        Ok(())
    }

    fn known_constant(&self, text: &mut Scanner<'_>) -> Result<ConstantId, Problem> {
        self.checked_constant(ConstantId::parse(text)?)
    }

    fn checked_constant(&self, id: ConstantId) -> Result<ConstantId, Problem> {
        match self.constants.get(id) {
            Some(_) => Ok(id),
            None => Err(Problem::Undefined(id.to_string())),
        }
    }

    fn known_code(&self, text: &mut Scanner<'_>) -> Result<CodeId, Problem> {
        self.checked_code(CodeId::parse(text)?)
    }

    fn checked_code(&self, id: CodeId) -> Result<CodeId, Problem> {
        match self.codes.get(id) {
            Some(_) => Ok(id),
            None => Err(Problem::Undefined(id.to_string())),
        }
    }
}

impl Layout {
    fn parse(text: &mut Scanner<'_>) -> Result<Layout, Problem> {
        let shape = Field::parse(text)?;
        text.require("room")?;
        let room = text.number()?;
        Ok(Layout { shape, room })
    }
}

impl Kinds {
    fn parse_field(text: &mut Scanner<'_>) -> Result<Kinds, Problem> {
        Field::parse(text)
    }
}
