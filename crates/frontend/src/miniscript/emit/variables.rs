//! Reading and assigning variables.

use kiln_bytecode::{ReadMode, Register};

use super::super::ast::{Expr, ExprKind, Read, Target};
use super::super::names::Name;
use super::FunctionEmitter;
use super::quiet::Operand;

/// Where a name is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A local with a value, in a register.
    Register(Register),
    /// A local in a register that may have no value yet.
    Unassigned(Register),
    /// In this function's variable map, or further out.
    Map,
    /// Among the outer variables, or further out.
    Outer,
    /// A global variable or an intrinsic.
    Global,
    /// A scope map.
    Scope,
    /// `self`
    SelfValue,
}

impl<'a> FunctionEmitter<'a> {
    /// Where a variable is found that is assigned, or read where it has a value.
    pub(super) fn place(&self, name: Name) -> Place {
        let special = self.context.special;
        if special.is_scope(name) {
            return Place::Scope;
        }
        if Some(name) == special.self_ && !self.has_parameter(name) {
            return Place::SelfValue;
        }
        if self.is_top_level() {
            return Place::Global;
        }
        if Some(name) == special.super_ && !self.lives_in_map(name) {
            return Place::Unassigned(Register::SUPER);
        }
        if self.lives_in_map(name) {
            return Place::Map;
        }
        if let Some(register) = self.registers.get(&name) {
            return Place::Register(*register);
        }
        let function = self.context.program.function(self.id);
        match function.parent {
            Some(parent) if function.is_closure && self.is_variable_of(parent.index(), name) => {
                Place::Outer
            }
            _ => Place::Global,
        }
    }

    fn has_parameter(&self, name: Name) -> bool {
        self.context
            .program
            .function(self.id)
            .parameters
            .iter()
            .any(|parameter| parameter.name == name)
    }

    /// Where the variable read at this offset of the source is found.
    pub(super) fn place_of_read(&self, name: Name, at: u32) -> Place {
        match self.place(name) {
            Place::Register(register) if self.scope.unassigned_reads.contains(&at) => {
                Place::Unassigned(register)
            }
            place => place,
        }
    }

    /// Whether a closure in the function with this number sees `name` among its outer variables.
    fn is_variable_of(&self, function: usize, name: Name) -> bool {
        let is_program = function == 0 && !self.context.module;
        let scope = &self.context.scopes[function];
        !is_program && (scope.by_name || scope.captured.contains(&name))
    }

    /// The mode bits for reads of a variable that is being assigned.
    pub(super) fn mode_of(&self, name: Name, mode: ReadMode) -> ReadMode {
        match self.assigning {
            Some((target, extra)) if target == name => mode.with(extra),
            _ => mode,
        }
    }

    /// Reads a variable.
    pub(super) fn variable(
        &mut self,
        name: Name,
        read: &'a Read,
        at: u32,
        dst: Option<Register>,
    ) -> Register {
        match read {
            Read::Call(arguments) => self.call_variable(name, arguments, at, dst),
            Read::Invoke => self.read_variable(name, at, self.mode_of(name, ReadMode::INVOKE), dst),
            Read::Plain | Read::Deferred => self.read_variable(name, at, ReadMode::PLAIN, dst),
        }
    }

    /// Reads a variable in a given mode.
    pub(super) fn read_variable(
        &mut self,
        name: Name,
        at: u32,
        mode: ReadMode,
        dst: Option<Register>,
    ) -> Register {
        let place = self.place_of_read(name, at);
        if let Place::Register(local) = place {
            if !mode.has(ReadMode::INVOKE) || self.scope.never_function.contains(&name) {
                return local;
            }
            let dst = dst.unwrap_or_else(|| self.temporary());
            self.invoke(dst, local);
            return dst;
        }
        let dst = dst.unwrap_or_else(|| self.temporary());
        match place {
            Place::Register(_) => {}
            Place::Unassigned(local) => {
                let feedback = self.builder.variable_feedback(self.text(name));
                self.builder.read_local(dst, local, feedback, mode);
            }
            Place::Map => {
                let feedback = self.builder.variable_feedback(self.text(name));
                let variables = self.variables.unwrap_or(Register::CALLEE);
                self.builder.get_variable(dst, variables, feedback, mode);
            }
            Place::Outer => {
                let feedback = self.builder.variable_feedback(self.text(name));
                self.builder.get_outer_variable(dst, feedback, mode);
            }
            Place::Global => {
                let global = self.builder.global(self.text(name));
                self.builder.get_global(dst, global, mode);
            }
            Place::Scope => self.scope_map(name, dst),
            Place::SelfValue => {
                if mode.has(ReadMode::INVOKE) {
                    // The function called may see what `dst` holds.
                    let value = self.temporary();
                    self.builder.get_self(value);
                    self.invoke(dst, value);
                } else {
                    self.builder.get_self(dst);
                }
            }
        }
        dst
    }

