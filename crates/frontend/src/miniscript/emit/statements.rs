//! Statements.

use std::collections::HashMap;

use kiln_bytecode::{Label, ReadMode};

use super::super::ast::{
    ArithmeticOp, Block, Expr, ExprKind, FunctionId, IfClause, Selector, Statement, StatementKind,
    Target, TargetKind,
};
use super::super::names::Name;
use super::FunctionEmitter;
use super::conditions::Branch;
use super::quiet::{InvokeBody, Operand, number_constant};
use super::variables::Place;

impl<'a> FunctionEmitter<'a> {
    pub(super) fn block(&mut self, block: &'a Block) {
        for statement in block {
            self.statement(statement);
        }
    }

    pub(super) fn statement(&mut self, statement: &'a Statement) {
        self.within(statement.span, |this| this.emit_statement(statement));
    }

    fn emit_statement(&mut self, statement: &'a Statement) {
        self.set_line(statement.line);
        let mark = self.next_temporary;
        match &statement.kind {
            StatementKind::Expression(expr) => {
                let result = self.temporary();
                let result = self.value(expr, Some(result));
                self.keep_result(result);
            }
            StatementKind::CallValue { callee, arguments } => {
                let result = self.temporary();
                self.call_value(callee, arguments, result);
                self.keep_result(result);
            }
            StatementKind::Assign { target, value } => self.assign(target, value),
            StatementKind::Update { target, op, value } => self.update(target, *op, value),
            StatementKind::If { clauses, otherwise } => {
                self.if_statement(clauses, otherwise.as_ref())
            }
            StatementKind::While { condition, body } => {
                self.while_loop(condition, body, statement.line)
            }
            StatementKind::For {
                variable,
                counter,
                sequence,
                body,
            } => {
                self.for_loop(*variable, *counter, sequence, body, statement.line);
            }
            StatementKind::Break => {
                if let Some(labels) = self.loops.last() {
                    self.builder.jump(labels.break_to);
                }
            }
            StatementKind::Continue => {
                if let Some(labels) = self.loops.last() {
                    self.builder.jump(labels.continue_to);
                }
            }
            StatementKind::Return(value) => self.return_statement(value.as_ref()),
        }
        self.next_temporary = mark;
    }

    /// In an interactive session the value of an expression statement at top level is the result shown.
    fn keep_result(&mut self, value: kiln_bytecode::Register) {
        if self.context.options.keep_results && self.is_top_level() {
            let global = self.builder.global("_");
            self.builder.set_global(value, global);
        }
    }

    fn return_statement(&mut self, value: Option<&'a Expr>) {
        let result = match value {
            Some(value) => self.value(value, None),
            None if self.is_top_level() => return,
            None => {
                let result = self.temporary();
                self.load_null(result);
                result
            }
        };
        // At the top level of a program `return` has no effect.
        if !self.is_top_level() {
            self.builder.return_value(result);
        }
    }

    fn assign(&mut self, target: &'a Target, value: &'a Expr) {
        match &target.kind {
            TargetKind::Variable(name) => {
                self.assigning = Some((*name, ReadMode::WARN));
                self.assign_variable(*name, target, value);
                self.assigning = None;
            }
            TargetKind::Element {
                container,
                selector,
            } => self.assign_element(container, selector, value),
            TargetKind::Literal => {
                self.value(value, None);
                self.not_an_lvalue();
            }
        }
    }

    fn not_an_lvalue(&mut self) {
        let message = self.builder.string("not an lvalue");
        self.builder.throw(message);
    }

    /// `target op= value`: the old value is read after the new operand has been evaluated, and must be a local's.
    fn update(&mut self, target: &'a Target, op: ArithmeticOp, value: &'a Expr) {
        match &target.kind {
            TargetKind::Variable(name) => {
                self.assigning = Some((*name, ReadMode::STRICT));
                self.update_variable(*name, target, op, value);
                self.assigning = None;
            }
            TargetKind::Element {
                container,
                selector,
            } => {
                self.update_element(container, selector, !target.is_address, op, value);
            }
            TargetKind::Literal => {
                self.value(value, None);
                self.not_an_lvalue();
            }
        }
    }

