//! Open blocks and functions, and what closes them.

use crate::source::Span;

use super::super::ast::{Block, Expr, FunctionId, IfClause, Statement, StatementKind};
use super::super::names::Name;
use super::{MAX_BLOCK_DEPTH, Parser, Result};

/// A function whose header has been read in the present statement.
#[derive(Clone, Copy, Debug)]
pub(super) struct PendingFunction {
    pub(super) id: FunctionId,
    pub(super) keyword: Span,
}

/// A function whose body is being read.
#[derive(Clone, Debug)]
pub(super) struct OpenFunction {
    pub(super) id: FunctionId,
    /// The word `function`.
    pub(super) keyword: Span,
    /// Statements outside of all blocks.
    pub(super) body: Block,
    /// Open blocks, innermost last.
    pub(super) blocks: Vec<OpenBlock>,
}

/// A block whose `end` has not been read.
#[derive(Clone, Debug)]
pub(super) struct OpenBlock {
    /// The word that opened it.
    pub(super) keyword: Span,
    /// Line of the statement that opened it.
    pub(super) line: u32,
    pub(super) kind: OpenBlockKind,
}

#[derive(Clone, Debug)]
pub(super) enum OpenBlockKind {
    If {
        /// Clauses before the last.
        earlier: Vec<IfClause>,
        last: IfClause,
        /// Statements behind `else`, once that has been read.
        otherwise: Option<Block>,
    },
    While {
        condition: Expr,
        body: Block,
    },
    For {
        variable: Name,
        counter: Name,
        sequence: Expr,
        body: Block,
    },
}

impl OpenFunction {
    pub(super) fn new(id: FunctionId, keyword: Span) -> Self {
        Self {
            id,
            keyword,
            body: Vec::new(),
            blocks: Vec::new(),
        }
    }

    /// Where the next statement goes.
    fn body(&mut self) -> &mut Block {
        self.blocks
            .last_mut()
            .map_or(&mut self.body, OpenBlock::body)
    }

    pub(super) fn has_open_loop(&self) -> bool {
        self.blocks.iter().any(|block| block.is_loop())
    }

    /// The error to report if the function ends with a block open, and the word that opened it.
    pub(super) fn open_block_error(&self) -> Option<(&'static str, Span)> {
        let block = self.blocks.last()?;
        let message = match block.kind {
            OpenBlockKind::If { .. } => "'if' without matching 'end if'",
            OpenBlockKind::While { .. } => "'while' without matching 'end while'",
            OpenBlockKind::For { .. } => "'for' without matching 'end for'",
        };
        Some((message, block.keyword))
    }
}

impl OpenBlock {
    fn body(&mut self) -> &mut Block {
        match &mut self.kind {
            OpenBlockKind::If {
                otherwise: Some(body),
                ..
            }
            | OpenBlockKind::If {
                last: IfClause { body, .. },
                ..
            }
            | OpenBlockKind::While { body, .. }
            | OpenBlockKind::For { body, .. } => body,
        }
    }

    fn is_loop(&self) -> bool {
        !matches!(self.kind, OpenBlockKind::If { .. })
    }

    /// The keyword that has to come next, as errors name it.
    fn expected(&self) -> &'static str {
        match self.kind {
            OpenBlockKind::If {
                otherwise: None, ..
            } => "else",
            OpenBlockKind::If { .. } => "end if",
            OpenBlockKind::While { .. } => "end while",
            OpenBlockKind::For { .. } => "end for",
        }
    }

    fn into_statement(self, end: u32) -> Statement {
        let kind = match self.kind {
            OpenBlockKind::If {
                earlier: mut clauses,
                last,
                otherwise,
            } => {
                clauses.push(last);
                StatementKind::If { clauses, otherwise }
            }
            OpenBlockKind::While { condition, body } => StatementKind::While { condition, body },
            OpenBlockKind::For {
                variable,
                counter,
                sequence,
                body,
            } => StatementKind::For {
                variable,
                counter,
                sequence,
                body,
            },
        };
        Statement {
            kind,
            span: Span::new(self.keyword.start, end),
            line: self.line,
        }
    }
}

