//! What the optimizing compiler made of a function, in the program's own words: names and lines instead of numbers.

use kiln_bytecode::{CodeBlock, Constant, Register};
use kiln_codegen::optimizing::summary::{
    Expectation, Generic, GenericReason, Guard, Place, Source, Summary, Variable,
};
use kiln_codegen::optimizing::{
    Assumption as Dependency, CodeId, ConstantId, GlobalId, Kinds, OptimizingJob,
};
use kiln_vm::object::function::Callee;
use kiln_vm::object::map::shape::ShapeId;
use kiln_vm::profile::OperandKind;
use kiln_vm::{Value, Vm};
use serde::{Deserialize, Serialize};

use crate::profile::names;

/// A line of the program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodePlace {
    /// The function it is in; `(top level)` and `(function)` for those without a name.
    pub function: String,
    /// The file.
    pub file: String,
    /// The line.
    pub line: u32,
}

/// A function that was built into its caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InlinedCall {
    /// The function.
    pub function: String,
    /// Where it is called.
    pub call: CodePlace,
}

/// A known function that is called by machine code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectCall {
    /// The function.
    pub function: String,
    /// Where it is called.
    pub call: CodePlace,
    /// The length of its bytecode: long functions are not inlined.
    pub instructions: u64,
    /// Whether it has loops: such functions are not inlined either.
    pub has_loops: bool,
}

/// Something taken for granted without a check: whatever changes it makes the code invalid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Assumption {
    /// No prototype gains, loses or exchanges what objects find in it.
    Prototypes,
    /// A global variable keeps its value.
    ConstantGlobal {
        /// Its name.
        name: String,
    },
    /// A global variable keeps a value, whichever.
    AssignedGlobal {
        /// Its name.
        name: String,
    },
    /// A member of a prototype keeps its value.
    ConstantMember {
        /// Its name, as far as it is known.
        name: String,
    },
}

/// What a guard is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardKind {
    /// The kind of a value.
    Kind,
    /// The members of a map and their order.
    Shape,
    /// Which function is called.
    Function,
    /// Which value it is.
    Value,
    /// That a number is whole, and not too large.
    Integer,
    /// That an index is one of the list's.
    Bounds,
    /// That elements of a list can be replaced in place.
    Writable,
    /// That control does not get where it never was.
    NeverRun,
    /// That a loop's counter is left alone.
    Counter,
    /// That assumptions hold.
    Assumptions,
    /// That an operation left to the interpreter is no detour: that it calls nothing unexpected.
    Straight,
    /// Something else.
    Other,
}

/// A check whose failure leaves optimized code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardSite {
    /// Where.
    pub place: CodePlace,
    /// What it is about.
    pub kind: GuardKind,
    /// The variable looked at, if the value is in one.
    pub variable: Option<String>,
    /// What is expected: `a number`, `a map{x, y}`; of guards that look at no value, a sentence.
    pub expected: String,
}

/// Why an instruction is done as the interpreter does it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum InterpretedReason {
    /// It met operands of these kinds.
    Kinds {
        /// In words.
        kinds: String,
    },
    /// It met objects of too many shapes.
    Shapes,
    /// It calls different functions.
    Targets,
    /// It calls a built-in function.
    BuiltIn,
    /// It was not seen at work when the code was made.
    Unobserved,
    /// Optimized code failed here before.
    FailedBefore,
    /// The optimizer has no other form of it.
    OnlyForm,
}

/// An instruction that is done as the interpreter does it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterpretedSite {
    /// Where.
    pub place: CodePlace,
    /// The number of the instruction in its function.
    pub position: u32,
    /// The instruction, as `docs/bytecode.md` names it.
    pub operation: String,
    /// Why.
    pub reason: InterpretedReason,
}

/// Where a boxed value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueSource {
    /// In words.
    pub what: String,
    /// The line, if it is known.
    pub line: Option<u32>,
}

/// A variable that a loop changes and that is kept as a tagged word, which has to be looked at whenever it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoxedVariable {
    /// Its name.
    pub name: String,
    /// The loop.
    pub place: CodePlace,
    /// Where its values come from, as far as they are not known to be numbers.
    pub sources: Vec<ValueSource>,
}

/// What the optimizing compiler made of a function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Optimization {
    /// What was inlined, callers first.
    pub inlined: Vec<InlinedCall>,
    /// What is taken for granted.
    pub assumptions: Vec<Assumption>,
    /// What is checked.
    pub guards: Vec<GuardSite>,
    /// Known functions that are called.
    pub calls: Vec<DirectCall>,
    /// What is done as the interpreter does it.
    pub interpreted: Vec<InterpretedSite>,
    /// What stays boxed in loops.
    pub boxed: Vec<BoxedVariable>,
}

