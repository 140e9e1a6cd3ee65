//! Where variables live.
//!
//! Names assigned in a function are its locals. Most live in registers. A local that a closure written directly in the
//! function can name is *captured*: it lives in the function's variable map. If code that is not known at compile time
//! may name locals (the scope map `locals` is used, a closure uses `outer` as a value, `import` binds a variable), all of
//! them do: the function keeps its variables *by name*.
//!
//! A local may be read before it has a value; the name then means an outer variable, a global or an intrinsic. A walk over
//! each function finds the reads where a value is certain (definite assignment, as in Java).

use std::collections::{HashMap, HashSet};

use super::ast::{
    Block, Expr, ExprKind, Function, FunctionId, Program, Read, Selector, Statement, StatementKind,
    StepKind, Target, TargetKind,
};
use super::names::Name;

/// Names with a meaning of their own.
#[derive(Clone, Copy, Debug)]
pub(super) struct SpecialNames {
    pub locals: Option<Name>,
    pub globals: Option<Name>,
    pub outer: Option<Name>,
    pub self_: Option<Name>,
    pub super_: Option<Name>,
    pub import: Option<Name>,
    pub range: Option<Name>,
}

impl SpecialNames {
    /// The special names that the program mentions.
    pub fn of(program: &Program) -> SpecialNames {
        let find = |text| program.names.find(text);
        SpecialNames {
            locals: find("locals"),
            globals: find("globals"),
            outer: find("outer"),
            self_: find("self"),
            super_: find("super"),
            import: find("import"),
            range: find("range"),
        }
    }

    /// Whether the name always means a scope map.
    pub fn is_scope(&self, name: Name) -> bool {
        let name = Some(name);
        name == self.locals || name == self.globals || name == self.outer
    }
}

/// What the emitter needs to know of a function's variables.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// Locals in the order of their first assignment, parameters first.
    pub locals: Vec<Name>,
    /// The locals as a set.
    pub local_set: HashSet<Name>,
    /// Counters of `for` loops.
    pub counters: HashSet<Name>,
    /// Locals that live in the variable map.
    pub captured: HashSet<Name>,
    /// All locals live in the variable map.
    pub by_name: bool,
    /// Mentions `super`.
    pub uses_super: bool,
    /// Assigns `self`.
    pub assigns_self: bool,
    /// Locals that can never hold a function.
    pub never_function: HashSet<Name>,
    /// Where (offsets of the variable in the source) a local is read that may have no value yet.
    pub unassigned_reads: HashSet<u32>,
    /// Where (offsets of the target in the source) a local is assigned that may have no value yet.
    pub unassigned_writes: HashSet<u32>,
    /// Locals that are read somewhere before they are certain to have a value.
    pub maybe_unassigned: HashSet<Name>,
    /// Names read that are not certain to be locals with a value.
    free_reads: HashSet<Name>,
    /// Members of `outer` that are read.
    outer_reads: HashSet<Name>,
    /// Members of `outer` that are assigned.
    outer_writes: HashSet<Name>,
    /// Uses `outer` other than to read or assign a member.
    outer_as_value: bool,
}

/// Resolves all functions of a program. `module`: its top level keeps its variables by name rather than as globals.
pub(super) fn resolve(program: &Program, module: bool) -> Vec<Scope> {
    let special = SpecialNames::of(program);
    let mut scopes: Vec<Scope> = program
        .functions
        .iter()
        .enumerate()
        .map(|(index, function)| {
            let is_main = index == FunctionId::MAIN.index();
            let mut walk = Walk::new(special, function);
            walk.run(function);
            let mut scope = walk.scope;
            if is_main {
                scope.by_name = module;
            }
            scope
        })
        .collect();
    // A function's parent has a smaller number, so children come first from the end.
    for index in (1..scopes.len()).rev() {
        let function = &program.functions[index];
        let Some(parent) = function.parent.filter(|_| function.is_closure) else {
            continue;
        };
        let (parents, children) = scopes.split_at_mut(index);
        let (parent, child) = (&mut parents[parent.index()], &children[0]);
        let is_local =
            |name: &Name| parent.local_set.contains(name) || Some(*name) == special.super_;
        // A member of `outer` that is no local may be a method of the map: that needs all variables.
        let unknown = child
            .outer_reads
            .iter()
            .any(|name| !is_local(name) && !child.outer_writes.contains(name));
        if child.outer_as_value || unknown {
            parent.by_name = true;
        }
        let named: Vec<Name> = child
            .free_reads
            .iter()
            .chain(&child.outer_reads)
            .copied()
            .filter(|name| is_local(name))
            .collect();
        parent.captured.extend(named);
        parent.captured.extend(&child.outer_writes);
        if parent.assigns_self
            && let Some(self_) = special.self_
        {
            parent.captured.insert(self_);
        }
    }
    scopes
}

