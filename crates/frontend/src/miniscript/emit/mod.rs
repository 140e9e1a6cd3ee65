//! Syntax tree to bytecode.
//!
//! Each function becomes a code block. The emitter keeps a stack of temporary registers above those of the locals;
//! whatever a statement takes it gives back at its end.
//!
//! # Variables that hold functions
//!
//! Reading a variable calls the function it holds. A local in a register is an operand of arithmetic, comparisons,
//! indexing and branches as it is: no check is emitted. If it holds a function, the instruction's slow path continues at an
//! *invoke path*, a second version of the expression at the end of the code block in which every local is read by an
//! `invoke` instruction, in the order of the source. That is exact as long as nothing evaluated before can be seen to have
//! happened: so only *quiet* expressions have invoke paths ([`quiet`]); elsewhere a local is invoked in its turn.

mod arith;
mod calls;
mod chains;
mod conditions;
mod loops;
mod quiet;
mod spans;
mod statements;
mod variables;

use std::collections::HashMap;
use std::sync::Arc;

use kiln_bytecode::{
    BuildError, CodeBlock, CodeBlockBuilder, Constant, Label, Language, Origin, Position, ReadMode,
    Register,
};

use super::ast::{Expr, ExprKind, FunctionId, Literal, Program};
use super::names::Name;
use super::resolve::{Scope, SpecialNames, resolve};
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::source::{Source, Span};
use quiet::InvokePath;
use spans::Spans;

/// What a program is compiled for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Values of expression statements at top level are stored in the global `_`.
    pub keep_results: bool,
}

/// Compiles a program. The source's module name decides whether it is a program or a module.
///
/// # Errors
/// A function needs more registers than an instruction can name.
pub fn emit(
    program: &Program,
    source: &Source,
    options: Options,
) -> Result<Arc<CodeBlock>, Vec<Diagnostic>> {
    let module = source.module().is_some();
    let scopes = resolve(program, module);
    let origin = Arc::new(Origin {
        file: source.name().into(),
        module: source.module().map(|name| (&**name).into()),
    });
    let context = Context {
        program,
        scopes: &scopes,
        special: SpecialNames::of(program),
        options,
        module,
        children: children(program),
        spans: Spans::new(source),
    };
    // Children first: a function needs the code blocks of its nested ones. They have larger numbers.
    let mut blocks: Vec<Option<Arc<CodeBlock>>> = vec![None; program.functions.len()];
    let names = function_names(program);
    for index in (0..program.functions.len()).rev() {
        let id = FunctionId(index as u32);
        let block =
            FunctionEmitter::new(&context, id, origin.clone()).emit(&mut blocks, names.get(&id));
        match block {
            Ok(block) => blocks[index] = Some(Arc::new(block)),
            Err(error) => return Err(vec![too_large(program, id, source, &error)]),
        }
    }
    match blocks.swap_remove(0) {
        Some(block) => Ok(block),
        None => Err(Vec::new()),
    }
}

fn too_large(program: &Program, id: FunctionId, source: &Source, error: &BuildError) -> Diagnostic {
    let function = program.function(id);
    Diagnostic {
        kind: DiagnosticKind::Compiler,
        message: format!("function too large: {error}"),
        span: function.span,
        line: Some(function.line),
        module: source.module().cloned(),
    }
}

/// The functions whose literals stand directly in each function.
fn children(program: &Program) -> Vec<Vec<FunctionId>> {
    let mut children = vec![Vec::new(); program.functions.len()];
    for (index, function) in program.functions.iter().enumerate() {
        if let Some(parent) = function.parent {
            children[parent.index()].push(FunctionId(index as u32));
        }
    }
    children
}

/// Names for functions that are assigned to a variable or member, for stack traces and profiles.
fn function_names(program: &Program) -> HashMap<FunctionId, Name> {
    let mut names = HashMap::new();
    for function in &program.functions {
        statements::collect_function_names(&function.body, &mut names);
    }
    names
}

/// The most global variables kept in registers: what the analyses of large programs can bear.
const MAX_GLOBAL_REGISTERS: usize = 2000;

