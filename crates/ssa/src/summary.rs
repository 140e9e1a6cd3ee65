//! What optimization came to, for people: what was inlined, what is expected where, what stayed as the interpreter does it, which variables
//! of loops are still tagged words and why.
//!
//! All is read off the finished function; nothing here decides anything.

use std::collections::HashSet;

use kiln_bytecode::{Op, Register};

use crate::analysis::{Dominators, LoopId, Loops};
use crate::ir::{
    Definition, Effects, ExitReason, FrameId, Function, Inst, Kinds, Node, Representation, Value,
};
use crate::job::{
    CodeId, CompileJob, ConstantId, GlobalId, GlobalInput, MemberFeedback, ShapeId, SiteFeedback,
};

/// An instruction of the bytecode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The code block.
    pub code: CodeId,
    /// The instruction's position.
    pub position: u32,
}

/// A function that was built in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Inlining {
    /// The function.
    pub code: CodeId,
    /// The instruction that calls it.
    pub call: Place,
}

/// A variable of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variable {
    /// What lives in a register of a function.
    Register(CodeId, Register),
    /// A global variable.
    Global(GlobalId),
}

/// What has to hold for compiled code to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expectation {
    /// A value is of one of the kinds.
    Kinds(Kinds),
    /// A value is a map of this shape.
    Shape(ShapeId),
    /// It is a map of one of so many shapes.
    AnyShape(usize),
    /// A function has this code.
    Code(CodeId),
    /// A value is this one.
    Constant(ConstantId),
    /// A number is whole, and not too large for an integer.
    Integer,
    /// An index is one of the list's.
    Bounds,
    /// The elements of a list can be replaced in place.
    Writable,
    /// Control does not get here, as it never has.
    NeverRun,
    /// A condition holds, such as that a list in a loop keeps its length.
    Condition,
    /// No prototype has changed.
    Prototypes,
    /// What the code takes for granted still holds, and nobody wants to interrupt it.
    Assumptions,
    /// The interpreter, asked to do an instruction, goes on behind it.
    Straight,
    /// Something else.
    Other,
}

/// A check whose failure leaves compiled code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Guard {
    /// Where the interpreter goes on.
    pub place: Place,
    /// What is expected.
    pub expectation: Expectation,
    /// The variable whose value is looked at, if it is in one.
    pub variable: Option<Variable>,
}

/// Why an instruction is done as the interpreter does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GenericReason {
    /// It met operands of these kinds.
    Kinds(Kinds),
    /// It met objects of too many shapes.
    Shapes,
    /// It calls different functions.
    Targets,
    /// It calls a built-in function.
    BuiltIn,
    /// It was not seen at work, or speculation failed here before.
    Unobserved,
    /// There is no other form of it.
    OnlyForm,
}

/// An instruction that is done as the interpreter does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Generic {
    /// Where.
    pub place: Place,
    /// The instruction.
    pub op: Op,
    /// Why.
    pub reason: GenericReason,
}

/// A known function that is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KnownCall {
    /// The instruction that calls it.
    pub place: Place,
    /// The function.
    pub code: CodeId,
}

/// Where a tagged value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The result of an instruction done as the interpreter does it.
    Generic(Place, Op),
    /// The result of a call.
    Call(Place, CodeId),
    /// An element of a list.
    Element,
    /// A member of a map.
    Member,
    /// A global variable, which other code may assign.
    Global,
    /// What it held when the code was entered.
    Entry,
    /// A constant of these kinds.
    Constant(Kinds),
}

/// A variable that a loop changes and that stays a tagged word all the while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boxed {
    /// The registers and global variables that it is.
    pub variables: Vec<Variable>,
    /// Where the loop begins.
    pub header: Option<Place>,
    /// What it can be.
    pub kinds: Kinds,
    /// Where the values come from that are not known to be numbers.
    pub sources: Vec<Source>,
}

