//! Quiet expressions and their invoke paths.
//!
//! An expression is quiet if evaluating it can neither run code nor be noticed: locals in registers, literals, and
//! arithmetic, comparisons and elements of such. It may still fail, or meet a function in a variable; then it is evaluated
//! once more on its invoke path, where everything happens in the order of the source.

use kiln_bytecode::{Label, Position, ReadMode, Register, SourceSpan};

use super::super::ast::{
    ArithmeticOp, CompareOp, Expr, ExprKind, Literal, Read, Selector, Step, StepKind,
};
use super::super::names::Name;
use super::FunctionEmitter;
use super::conditions::Branch;
use super::variables::Place;

/// A second version of an expression, to be emitted at the end of the function.
pub(super) struct InvokePath<'a> {
    /// The instructions whose slow paths lead here.
    from: Vec<Position>,
    /// What to do instead.
    body: InvokeBody<'a>,
    /// Where to go on.
    resume: Label,
    next_temporary: u32,
    /// The variable being assigned there.
    assigning: Option<(Name, ReadMode)>,
    line: u32,
    span: Option<SourceSpan>,
}

/// What an invoke path does.
pub(super) enum InvokeBody<'a> {
    /// Evaluates a quiet expression.
    Value(&'a Expr, Register),
    /// Evaluates the operands of a comparison and branches.
    Branch {
        op: CompareOp,
        lhs: &'a Expr,
        rhs: &'a Expr,
        branch: Branch,
    },
    /// Branches on a comparison of evaluated operands.
    BranchOperands {
        op: CompareOp,
        lhs: Operand<'a>,
        rhs: Operand<'a>,
        branch: Branch,
    },
    /// Branches on a variable.
    Test {
        variable: Operand<'a>,
        target: Label,
        jump_if: bool,
    },
    /// `dst = lhs op rhs`, with operands invoked in this order.
    Arithmetic {
        op: ArithmeticOp,
        dst: Register,
        lhs: Operand<'a>,
        rhs: Operand<'a>,
        rhs_first: bool,
    },
    /// `dst = lhs op number`
    ArithmeticConstant {
        op: ArithmeticOp,
        dst: Register,
        lhs: Operand<'a>,
        number: f64,
    },
    /// `dst = object[index]`
    Index {
        dst: Register,
        object: Operand<'a>,
        index: Operand<'a>,
    },
    /// `object[index] = value`
    SetIndex {
        object: Operand<'a>,
        index: Operand<'a>,
        value: Operand<'a>,
    },
    /// `dst = object.name`
    Member {
        dst: Register,
        object: Operand<'a>,
        name: Name,
        invoke: bool,
    },
    /// `object.name = value`
    SetMember {
        object: Operand<'a>,
        name: Name,
        value: Operand<'a>,
    },
}

/// An operand of an instruction that has an invoke path.
#[derive(Clone, Copy)]
pub(super) enum Operand<'a> {
    /// A register with the value.
    Value(Register),
    /// A local that may hold a function.
    Local(Register),
    /// A global variable in a register that may hold a function, or have lost its value; and how it is read then.
    Global(Register, Name, ReadMode),
    /// A register with the value of a quiet expression that has such variables among its operands.
    Quiet(Register, &'a Expr),
}

impl Operand<'_> {
    pub fn register(self) -> Register {
        match self {
            Operand::Value(register)
            | Operand::Local(register)
            | Operand::Global(register, ..)
            | Operand::Quiet(register, _) => register,
        }
    }

    /// Whether the operation needs an invoke path.
    pub fn is_unsettled(self) -> bool {
        !matches!(self, Operand::Value(_))
    }
}