/// Guards of optimized code that failed in the same way at the same place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GuardFailure {
    /// The function whose code was left.
    pub function: String,
    /// The guard.
    pub guard: GuardSite,
    /// What was met instead, if that is known.
    pub met: Option<String>,
    /// How often.
    pub count: u64,
}

/// A place where optimized code can be left, as people know it.
pub(super) struct ExitSite {
    pub guard: GuardSite,
    /// Where the value is that is looked at, once the code has been left.
    pub register: Option<Register>,
}

/// Names for the numbers of a job.
pub(super) struct Names<'a> {
    pub vm: &'a Vm,
    pub job: &'a OptimizingJob,
    /// Whether speculation failed at this position of the instance at this address.
    pub has_failed: &'a dyn Fn(usize, u32) -> bool,
}

impl Names<'_> {
    fn block(&self, code: CodeId) -> &CodeBlock {
        &self.job.input.codes[code].block
    }

    fn function(&self, code: CodeId) -> String {
        names::of_block(self.block(code))
    }

    fn place(&self, place: Place) -> CodePlace {
        let block = self.block(place.code);
        CodePlace {
            function: names::of_block(block),
            file: block.origin.file.to_string(),
            line: block.line_at(place.position),
        }
    }

    /// The statement of the innermost loop around a place.
    fn loop_around(&self, place: Place) -> CodePlace {
        let block = self.block(place.code);
        let around = block.loops.iter();
        let around = around.filter(|it| (it.header..it.end).contains(&place.position));
        let mut found = self.place(place);
        if let Some(innermost) = around.min_by_key(|it| it.end - it.header) {
            found.line = innermost.line;
        }
        found
    }

    fn global(&self, global: GlobalId) -> Option<String> {
        self.job.input.codes.values().find_map(|code| {
            let index = code.globals.iter().position(|known| *known == global)?;
            let name = *code.block.globals.get(index)?;
            match code.block.constants.get(name as usize)? {
                Constant::String(name) => Some(name.to_string()),
                _ => None,
            }
        })
    }

    fn variable(&self, variable: Variable) -> Option<String> {
        match variable {
            Variable::Global(global) => self.global(global),
            Variable::Register(code, register) => {
                names::variable(self.block(code), register.0).map(str::to_owned)
            }
        }
    }

    fn shape(&self, shape: u32) -> String {
        shape_in_words(self.vm, ShapeId(shape))
    }

    /// The name of a function that is a constant; else its kind.
    fn constant(&self, constant: ConstantId) -> String {
        let value = self.job.constant(constant);
        match value.as_function().map(|function| function.callee()) {
            Some(Callee::Intrinsic(intrinsic)) => format!("the built-in `{}`", intrinsic.name),
            Some(Callee::Script(_)) => match self.job.input.constants[constant].code {
                Some(code) => format!("the function `{}`", self.function(code)),
                None => "the same function as always".into(),
            },
            None => format!("the same {} as always", OperandKind::of(value).name()),
        }
    }

    fn assumption(&self, dependency: Dependency) -> Option<Assumption> {
        Some(match dependency {
            Dependency::Prototypes => Assumption::Prototypes,
            Dependency::ConstantGlobal(global) => Assumption::ConstantGlobal {
                name: self.global(global)?,
            },
            Dependency::AssignedGlobal(global) => Assumption::AssignedGlobal {
                name: self.global(global)?,
            },
            Dependency::ConstantSlot(map, slot) => {
                let map = self.job.constant(map).as_map()?;
                let members = self.vm.shape_members(map.shape())?;
                Assumption::ConstantMember {
                    name: members.get(slot.number as usize)?.to_string(),
                }
            }
        })
    }

    fn guard(&self, guard: &Guard) -> GuardSite {
        let (kind, expected) = match guard.expectation {
            Expectation::Kinds(kinds) => (GuardKind::Kind, kinds_in_words(kinds)),
            Expectation::Shape(shape) => (GuardKind::Shape, self.shape(shape.0)),
            Expectation::AnyShape(count) => {
                (GuardKind::Shape, format!("a map of one of {count} shapes"))
            }
            Expectation::Code(code) => (
                GuardKind::Function,
                format!("the function `{}`", self.function(code)),
            ),
            Expectation::Constant(constant) => (GuardKind::Value, self.constant(constant)),
            Expectation::Integer => (
                GuardKind::Integer,
                "a whole number that is not too large".into(),
            ),
            Expectation::Bounds => (GuardKind::Bounds, "within the list".into()),
            Expectation::Writable => (
                GuardKind::Writable,
                "elements of the list can be replaced in place".into(),
            ),
            Expectation::NeverRun => (
                GuardKind::NeverRun,
                "control does not get here, as it never had".into(),
            ),
            Expectation::Condition => (
                GuardKind::Counter,
                "the counter of the loop is left alone".into(),
            ),
            Expectation::Prototypes | Expectation::Assumptions => (
                GuardKind::Assumptions,
                "what the code takes for granted holds".into(),
            ),
            Expectation::Straight => (
                GuardKind::Straight,
                "the operation calls no function that a variable holds".into(),
            ),
            Expectation::Other => (GuardKind::Other, "the operation can be done".into()),
        };
        GuardSite {
            place: self.place(guard.place),
            kind,
            variable: guard.variable.and_then(|it| self.variable(it)),
            expected,
        }
    }

    /// A place where code can be left.
    pub fn exit(&self, guard: &Guard) -> ExitSite {
        ExitSite {
            guard: self.guard(guard),
            register: match guard.variable {
                Some(Variable::Register(code, register)) if code == guard.place.code => {
                    Some(register)
                }
                _ => None,
            },
        }
    }

    fn interpreted(&self, generic: &Generic) -> InterpretedSite {
        let Place { code, position } = generic.place;
        let reason = match generic.reason {
            GenericReason::Kinds(kinds) => InterpretedReason::Kinds {
                kinds: kinds_in_words(kinds),
            },
            GenericReason::Shapes => InterpretedReason::Shapes,
            GenericReason::Targets => InterpretedReason::Targets,
            GenericReason::BuiltIn => InterpretedReason::BuiltIn,
            GenericReason::OnlyForm => InterpretedReason::OnlyForm,
            GenericReason::Unobserved
                if (self.has_failed)(self.job.code_address(code), position) =>
            {
                InterpretedReason::FailedBefore
            }
            GenericReason::Unobserved => InterpretedReason::Unobserved,
        };
        InterpretedSite {
            place: self.place(generic.place),
            position,
            operation: generic.op.info().name.into(),
            reason,
        }
    }

    fn source(&self, source: &Source) -> ValueSource {
        let line = |place: &Place| Some(self.block(place.code).line_at(place.position));
        let (what, line) = match source {
            Source::Generic(place, op) => (
                format!(
                    "the result of `{}`, which the interpreter works out",
                    op.info().name
                ),
                line(place),
            ),
            Source::Call(place, code) => (
                format!("what `{}` returns", self.function(*code)),
                line(place),
            ),
            Source::Element => ("elements of a list, which can be anything".into(), None),
            Source::Member => ("members of a map, which can be anything".into(), None),
            Source::Global => (
                "it is a global variable that other code may use meanwhile".into(),
                None,
            ),
            Source::Entry => ("what it holds when the code is entered".into(), None),
            Source::Constant(kinds) => (kinds_in_words(*kinds), None),
        };
        ValueSource { what, line }
    }

    /// All of a summary.
    pub fn optimization(&self, summary: &Summary, dependencies: &[Dependency]) -> Optimization {
        let mut guards: Vec<GuardSite> = Vec::new();
        for guard in &summary.guards {
            let is_speculation = !matches!(
                guard.expectation,
                Expectation::Assumptions | Expectation::Prototypes | Expectation::Straight
            );
            let guard = self.guard(guard);
            if is_speculation && !guards.contains(&guard) {
                guards.push(guard);
            }
        }
        let boxed = summary.boxed.iter().filter_map(|boxed| {
            Some(BoxedVariable {
                name: boxed.variables.iter().find_map(|it| self.variable(*it))?,
                place: self.loop_around(boxed.header?),
                sources: boxed.sources.iter().map(|it| self.source(it)).collect(),
            })
        });
        let inlined = summary.inlined.iter().map(|inlining| InlinedCall {
            function: self.function(inlining.code),
            call: self.place(inlining.call),
        });
        let calls = summary.calls.iter().map(|call| DirectCall {
            function: self.function(call.code),
            call: self.place(call.place),
            instructions: self.block(call.code).instructions.len() as u64,
            has_loops: !self.block(call.code).loops.is_empty(),
        });
        let assumptions = dependencies.iter().filter_map(|it| self.assumption(*it));
        Optimization {
            inlined: inlined.collect(),
            assumptions: assumptions.collect(),
            guards,
            calls: calls.collect(),
            interpreted: summary
                .generic
                .iter()
                .map(|it| self.interpreted(it))
                .collect(),
            boxed: boxed.collect(),
        }
    }
}