/// What optimization came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// What was inlined, callers before what they call.
    pub inlined: Vec<Inlining>,
    /// What is checked.
    pub guards: Vec<Guard>,
    /// Known functions that are called.
    pub calls: Vec<KnownCall>,
    /// What is done as the interpreter does it.
    pub generic: Vec<Generic>,
    /// What stays boxed.
    pub boxed: Vec<Boxed>,
}

/// Sums up what became of a job.
pub fn summarize(job: &CompileJob, function: &Function) -> Summary {
    let mut summary = Summary {
        inlined: function.inlined.clone(),
        ..Summary::default()
    };
    for &block in &function.layout {
        for &inst in &function.blocks[block].instructions {
            summary.add_instruction(job, function, inst);
        }
    }
    summary.boxed = boxed(function);
    summary
}

fn push_new<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

impl Summary {
    fn add_instruction(&mut self, job: &CompileJob, function: &Function, inst: Inst) {
        let node = function.node(inst);
        match node {
            Node::RuntimeValue { site, inputs, .. }
            | Node::RuntimeEffect { site, inputs, .. }
            | Node::RuntimeTest { site, inputs, .. } => {
                let place = Place {
                    code: site.code,
                    position: site.position,
                };
                let reason = generic_reason(job, function, place, site.op, inputs);
                push_new(
                    &mut self.generic,
                    Generic {
                        place,
                        op: site.op,
                        reason,
                    },
                );
            }
            Node::CallKnown { code, site, .. } => {
                let place = Place {
                    code: site.code,
                    position: site.position,
                };
                push_new(&mut self.calls, KnownCall { place, code: *code });
            }
            _ => {
                if let Some(guard) = guard(function, inst) {
                    push_new(&mut self.guards, guard);
                }
            }
        }
    }
}

/// What an instruction checks; none if it never leaves compiled code.
pub fn guard(function: &Function, inst: Inst) -> Option<Guard> {
    let node = function.node(inst);
    let expectation = match *node {
        Node::GuardNumber { .. } => Expectation::Kinds(Kinds::NUMBER),
        Node::GuardKind { kinds, .. } => Expectation::Kinds(kinds),
        Node::GuardShape { ref shapes, .. } => match (shapes.iter().next(), shapes.len()) {
            (Some(shape), 1) => Expectation::Shape(shape),
            (_, count) => Expectation::AnyShape(count),
        },
        Node::GuardCode { code, .. } => Expectation::Code(code),
        Node::GuardConstant { constant, .. } => Expectation::Constant(constant),
        Node::GuardTrue { .. } | Node::GuardFalse { .. } => Expectation::Condition,
        Node::GuardEpoch { .. } => Expectation::Prototypes,
        Node::GuardValid { .. } | Node::Poll { .. } => Expectation::Assumptions,
        Node::GuardWritable { .. } => Expectation::Writable,
        Node::CheckBounds { .. } | Node::F64ToIndex { .. } => Expectation::Bounds,
        Node::F64ToI64 { .. }
        | Node::F64ToI32 { .. }
        | Node::AddI64Checked { .. }
        | Node::SubtractI64Checked { .. }
        | Node::MultiplyI64Checked { .. }
        | Node::RemainderI64Checked { .. }
        | Node::AddI32Checked { .. }
        | Node::SubtractI32Checked { .. }
        | Node::MultiplyI32Checked { .. } => Expectation::Integer,
        Node::Exit {
            reason: ExitReason::NeverRun,
            ..
        } => Expectation::NeverRun,
        Node::RuntimeValue { .. } | Node::RuntimeEffect { .. } | Node::RuntimeTest { .. } => {
            Expectation::Straight
        }
        _ if node.effects().contains(Effects::exits) => Expectation::Other,
        _ => return None,
    };
    let frame = node.frame()?;
    let state = &function.frames[frame];
    let looks_at_value = matches!(
        expectation,
        Expectation::Kinds(_)
            | Expectation::Shape(_)
            | Expectation::Code(_)
            | Expectation::Constant(_)
            | Expectation::Integer
            | Expectation::Bounds
    );
    let variable = || variables(function, frame, *node.operands().first()?).next();
    Some(Guard {
        place: Place {
            code: state.code,
            position: state.position,
        },
        expectation,
        variable: looks_at_value.then(variable).flatten(),
    })
}

