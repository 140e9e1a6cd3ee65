//! Expressions down to operands: operators by precedence climbing, one flat node per chain of operators of one level.

use crate::source::Span;

use super::super::ast::{
    ArithmeticOp, CompareOp, Expr, ExprKind, Literal, LogicalOp, Read, StepKind,
};
use super::super::token::{Keyword, TokenKind};
use super::{MAX_EXPRESSION_DEPTH, Parser, Result};

/// What the first operand of an expression is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// For its value.
    Value,
    /// It begins a statement: it may turn out to be the target of an assignment or the callee of a command.
    Statement,
}

/// Whether an operand is a variable, member or element whose reading is not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is a value.
    No,
    /// It will be called, unless it is assigned to.
    Open,
    /// It is marked with `@`: not to be called by reading it.
    Address,
}

/// A parsed expression that may become part of a larger one.
pub(super) struct Operand {
    pub(super) expr: Expr,
    pub(super) place: Place,
    /// Depth of the tree below and including `expr`.
    pub(super) height: usize,
}

impl Operand {
    /// A leaf that is a value.
    pub(super) fn leaf(kind: ExprKind, span: Span) -> Self {
        Self {
            expr: Expr { kind, span },
            place: Place::No,
            height: 1,
        }
    }

    pub(super) fn is_place(&self) -> bool {
        self.place != Place::No
    }

    pub(super) fn is_address(&self) -> bool {
        self.place == Place::Address
    }

    /// The call of this operand by a command that ends at `end`, if it is a variable, member or element; otherwise
    /// the operand and the arguments back.
    pub(super) fn into_call(
        mut self,
        arguments: Vec<Expr>,
        end: u32,
    ) -> Result<Expr, (Expr, Vec<Expr>)> {
        if !self.is_place() {
            return Err((self.expr, arguments));
        }
        match self.read_mut() {
            Some(read) => *read = Read::Call(arguments),
            None => return Err((self.expr, arguments)),
        }
        self.expr.span.end = end;
        Ok(self.expr)
    }

    /// How the variable or the last selected element is read.
    pub(super) fn read_mut(&mut self) -> Option<&mut Read> {
        match &mut self.expr.kind {
            ExprKind::Variable { read, .. } => Some(read),
            ExprKind::Chain { steps, .. } => match &mut steps.last_mut()?.kind {
                StepKind::Select { read, .. } => Some(read),
                StepKind::Slice { .. } => None,
            },
            _ => None,
        }
    }
}

/// Precedence levels, loosest first.
mod level {
    pub(super) const OR: u8 = 1;
    pub(super) const AND: u8 = 2;
    pub(super) const NOT: u8 = 3;
    pub(super) const ISA: u8 = 4;
    pub(super) const COMPARE: u8 = 5;
    pub(super) const ADD: u8 = 6;
    pub(super) const MULTIPLY: u8 = 7;
    pub(super) const NEGATE: u8 = 8;
    pub(super) const NEW: u8 = 9;
    pub(super) const POWER: u8 = 10;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Logical(LogicalOp),
    Isa,
    Compare(CompareOp),
    Arithmetic(ArithmeticOp),
}

impl Operator {
    fn from_token(kind: TokenKind) -> Option<Self> {
        use self::ArithmeticOp::*;
        use self::CompareOp::*;
        Some(match kind {
            TokenKind::Keyword(Keyword::Or) => Self::Logical(LogicalOp::Or),
            TokenKind::Keyword(Keyword::And) => Self::Logical(LogicalOp::And),
            TokenKind::Keyword(Keyword::Isa) => Self::Isa,
            TokenKind::Equal => Self::Compare(Equal),
            TokenKind::NotEqual => Self::Compare(NotEqual),
            TokenKind::Less => Self::Compare(Less),
            TokenKind::LessEqual => Self::Compare(LessEqual),
            TokenKind::Greater => Self::Compare(Greater),
            TokenKind::GreaterEqual => Self::Compare(GreaterEqual),
            TokenKind::Plus => Self::Arithmetic(Add),
            TokenKind::Minus => Self::Arithmetic(Subtract),
            TokenKind::Times => Self::Arithmetic(Multiply),
            TokenKind::Divide => Self::Arithmetic(Divide),
            TokenKind::Mod => Self::Arithmetic(Remainder),
            TokenKind::Power => Self::Arithmetic(Power),
            _ => return None,
        })
    }