/// What all functions of a program share.
struct Context<'a> {
    program: &'a Program,
    scopes: &'a [Scope],
    special: SpecialNames,
    options: Options,
    module: bool,
    children: Vec<Vec<FunctionId>>,
    spans: Spans<'a>,
}

/// A loop being emitted.
struct LoopLabels {
    break_to: Label,
    continue_to: Label,
    counter: Option<Name>,
}

/// Emits one function.
struct FunctionEmitter<'a> {
    context: &'a Context<'a>,
    id: FunctionId,
    scope: &'a Scope,
    builder: CodeBlockBuilder,
    registers: HashMap<Name, Register>,
    /// The register that holds the variable map, if there is one.
    variables: Option<Register>,
    /// The next free temporary register.
    next_temporary: u32,
    loops: Vec<LoopLabels>,
    /// Invoke paths to be emitted at the end.
    pending: Vec<InvokePath<'a>>,
    /// The variable being assigned, and how its reads on the right side behave.
    assigning: Option<(Name, ReadMode)>,
    line: u32,
    function_indices: HashMap<FunctionId, kiln_bytecode::FunctionIndex>,
}

impl<'a> FunctionEmitter<'a> {
    fn new(context: &'a Context<'a>, id: FunctionId, origin: Arc<Origin>) -> FunctionEmitter<'a> {
        FunctionEmitter {
            context,
            id,
            scope: &context.scopes[id.index()],
            builder: CodeBlockBuilder::start(Language::MiniScript1, origin),
            registers: HashMap::new(),
            variables: None,
            next_temporary: u32::from(Register::FIRST_PARAMETER.0),
            loops: Vec::new(),
            pending: Vec::new(),
            assigning: None,
            line: 1,
            function_indices: HashMap::new(),
        }
    }

    fn is_main(&self) -> bool {
        self.id == FunctionId::MAIN
    }

    /// Whether variables assigned here are globals.
    fn is_top_level(&self) -> bool {
        self.is_main() && !self.context.module
    }

    fn text(&self, name: Name) -> &'a str {
        self.context.program.names.text(name)
    }

    fn emit(
        mut self,
        blocks: &mut [Option<Arc<CodeBlock>>],
        name: Option<&Name>,
    ) -> Result<CodeBlock, BuildError> {
        let function = self.context.program.function(self.id);
        self.line = function.line.max(1);
        self.builder.line = self.line;
        if let Some(name) = name {
            self.builder.name = self.text(*name).into();
        }
        self.builder.is_top_level = self.is_top_level();
        self.builder.variables_by_name = self.scope.by_name && !self.is_top_level();
        for child in &self.context.children[self.id.index()] {
            if let Some(block) = blocks[child.index()].take() {
                let index = self.builder.add_function(block);
                self.function_indices.insert(*child, index);
            }
        }
        self.builder.set_line(self.line);
        self.prologue();
        for statement in &function.body {
            self.statement(statement);
        }
        self.epilogue();
        self.emit_invoke_paths();
        self.builder.finish()
    }

    /// Gives locals their registers and puts the variable map in order.
    fn prologue(&mut self) {
        let function = self.context.program.function(self.id);
        let special = self.context.special;
        for parameter in &function.parameters {
            let default = match parameter.default {
                None | Some(Literal::Null) => Constant::Null,
                Some(Literal::Number(number)) => Constant::Number(number),
                Some(Literal::String(text)) => Constant::String(self.text(text).into()),
            };
            let register = self
                .builder
                .add_parameter(self.text(parameter.name), default);
            self.builder
                .name_register(register, self.text(parameter.name));
            // Of two parameters with the same name the first one counts.
            self.registers.entry(parameter.name).or_insert(register);
            self.next_temporary = u32::from(register.0) + 1;
        }
        self.builder.self_parameter = function
            .parameters
            .first()
            .is_some_and(|parameter| Some(parameter.name) == special.self_);
        if self.is_top_level() {
            self.bind_globals();
            return;
        }
        self.builder.uses_super =
            self.scope.uses_super || self.scope.by_name || self.captures(special.super_);
        let needs_map = self.scope.by_name || !self.scope.captured.is_empty();
        for name in &self.scope.locals {
            if self.registers.contains_key(name) || self.lives_in_map(*name) {
                continue;
            }
            if Some(*name) == special.self_ {
                self.registers.insert(*name, Register::SELF);
                continue;
            }
            if Some(*name) == special.super_ {
                self.registers.insert(*name, Register::SUPER);
                continue;
            }
            if self.scope.counters.contains(name) {
                // The sequence of the loop stands right below its counter.
                self.temporary();
            }
            let register = self.temporary();
            self.registers.insert(*name, register);
            self.builder.name_register(register, self.text(*name));
            if self.scope.maybe_unassigned.contains(name) {
                self.builder.load_unassigned(register);
            }
        }
        if needs_map {
            let map = self.temporary();
            self.builder.new_variables(map);
            self.variables = Some(map);
            self.builder.variables_register = Some(map);
            let mut stored = Vec::new();
            for parameter in &function.parameters {
                if self.lives_in_map(parameter.name) && !stored.contains(&parameter.name) {
                    stored.push(parameter.name);
                    let feedback = self.builder.variable_feedback(self.text(parameter.name));
                    self.builder
                        .set_variable(map, self.registers[&parameter.name], feedback);
                }
            }
            if self.scope.by_name || self.captures(special.super_) {
                let feedback = self.builder.variable_feedback("super");
                self.builder.bind_super(map, feedback);
            }
        }
    }

    /// Gives the global variables that the program assigns registers of its top level.
    ///
    /// The map `globals` lists variables in the order of their assignment, which direct assignments to registers do not note: so a
    /// program that may remove variables and assign them again does without.
    fn bind_globals(&mut self) {
        let special = self.context.special;
        let scope_maps = [special.globals, special.locals, special.outer];
        if self.context.program.names.find("remove").is_some()
            && scope_maps.iter().any(Option::is_some)
        {
            return;
        }
        for name in self.scope.locals.iter().take(MAX_GLOBAL_REGISTERS) {
            if self.place(*name) != variables::Place::Global {
                continue;
            }
            if self.scope.counters.contains(name) {
                // The sequence of the loop stands right below its counter.
                self.temporary();
            }
            let register = self.temporaries(2);
            let global = self.builder.global(self.text(*name));
            self.builder.bind_global(register, global);
            self.registers.insert(*name, register);
        }
    }

    fn captures(&self, name: Option<Name>) -> bool {
        name.is_some_and(|name| self.scope.captured.contains(&name))
    }

    /// Whether a local of this function lives in its variable map.
    fn lives_in_map(&self, name: Name) -> bool {
        !self.is_top_level() && (self.scope.by_name || self.scope.captured.contains(&name))
    }

    fn epilogue(&mut self) {
        match self.variables {
            // An imported module is its variables.
            Some(map) if self.is_main() => {
                self.builder.return_value(map);
            }
            _ => {
                let result = self.temporary();
                self.load_null(result);
                self.builder.return_value(result);
            }
        }
    }

    // ---- registers ----

    /// A new temporary register.
    fn temporary(&mut self) -> Register {
        self.temporaries(1)
    }

    /// The first of `count` new, neighbouring temporary registers.
    fn temporaries(&mut self, count: u32) -> Register {
        let first = self.next_temporary;
        self.next_temporary += count;
        // Beyond what an instruction can name, the builder reports the error in the end.
        self.builder.reserve_registers(self.next_temporary);
        Register(u16::try_from(first).unwrap_or(u16::MAX - 300))
    }

    /// Runs `work` and gives back the temporaries it took.
    fn scratch<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let mark = self.next_temporary;
        let result = work(self);
        self.next_temporary = mark;
        result
    }

    fn load_null(&mut self, dst: Register) {
        let null = self.builder.null();
        self.builder.load_constant(dst, null);
    }

    fn load_number(&mut self, dst: Register, number: f64) {
        let number = self.builder.number(number);
        self.builder.load_constant(dst, number);
    }

    fn load_literal(&mut self, dst: Register, literal: Literal) {
        match literal {
            Literal::Null => self.load_null(dst),
            Literal::Number(number) => self.load_number(dst, number),
            Literal::String(text) => {
                let text = self.builder.string(self.text(text));
                self.builder.load_constant(dst, text);
            }
        }
    }

    fn invoke(&mut self, dst: Register, src: Register) -> Position {
        let feedback = self.builder.call_feedback();
        self.builder.invoke(dst, src, feedback)
    }

    fn set_line(&mut self, line: u32) {
        self.line = line;
        self.builder.set_line(line);
    }

    /// Emits what belongs to a part of the source.
    fn within<T>(&mut self, span: Span, emit: impl FnOnce(&mut Self) -> T) -> T {
        let span = self.context.spans.find(span);
        let outer = self.builder.set_span(Some(span));
        let result = emit(self);
        self.builder.set_span(outer);
        result
    }

    // ---- values ----

    /// Evaluates an expression into `dst`. Only the last instruction writes `dst`, so it may be a local that the
    /// expression reads.
    fn value_to(&mut self, expr: &'a Expr, dst: Register) {
        self.scratch(|this| {
            let register = this.value(expr, Some(dst));
            if register != dst {
                this.builder.move_register(dst, register);
            }
        });
    }

    /// Evaluates an expression: into `dst`, a temporary register, or the register of a local that cannot hold a function.
    /// The value does not change until the end of the statement.
    fn value(&mut self, expr: &'a Expr, dst: Option<Register>) -> Register {
        self.within(expr.span, |this| this.emit_value(expr, dst))
    }

    fn emit_value(&mut self, expr: &'a Expr, dst: Option<Register>) -> Register {
        if quiet::is_quiet(self, expr) {
            return self.quiet_value(expr, dst);
        }
        match &expr.kind {
            ExprKind::Literal(literal) => {
                let dst = dst.unwrap_or_else(|| self.temporary());
                self.load_literal(dst, *literal);
                dst
            }
            ExprKind::Function(id) => self.function_literal(*id, dst),
            ExprKind::Variable { name, read } => self.variable(*name, read, expr.span.start, dst),
            ExprKind::Chain { base, steps } => self.chain(base, steps, dst),
            ExprKind::List(elements) => self.list(elements, dst),
            ExprKind::Map(entries) => self.map(entries, dst),
            ExprKind::Not(operand) => {
                self.unary(operand, dst, |builder, dst, src| builder.not(dst, src))
            }
            ExprKind::Negate(operand) => {
                self.unary(operand, dst, |builder, dst, src| builder.negate(dst, src))
            }
            ExprKind::New(operand) => {
                self.unary(operand, dst, |builder, dst, src| builder.new(dst, src))
            }
            ExprKind::Isa { value, kind } => self.isa(value, kind, dst),
            ExprKind::Compare { first, rest } => self.comparison(first, rest, dst),
            ExprKind::Arithmetic { first, rest } => self.arithmetic(first, rest, dst),
            ExprKind::Logical { op, operands } => self.logical(*op, operands, dst),
        }
    }

    fn unary(
        &mut self,
        operand: &'a Expr,
        dst: Option<Register>,
        emit: fn(&mut CodeBlockBuilder, Register, Register) -> Position,
    ) -> Register {
        let dst = dst.unwrap_or_else(|| self.temporary());
        self.scratch(|this| {
            let src = this.value(operand, None);
            emit(&mut this.builder, dst, src);
        });
        dst
    }

    fn function_literal(&mut self, id: FunctionId, dst: Option<Register>) -> Register {
        let dst = dst.unwrap_or_else(|| self.temporary());
        let Some(index) = self.function_indices.get(&id).copied() else {
            return dst;
        };
        if self.context.program.function(id).is_closure {
            // Register 0 holds no map: a closure made without a variable map has no outer variables.
            let variables = self.variables.unwrap_or(Register::CALLEE);
            self.builder.new_closure(dst, variables, index);
        } else {
            self.builder.new_function(dst, index);
        }
        dst
    }
}