/// The variables that hold a value according to a frame state, those of the innermost function first.
fn variables(
    function: &Function,
    frame: FrameId,
    value: Value,
) -> impl Iterator<Item = Variable> + '_ {
    let frames = std::iter::successors(Some(frame), |frame| function.frames[*frame].caller);
    frames.flat_map(move |frame| {
        let state = &function.frames[frame];
        let globals = state.globals.iter();
        let globals = globals.filter(move |(_, held)| *held == value);
        let registers = state.registers.iter();
        let registers = registers.filter(move |(_, held)| *held == value);
        registers
            .map(|(register, _)| Variable::Register(state.code, *register))
            .chain(globals.map(|(global, _)| Variable::Global(*global)))
    })
}

/// Why an instruction was left as the interpreter does it.
fn generic_reason(
    job: &CompileJob,
    function: &Function,
    place: Place,
    op: Op,
    inputs: &[Value],
) -> GenericReason {
    let is_call = matches!(op, Op::Call | Op::CallMember | Op::CallIndex);
    let callee = inputs.first().filter(|_| op == Op::Call);
    if let Some(Node::Constant { constant }) = callee.and_then(|it| function.defining_node(*it))
        && job.constants[*constant].code.is_none()
    {
        return GenericReason::BuiltIn;
    }
    if let Some(Node::LoadGlobal { global }) = callee.and_then(|it| function.defining_node(*it))
        && matches!(job.globals[*global], GlobalInput::Intrinsic(_))
    {
        return GenericReason::BuiltIn;
    }
    let has_several_targets = |member: &MemberFeedback| is_call && member.calls.is_open;
    match job.codes[place.code].feedback(place.position) {
        SiteFeedback::Operands(kinds) if !kinds.is_within(Kinds::NUMBER) => {
            GenericReason::Kinds(*kinds)
        }
        SiteFeedback::Container(kinds) if *kinds != Kinds::LIST => GenericReason::Kinds(*kinds),
        SiteFeedback::Member(member) if has_several_targets(member) => GenericReason::Targets,
        SiteFeedback::Member(member) if member.is_open || member.cases.len() > 1 => {
            GenericReason::Shapes
        }
        SiteFeedback::Call(calls) if calls.is_open => GenericReason::Targets,
        SiteFeedback::Unknown if is_speculative(op) => GenericReason::Unobserved,
        _ => GenericReason::OnlyForm,
    }
}

/// Whether there is a form of the instruction that relies on what was observed.
fn is_speculative(op: Op) -> bool {
    let is_access = matches!(
        op,
        Op::GetIndex | Op::SetIndex | Op::GetMember | Op::SetMember | Op::Call | Op::CallMember
    );
    is_access || op.info().flags == kiln_bytecode::FlagUse::observed
}

