//! The parser: tokens to syntax tree.
//!
//! Statements are read one after the other and go into the innermost open block. Open blocks and functions wait on
//! explicit stacks (module `blocks`), which is what the language needs: a function literal is only a header somewhere in
//! an expression, and its body is the statements that follow. The same stacks let the input arrive in pieces, as at
//! a prompt.
//!
//! # Lines of errors
//!
//! An error reports one of two lines: that of the statement it is in (`error_in_statement`), or the one the
//! lexer has reached (`error_here`), where a line end that has been looked at counts as the next line. Which
//! error takes which is part of the language, so whoever changes this parser must neither look further ahead than it
//! does nor less far: one token, and only where the grammar needs it.

mod blocks;
mod expressions;
mod functions;
mod postfix;
mod statements;

use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::source::{Source, Span};

use self::blocks::{OpenFunction, PendingFunction};
use super::ast::{Function, FunctionId, Program};
use super::lexer::{Lexer, LexerError};
use super::names::{Name, NameTable};
use super::token::{Keyword, Token, TokenKind};

/// How deep expressions may be nested, counted in nodes of the tree and in parentheses.
pub const MAX_EXPRESSION_DEPTH: usize = 500;

/// How many blocks and functions may be open at once.
pub const MAX_BLOCK_DEPTH: usize = 256;

/// How many errors are collected before the parser stops.
const MAX_DIAGNOSTICS: usize = 20;

/// Reads a whole program.
///
/// # Errors
/// Everything that is found wrong, at most a screenful. The first is the one to rely on; an error that may be a mere
/// consequence of an earlier one is left out.
pub fn parse(source: &Source) -> Result<Program, Vec<Diagnostic>> {
    let mut state = State::new();
    let mut parser = Parser::new(source.text(), Lexer::new(source.text()), &mut state);
    parser.statements();
    parser.check_nothing_open();
    let mut diagnostics = parser.diagnostics;
    if diagnostics.is_empty() {
        return Ok(state.into_program());
    }
    for diagnostic in &mut diagnostics {
        diagnostic.module = source.module().cloned();
    }
    Err(diagnostics)
}

type Result<T, E = Box<Failure>> = std::result::Result<T, E>;

/// Why a statement could not be read.
struct Failure {
    diagnostic: Diagnostic,
    /// Whether an earlier error can be the cause, because a statement that opens a block has been skipped.
    may_be_consequence: bool,
}

/// What lasts from one piece of input to the next.
#[derive(Clone, Debug)]
pub(super) struct State {
    names: NameTable,
    self_name: Name,
    super_name: Name,
    /// Functions found so far; the bodies of open ones are still empty.
    functions: Vec<Function>,
    /// The innermost open function.
    current: OpenFunction,
    /// The open functions around it, innermost last.
    enclosing: Vec<OpenFunction>,
    /// The function whose header is in the statement being read.
    pending: Option<PendingFunction>,
    /// Open blocks and functions, all together.
    block_depth: usize,
}

impl State {
    pub(super) fn new() -> Self {
        let mut names = NameTable::default();
        let (self_name, super_name) = (names.intern("self"), names.intern("super"));
        let main = Function {
            parent: None,
            span: Span::default(),
            line: 1,
            parameters: Vec::new(),
            is_closure: false,
            body: Vec::new(),
        };
        Self {
            names,
            self_name,
            super_name,
            functions: vec![main],
            current: OpenFunction::new(FunctionId::MAIN, Span::default()),
            enclosing: Vec::new(),
            pending: None,
            block_depth: 0,
        }
    }

    /// Whether a block or function is open.
    pub(super) fn is_incomplete(&self) -> bool {
        self.block_depth > 0 || self.pending.is_some()
    }

    /// The program, once nothing is open.
    pub(super) fn into_program(mut self) -> Program {
        if let Some(main) = self.functions.first_mut() {
            main.body = self.current.body;
            main.span = main
                .body
                .last()
                .map_or(main.span, |last| Span::new(0, last.span.end));
        }
        Program {
            names: self.names,
            functions: self.functions,
        }
    }
}