    fn update_variable(
        &mut self,
        name: Name,
        target: &'a Target,
        op: ArithmeticOp,
        value: &'a Expr,
    ) {
        let place = self.place_of_read(name, target.span.start);
        let own_global = self
            .own_global(name)
            .filter(|_| !target.is_address)
            .filter(|_| !self.scope.unassigned_reads.contains(&target.span.start));
        let local = match place {
            Place::Register(local) => Some(local),
            _ => own_global,
        };
        if let Some(local) = local {
            let lhs = if own_global.is_some() {
                Operand::Global(local, name, ReadMode::STRICT.with(ReadMode::INVOKE))
            } else if target.is_address || self.scope.never_function.contains(&name) {
                Operand::Value(local)
            } else {
                Operand::Local(local)
            };
            if let Some(number) = number_constant(value)
                && self.fits(number)
            {
                let position = self.arithmetic_constant(op, local, local, number);
                if lhs.is_unsettled() {
                    let body = InvokeBody::ArithmeticConstant {
                        op,
                        dst: local,
                        lhs,
                        number,
                    };
                    self.add_invoke_path(vec![position], body);
                }
                return;
            }
            let rhs = self.direct_operand(value);
            let position = self.arithmetic_op(op, local, local, rhs.register());
            if lhs.is_unsettled() || rhs.is_unsettled() {
                let body = InvokeBody::Arithmetic {
                    op,
                    dst: local,
                    lhs,
                    rhs,
                    rhs_first: true,
                };
                self.add_invoke_path(vec![position], body);
            }
            return;
        }
        let rhs = self.value(value, None);
        let mode = if target.is_address {
            ReadMode::STRICT
        } else {
            ReadMode::STRICT.with(ReadMode::INVOKE)
        };
        let old = self.temporary();
        let read = self.read_variable(name, target.span.start, mode, Some(old));
        self.arithmetic_op(op, old, read, rhs);
        self.store_variable(name, old);
    }

    /// Where the block jumps, if it does nothing else.
    fn only_jump(&self, block: &Block) -> Option<Label> {
        let [statement] = &block[..] else {
            return None;
        };
        let labels = self.loops.last()?;
        match statement.kind {
            StatementKind::Break => Some(labels.break_to),
            StatementKind::Continue => Some(labels.continue_to),
            _ => None,
        }
    }

    fn if_statement(&mut self, clauses: &'a [IfClause], otherwise: Option<&'a Block>) {
        let end = self.builder.new_label();
        for (index, clause) in clauses.iter().enumerate() {
            let is_last = index + 1 == clauses.len() && otherwise.is_none();
            let next = if is_last {
                end
            } else {
                self.builder.new_label()
            };
            self.set_line(clause.line);
            if let Some(target) = self.only_jump(&clause.body) {
                self.condition(&clause.condition, Branch::IfTrue(target));
                if !is_last {
                    self.builder.bind(next);
                }
                continue;
            }
            self.condition(&clause.condition, Branch::IfFalse(next));
            self.block(&clause.body);
            if !is_last {
                self.builder.jump(end);
                self.builder.bind(next);
            }
        }
        if let Some(otherwise) = otherwise {
            self.block(otherwise);
        }
        self.builder.bind(end);
    }
}

/// Collects names for functions that are assigned to a variable or member.
pub(super) fn collect_function_names(block: &Block, names: &mut HashMap<FunctionId, Name>) {
    for statement in block {
        match &statement.kind {
            StatementKind::Assign { target, value } => {
                if let ExprKind::Function(id) = value.kind {
                    match &target.kind {
                        TargetKind::Variable(name)
                        | TargetKind::Element {
                            selector: Selector::Member(name),
                            ..
                        } => {
                            names.insert(id, *name);
                        }
                        _ => {}
                    }
                }
            }
            StatementKind::If { clauses, otherwise } => {
                for clause in clauses {
                    collect_function_names(&clause.body, names);
                }
                if let Some(otherwise) = otherwise {
                    collect_function_names(otherwise, names);
                }
            }
            StatementKind::While { body, .. } | StatementKind::For { body, .. } => {
                collect_function_names(body, names)
            }
            _ => {}
        }
    }
}