    fn scope_map(&mut self, name: Name, dst: Register) {
        let special = self.context.special;
        let is_globals = self.is_top_level() || Some(name) == special.globals;
        if is_globals {
            self.builder.get_globals(dst);
        } else if Some(name) == special.outer {
            self.builder.get_outer(dst);
        } else if let Some(variables) = self.variables {
            self.builder.move_register(dst, variables);
        }
    }

    /// Assigns a variable the value of an expression.
    pub(super) fn assign_variable(&mut self, name: Name, target: &Target, value: &'a Expr) {
        // The first assignment takes the instruction that enters the variable into the map `globals`.
        if let Some(register) = self.own_global(name)
            && !self.scope.unassigned_writes.contains(&target.span.start)
        {
            self.value_to(value, register);
            return;
        }
        match self.place(name) {
            Place::Register(local) => self.value_to(value, local),
            Place::Unassigned(local) => self.value_to(value, local),
            _ => self.scratch(|this| {
                let register = this.value(value, None);
                this.store_variable(name, register);
            }),
        }
    }

    /// Stores a register's value in a variable.
    pub(super) fn store_variable(&mut self, name: Name, src: Register) {
        match self.place(name) {
            Place::Register(local) | Place::Unassigned(local) => {
                if local != src {
                    self.builder.move_register(local, src);
                }
            }
            Place::Map => self.store_in_map(name, src),
            Place::Outer | Place::Global => {
                let global = self.builder.global(self.text(name));
                self.builder.set_global(src, global);
            }
            Place::Scope => self.assign_scope(name, src),
            Place::SelfValue => {
                self.builder.move_register(Register::SELF, src);
                if self.is_top_level() {
                    let global = self.builder.global("self");
                    self.builder.set_global(src, global);
                } else if self.lives_in_map(name) {
                    self.store_in_map(name, src);
                }
            }
        }
    }

    fn store_in_map(&mut self, name: Name, src: Register) {
        let feedback = self.builder.variable_feedback(self.text(name));
        if let Some(variables) = self.variables {
            self.builder.set_variable(variables, src, feedback);
        }
    }

    /// Assigning to the name of a scope map: an error, but for `outer`, which becomes an ordinary entry that only the scope
    /// map shows.
    fn assign_scope(&mut self, name: Name, src: Register) {
        if Some(name) != self.context.special.outer {
            let message = self
                .builder
                .string(&format!("can't assign to {}", self.text(name)));
            self.builder.throw(message);
        } else if self.is_top_level() {
            let global = self.builder.global("outer");
            self.builder.set_global(src, global);
        } else if self.scope.by_name {
            self.store_in_map(name, src);
        }
    }

    /// An operand for an instruction that has an invoke path: a local stays where it is.
    pub(super) fn direct_operand(&mut self, expr: &'a Expr) -> Operand<'a> {
        match self.as_local(expr) {
            Some(operand) => operand,
            None => Operand::Value(self.value(expr, None)),
        }
    }

    /// The local that the expression reads, if it does.
    pub(super) fn as_local(&self, expr: &Expr) -> Option<Operand<'a>> {
        let ExprKind::Variable { name, read } = &expr.kind else {
            return None;
        };
        if let Some(register) = self.own_global_read(expr) {
            let mode = self.mode_of(*name, ReadMode::INVOKE);
            return Some(Operand::Global(register, *name, mode));
        }
        let Place::Register(local) = self.place_of_read(*name, expr.span.start) else {
            return None;
        };
        match read {
            Read::Deferred | Read::Plain => Some(Operand::Value(local)),
            Read::Invoke if self.scope.never_function.contains(name) => Some(Operand::Value(local)),
            Read::Invoke => Some(Operand::Local(local)),
            Read::Call(_) => None,
        }
    }

    /// The register of a global variable that the program's top level keeps there.
    pub(super) fn own_global(&self, name: Name) -> Option<Register> {
        let is_global = self.is_top_level() && self.place(name) == Place::Global;
        self.registers.get(&name).copied().filter(|_| is_global)
    }

    /// The register of the global variable that the expression invokes, if it lives in one and has been assigned before. Other code
    /// may still have removed it, or stored a function.
    pub(super) fn own_global_read(&self, expr: &Expr) -> Option<Register> {
        match &expr.kind {
            ExprKind::Variable {
                name,
                read: Read::Invoke,
            } if !self.scope.unassigned_reads.contains(&expr.span.start) => self.own_global(*name),
            _ => None,
        }
    }

    /// Reads a global variable into a temporary register.
    pub(super) fn read_global(&mut self, name: Name, mode: ReadMode) -> Register {
        let dst = self.temporary();
        let global = self.builder.global(self.text(name));
        self.builder.get_global(dst, global, mode);
        dst
    }

    /// Whether reading the expression has to wait for the operation it is an operand of.
    pub(super) fn is_deferred(&self, expr: &Expr) -> bool {
        matches!(
            &expr.kind,
            ExprKind::Variable {
                read: Read::Deferred,
                ..
            }
        )
    }
}