impl GuardSite {
    /// What is expected, as a sentence without its full stop.
    pub fn sentence(&self) -> String {
        match (self.kind, &self.variable) {
            (
                GuardKind::NeverRun
                | GuardKind::Counter
                | GuardKind::Writable
                | GuardKind::Assumptions
                | GuardKind::Straight
                | GuardKind::Other,
                _,
            ) => self.expected.clone(),
            (_, Some(variable)) => format!("`{variable}` is {}", self.expected),
            (GuardKind::Function, None) => format!("what is called is {}", self.expected),
            (GuardKind::Bounds, None) => format!("the index is {}", self.expected),
            (GuardKind::Shape, None) => format!("the object is {}", self.expected),
            (_, None) => format!("the value is {}", self.expected),
        }
    }
}

impl GuardFailure {
    /// What was expected and what came, without a full stop.
    pub fn sentence(&self) -> String {
        let expected = self.guard.sentence();
        match &self.met {
            Some(met) => format!("the code expected that {expected}, and met {met}"),
            None => format!("the code expected that {expected}"),
        }
    }
}

/// What a value is, next to what was expected.
pub(super) fn in_words(vm: &Vm, value: Value, kind: GuardKind) -> String {
    match (value.as_number(), value.as_map()) {
        (Some(number), _) if matches!(kind, GuardKind::Integer | GuardKind::Bounds) => {
            format!("the number {number}")
        }
        (_, Some(map)) if kind == GuardKind::Shape => shape_in_words(vm, map.shape()),
        _ => function_in_words(vm, value)
            .filter(|_| matches!(kind, GuardKind::Function | GuardKind::Value))
            .unwrap_or_else(|| with_article(OperandKind::of(value).name())),
    }
}

