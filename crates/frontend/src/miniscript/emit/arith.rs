//! Arithmetic, comparisons and fuzzy logic as values.

use kiln_bytecode::{Position, Register};

use super::super::ast::{ArithmeticOp, CompareOp, Expr, LogicalOp};
use super::FunctionEmitter;
use super::conditions::Branch;
use super::quiet::{InvokeBody, Operand, number_constant};

impl<'a> FunctionEmitter<'a> {
    pub(super) fn arithmetic_op(
        &mut self,
        op: ArithmeticOp,
        dst: Register,
        lhs: Register,
        rhs: Register,
    ) -> Position {
        let builder = &mut self.builder;
        match op {
            ArithmeticOp::Add => builder.add(dst, lhs, rhs),
            ArithmeticOp::Subtract => builder.subtract(dst, lhs, rhs),
            ArithmeticOp::Multiply => builder.multiply(dst, lhs, rhs),
            ArithmeticOp::Divide => builder.divide(dst, lhs, rhs),
            ArithmeticOp::Remainder => builder.modulo(dst, lhs, rhs),
            ArithmeticOp::Power => builder.power(dst, lhs, rhs),
        }
    }

    /// The form with a number constant, which must fit.
    pub(super) fn arithmetic_constant(
        &mut self,
        op: ArithmeticOp,
        dst: Register,
        lhs: Register,
        rhs: f64,
    ) -> Position {
        let constant = self.builder.number(rhs);
        let builder = &mut self.builder;
        match op {
            ArithmeticOp::Add => builder.add_constant(dst, lhs, constant),
            ArithmeticOp::Subtract => builder.subtract_constant(dst, lhs, constant),
            ArithmeticOp::Multiply => builder.multiply_constant(dst, lhs, constant),
            ArithmeticOp::Divide => builder.divide_constant(dst, lhs, constant),
            ArithmeticOp::Remainder => builder.modulo_constant(dst, lhs, constant),
            ArithmeticOp::Power => builder.power_constant(dst, lhs, constant),
        }
    }

    pub(super) fn compare_op(
        &mut self,
        op: CompareOp,
        dst: Register,
        lhs: Register,
        rhs: Register,
    ) -> Position {
        let builder = &mut self.builder;
        match op {
            CompareOp::Equal => builder.equal(dst, lhs, rhs),
            CompareOp::NotEqual => builder.not_equal(dst, lhs, rhs),
            CompareOp::Less => builder.less(dst, lhs, rhs),
            CompareOp::LessEqual => builder.less_equal(dst, lhs, rhs),
            CompareOp::Greater => builder.greater(dst, lhs, rhs),
            CompareOp::GreaterEqual => builder.greater_equal(dst, lhs, rhs),
        }
    }

    pub(super) fn branch_compare(
        &mut self,
        op: CompareOp,
        lhs: Register,
        rhs: Register,
        branch: Branch,
    ) -> Position {
        let builder = &mut self.builder;
        match branch {
            Branch::IfTrue(target) => match op {
                CompareOp::Equal => builder.jump_if_equal(lhs, rhs, target),
                CompareOp::NotEqual => builder.jump_if_different(lhs, rhs, target),
                CompareOp::Less => builder.jump_if_less(lhs, rhs, target),
                CompareOp::LessEqual => builder.jump_if_less_equal(lhs, rhs, target),
                CompareOp::Greater => builder.jump_if_greater(lhs, rhs, target),
                CompareOp::GreaterEqual => builder.jump_if_greater_equal(lhs, rhs, target),
            },
            Branch::IfFalse(target) => match op {
                CompareOp::Equal => builder.jump_if_not_equal(lhs, rhs, target),
                CompareOp::NotEqual => builder.jump_if_not_different(lhs, rhs, target),
                CompareOp::Less => builder.jump_if_not_less(lhs, rhs, target),
                CompareOp::LessEqual => builder.jump_if_not_less_equal(lhs, rhs, target),
                CompareOp::Greater => builder.jump_if_not_greater(lhs, rhs, target),
                CompareOp::GreaterEqual => builder.jump_if_not_greater_equal(lhs, rhs, target),
            },
            Branch::Again(header, counter) => match op {
                CompareOp::Equal => builder.loop_if_equal(lhs, rhs, header, counter),
                CompareOp::NotEqual => builder.loop_if_different(lhs, rhs, header, counter),
                CompareOp::Less => builder.loop_if_less(lhs, rhs, header, counter),
                CompareOp::LessEqual => builder.loop_if_less_equal(lhs, rhs, header, counter),
                CompareOp::Greater => builder.loop_if_greater(lhs, rhs, header, counter),
                CompareOp::GreaterEqual => builder.loop_if_greater_equal(lhs, rhs, header, counter),
            },
        }
    }

