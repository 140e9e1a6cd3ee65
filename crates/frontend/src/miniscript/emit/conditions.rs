//! Conditions: expressions that decide a branch.

use kiln_bytecode::{Label, Register};

use super::super::ast::{Expr, ExprKind, LogicalOp};
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

impl<'a> FunctionEmitter<'a> {
    /// Jumps to `target` if the condition's truth is `jump_if`, and falls through otherwise.
    pub(super) fn condition(&mut self, expr: &'a Expr, target: Label, jump_if: bool) {
        match &expr.kind {
            ExprKind::Not(operand) if is_crisp(operand) => {
                self.condition(operand, target, !jump_if)
            }
            ExprKind::Compare { first, rest } if rest.len() == 1 => {
                let (op, right) = &rest[0];
                if is_operand(self, first) && is_operand(self, right) {
                    self.quiet_branch(*op, first, right, target, jump_if);
                    return;
                }
                self.scratch(|this| match number_constant(right) {
                    Some(number) if this.fits(number) => {
                        let lhs = this.value(first, None);
                        this.branch_constant(*op, lhs, number, target, jump_if);
                    }
                    _ => {
                        let (lhs, rhs) = this.operands(first, right);
                        let position = this.branch_compare(
                            *op,
                            lhs.register(),
                            rhs.register(),
                            target,
                            jump_if,
                        );
                        if lhs.is_unsettled() || rhs.is_unsettled() {
                            let body = InvokeBody::BranchOperands {
                                op: *op,
                                lhs,
                                rhs,
                                target,
                                jump_if,
                            };
                            this.add_invoke_path(vec![position], body);
                        }
                    }
                });
            }
            ExprKind::Logical { op, operands } if operands.iter().all(is_crisp) => {
                // An `and` is decided by the first false operand, an `or` by the first true one.
                let deciding = *op == LogicalOp::Or;
                if jump_if == deciding {
                    for operand in operands {
                        self.condition(operand, target, jump_if);
                    }
                } else {
                    let decided = self.builder.new_label();
                    if let Some((last, others)) = operands.split_last() {
                        for operand in others {
                            self.condition(operand, decided, deciding);
                        }
                        self.condition(last, target, jump_if);
                    }
                    self.builder.bind(decided);
                }
            }
            _ => self.test(expr, target, jump_if),
        }
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

    pub(super) fn branch_on(
        &mut self,
        value: Register,
        target: Label,
        jump_if: bool,
    ) -> kiln_bytecode::Position {
        if jump_if {
            self.builder.jump_if_true(value, target)
        } else {
            self.builder.jump_if_false(value, target)
        }
    }
}