/// The name of a function, if the value is one.
fn function_in_words(vm: &Vm, value: Value) -> Option<String> {
    Some(match value.as_function()?.callee() {
        Callee::Intrinsic(intrinsic) => format!("the built-in `{}`", intrinsic.name),
        Callee::Script(code) => {
            let instance = vm.instance_at(code as usize)?;
            format!("the function `{}`", names::of_block(&instance.block))
        }
    })
}

fn shape_in_words(vm: &Vm, shape: ShapeId) -> String {
    match vm.shape_members(shape) {
        Some(members) => format!("a map{{{}}}", members.join(", ")),
        None => "a map that is used as a table".into(),
    }
}

/// A kind of value in a sentence.
pub(crate) fn with_article(kind: &str) -> String {
    match kind {
        "null" => "null".into(),
        "unassigned" => "a variable without a value".into(),
        "other" => "an object of another kind".into(),
        kind => format!("a {kind}"),
    }
}

/// A set of kinds.
fn kinds_in_words(kinds: Kinds) -> String {
    const NAMES: [(Kinds, &str); 9] = [
        (Kinds::NUMBER, "number"),
        (Kinds::STRING, "string"),
        (Kinds::LIST, "list"),
        (Kinds::MAP, "map"),
        (Kinds::FUNCTION, "function"),
        (Kinds::RANGE, "range"),
        (Kinds::NULL, "null"),
        (Kinds::UNASSIGNED, "unassigned"),
        (Kinds::OTHER, "other"),
    ];
    if kinds == Kinds::ANY {
        return "a value of any kind".into();
    }
    if kinds == Kinds::SETTLED {
        return "no function".into();
    }
    if kinds == Kinds::ANY.without(Kinds::UNASSIGNED) {
        return "assigned".into();
    }
    let parts = NAMES.iter().filter(|(part, _)| kinds.meets(*part));
    let words: Vec<String> = parts.map(|(_, name)| with_article(name)).collect();
    match words.as_slice() {
        [] => "nothing".into(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_in_words() {
        assert_eq!(kinds_in_words(Kinds::WHOLE), "a number");
        let mixed = Kinds::NUMBER.union(Kinds::STRING).union(Kinds::NULL);
        assert_eq!(kinds_in_words(mixed), "a number, a string or null");
        assert_eq!(kinds_in_words(Kinds::ANY), "a value of any kind");
        assert_eq!(kinds_in_words(Kinds::SETTLED), "no function");
    }
}