    pub(super) fn branch_constant(
        &mut self,
        op: CompareOp,
        lhs: Register,
        rhs: f64,
        branch: Branch,
    ) -> Position {
        let constant = self.builder.number(rhs);
        let builder = &mut self.builder;
        match branch {
            Branch::IfTrue(target) => match op {
                CompareOp::Equal => builder.jump_if_equal_constant(lhs, constant, target),
                CompareOp::NotEqual => builder.jump_if_different_constant(lhs, constant, target),
                CompareOp::Less => builder.jump_if_less_constant(lhs, constant, target),
                CompareOp::LessEqual => builder.jump_if_less_equal_constant(lhs, constant, target),
                CompareOp::Greater => builder.jump_if_greater_constant(lhs, constant, target),
                CompareOp::GreaterEqual => {
                    builder.jump_if_greater_equal_constant(lhs, constant, target)
                }
            },
            Branch::IfFalse(target) => match op {
                CompareOp::Equal => builder.jump_if_not_equal_constant(lhs, constant, target),
                CompareOp::NotEqual => {
                    builder.jump_if_not_different_constant(lhs, constant, target)
                }
                CompareOp::Less => builder.jump_if_not_less_constant(lhs, constant, target),
                CompareOp::LessEqual => {
                    builder.jump_if_not_less_equal_constant(lhs, constant, target)
                }
                CompareOp::Greater => builder.jump_if_not_greater_constant(lhs, constant, target),
                CompareOp::GreaterEqual => {
                    builder.jump_if_not_greater_equal_constant(lhs, constant, target)
                }
            },
            Branch::Again(header, counter) => match op {
                CompareOp::Equal => builder.loop_if_equal_constant(lhs, constant, header, counter),
                CompareOp::NotEqual => {
                    builder.loop_if_different_constant(lhs, constant, header, counter)
                }
                CompareOp::Less => builder.loop_if_less_constant(lhs, constant, header, counter),
                CompareOp::LessEqual => {
                    builder.loop_if_less_equal_constant(lhs, constant, header, counter)
                }
                CompareOp::Greater => {
                    builder.loop_if_greater_constant(lhs, constant, header, counter)
                }
                CompareOp::GreaterEqual => {
                    builder.loop_if_greater_equal_constant(lhs, constant, header, counter)
                }
            },
        }
    }

    /// `first op a op b …`, not quiet as a whole.
    pub(super) fn arithmetic(
        &mut self,
        first: &'a Expr,
        rest: &'a [(ArithmeticOp, Expr)],
        dst: Option<Register>,
    ) -> Register {
        let dst = dst.unwrap_or_else(|| self.temporary());
        let mark = self.next_temporary;
        let mut left = None;
        for (index, (op, operand)) in rest.iter().enumerate() {
            let result = if index + 1 == rest.len() {
                dst
            } else {
                self.temporary()
            };
            self.scratch(|this| {
                this.arithmetic_step(
                    *op,
                    left.map_or(Left::Expr(first), Left::Value),
                    operand,
                    result,
                )
            });
            left = Some(result);
        }
        self.next_temporary = mark;
        dst
    }

    fn arithmetic_step(
        &mut self,
        op: ArithmeticOp,
        left: Left<'a>,
        right: &'a Expr,
        dst: Register,
    ) {
        if let Some(number) = number_constant(right)
            && self.fits(number)
        {
            let lhs = match left {
                Left::Value(register) => register,
                Left::Expr(expr) => self.value(expr, None),
            };
            self.arithmetic_constant(op, dst, lhs, number);
            return;
        }
        let (lhs, rhs) = match left {
            Left::Value(register) => (Operand::Value(register), self.direct_operand(right)),
            Left::Expr(expr) => self.operands(expr, right),
        };
        let position = self.arithmetic_op(op, dst, lhs.register(), rhs.register());
        if lhs.is_unsettled() || rhs.is_unsettled() {
            self.add_invoke_path(
                vec![position],
                InvokeBody::Arithmetic {
                    op,
                    dst,
                    lhs,
                    rhs,
                    rhs_first: false,
                },
            );
        }
    }