/// The walk over one function.
struct Walk {
    special: SpecialNames,
    scope: Scope,
    /// The number of each local in the sets below.
    numbers: HashMap<Name, usize>,
    /// Which locals certainly have a value here; none where control never comes.
    assigned: Option<NameBits>,
    /// At the top level of a program `return` does not end anything.
    is_main: bool,
    /// For each local whether some assignment may store a function.
    may_be_function: HashMap<Name, bool>,
}

impl Walk {
    fn new(special: SpecialNames, function: &Function) -> Walk {
        let mut scope = Scope::default();
        let mut may_be_function = HashMap::new();
        for parameter in &function.parameters {
            add_local(&mut scope, parameter.name);
            may_be_function.insert(parameter.name, true);
        }
        collect_locals(&function.body, special, &mut scope, &mut may_be_function);
        let numbers: HashMap<Name, usize> = scope
            .locals
            .iter()
            .enumerate()
            .map(|(number, name)| (*name, number))
            .collect();
        let mut assigned = NameBits(vec![0; scope.locals.len() / 64 + 1]);
        for parameter in &function.parameters {
            assigned.insert(numbers[&parameter.name]);
        }
        Walk {
            special,
            scope,
            numbers,
            assigned: Some(assigned),
            is_main: function.parent.is_none(),
            may_be_function,
        }
    }

    fn run(&mut self, function: &Function) {
        self.block(&function.body);
        let never = self
            .may_be_function
            .iter()
            .filter(|(_, may)| !**may)
            .map(|(name, _)| *name);
        self.scope.never_function = never.collect();
    }

    fn block(&mut self, block: &Block) {
        for statement in block {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::Expression(expr) => self.expr(expr),
            StatementKind::CallValue { callee, arguments } => {
                self.expr(callee);
                arguments.iter().for_each(|argument| self.expr(argument));
            }
            StatementKind::Assign { target, value } => {
                if let TargetKind::Element { .. } = target.kind {
                    self.target(target);
                }
                self.expr(value);
                self.assign(target);
            }
            StatementKind::Update { target, value, .. } => {
                self.target(target);
                self.expr(value);
                if let TargetKind::Variable(name) = target.kind {
                    self.read(name, target.span.start, true);
                }
                self.assign(target);
            }
            StatementKind::If { clauses, otherwise } => {
                let mut after: Option<NameBits> = None;
                for clause in clauses {
                    self.expr(&clause.condition);
                    let before = self.assigned.clone();
                    self.block(&clause.body);
                    after = join(after, self.assigned.take());
                    self.assigned = before;
                }
                if let Some(otherwise) = otherwise {
                    self.block(otherwise);
                }
                self.assigned = join(after, self.assigned.take());
            }
            StatementKind::While { condition, body } => {
                self.expr(condition);
                let before = self.assigned.clone();
                self.block(body);
                self.assigned = before;
            }
            StatementKind::For {
                variable,
                counter,
                sequence,
                body,
            } => {
                self.expr(sequence);
                self.define(*counter);
                let before = self.assigned.clone();
                self.define(*variable);
                self.block(body);
                self.assigned = before;
            }
            StatementKind::Break | StatementKind::Continue => self.assigned = None,
            StatementKind::Return(value) => {
                if let Some(value) = value {
                    self.expr(value);
                }
                if !self.is_main {
                    self.assigned = None;
                }
            }
        }
    }

