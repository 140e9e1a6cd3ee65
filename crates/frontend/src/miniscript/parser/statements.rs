//! Statements.

use crate::source::Span;

use super::super::ast::{
    ArithmeticOp, Expr, ExprKind, IfClause, Literal, StatementKind, Target, TargetKind,
};
use super::super::token::{Keyword, TokenKind};
use super::blocks::OpenBlockKind;
use super::expressions::{Mode, Operand};
use super::postfix::split_last_selector;
use super::{Parser, Result};

impl Parser<'_> {
    /// A statement with the line end behind it.
    pub(super) fn statement(&mut self) -> Result<()> {
        // An `if` deals with its line end itself, since the short form is over where its line is.
        if self.peek_kind()? == TokenKind::Keyword(Keyword::If) {
            return self.if_statement();
        }
        self.statement_without_end()?;
        self.expect_line_end()?;
        self.open_pending_function()
    }

    /// A statement inside of a short `if`.
    fn short_statement(&mut self) -> Result<()> {
        if self.peek_kind()? == TokenKind::Keyword(Keyword::If) {
            return self.if_statement();
        }
        self.statement_without_end()?;
        self.open_pending_function()
    }

    fn statement_without_end(&mut self) -> Result<()> {
        use Keyword::*;
        let token = self.peek()?;
        let TokenKind::Keyword(keyword) = token.kind else {
            return self.simple_statement();
        };
        if matches!(keyword, Not | True | False) {
            return self.simple_statement();
        }
        self.next()?;
        match keyword {
            Return => self.return_statement(token.span),
            Else => {
                self.check_else(token.span)?;
                self.begin_else();
                Ok(())
            }
            ElseIf => self.else_if(token.span),
            EndIf => self.close_if(token.span, false),
            While => self.while_statement(token.span),
            EndWhile => self.close_loop(token.span, false),
            For => self.for_statement(token.span),
            EndFor => self.close_loop(token.span, true),
            Break => self.jump("break", StatementKind::Break, token.span),
            Continue => self.jump("continue", StatementKind::Continue, token.span),
            _ => {
                let message = format!(
                    "unexpected keyword '{}' at start of line",
                    token.value(self.text)
                );
                Err(self.error_here(message, token.span))
            }
        }
    }

    fn return_statement(&mut self, keyword: Span) -> Result<()> {
        let token = self.peek()?;
        let has_value = match token.kind {
            TokenKind::EndOfLine | TokenKind::EndOfInput => false,
            TokenKind::Keyword(Keyword::Else | Keyword::ElseIf) => false,
            // The references compare texts only and take these strings for the keywords: an error follows.
            TokenKind::String => !matches!(&*token.value(self.text), "else" | "else if"),
            _ => true,
        };
        let value = if has_value {
            Some(self.expression(Mode::Value)?.expr)
        } else {
            None
        };
        self.push_statement(StatementKind::Return(value), keyword.start);
        Ok(())
    }

    fn if_statement(&mut self) -> Result<()> {
        let keyword = self.next()?.span;
        let clause = self.if_clause()?;
        let kind = OpenBlockKind::If {
            earlier: Vec::new(),
            last: clause,
            otherwise: None,
        };
        self.open_block(keyword, kind)?;
        if self.peek_kind()?.ends_line() {
            self.next()?;
            return Ok(());
        }
        self.short_if(keyword)
    }

    fn if_clause(&mut self) -> Result<IfClause> {
        let line = self.line_of_statement();
        let condition = self.expression(Mode::Value)?.expr;
        self.expect_then()?;
        Ok(IfClause {
            condition,
            line,
            body: Vec::new(),
        })
    }

    fn expect_then(&mut self) -> Result<()> {
        let token = self.next()?;
        match token.kind {
            TokenKind::Keyword(Keyword::Then) => Ok(()),
            TokenKind::Assign => {
                Err(self.error_here("found = instead of == in if condition", token.span))
            }
            _ => {
                let message = format!(
                    "got {} where Keyword(then) is required",
                    self.describe(token)
                );
                Err(self.error_here(message, token.span))
            }
        }
    }

    /// The rest of a short `if`, whose block is open, from its first statement on.
    ///
    /// The references read `else if` here as an `else` with another short `if` inside. A flat list of clauses means
    /// the same, except where [`nest_else_ifs`](Self::nest_else_ifs) is called.
    fn short_if(&mut self, keyword: Span) -> Result<()> {
        let depth = self.state.current.blocks.len();
        loop {
            self.short_statement()?;
            match self.peek_kind()? {
                TokenKind::Keyword(Keyword::Else) => {
                    let keyword = self.next()?.span;
                    self.check_else(keyword)?;
                    self.begin_else();
                    self.short_statement()?;
                    break;
                }
                TokenKind::Keyword(Keyword::ElseIf) => {
                    let keyword = self.next()?.span;
                    self.else_if(keyword)?;
                    if self.peek_kind()?.ends_line() {
                        self.next()?;
                        self.nest_else_ifs();
                        return Ok(());
                    }
                }
                _ => {
                    self.expect_short_if_end()?;
                    break;
                }
            }
        }
        // A block `if` in place of a statement is what ends here, and this one goes on as a block.
        let inner_is_open = self.state.current.blocks.len() > depth;
        self.close_if(keyword, true)?;
        if inner_is_open {
            self.nest_else_ifs();
        }
        Ok(())
    }

    /// What may follow the statement of a short `if`: a line end, or any keyword, which is swallowed. The references
    /// mean to ask for `else` but do not look at the word, which makes an `end if` on the same line legal.
    fn expect_short_if_end(&mut self) -> Result<()> {
        let token = self.next()?;
        if token.kind.ends_line() || matches!(token.kind, TokenKind::Keyword(_)) {
            return Ok(());
        }
        let message = format!(
            "got {} where Keyword(else) or EOL is required",
            self.describe(token)
        );
        Err(self.error_here(message, token.span))
    }

    fn else_if(&mut self, keyword: Span) -> Result<()> {
        self.check_else(keyword)?;
        let condition = self.expression(Mode::Value)?.expr;
        self.expect_then()?;
        self.begin_else_if(condition);
        Ok(())
    }

    fn while_statement(&mut self, keyword: Span) -> Result<()> {
        let condition = self.expression(Mode::Value)?.expr;
        self.open_block(
            keyword,
            OpenBlockKind::While {
                condition,
                body: Vec::new(),
            },
        )
    }

    fn for_statement(&mut self, keyword: Span) -> Result<()> {
        let token = self.expect(TokenKind::Identifier)?;
        let token_in = self.next()?;
        if token_in.kind != TokenKind::Keyword(Keyword::In) {
            let message = format!(
                "got {} where Keyword(in) is required",
                self.describe(token_in)
            );
            return Err(self.error_here(message, token_in.span));
        }
        let sequence = self.expression(Mode::Value)?.expr;
        if matches!(sequence.kind, ExprKind::Literal(Literal::Null)) {
            return Err(
                self.error_here("sequence expression expected for 'for' loop", sequence.span)
            );
        }
        let variable = token.text(self.text);
        let counter = self.state.names.intern(&format!("__{variable}_idx"));
        let variable = self.state.names.intern(variable);
        self.open_block(
            keyword,
            OpenBlockKind::For {
                variable,
                counter,
                sequence,
                body: Vec::new(),
            },
        )
    }

    fn jump(&mut self, word: &str, kind: StatementKind, keyword: Span) -> Result<()> {
        if !self.state.current.has_open_loop() {
            let message = format!("'{word}' without open loop block");
            return Err(self.error_here(message, keyword).about_blocks());
        }
        self.push_statement(kind, keyword.start);
        Ok(())
    }

    /// An expression, an assignment, or a command: they begin alike.
    fn simple_statement(&mut self) -> Result<()> {
        let start = self.peek()?.span.start;
        let mut first = self.expression(Mode::Statement)?;
        let kind = match self.peek_kind()? {
            kind if ends_simple_statement(kind) => {
                self.evaluate(&mut first);
                StatementKind::Expression(first.expr)
            }
            TokenKind::Assign => {
                self.next()?;
                let value = self.expression(Mode::Value)?.expr;
                let target = self.target(first)?;
                if let ExprKind::Function(id) = value.kind
                    && let Some(function) = self.state.functions.get_mut(id.index())
                {
                    function.is_closure = true;
                }
                StatementKind::Assign { target, value }
            }
            kind => match update_operator(kind) {
                Some(op) => {
                    self.next()?;
                    let value = self.expression(Mode::Value)?.expr;
                    let target = self.target(first)?;
                    StatementKind::Update { target, op, value }
                }
                None => {
                    let arguments = self.command_arguments()?;
                    match first.into_call(arguments, self.last_end) {
                        Ok(call) => StatementKind::Expression(call),
                        Err((callee, arguments)) => StatementKind::CallValue { callee, arguments },
                    }
                }
            },
        };
        self.push_statement(kind, start);
        Ok(())
    }

    fn command_arguments(&mut self) -> Result<Vec<Expr>> {
        let mut arguments = Vec::new();
        loop {
            arguments.push(self.expression(Mode::Value)?.expr);
            let token = self.peek()?;
            if ends_simple_statement(token.kind) {
                return Ok(arguments);
            }
            if !self.accept(TokenKind::Comma)? {
                self.next()?;
                let message = format!(
                    "got {} where Comma or EOL is required",
                    self.describe(token)
                );
                return Err(self.error_here(message, token.span));
            }
            self.skip_line_ends()?;
        }
    }

    fn target(&mut self, operand: Operand) -> Result<Target> {
        let span = operand.expr.span;
        operand
            .into_target()
            .ok_or_else(|| self.error_here("invalid assignment (not an lvalue)", span))
    }
}

