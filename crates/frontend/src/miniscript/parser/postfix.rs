//! Operands: literals, variables, and the chains of members, elements, slices and calls that begin at them.

use crate::source::Span;

use super::super::ast::{Expr, ExprKind, Literal, MapEntry, Read, Selector, Step, StepKind};
use super::super::token::{Keyword, TokenKind};
use super::expressions::{Mode, Operand, Place};
use super::{Parser, Result};

/// A chain of steps in the making.
struct Chain {
    base: Operand,
    steps: Vec<Step>,
    /// Whether the last step, or the base if there is none, is a place.
    place: Place,
    /// Height of the deepest index or argument.
    inner_height: usize,
}

impl Parser<'_> {
    /// A primary expression and what follows it without being an operator.
    ///
    /// If `keep_place` is set, a variable or member at the end is not called unless arguments follow it directly: it
    /// may be assigned to, or is marked with `@`. The same goes for an element in brackets where a statement begins.
    pub(super) fn postfix(&mut self, mode: Mode, keep_place: bool) -> Result<Operand> {
        let start = self.peek()?.span.start;
        let base = self.primary()?;
        let mut chain = Chain {
            place: base.place,
            base,
            steps: Vec::new(),
            inner_height: 0,
        };
        loop {
            let token = self.peek()?;
            match token.kind {
                TokenKind::Dot => {
                    self.next()?;
                    self.skip_line_ends()?;
                    let name = self.expect(TokenKind::Identifier)?;
                    let name = self.state.names.intern(name.text(self.text));
                    self.settle(&mut chain);
                    chain.push_select(
                        Selector::Member(name),
                        Read::Deferred,
                        self.span_from(token.span.start),
                    );
                    chain.place = Place::Open;
                    let next = self.peek()?;
                    if next.kind == TokenKind::LeftParen && !next.after_space {
                        self.call(&mut chain)?;
                    }
                }
                TokenKind::LeftSquare if !token.after_space => {
                    self.next()?;
                    self.skip_line_ends()?;
                    self.settle(&mut chain);
                    self.index_or_slice(&mut chain, mode, token.span.start)?;
                }
                TokenKind::LeftParen
                    if chain.place == Place::Open && !(keep_place && token.after_space) =>
                {
                    self.call(&mut chain)?;
                }
                _ if chain.place == Place::Open && !keep_place => {
                    chain.set_read(Read::Invoke);
                    chain.place = Place::No;
                }
                _ => break,
            }
        }
        self.finish(chain, start)
    }

    /// Settles that the last part of the chain is read, because another step follows.
    fn settle(&mut self, chain: &mut Chain) {
        if chain.steps.is_empty() {
            chain.base.place = chain.place;
            self.evaluate(&mut chain.base);
        } else if chain.place == Place::Open {
            chain.set_read(Read::Invoke);
        }
        chain.place = Place::No;
    }

    fn index_or_slice(&mut self, chain: &mut Chain, mode: Mode, start: u32) -> Result<()> {
        let from = match self.peek_kind()? {
            TokenKind::Colon => None,
            _ => Some(self.step_operand(chain)?),
        };
        if self.accept(TokenKind::Colon)? {
            self.skip_line_ends()?;
            let to = match self.peek_kind()? {
                TokenKind::RightSquare => None,
                _ => Some(self.step_operand(chain)?),
            };
            self.expect(TokenKind::RightSquare)?;
            chain.steps.push(Step {
                kind: StepKind::Slice { from, to },
                span: self.span_from(start),
            });
        } else if let Some(index) = from {
            self.expect(TokenKind::RightSquare)?;
            let selector = Selector::Index(index);
            let span = self.span_from(start);
            if mode == Mode::Statement {
                chain.push_select(selector, Read::Deferred, span);
                chain.place = Place::Open;
            } else {
                chain.push_select(selector, Read::Plain, span);
            }
        }
        Ok(())
    }

    fn step_operand(&mut self, chain: &mut Chain) -> Result<Box<Expr>> {
        let operand = self.expression(Mode::Value)?;
        chain.inner_height = chain.inner_height.max(operand.height);
        Ok(Box::new(operand.expr))
    }

    /// Arguments in parentheses.
    fn call(&mut self, chain: &mut Chain) -> Result<()> {
        self.expect(TokenKind::LeftParen)?;
        let mut arguments = Vec::new();
        if !self.accept(TokenKind::RightParen)? {
            loop {
                self.skip_line_ends()?;
                arguments.push(*self.step_operand(chain)?);
                if !self.expect_comma_or(TokenKind::RightParen)? {
                    break;
                }
            }
        }
        chain.set_read(Read::Call(arguments));
        chain.place = Place::No;
        match chain.steps.last_mut() {
            Some(step) => step.span.end = self.last_end,
            None => chain.base.expr.span.end = self.last_end,
        }
        Ok(())
    }

    fn finish(&mut self, chain: Chain, start: u32) -> Result<Operand> {
        let Chain {
            base,
            steps,
            place,
            inner_height,
        } = chain;
        let operand = if steps.is_empty() {
            let height_of_children = inner_height.max(base.height - 1);
            self.node(base.expr.kind, base.expr.span, height_of_children)?
        } else {
            let kind = ExprKind::Chain {
                base: Box::new(base.expr),
                steps,
            };
            self.node(kind, self.span_from(start), inner_height.max(base.height))?
        };
        Ok(Operand { place, ..operand })
    }

    fn primary(&mut self) -> Result<Operand> {
        let token = self.next()?;
        match token.kind {
            TokenKind::LeftCurly => self.map(token.span.start),
            TokenKind::LeftSquare => self.list(token.span.start),
            TokenKind::LeftParen => {
                self.skip_line_ends()?;
                let inner = self.expression(Mode::Value)?;
                self.expect(TokenKind::RightParen)?;
                Ok(inner)
            }
            TokenKind::Identifier => {
                let name = self.state.names.intern(token.text(self.text));
                let kind = ExprKind::Variable {
                    name,
                    read: Read::Deferred,
                };
                Ok(Operand {
                    place: Place::Open,
                    ..Operand::leaf(kind, token.span)
                })
            }
            TokenKind::Number => {
                let text = token.text(self.text);
                match text.parse::<f64>() {
                    Ok(number) if number.is_finite() => {
                        Ok(literal(Literal::Number(number), token.span))
                    }
                    _ => Err(self.error_in_statement(
                        format!("invalid numeric literal: {text}"),
                        token.span,
                    )),
                }
            }
            TokenKind::String => {
                let contents = self.state.names.intern(&token.value(self.text));
                Ok(literal(Literal::String(contents), token.span))
            }
            TokenKind::Keyword(Keyword::Null) => Ok(literal(Literal::Null, token.span)),
            TokenKind::Keyword(Keyword::True) => Ok(literal(Literal::Number(1.0), token.span)),
            TokenKind::Keyword(Keyword::False) => Ok(literal(Literal::Number(0.0), token.span)),
            _ => {
                let message = format!(
                    "got {} where number, string, or identifier is required",
                    self.describe(token)
                );
                Err(self.error_in_statement(message, token.span))
            }
        }
    }

    /// The rest of a list literal.
    fn list(&mut self, start: u32) -> Result<Operand> {
        let mut elements = Vec::new();
        let mut height = 0;
        if !self.accept(TokenKind::RightSquare)? {
            loop {
                self.skip_line_ends()?;
                if self.accept(TokenKind::RightSquare)? {
                    break;
                }
                let element = self.expression(Mode::Value)?;
                height = height.max(element.height);
                elements.push(element.expr);
                if !self.expect_comma_or(TokenKind::RightSquare)? {
                    break;
                }
            }
        }
        let span = self.span_from(start);
        self.node(ExprKind::List(elements), span, height)
    }

    /// The rest of a map literal.
    fn map(&mut self, start: u32) -> Result<Operand> {
        let mut entries = Vec::new();
        let mut height = 0;
        if !self.accept(TokenKind::RightCurly)? {
            loop {
                self.skip_line_ends()?;
                if self.accept(TokenKind::RightCurly)? {
                    break;
                }
                let key = self.expression(Mode::Value)?;
                self.expect(TokenKind::Colon)?;
                self.skip_line_ends()?;
                let value = self.expression(Mode::Value)?;
                height = height.max(key.height).max(value.height);
                entries.push(MapEntry {
                    key: key.expr,
                    value: value.expr,
                });
                if !self.expect_comma_or(TokenKind::RightCurly)? {
                    break;
                }
            }
        }
        let span = self.span_from(start);
        self.node(ExprKind::Map(entries), span, height)
    }
}

impl Chain {
    fn push_select(&mut self, selector: Selector, read: Read, span: Span) {
        self.steps.push(Step {
            kind: StepKind::Select { selector, read },
            span,
        });
    }

    /// Settles how the last part of the chain is read.
    fn set_read(&mut self, read: Read) {
        let place = match self.steps.last_mut() {
            Some(Step {
                kind: StepKind::Select { read, .. },
                ..
            }) => Some(read),
            Some(_) => None,
            None => self.base.read_mut(),
        };
        if let Some(place) = place {
            *place = read;
        }
    }
}

fn literal(literal: Literal, span: Span) -> Operand {
    Operand::leaf(ExprKind::Literal(literal), span)
}

/// Takes a chain that ends in a member or element apart: the container, and what is selected from it.
pub(super) fn split_last_selector(base: Expr, mut steps: Vec<Step>) -> Option<(Expr, Selector)> {
    let StepKind::Select { selector, .. } = steps.pop()?.kind else {
        return None;
    };
    let container = match steps.last() {
        None => base,
        Some(last) => {
            let span = base.span.to(last.span);
            Expr {
                kind: ExprKind::Chain {
                    base: Box::new(base),
                    steps,
                },
                span,
            }
        }
    };
    Some((container, selector))
}