/// Reads one piece of input into a [`State`].
pub(super) struct Parser<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    peeked: Option<Token>,
    state: &'a mut State,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Line of the statement being read; none between statements.
    statement_line: Option<u32>,
    expression_depth: usize,
    /// Brackets that the statement being read has opened and not closed.
    open_brackets: usize,
    /// The token read last was a line end.
    at_line_start: bool,
    /// End of the token read last that is not a line end.
    last_end: u32,
    /// Too many errors, or one that cannot be recovered from.
    stopped: bool,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str, lexer: Lexer<'a>, state: &'a mut State) -> Self {
        Self {
            text,
            lexer,
            peeked: None,
            state,
            diagnostics: Vec::new(),
            statement_line: None,
            expression_depth: 0,
            open_brackets: 0,
            at_line_start: true,
            last_end: 0,
            stopped: false,
        }
    }

    /// Reads statements to the end of the input.
    pub(super) fn statements(&mut self) {
        while !self.stopped {
            self.statement_line = None;
            match self.statement_or_end() {
                Ok(true) => {}
                Ok(false) => break,
                Err(failure) => {
                    self.report(*failure);
                    self.recover();
                }
            }
        }
    }

    /// Reads a statement or an empty line; false at the end of the input.
    fn statement_or_end(&mut self) -> Result<bool> {
        let token = self.peek()?;
        match token.kind {
            TokenKind::EndOfInput => return Ok(false),
            TokenKind::EndOfLine => {
                self.next()?;
                return Ok(true);
            }
            _ => {}
        }
        self.statement_line = Some(self.lexer.line());
        self.expression_depth = 0;
        self.open_brackets = 0;
        if token.kind == TokenKind::Keyword(Keyword::EndFunction) {
            self.end_function()?;
        } else {
            self.statement()?;
        }
        Ok(true)
    }

    /// Reports a block or function that is still open at the end of the input.
    fn check_nothing_open(&mut self) {
        // One line past the last, which tells the reader that the end is the problem.
        let line = self.lexer.line().saturating_add(1);
        let open = if self.state.enclosing.is_empty() {
            self.state.current.open_block_error()
        } else {
            Some((
                "'function' without matching 'end function'",
                self.state.current.keyword,
            ))
        };
        if let Some((message, span)) = open {
            let diagnostic = compiler_error(message, span, Some(line));
            self.report(Failure {
                diagnostic,
                may_be_consequence: true,
            });
        }
    }

    fn report(&mut self, failure: Failure) {
        if !failure.may_be_consequence || self.diagnostics.is_empty() {
            self.diagnostics.push(failure.diagnostic);
            self.stopped |= self.diagnostics.len() >= MAX_DIAGNOSTICS;
        }
    }

    /// Skips what is left of a statement with an error: to the end of its line, or of the line that closes its
    /// brackets. A line that begins with a keyword is taken for a new statement even inside brackets.
    fn recover(&mut self) {
        self.state.pending = None;
        while !self.stopped {
            if self.at_line_start && self.open_brackets == 0 {
                break;
            }
            match self.peek() {
                Ok(token) if token.kind == TokenKind::EndOfInput => break,
                Ok(token) if self.at_line_start && starts_statement(token.kind) => break,
                _ => {}
            }
            // An error of the lexer here is part of what is skipped.
            let _ = self.next();
        }
    }

    /// The next token, which stays the next.
    fn peek(&mut self) -> Result<Token> {
        if let Some(token) = self.peeked {
            return Ok(token);
        }
        match self.lexer.next_token() {
            Ok(token) => {
                self.peeked = Some(token);
                Ok(token)
            }
            Err(error) => {
                self.at_line_start = false;
                Err(self.lexer_error(error))
            }
        }
    }

    fn peek_kind(&mut self) -> Result<TokenKind> {
        self.peek().map(|token| token.kind)
    }

    /// Reads the next token.
    fn next(&mut self) -> Result<Token> {
        let token = self.peek()?;
        self.peeked = None;
        self.at_line_start = token.kind.ends_line();
        if !self.at_line_start {
            self.last_end = token.span.end;
        }
        match token.kind {
            TokenKind::LeftParen | TokenKind::LeftSquare | TokenKind::LeftCurly => {
                self.open_brackets += 1
            }
            TokenKind::RightParen | TokenKind::RightSquare | TokenKind::RightCurly => {
                self.open_brackets = self.open_brackets.saturating_sub(1);
            }
            _ => {}
        }
        Ok(token)
    }

    /// Reads the next token if it is of this kind.
    fn accept(&mut self, kind: TokenKind) -> Result<bool> {
        let found = self.peek_kind()? == kind;
        if found {
            self.next()?;
        }
        Ok(found)
    }

    /// Skips line ends, in places where a statement may go on in the next line.
    fn skip_line_ends(&mut self) -> Result<()> {
        while self.accept(TokenKind::EndOfLine)? {}
        Ok(())
    }

    /// Reads the next token, which must be of this kind.
    fn expect(&mut self, kind: TokenKind) -> Result<Token> {
        let token = self.next()?;
        if token.kind == kind {
            return Ok(token);
        }
        Err(self.error_here(
            format!(
                "got {} where {} is required",
                self.describe(token),
                kind.error_name()
            ),
            token.span,
        ))
    }

    /// Reads a line end, or notes the end of the input.
    fn expect_line_end(&mut self) -> Result<()> {
        let token = self.next()?;
        if token.kind.ends_line() {
            return Ok(());
        }
        Err(self.error_here(
            format!("got {} where EOL is required", self.describe(token)),
            token.span,
        ))
    }

    /// Reads a comma (true) or the token that closes the list (false).
    fn expect_comma_or(&mut self, close: TokenKind) -> Result<bool> {
        let token = self.next()?;
        if token.kind == TokenKind::Comma || token.kind == close {
            return Ok(token.kind == TokenKind::Comma);
        }
        let message = format!(
            "got {} where Comma or {} is required",
            self.describe(token),
            close.error_name()
        );
        Err(self.error_here(message, token.span))
    }

    fn describe(&self, token: Token) -> String {
        token.describe(self.text)
    }

    fn span_from(&self, start: u32) -> Span {
        Span::new(start, self.last_end.max(start))
    }

    /// An error on the line where the statement begins.
    fn error_in_statement(&self, message: impl Into<String>, span: Span) -> Box<Failure> {
        compiler_error(message, span, self.statement_line).into()
    }

    /// An error on the line the lexer has reached.
    fn error_here(&self, message: impl Into<String>, span: Span) -> Box<Failure> {
        compiler_error(message, span, Some(self.lexer.line())).into()
    }

    fn lexer_error(&self, error: LexerError) -> Box<Failure> {
        let LexerError { message, span, .. } = error;
        let (kind, message, line) = (
            DiagnosticKind::Lexer,
            message.to_owned(),
            self.statement_line,
        );
        Diagnostic {
            kind,
            message,
            span,
            line,
            module: None,
        }
        .into()
    }
}

impl From<Diagnostic> for Box<Failure> {
    fn from(diagnostic: Diagnostic) -> Self {
        Box::new(Failure {
            diagnostic,
            may_be_consequence: false,
        })
    }
}

impl Failure {
    /// Marks the error as one that concerns how blocks fit together.
    fn about_blocks(mut self: Box<Self>) -> Box<Self> {
        self.may_be_consequence = true;
        self
    }
}

fn compiler_error(message: impl Into<String>, span: Span, line: Option<u32>) -> Diagnostic {
    Diagnostic {
        kind: DiagnosticKind::Compiler,
        message: message.into(),
        span,
        line,
        module: None,
    }
}

/// Whether a token at the start of a line begins a new statement for certain.
fn starts_statement(kind: TokenKind) -> bool {
    use Keyword::*;
    let TokenKind::Keyword(keyword) = kind else {
        return false;
    };
    !matches!(
        keyword,
        And | False | Function | In | Isa | New | Not | Null | Or | Then | True
    )
}