    /// Both operands of an operation: evaluated from left to right, deferred ones last. A local stays where it is if nothing
    /// happens between its reading and the operation.
    pub(super) fn operands(
        &mut self,
        left: &'a Expr,
        right: &'a Expr,
    ) -> (Operand<'a>, Operand<'a>) {
        if self.is_deferred(left) && self.as_local(left).is_none() {
            let rhs = Operand::Value(self.value(right, None));
            let lhs = Operand::Value(self.value(left, None));
            return (lhs, rhs);
        }
        if let Some(rhs) = self.as_local(right) {
            return (self.direct_operand(left), rhs);
        }
        let lhs = Operand::Value(self.value(left, None));
        (lhs, Operand::Value(self.value(right, None)))
    }

    pub(super) fn isa(
        &mut self,
        value: &'a Expr,
        kind: &'a Expr,
        dst: Option<Register>,
    ) -> Register {
        let dst = dst.unwrap_or_else(|| self.temporary());
        self.scratch(|this| {
            // `isa` accepts functions, so its operands are always invoked in their turn.
            let (lhs, rhs) = if this.is_deferred(value) {
                let rhs = this.value(kind, None);
                (this.value(value, None), rhs)
            } else {
                (this.value(value, None), this.value(kind, None))
            };
            this.builder.isa(dst, lhs, rhs);
        });
        dst
    }

    /// `a < b <= c`: the product of all comparisons.
    pub(super) fn comparison(
        &mut self,
        first: &'a Expr,
        rest: &'a [(CompareOp, Expr)],
        dst: Option<Register>,
    ) -> Register {
        let dst = dst.unwrap_or_else(|| self.temporary());
        let mark = self.next_temporary;
        if let [(op, right)] = rest {
            // Functions can be compared, so operands that may be functions are invoked in their turn.
            let (lhs, rhs) = self.settled_operands(first, right);
            self.compare_op(*op, dst, lhs, rhs);
            self.next_temporary = mark;
            return dst;
        }
        let product = self.temporary();
        let mut left = first;
        let mut left_value = (!self.is_deferred(first)).then(|| self.value(first, None));
        for (index, (op, right)) in rest.iter().enumerate() {
            let right_value = self.value(right, None);
            let lhs = match left_value {
                Some(register) => register,
                None => self.value(left, None),
            };
            if index == 0 {
                self.compare_op(*op, product, lhs, right_value);
            } else {
                let result = self.temporary();
                self.compare_op(*op, result, lhs, right_value);
                self.builder.multiply(product, product, result);
            }
            left = right;
            left_value = (!self.is_deferred(right)).then_some(right_value);
        }
        self.builder.move_register(dst, product);
        self.next_temporary = mark;
        dst
    }

    /// Both operands in registers, invoked if they are variables; deferred ones are read last.
    pub(super) fn settled_operands(
        &mut self,
        left: &'a Expr,
        right: &'a Expr,
    ) -> (Register, Register) {
        if self.is_deferred(left) {
            let rhs = self.value(right, None);
            return (self.value(left, None), rhs);
        }
        let lhs = self.value(left, None);
        (lhs, self.value(right, None))
    }

    /// `a and b …` or `a or b …` as a value.
    pub(super) fn logical(
        &mut self,
        op: LogicalOp,
        operands: &'a [Expr],
        dst: Option<Register>,
    ) -> Register {
        let dst = dst.unwrap_or_else(|| self.temporary());
        let mark = self.next_temporary;
        let (decided, end) = (self.builder.new_label(), self.builder.new_label());
        let sum = self.temporary();
        for (index, operand) in operands.iter().enumerate() {
            if index == 0 {
                self.value_to(operand, sum);
            } else {
                self.scratch(|this| {
                    let value = this.value(operand, None);
                    match op {
                        LogicalOp::And => this.builder.and(sum, sum, value),
                        LogicalOp::Or => this.builder.or(sum, sum, value),
                    };
                });
            }
            if index + 1 < operands.len() {
                match op {
                    LogicalOp::And => self.builder.jump_if_false(sum, decided),
                    LogicalOp::Or => self.builder.jump_if_certain(sum, decided),
                };
            }
        }
        self.builder.move_register(dst, sum);
        self.builder.jump(end);
        self.builder.bind(decided);
        self.load_number(dst, if op == LogicalOp::And { 0.0 } else { 1.0 });
        self.builder.bind(end);
        self.next_temporary = mark;
        dst
    }
}

/// The left operand of a step of a chain.
enum Left<'a> {
    Expr(&'a Expr),
    Value(Register),
}