impl Parser<'_> {
    /// Adds a finished statement to the innermost block.
    pub(super) fn push_statement(&mut self, kind: StatementKind, start: u32) {
        let (span, line) = (self.span_from(start), self.line_of_statement());
        self.state
            .current
            .body()
            .push(Statement { kind, span, line });
    }

    pub(super) fn line_of_statement(&self) -> u32 {
        self.statement_line.unwrap_or(self.lexer.line())
    }

    pub(super) fn open_block(&mut self, keyword: Span, kind: OpenBlockKind) -> Result<()> {
        self.deepen(keyword)?;
        let line = self.line_of_statement();
        self.state.current.blocks.push(OpenBlock {
            keyword,
            line,
            kind,
        });
        Ok(())
    }

    /// `else`, or the first part of `else if`.
    pub(super) fn check_else(&mut self, keyword: Span) -> Result<()> {
        let message = match self.state.current.blocks.last() {
            None => "'else' without matching block starter".to_owned(),
            Some(block) if block.expected() == "else" => return Ok(()),
            Some(block) => format!("'else' skips expected '{}'", block.expected()),
        };
        Err(self.error_in_statement(message, keyword).about_blocks())
    }

    /// Starts the statements behind `else`, which [`check_else`](Self::check_else) has approved of.
    pub(super) fn begin_else(&mut self) {
        if let Some(OpenBlock {
            kind: OpenBlockKind::If { otherwise, .. },
            ..
        }) = self.state.current.blocks.last_mut()
        {
            *otherwise = Some(Vec::new());
        }
    }

    /// Starts the statements behind `else if`, likewise.
    pub(super) fn begin_else_if(&mut self, condition: Expr) {
        let clause = IfClause {
            condition,
            line: self.line_of_statement(),
            body: Vec::new(),
        };
        if let Some(OpenBlock {
            kind: OpenBlockKind::If { earlier, last, .. },
            ..
        }) = self.state.current.blocks.last_mut()
        {
            earlier.push(std::mem::replace(last, clause));
        }
    }

    /// `end if`, or the end of a short `if`.
    pub(super) fn close_if(&mut self, keyword: Span, is_short: bool) -> Result<()> {
        let message = match self.state.current.blocks.last() {
            Some(block) if !block.is_loop() => {
                self.close_block();
                return Ok(());
            }
            Some(_) if is_short => "loop is invalid within single-line 'if'",
            _ => "'end if' without matching 'if'",
        };
        Err(self.error_in_statement(message, keyword).about_blocks())
    }

    /// `end while` or `end for`.
    pub(super) fn close_loop(&mut self, keyword: Span, is_for: bool) -> Result<()> {
        let blocks = &self.state.current.blocks;
        let innermost_loop_is_for = (blocks.iter().rev().find(|block| block.is_loop()))
            .map(|block| matches!(block.kind, OpenBlockKind::For { .. }));
        let name = if is_for { "for" } else { "while" };
        let message = match blocks.last() {
            Some(block) if innermost_loop_is_for == Some(is_for) => {
                if block.is_loop() {
                    self.close_block();
                    return Ok(());
                }
                format!("'end {name}' skips expected '{}'", block.expected())
            }
            _ => format!("'end {name}' without matching '{name}'"),
        };
        Err(self.error_in_statement(message, keyword).about_blocks())
    }

    /// Makes all `else if` clauses of the innermost block an `if` statement of their own inside an `else`, which stays
    /// open: what a short `if` means when its last `else if … then` has nothing behind it on its line.
    pub(super) fn nest_else_ifs(&mut self) {
        let Some(block) = self.state.current.blocks.last_mut() else {
            return;
        };
        let OpenBlockKind::If {
            earlier,
            last,
            otherwise,
        } = &mut block.kind
        else {
            return;
        };
        if earlier.is_empty() {
            return;
        }
        let first = earlier.remove(0);
        let mut clauses = std::mem::take(earlier);
        clauses.push(std::mem::replace(last, first));
        let inner_otherwise = otherwise.take();
        let start = clauses
            .first()
            .map_or(block.keyword.start, |clause| clause.condition.span.start);
        *otherwise = Some(vec![Statement {
            kind: StatementKind::If {
                clauses,
                otherwise: inner_otherwise,
            },
            span: Span::new(start, self.last_end.max(start)),
            line: block.line,
        }]);
    }

    /// Starts the body of the function whose header was in the statement just read.
    pub(super) fn open_pending_function(&mut self) -> Result<()> {
        if let Some(PendingFunction { id, keyword }) = self.state.pending.take() {
            self.deepen(keyword)?;
            let outer = std::mem::replace(&mut self.state.current, OpenFunction::new(id, keyword));
            self.state.enclosing.push(outer);
        }
        Ok(())
    }

    /// `end function`
    pub(super) fn end_function(&mut self) -> Result<()> {
        let keyword = self.next()?.span;
        let Some(outer) = self.state.enclosing.pop() else {
            let message = "'end function' without matching block starter";
            return Err(self.error_in_statement(message, keyword).about_blocks());
        };
        let finished = std::mem::replace(&mut self.state.current, outer);
        self.state.block_depth -= 1 + finished.blocks.len();
        let open_block = finished.open_block_error();
        if let Some(function) = self.state.functions.get_mut(finished.id.index()) {
            function.body = finished.body;
            function.span = Span::new(finished.keyword.start, keyword.end);
        }
        match open_block {
            Some((message, opener)) => Err(self.error_here(message, opener).about_blocks()),
            None => Ok(()),
        }
    }

    fn close_block(&mut self) {
        if let Some(block) = self.state.current.blocks.pop() {
            self.state.block_depth -= 1;
            let statement = block.into_statement(self.last_end);
            self.state.current.body().push(statement);
        }
    }

    fn deepen(&mut self, keyword: Span) -> Result<()> {
        if self.state.block_depth >= MAX_BLOCK_DEPTH {
            self.stopped = true;
            return Err(self.error_in_statement("blocks nested too deeply", keyword));
        }
        self.state.block_depth += 1;
        Ok(())
    }
}
