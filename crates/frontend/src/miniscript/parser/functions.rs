//! Headers of function literals.

use super::super::ast::{ExprKind, Function, FunctionId, Parameter};
use super::super::token::TokenKind;
use super::blocks::PendingFunction;
use super::expressions::{Mode, Operand};
use super::{Parser, Result};

impl Parser<'_> {
    /// `function` and its parameters. The body is what follows the statement.
    pub(super) fn function_header(&mut self) -> Result<Operand> {
        let keyword = self.next()?.span;
        let parameters = if self.peek_kind()?.ends_line() {
            Vec::new()
        } else {
            self.parameters()?
        };
        if self.state.pending.is_some() {
            return Err(self.error_here("can't start two functions in one statement", keyword));
        }
        // Fewer functions than bytes in the source.
        let id = FunctionId(self.state.functions.len() as u32);
        let span = self.span_from(keyword.start);
        self.state.functions.push(Function {
            parent: Some(self.state.current.id),
            span,
            line: self.line_of_statement(),
            parameters,
            is_closure: false,
            body: Vec::new(),
        });
        self.state.pending = Some(PendingFunction { id, keyword });
        Ok(Operand::leaf(ExprKind::Function(id), span))
    }

    fn parameters(&mut self) -> Result<Vec<Parameter>> {
        self.expect(TokenKind::LeftParen)?;
        let mut parameters = Vec::new();
        while self.peek_kind()? != TokenKind::RightParen {
            parameters.push(self.parameter()?);
            if self.peek_kind()? == TokenKind::RightParen {
                break;
            }
            self.expect(TokenKind::Comma)?;
        }
        self.expect(TokenKind::RightParen)?;
        Ok(parameters)
    }

    fn parameter(&mut self) -> Result<Parameter> {
        let token = self.next()?;
        if token.kind != TokenKind::Identifier {
            let message = format!(
                "got {} where an identifier is required",
                self.describe(token)
            );
            return Err(self.error_here(message, token.span));
        }
        let name = self.state.names.intern(token.text(self.text));
        let mut default = None;
        if self.accept(TokenKind::Assign)? {
            self.enter()?;
            let value = self.expression(Mode::Value)?.expr;
            self.leave();
            default = match value.kind {
                ExprKind::Literal(literal) => Some(literal),
                // The function that this header belongs to is one too many, and will be reported so.
                ExprKind::Function(_) => None,
                _ => {
                    return Err(self.error_here(
                        "parameter default value must be a literal value",
                        value.span,
                    ));
                }
            };
        }
        Ok(Parameter {
            name,
            span: self.span_from(token.span.start),
            default,
        })
    }
}