/// Whether this kind of token ends a statement that is an expression or a command. Behind a statement that is not
/// part of a short `if`, the keywords are errors all the same.
fn ends_simple_statement(kind: TokenKind) -> bool {
    kind.ends_line() || matches!(kind, TokenKind::Keyword(Keyword::Else | Keyword::ElseIf))
}

fn update_operator(kind: TokenKind) -> Option<ArithmeticOp> {
    Some(match kind {
        TokenKind::AssignPlus => ArithmeticOp::Add,
        TokenKind::AssignMinus => ArithmeticOp::Subtract,
        TokenKind::AssignTimes => ArithmeticOp::Multiply,
        TokenKind::AssignDivide => ArithmeticOp::Divide,
        TokenKind::AssignMod => ArithmeticOp::Remainder,
        TokenKind::AssignPower => ArithmeticOp::Power,
        _ => return None,
    })
}

impl Operand {
    /// The operand as the left side of an assignment, if it can be one.
    fn into_target(self) -> Option<Target> {
        let span = self.expr.span;
        let is_address = self.is_address();
        let kind = match self.expr.kind {
            ExprKind::Literal(_) | ExprKind::Function(_) => TargetKind::Literal,
            _ if !self.is_place() => return None,
            ExprKind::Variable { name, .. } => TargetKind::Variable(name),
            ExprKind::Chain { base, steps } => {
                let (container, selector) = split_last_selector(*base, steps)?;
                TargetKind::Element {
                    container: Box::new(container),
                    selector,
                }
            }
            _ => return None,
        };
        Some(Target {
            kind,
            span,
            is_address,
        })
    }
}