/// The variables that loops change and that stay tagged words although they could be numbers.
fn boxed(function: &Function) -> Vec<Boxed> {
    let dominators = Dominators::of(function);
    let loops = Loops::of(function, &dominators);
    let arguments = Arguments::of(function);
    let mut boxed = Vec::new();
    for (id, one) in loops.loops.iter() {
        let frames = frames_in(function, &loops, id);
        let header = frames.first().map(|frame| {
            let state = &function.frames[*frame];
            Place {
                code: state.code,
                position: state.position,
            }
        });
        for &parameter in &function.blocks[one.header].parameters {
            let ty = function.ty(parameter);
            let may_be_number = ty.kinds.meets(Kinds::NUMBER);
            if ty.representation != Representation::Tagged || !may_be_number {
                continue;
            }
            let mut names = Vec::new();
            for frame in &frames {
                variables(function, *frame, parameter).for_each(|it| push_new(&mut names, it));
            }
            let mut sources = Vec::new();
            arguments.trace(function, parameter, &mut HashSet::new(), &mut sources);
            // What only the entry passes is looked at once, and is none of the program's doing.
            let is_caused = sources.iter().any(|source| *source != Source::Entry);
            if !names.is_empty() && is_caused {
                boxed.push(Boxed {
                    variables: names,
                    header,
                    kinds: ty.kinds,
                    sources,
                });
            }
        }
        for &block in &one.blocks {
            for &inst in &function.blocks[block].instructions {
                if let Node::StoreGlobal { global, .. } = *function.node(inst) {
                    let variable = Boxed {
                        variables: vec![Variable::Global(global)],
                        header,
                        kinds: Kinds::ANY,
                        sources: vec![Source::Global],
                    };
                    let is_known = |it: &Boxed| it.variables == variable.variables;
                    if !boxed.iter().any(is_known) {
                        boxed.push(variable);
                    }
                }
            }
        }
    }
    boxed
}

/// The frame states that instructions of a loop mention, those of its header first.
fn frames_in(function: &Function, loops: &Loops, id: LoopId) -> Vec<FrameId> {
    let header = loops.loops[id].header;
    let rest = loops.loops[id].blocks.iter();
    let blocks = std::iter::once(&header).chain(rest.filter(|&&block| block != header));
    let mut frames = Vec::new();
    for &block in blocks {
        for &inst in &function.blocks[block].instructions {
            if let Some(frame) = function.node(inst).frame() {
                push_new(&mut frames, frame);
            }
        }
    }
    frames
}

/// What blocks are passed for their parameters.
struct Arguments(Vec<(Value, Value)>);

impl Arguments {
    fn of(function: &Function) -> Arguments {
        let mut passed = Vec::new();
        for &block in &function.layout {
            let Some(terminator) = function.terminator(block) else {
                continue;
            };
            function.node(terminator).for_each_target(|target| {
                let parameters = &function.blocks[target.block].parameters;
                passed.extend(parameters.iter().copied().zip(target.arguments.clone()));
            });
        }
        passed.sort_unstable();
        passed.dedup();
        Arguments(passed)
    }

    /// Finds where the values of a tagged parameter come from that are not known to be numbers.
    fn trace(
        &self,
        function: &Function,
        parameter: Value,
        seen: &mut HashSet<Value>,
        sources: &mut Vec<Source>,
    ) {
        let first = self.0.partition_point(|(known, _)| *known < parameter);
        let passed = self.0[first..].iter();
        for &(_, argument) in passed.take_while(|(known, _)| *known == parameter) {
            if !seen.insert(argument) || function.ty(argument).kinds.is_within(Kinds::NUMBER) {
                continue;
            }
            match function.values[argument].definition {
                Definition::Parameter(_) => self.trace(function, argument, seen, sources),
                Definition::Result(inst) => {
                    if let Some(source) = source(function, inst, argument) {
                        push_new(sources, source);
                    }
                }
            }
        }
    }
}

fn source(function: &Function, inst: Inst, value: Value) -> Option<Source> {
    Some(match function.node(inst) {
        Node::RuntimeValue { site, .. } => Source::Generic(
            Place {
                code: site.code,
                position: site.position,
            },
            site.op,
        ),
        Node::CallKnown { site, code, .. } => Source::Call(
            Place {
                code: site.code,
                position: site.position,
            },
            *code,
        ),
        Node::LoadElement { .. } => Source::Element,
        Node::LoadSlot { .. } => Source::Member,
        Node::LoadGlobal { .. } => Source::Global,
        Node::Argument { .. } | Node::LoadRegister { .. } => Source::Entry,
        Node::Null {} | Node::Unassigned {} | Node::Constant { .. } | Node::PoolConstant { .. } => {
            Source::Constant(function.ty(value).kinds)
        }
        _ => return None,
    })
}