    /// Whether the local certainly has a value here.
    fn has_value(&self, name: Name) -> bool {
        match (&self.assigned, self.numbers.get(&name)) {
            (Some(assigned), Some(number)) => assigned.contains(*number),
            (None, _) => true,
            (_, None) => false,
        }
    }

    fn define(&mut self, name: Name) {
        if let (Some(assigned), Some(number)) = (&mut self.assigned, self.numbers.get(&name)) {
            assigned.insert(*number);
        }
    }

    fn assign(&mut self, target: &Target) {
        if let TargetKind::Variable(name) = target.kind {
            if !self.has_value(name) {
                self.scope.unassigned_writes.insert(target.span.start);
            }
            self.define(name);
        }
    }

    fn target(&mut self, target: &Target) {
        let TargetKind::Element {
            container,
            selector,
        } = &target.kind
        else {
            return;
        };
        if let ExprKind::Variable { name, .. } = container.kind
            && Some(name) == self.special.outer
            && let Selector::Member(member) = selector
        {
            self.scope.outer_writes.insert(*member);
            return;
        }
        self.expr(container);
        self.selector(selector);
    }

    fn selector(&mut self, selector: &Selector) {
        if let Selector::Index(index) = selector {
            self.expr(index);
        }
    }

    /// A read of a variable. `strict`: only a local counts.
    fn read(&mut self, name: Name, at: u32, strict: bool) {
        if self.special.is_scope(name) {
            return;
        }
        if self.numbers.contains_key(&name) {
            if self.has_value(name) {
                return;
            }
            self.scope.unassigned_reads.insert(at);
            self.scope.maybe_unassigned.insert(name);
        }
        if !strict {
            self.scope.free_reads.insert(name);
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Literal(_) | ExprKind::Function(_) => {}
            ExprKind::Variable { name, read } => {
                if let Read::Call(arguments) = read {
                    arguments.iter().for_each(|argument| self.expr(argument));
                }
                if Some(*name) == self.special.outer {
                    self.scope.outer_as_value = true;
                }
                if Some(*name) == self.special.locals || Some(*name) == self.special.import {
                    self.scope.by_name = true;
                }
                if Some(*name) == self.special.super_ {
                    self.scope.uses_super = true;
                }
                self.read(*name, expr.span.start, false);
            }
            ExprKind::Chain { base, steps } => {
                let mut steps = steps.iter();
                if let ExprKind::Variable { name, .. } = base.kind
                    && Some(name) == self.special.outer
                    && let Some(StepKind::Select {
                        selector: Selector::Member(member),
                        read,
                    }) = steps.as_slice().first().map(|step| &step.kind)
                {
                    self.scope.outer_reads.insert(*member);
                    if let Read::Call(arguments) = read {
                        arguments.iter().for_each(|argument| self.expr(argument));
                    }
                    steps.next();
                } else {
                    self.expr(base);
                }
                for step in steps {
                    match &step.kind {
                        StepKind::Select { selector, read } => {
                            self.selector(selector);
                            if let Read::Call(arguments) = read {
                                arguments.iter().for_each(|argument| self.expr(argument));
                            }
                        }
                        StepKind::Slice { from, to } => {
                            from.iter().chain(to).for_each(|bound| self.expr(bound))
                        }
                    }
                }
            }
            ExprKind::List(elements) => elements.iter().for_each(|element| self.expr(element)),
            ExprKind::Map(entries) => {
                for entry in entries {
                    self.expr(&entry.key);
                    self.expr(&entry.value);
                }
            }
            ExprKind::Not(operand) | ExprKind::Negate(operand) | ExprKind::New(operand) => {
                self.expr(operand)
            }
            ExprKind::Isa { value, kind } => {
                self.expr(value);
                self.expr(kind);
            }
            ExprKind::Compare { first, rest } => {
                self.expr(first);
                rest.iter().for_each(|(_, operand)| self.expr(operand));
            }
            ExprKind::Arithmetic { first, rest } => {
                self.expr(first);
                rest.iter().for_each(|(_, operand)| self.expr(operand));
            }
            ExprKind::Logical { operands, .. } => {
                operands.iter().for_each(|operand| self.expr(operand))
            }
        }
    }
}