    fn level(self) -> u8 {
        use self::ArithmeticOp::*;
        match self {
            Self::Logical(LogicalOp::Or) => level::OR,
            Self::Logical(LogicalOp::And) => level::AND,
            Self::Isa => level::ISA,
            Self::Compare(_) => level::COMPARE,
            Self::Arithmetic(Add | Subtract) => level::ADD,
            Self::Arithmetic(Multiply | Divide | Remainder) => level::MULTIPLY,
            Self::Arithmetic(Power) => level::POWER,
        }
    }
}

impl Parser<'_> {
    /// An expression. In [`Mode::Value`] it is ready for use; in [`Mode::Statement`] it may be a [`Place::Open`].
    pub(super) fn expression(&mut self, mode: Mode) -> Result<Operand> {
        let token = self.peek()?;
        if token.kind == TokenKind::Keyword(Keyword::Function) {
            return self.function_header();
        }
        self.operation(level::OR, mode)
    }

    /// An operation of level `min` or tighter.
    fn operation(&mut self, min: u8, mode: Mode) -> Result<Operand> {
        self.enter()?;
        let (mut left, mut max) = self.prefixed(min, mode)?;
        while let Some(operator) = self.peek_operator(mode)? {
            let level = operator.level();
            if level < min || level > max {
                break;
            }
            left = self.operator_chain(left, operator, mode)?;
            // Its operands have taken everything tighter, and the chain everything of its own level.
            max = level - 1;
        }
        self.leave();
        Ok(left)
    }

    /// Guards the parser's own stack; every recursion passes through here. The height of the tree, which also grows to
    /// the left without recursion, is checked where nodes are made.
    pub(super) fn enter(&mut self) -> Result<()> {
        if self.expression_depth >= MAX_EXPRESSION_DEPTH {
            let span = self.peek()?.span;
            return Err(self.too_deep(span));
        }
        self.expression_depth += 1;
        Ok(())
    }

    /// Counterpart of [`enter`](Self::enter). After an error the next statement begins at zero.
    pub(super) fn leave(&mut self) {
        self.expression_depth -= 1;
    }

    /// An operand with its prefix operators, and the tightest level of operator that may follow it.
    fn prefixed(&mut self, min: u8, mode: Mode) -> Result<(Operand, u8)> {
        let token = self.peek()?;
        let (level, operand_level) = match token.kind {
            TokenKind::Keyword(Keyword::Not) => (level::NOT, level::ISA),
            TokenKind::Minus => (level::NEGATE, level::NEW),
            TokenKind::Keyword(Keyword::New) => (level::NEW, level::POWER),
            _ => (0, 0),
        };
        if level < min {
            return Ok((self.address(mode)?, level::POWER));
        }
        self.next()?;
        self.skip_line_ends()?;
        let mut operand = self.operation(operand_level, Mode::Value)?;
        let span = token.span.to(operand.expr.span);
        if let (level::NEGATE, ExprKind::Literal(Literal::Number(number))) =
            (level, &mut operand.expr.kind)
        {
            *number = -*number;
            operand.expr.span = span;
            return Ok((operand, level - 1));
        }
        let Operand { expr, height, .. } = operand;
        let kind = match level {
            level::NOT => ExprKind::Not(Box::new(expr)),
            level::NEGATE => ExprKind::Negate(Box::new(expr)),
            _ => ExprKind::New(Box::new(expr)),
        };
        Ok((self.node(kind, span, height)?, level - 1))
    }

    /// `@` and what it marks, or a plain operand.
    fn address(&mut self, mode: Mode) -> Result<Operand> {
        let token = self.peek()?;
        if token.kind != TokenKind::AddressOf {
            return self.postfix(mode, mode == Mode::Statement);
        }
        self.next()?;
        self.skip_line_ends()?;
        let mut operand = self.postfix(mode, true)?;
        operand.expr.span = operand.expr.span.to(token.span);
        if operand.is_place() {
            operand.place = Place::Address;
        }
        Ok(operand)
    }

    /// The operator that comes next, if one does. Where a statement begins, a minus sign with a space before it and
    /// none behind it is the sign of a command's first argument.
    fn peek_operator(&mut self, mode: Mode) -> Result<Option<Operator>> {
        let token = self.peek()?;
        let is_sign = token.kind == TokenKind::Minus
            && mode == Mode::Statement
            && token.after_space
            && !self.lexer.at_space_or_end();
        Ok(if is_sign {
            None
        } else {
            Operator::from_token(token.kind)
        })
    }

    /// An operator and all that follow on its level, with their right operands.
    fn operator_chain(
        &mut self,
        mut left: Operand,
        operator: Operator,
        mode: Mode,
    ) -> Result<Operand> {
        let level = operator.level();
        let start = left.expr.span.start;
        self.evaluate(&mut left);
        let mut height = left.height;
        let mut right = |parser: &mut Self| -> Result<Expr> {
            parser.next()?;
            parser.skip_line_ends()?;
            let operand = parser.operation(level + 1, Mode::Value)?;
            height = height.max(operand.height);
            Ok(operand.expr)
        };
        let kind = match operator {
            Operator::Logical(op) => {
                let mut operands = vec![left.expr];
                while self.peek_operator(mode)? == Some(operator) {
                    operands.push(right(self)?);
                }
                ExprKind::Logical { op, operands }
            }
            Operator::Isa => {
                let kind = Box::new(right(self)?);
                ExprKind::Isa {
                    value: Box::new(left.expr),
                    kind,
                }
            }
            Operator::Compare(_) => {
                let mut rest = Vec::new();
                while let Some(Operator::Compare(op)) = self.peek_operator(mode)? {
                    rest.push((op, right(self)?));
                }
                ExprKind::Compare {
                    first: Box::new(left.expr),
                    rest,
                }
            }
            Operator::Arithmetic(_) => {
                let mut rest = Vec::new();
                while let Some(next @ Operator::Arithmetic(op)) = self.peek_operator(mode)?
                    && next.level() == level
                {
                    rest.push((op, right(self)?));
                }
                ExprKind::Arithmetic {
                    first: Box::new(left.expr),
                    rest,
                }
            }
        };
        let span = self.span_from(start);
        self.node(kind, span, height)
    }

    /// Settles that a place is read for its value, which calls it if it is a function. Only `self` and `super` are
    /// left alone where this happens after the fact.
    pub(super) fn evaluate(&mut self, operand: &mut Operand) {
        let read = match operand.expr.kind {
            ExprKind::Variable { name, .. }
                if name == self.state.self_name || name == self.state.super_name =>
            {
                Read::Deferred
            }
            _ => Read::Invoke,
        };
        if operand.place == Place::Open
            && let Some(place) = operand.read_mut()
        {
            *place = read;
        }
        operand.place = Place::No;
    }

    /// A node whose deepest child has this height.
    pub(super) fn node(
        &self,
        kind: ExprKind,
        span: Span,
        height_of_children: usize,
    ) -> Result<Operand> {
        if height_of_children >= MAX_EXPRESSION_DEPTH {
            return Err(self.too_deep(span));
        }
        Ok(Operand {
            expr: Expr { kind, span },
            place: Place::No,
            height: height_of_children + 1,
        })
    }

    fn too_deep(&self, span: Span) -> Box<super::Failure> {
        self.error_in_statement("expression nested too deeply", span)
    }
}