/// Whether the expression is quiet and more than a literal by itself.
pub(super) fn is_quiet(emitter: &FunctionEmitter, expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Arithmetic { first, rest } => {
            is_operand(emitter, first)
                && rest.iter().all(|(_, operand)| is_operand(emitter, operand))
        }
        ExprKind::Compare { first, rest } => {
            rest.len() == 1 && is_operand(emitter, first) && is_operand(emitter, &rest[0].1)
        }
        ExprKind::Negate(operand) | ExprKind::Not(operand) => is_operand(emitter, operand),
        ExprKind::Chain { base, steps } => {
            matches!(base.kind, ExprKind::Variable { .. })
                && is_operand(emitter, base)
                && steps
                    .iter()
                    .all(|step| element_index(step).is_some_and(|index| is_operand(emitter, index)))
        }
        _ => false,
    }
}

/// The index, if the step reads an element without calling it.
fn element_index(step: &Step) -> Option<&Expr> {
    match &step.kind {
        StepKind::Select {
            selector: Selector::Index(index),
            read: Read::Plain | Read::Deferred,
        } => Some(index),
        _ => None,
    }
}

/// Whether the expression can be an operand of a quiet one.
pub(super) fn is_operand(emitter: &FunctionEmitter, expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(_) => true,
        ExprKind::Variable {
            name,
            read: Read::Invoke | Read::Deferred,
        } => {
            emitter.own_global_read(expr).is_some()
                || matches!(
                    emitter.place_of_read(*name, expr.span.start),
                    Place::Register(_)
                )
        }
        _ => is_quiet(emitter, expr),
    }
}

impl<'a> FunctionEmitter<'a> {
    /// Evaluates a quiet expression, and provides for its invoke path.
    pub(super) fn quiet_value(&mut self, expr: &'a Expr, dst: Option<Register>) -> Register {
        let dst = dst.unwrap_or_else(|| self.temporary());
        let mark = self.next_temporary;
        let mut from = Vec::new();
        let met = self.quiet_to(expr, dst, false, &mut from);
        self.next_temporary = mark;
        if met {
            self.add_invoke_path(from, InvokeBody::Value(expr, dst));
        }
        dst
    }

