//! Conditions: expressions that decide a branch.

use kiln_bytecode::{Label, LoopIndex, Position, Register};

use super::super::ast::{CompareOp, Expr, ExprKind, LogicalOp};
use super::FunctionEmitter;
use super::quiet::{InvokeBody, is_operand, number_constant};

/// Whether the value can only be 0, 1 or null, so that fuzzy logic on it is ordinary logic.
fn is_crisp(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Compare { .. } | ExprKind::Isa { .. } => true,
        ExprKind::Not(operand) => is_crisp(operand),
        ExprKind::Logical { operands, .. } => operands.iter().all(is_crisp),
        _ => false,
    }
}

/// What a condition decides; otherwise control falls through.
#[derive(Clone, Copy)]
pub(super) enum Branch {
    /// Jumps if the condition is true.
    IfTrue(Label),
    /// Jumps if the condition is false.
    IfFalse(Label),
    /// Begins the next pass of the loop, whose body starts at the label, if the condition is true.
    Again(Label, LoopIndex),
}

impl Branch {
    fn new(target: Label, jump_if: bool) -> Branch {
        if jump_if {
            Branch::IfTrue(target)
        } else {
            Branch::IfFalse(target)
        }
    }
}

/// Whether the condition ends in a comparison that can be one instruction with the jump back to the body of a loop.
pub(super) fn ends_in_comparison(condition: &Expr) -> bool {
    match &condition.kind {
        ExprKind::Compare { rest, .. } => rest.len() == 1,
        ExprKind::Logical {
            op: LogicalOp::And,
            operands,
        } => operands.iter().all(is_crisp) && operands.last().is_some_and(ends_in_comparison),
        _ => false,
    }
}

impl<'a> FunctionEmitter<'a> {
    pub(super) fn condition(&mut self, expr: &'a Expr, branch: Branch) {
        self.within(expr.span, |this| this.emit_condition(expr, branch));
    }

    fn emit_condition(&mut self, expr: &'a Expr, branch: Branch) {
        if let ExprKind::Compare { first, rest } = &expr.kind
            && let [(op, right)] = &rest[..]
        {
            self.comparison_branch(*op, first, right, branch);
            return;
        }
        let (target, jump_if) = match branch {
            Branch::IfTrue(target) => (target, true),
            Branch::IfFalse(target) => (target, false),
            Branch::Again(header, counter) => {
                self.condition_of_next_pass(expr, header, counter);
                return;
            }
        };
        match &expr.kind {
            ExprKind::Not(operand) if is_crisp(operand) => {
                self.condition(operand, Branch::new(target, !jump_if));
            }
            ExprKind::Logical { op, operands } if operands.iter().all(is_crisp) => {
                // An `and` is decided by the first false operand, an `or` by the first true one.
                let deciding = *op == LogicalOp::Or;
                if jump_if == deciding {
                    for operand in operands {
                        self.condition(operand, branch);
                    }
                } else if let Some((last, others)) = operands.split_last() {
                    let decided = self.builder.new_label();
                    for operand in others {
                        self.condition(operand, Branch::new(decided, deciding));
                    }
                    self.condition(last, branch);
                    self.builder.bind(decided);
                }
            }
            ExprKind::Not(operand) => match &operand.kind {
                ExprKind::Logical { op, operands } => {
                    self.fuzzy_condition(*op, operands, true, target, jump_if);
                }
                _ => self.test(expr, target, jump_if),
            },
            ExprKind::Logical { op, operands } => {
                self.fuzzy_condition(*op, operands, false, target, jump_if);
            }
            _ => self.test(expr, target, jump_if),
        }
    }

    /// A chain of `and` or `or` whose operands may be any values, or its negation. What decides the chain early decides the branch.
    fn fuzzy_condition(
        &mut self,
        op: LogicalOp,
        operands: &'a [Expr],
        is_negated: bool,
        target: Label,
        jump_if: bool,
    ) {
        let mark = self.next_temporary;
        let end = self.builder.new_label();
        let deciding = (op == LogicalOp::Or) != is_negated;
        let decided = if deciding == jump_if { target } else { end };
        let mut left: Option<Register> = None;
        for (index, operand) in operands.iter().enumerate() {
            let value = self.value(operand, None);
            let result = match left {
                None => value,
                Some(left) => {
                    self.next_temporary = mark;
                    let result = self.temporary();
                    match op {
                        LogicalOp::And => self.builder.and(result, left, value),
                        LogicalOp::Or => self.builder.or(result, left, value),
                    };
                    result
                }
            };
            if index + 1 < operands.len() {
                match op {
                    LogicalOp::And => self.builder.jump_if_false(result, decided),
                    LogicalOp::Or => self.builder.jump_if_certain(result, decided),
                };
            }
            left = Some(result);
        }
        if let Some(value) = left {
            let truth = if is_negated { self.temporary() } else { value };
            if is_negated {
                self.builder.not(truth, value);
            }
            self.branch_on(truth, target, jump_if);
        }
        self.builder.bind(end);
        self.next_temporary = mark;
    }

    /// A condition that is no single comparison, at the end of a loop's body.
    fn condition_of_next_pass(&mut self, expr: &'a Expr, header: Label, counter: LoopIndex) {
        let end = self.builder.new_label();
        match &expr.kind {
            ExprKind::Logical {
                op: LogicalOp::And,
                operands,
            } if operands.iter().all(is_crisp) => {
                if let Some((last, others)) = operands.split_last() {
                    for operand in others {
                        self.condition(operand, Branch::IfFalse(end));
                    }
                    self.condition(last, Branch::Again(header, counter));
                }
            }
            _ => {
                self.condition(expr, Branch::IfFalse(end));
                self.builder.loop_back(counter, header);
            }
        }
        self.builder.bind(end);
    }

    fn comparison_branch(
        &mut self,
        op: CompareOp,
        first: &'a Expr,
        right: &'a Expr,
        branch: Branch,
    ) {
        if is_operand(self, first) && is_operand(self, right) {
            self.quiet_branch(op, first, right, branch);
            return;
        }
        self.scratch(|this| match number_constant(right) {
            Some(number) if this.fits(number) => {
                let lhs = this.value(first, None);
                this.branch_constant(op, lhs, number, branch);
            }
            _ => {
                let (lhs, rhs) = this.operands(first, right);
                let position = this.branch_compare(op, lhs.register(), rhs.register(), branch);
                if lhs.is_unsettled() || rhs.is_unsettled() {
                    let body = InvokeBody::BranchOperands {
                        op,
                        lhs,
                        rhs,
                        branch,
                    };
                    this.add_invoke_path(vec![position], body);
                }
            }
        });
    }

    /// Branches on a value.
    fn test(&mut self, expr: &'a Expr, target: Label, jump_if: bool) {
        self.scratch(|this| {
            let operand = this.direct_operand(expr);
            let position = this.branch_on(operand.register(), target, jump_if);
            if operand.is_unsettled() {
                this.add_invoke_path(
                    vec![position],
                    InvokeBody::Test {
                        variable: operand,
                        target,
                        jump_if,
                    },
                );
            }
        });
    }

    pub(super) fn branch_on(&mut self, value: Register, target: Label, jump_if: bool) -> Position {
        if jump_if {
            self.builder.jump_if_true(value, target)
        } else {
            self.builder.jump_if_false(value, target)
        }
    }
}