/// A set of locals by their numbers.
#[derive(Clone)]
struct NameBits(Vec<u64>);

impl NameBits {
    fn insert(&mut self, number: usize) {
        self.0[number / 64] |= 1 << (number % 64);
    }

    fn contains(&self, number: usize) -> bool {
        self.0[number / 64] >> (number % 64) & 1 != 0
    }
}

/// Where two ways meet, a value is certain if it is on both. A way that control never comes does not count.
fn join(a: Option<NameBits>, b: Option<NameBits>) -> Option<NameBits> {
    match (a, b) {
        (Some(mut a), Some(b)) => {
            a.0.iter_mut().zip(&b.0).for_each(|(a, b)| *a &= b);
            Some(a)
        }
        (a, b) => a.or(b),
    }
}

fn add_local(scope: &mut Scope, name: Name) {
    if scope.local_set.insert(name) {
        scope.locals.push(name);
    }
}

/// Finds all names that a function assigns.
fn collect_locals(
    block: &Block,
    special: SpecialNames,
    scope: &mut Scope,
    may_be_function: &mut HashMap<Name, bool>,
) {
    for statement in block {
        match &statement.kind {
            StatementKind::Assign { target, value } => {
                if let TargetKind::Variable(name) = target.kind {
                    note_assignment(name, special, scope);
                    *may_be_function.entry(name).or_insert(false) |= !is_never_function(value);
                }
            }
            StatementKind::Update { target, .. } => {
                if let TargetKind::Variable(name) = target.kind {
                    note_assignment(name, special, scope);
                    may_be_function.entry(name).or_insert(false);
                }
            }
            StatementKind::If { clauses, otherwise } => {
                for clause in clauses {
                    collect_locals(&clause.body, special, scope, may_be_function);
                }
                if let Some(otherwise) = otherwise {
                    collect_locals(otherwise, special, scope, may_be_function);
                }
            }
            StatementKind::While { body, .. } => {
                collect_locals(body, special, scope, may_be_function)
            }
            StatementKind::For {
                variable,
                counter,
                sequence,
                body,
            } => {
                note_assignment(*counter, special, scope);
                note_assignment(*variable, special, scope);
                scope.counters.insert(*counter);
                may_be_function.entry(*counter).or_insert(false);
                // Characters of a literal are no functions; what other sequences hold is not known.
                let literal = matches!(sequence.kind, ExprKind::Literal(_));
                *may_be_function.entry(*variable).or_insert(false) |= !literal;
                collect_locals(body, special, scope, may_be_function);
            }
            _ => {}
        }
    }
}

fn note_assignment(name: Name, special: SpecialNames, scope: &mut Scope) {
    if Some(name) == special.self_ {
        scope.assigns_self = true;
    }
    if Some(name) != special.locals && Some(name) != special.globals {
        add_local(scope, name);
    }
}

/// Whether the expression's value can certainly not be a function.
fn is_never_function(expr: &Expr) -> bool {
    match expr.kind {
        ExprKind::Literal(_)
        | ExprKind::List(_)
        | ExprKind::Map(_)
        | ExprKind::Not(_)
        | ExprKind::Negate(_)
        | ExprKind::New(_)
        | ExprKind::Isa { .. }
        | ExprKind::Compare { .. }
        | ExprKind::Arithmetic { .. }
        | ExprKind::Logical { .. } => true,
        ExprKind::Function(_) | ExprKind::Variable { .. } | ExprKind::Chain { .. } => false,
    }
}