    /// An operand that is read or computed without anything happening, if it can be; the instructions that may need the
    /// operation's invoke path are collected.
    pub(super) fn inert_operand(
        &mut self,
        expr: &'a Expr,
        from: &mut Vec<Position>,
    ) -> Operand<'a> {
        if let Some(operand) = self.as_local(expr) {
            return operand;
        }
        if !is_operand(self, expr) {
            return Operand::Value(self.value(expr, None));
        }
        let mut met = false;
        let mut positions = Vec::new();
        let register = self.quiet_operand(expr, false, &mut positions, &mut met);
        if met {
            from.append(&mut positions);
        }
        // What follows an instruction that may go to the invoke path has to be evaluated there too.
        if from.is_empty() {
            Operand::Value(register)
        } else {
            Operand::Quiet(register, expr)
        }
    }

    /// Queues an invoke path that goes on behind what has been emitted so far.
    pub(super) fn add_invoke_path(&mut self, from: Vec<Position>, body: InvokeBody<'a>) {
        let resume = self.builder.here();
        let span = self.builder.span();
        self.pending.push(InvokePath {
            from,
            body,
            resume,
            next_temporary: self.next_temporary,
            assigning: self.assigning,
            line: self.line,
            span,
        });
    }

    /// Emits a quiet expression. `exact`: locals are invoked. Collects the instructions; says whether a local that may hold a
    /// function is among the operands.
    fn quiet_to(
        &mut self,
        expr: &'a Expr,
        dst: Register,
        exact: bool,
        from: &mut Vec<Position>,
    ) -> bool {
        self.within(expr.span, |this| this.emit_quiet_to(expr, dst, exact, from))
    }

    fn emit_quiet_to(
        &mut self,
        expr: &'a Expr,
        dst: Register,
        exact: bool,
        from: &mut Vec<Position>,
    ) -> bool {
        let mut met = false;
        match &expr.kind {
            ExprKind::Arithmetic { first, rest } => {
                let mut left = self.quiet_operand(first, exact, from, &mut met);
                for (index, (op, operand)) in rest.iter().enumerate() {
                    let result = if index + 1 == rest.len() {
                        dst
                    } else {
                        self.temporary()
                    };
                    let position = match number_constant(operand) {
                        Some(number) if self.fits(number) => {
                            self.arithmetic_constant(*op, result, left, number)
                        }
                        _ => {
                            let right = self.quiet_operand(operand, exact, from, &mut met);
                            self.arithmetic_op(*op, result, left, right)
                        }
                    };
                    from.push(position);
                    left = result;
                }
            }
            ExprKind::Compare { first, rest } => {
                let left = self.quiet_operand(first, exact, from, &mut met);
                let right = self.quiet_operand(&rest[0].1, exact, from, &mut met);
                from.push(self.compare_op(rest[0].0, dst, left, right));
            }
            ExprKind::Negate(operand) => {
                let src = self.quiet_operand(operand, exact, from, &mut met);
                from.push(self.builder.negate(dst, src));
            }
            ExprKind::Not(operand) => {
                let src = self.quiet_operand(operand, exact, from, &mut met);
                from.push(self.builder.not(dst, src));
            }
            ExprKind::Chain { base, steps } => {
                // What is being assigned does not concern the base of an element.
                let assigning = self.assigning.take();
                let mut object = self.quiet_operand(base, exact, from, &mut met);
                self.assigning = assigning;
                for (at, index) in steps.iter().filter_map(element_index).enumerate() {
                    let index = self.quiet_operand(index, exact, from, &mut met);
                    let result = if at + 1 == steps.len() {
                        dst
                    } else {
                        self.temporary()
                    };
                    from.push(self.builder.get_index(result, object, index));
                    object = result;
                }
            }
            _ => {}
        }
        met
    }

    fn quiet_operand(
        &mut self,
        expr: &'a Expr,
        exact: bool,
        from: &mut Vec<Position>,
        met: &mut bool,
    ) -> Register {
        match &expr.kind {
            ExprKind::Literal(literal) => {
                let dst = self.temporary();
                self.load_literal(dst, *literal);
                dst
            }
            ExprKind::Variable { name, .. } if self.own_global(*name).is_some() => {
                *met = true;
                match self.own_global(*name) {
                    Some(register) if !exact => register,
                    _ => {
                        let mode = self.mode_of(*name, ReadMode::INVOKE);
                        self.read_global(*name, mode)
                    }
                }
            }
            ExprKind::Variable { name, read } => {
                let Place::Register(local) = self.place(*name) else {
                    return Register::CALLEE;
                };
                if matches!(read, Read::Deferred) || self.scope.never_function.contains(name) {
                    return local;
                }
                *met = true;
                if !exact {
                    return local;
                }
                let dst = self.temporary();
                self.invoke(dst, local);
                dst
            }
            _ => {
                let dst = self.temporary();
                *met |= self.quiet_to(expr, dst, exact, from);
                dst
            }
        }
    }

    /// Whether a number can be the constant operand of an instruction.
    pub(super) fn fits(&mut self, number: f64) -> bool {
        self.builder.number(number).fits_16_bits()
    }

    /// A fused comparison and branch whose operands are quiet.
    pub(super) fn quiet_branch(
        &mut self,
        op: CompareOp,
        lhs: &'a Expr,
        rhs: &'a Expr,
        branch: Branch,
    ) {
        let mark = self.next_temporary;
        let mut from = Vec::new();
        let met = self.quiet_branch_once(op, lhs, rhs, branch, false, &mut from);
        self.next_temporary = mark;
        if met {
            self.add_invoke_path(
                from,
                InvokeBody::Branch {
                    op,
                    lhs,
                    rhs,
                    branch,
                },
            );
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn quiet_branch_once(
        &mut self,
        op: CompareOp,
        lhs: &'a Expr,
        rhs: &'a Expr,
        branch: Branch,
        exact: bool,
        from: &mut Vec<Position>,
    ) -> bool {
        let mut met = false;
        let left = self.quiet_operand(lhs, exact, from, &mut met);
        let position = match number_constant(rhs) {
            Some(number) if self.fits(number) => self.branch_constant(op, left, number, branch),
            _ => {
                let right = self.quiet_operand(rhs, exact, from, &mut met);
                self.branch_compare(op, left, right, branch)
            }
        };
        from.push(position);
        met
    }

    /// Emits all invoke paths. They may queue no further ones.
    pub(super) fn emit_invoke_paths(&mut self) {
        for path in std::mem::take(&mut self.pending) {
            self.next_temporary = path.next_temporary;
            self.builder.set_line(path.line);
            self.builder.set_span(path.span);
            self.assigning = path.assigning;
            let start = self.builder.here();
            for position in path.from {
                self.builder.add_invoke_path(position, start);
            }
            self.invoke_body(path.body);
            self.builder.jump(path.resume);
        }
    }

    /// The operand's value: that of a local by an `invoke`.
    fn settled(&mut self, operand: Operand<'a>) -> Register {
        match operand {
            Operand::Value(register) => register,
            Operand::Local(local) => {
                let dst = self.temporary();
                self.invoke(dst, local);
                dst
            }
            Operand::Global(_, name, mode) => self.read_global(name, mode),
            Operand::Quiet(_, expr) => self.quiet_operand(expr, true, &mut Vec::new(), &mut false),
        }
    }

    fn invoke_body(&mut self, body: InvokeBody<'a>) {
        match body {
            InvokeBody::Value(expr, dst) => {
                self.quiet_to(expr, dst, true, &mut Vec::new());
            }
            InvokeBody::Branch {
                op,
                lhs,
                rhs,
                branch,
            } => {
                self.quiet_branch_once(op, lhs, rhs, branch, true, &mut Vec::new());
            }
            InvokeBody::BranchOperands {
                op,
                lhs,
                rhs,
                branch,
            } => {
                let lhs = self.settled(lhs);
                let rhs = self.settled(rhs);
                self.branch_compare(op, lhs, rhs, branch);
            }
            InvokeBody::Test {
                variable,
                target,
                jump_if,
            } => {
                let value = self.settled(variable);
                self.branch_on(value, target, jump_if);
            }
            InvokeBody::Arithmetic {
                op,
                dst,
                lhs,
                rhs,
                rhs_first,
            } => {
                let (left, right);
                if rhs_first {
                    right = self.settled(rhs);
                    left = self.settled(lhs);
                } else {
                    left = self.settled(lhs);
                    right = self.settled(rhs);
                }
                self.arithmetic_op(op, dst, left, right);
            }
            InvokeBody::ArithmeticConstant {
                op,
                dst,
                lhs,
                number,
            } => {
                let left = self.settled(lhs);
                self.arithmetic_constant(op, dst, left, number);
            }
            InvokeBody::Index { dst, object, index } => {
                let object = self.settled(object);
                let index = self.settled(index);
                self.builder.get_index(dst, object, index);
            }
            InvokeBody::SetIndex {
                object,
                index,
                value,
            } => {
                let object = self.settled(object);
                let index = self.settled(index);
                let value = self.settled(value);
                self.builder.set_index(object, index, value);
            }
            InvokeBody::Member {
                dst,
                object,
                name,
                invoke,
            } => {
                let object = self.settled(object);
                self.get_member_op(dst, object, name, invoke);
            }
            InvokeBody::SetMember {
                object,
                name,
                value,
            } => {
                let object = self.settled(object);
                let value = self.settled(value);
                let feedback = self.builder.member_feedback(self.text(name));
                self.builder.set_member(object, value, feedback);
            }
        }
    }
}

/// The number, if the expression is a number literal.
pub(super) fn number_constant(expr: &Expr) -> Option<f64> {
    match expr.kind {
        ExprKind::Literal(Literal::Number(number)) => Some(number),
        _ => None,
    }
}
