//! Input that arrives line by line, as at a prompt.
//!
//! The rules differ from those for files in two ways. A line that ends in an operator, an open bracket or the like is
//! joined with the next before it is read, so `x =` may be continued here. And every line is line 1.

use crate::diagnostic::Diagnostic;
use crate::source::{Source, SourceError};

use super::ast::Program;
use super::lexer::Lexer;
use super::parser::{Parser, State};
use super::token::{Keyword, TokenKind};

/// Collects lines until they make a program.
///
/// ```
/// use kiln_frontend::miniscript::repl::{Input, Reply};
///
/// let mut input = Input::new("input");
/// assert!(matches!(input.feed("if x then")?, Reply::Incomplete));
/// assert!(matches!(input.feed("  print 1 +")?, Reply::Incomplete));
/// assert!(matches!(input.feed("        2")?, Reply::Incomplete));
/// let Reply::Complete { source, program } = input.feed("end if")? else { panic!() };
/// assert_eq!(program.main().body.len(), 1);
/// assert_eq!(source.text(), "if x then\n  print 1 +         2\nend if\n");
/// # Ok::<(), kiln_frontend::source::SourceError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Input {
    name: String,
    state: State,
    /// The lines read into `state`, each ended by a line break.
    text: String,
    /// Lines to be continued, not read yet.
    partial: String,
}

/// What a line led to.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A block, function or line is open: more is needed.
    Incomplete,
    /// There is something to run. The spans in the program refer to the source.
    Complete {
        /// The lines that make the program.
        source: Source,
        /// The program.
        program: Program,
    },
    /// The line is wrong. It is dropped; blocks and functions that were open before stay open.
    Error {
        /// The lines up to and including the wrong one.
        source: Source,
        /// What is wrong.
        diagnostics: Vec<Diagnostic>,
    },
}

/// Whether a text is whole, as [`completeness`] judges it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// Nothing is open.
    Complete,
    /// A block, function or line is open at the end.
    Incomplete,
    /// Some line is wrong.
    Error,
}

impl Input {
    /// An empty input. Sources made from it get this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            state: State::new(),
            text: String::new(),
            partial: String::new(),
        }
    }

    /// Whether a block, function or line is open.
    pub fn is_incomplete(&self) -> bool {
        !self.partial.is_empty() || self.state.is_incomplete()
    }

    /// Drops everything that is open.
    pub fn reset(&mut self) {
        *self = Self::new(std::mem::take(&mut self.name));
    }

    /// Takes a line, without its line break.
    ///
    /// # Errors
    /// [`SourceError::TooLarge`] if the lines of one program exceed the size of a source. The input is reset then.
    pub fn feed(&mut self, line: &str) -> Result<Reply, SourceError> {
        if let Some(kept) = continued_part(line) {
            self.partial.push_str(kept);
            self.partial.push(' ');
            return Ok(Reply::Incomplete);
        }
        let start = self.text.len();
        self.text.push_str(&std::mem::take(&mut self.partial));
        self.text.push_str(line);
        let is_too_large = u32::try_from(self.text.len()).is_err();
        let mut diagnostics = Vec::new();
        if !is_too_large {
            let lexer = Lexer::starting_at(&self.text, start);
            let mut parser = Parser::new(&self.text, lexer, &mut self.state);
            parser.statements();
            diagnostics = parser.diagnostics;
        }
        self.text.push('\n');
        if is_too_large {
            let text = std::mem::take(&mut self.text);
            self.reset();
            Source::new(self.name.clone(), text)?;
        }
        if !diagnostics.is_empty() {
            let source = Source::new(self.name.clone(), self.text.clone())?;
            if self.state.is_incomplete() {
                self.text.truncate(start);
            } else {
                self.reset();
            }
            return Ok(Reply::Error {
                source,
                diagnostics,
            });
        }
        if self.state.is_incomplete() {
            return Ok(Reply::Incomplete);
        }
        let finished = std::mem::replace(self, Self::new(self.name.clone()));
        let source = Source::new(finished.name, finished.text)?;
        Ok(Reply::Complete {
            source,
            program: finished.state.into_program(),
        })
    }
}

/// Judges a text of any number of lines by the rules for input at a prompt.
pub fn completeness(text: &str) -> Completeness {
    let mut input = Input::new("input");
    for line in text.lines() {
        if !matches!(
            input.feed(line),
            Ok(Reply::Incomplete | Reply::Complete { .. })
        ) {
            return Completeness::Error;
        }
    }
    if input.is_incomplete() {
        Completeness::Incomplete
    } else {
        Completeness::Complete
    }
}

/// If a line is to be continued, the part of it up to its last token.
fn continued_part(line: &str) -> Option<&str> {
    let mut lexer = Lexer::starting_at(line, 0);
    let mut last = None;
    loop {
        let token = lexer.next_token().ok()?;
        if token.kind == TokenKind::EndOfInput {
            break;
        }
        last = Some(token);
    }
    last.filter(|token| is_continued(token.kind))
        .and_then(|token| line.get(..token.span.end as usize))
}

/// Whether a line with this last token is to be continued.
fn is_continued(kind: TokenKind) -> bool {
    use Keyword::{And, Isa, New, Not, Or};
    match kind {
        TokenKind::Keyword(keyword) => matches!(keyword, And | Isa | New | Not | Or),
        TokenKind::EndOfLine
        | TokenKind::EndOfInput
        | TokenKind::Identifier
        | TokenKind::Number
        | TokenKind::String
        | TokenKind::RightParen
        | TokenKind::RightSquare
        | TokenKind::RightCurly
        | TokenKind::Unknown => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_continue_after_operators_and_open_brackets() {
        for line in [
            "x =",
            "x = 1 +",
            "f [",
            "f 1, // more",
            "x.",
            "f @",
            "x = not",
            "m = {\"a\":",
            "x +=",
        ] {
            assert_eq!(completeness(line), Completeness::Incomplete, "{line}");
        }
        for line in [
            "",
            "x",
            "f 1",
            "x = [1]",
            "x = 1;",
            "// f 1,",
            "print \"a,\"",
            "return",
        ] {
            assert_eq!(completeness(line), Completeness::Complete, "{line}");
        }
    }

    #[test]
    fn blocks_and_functions_need_their_end() {
        assert_eq!(
            completeness("f = function(x)\n return x"),
            Completeness::Incomplete
        );
        assert_eq!(
            completeness("f = function(x)\n return x\nend function"),
            Completeness::Complete
        );
        assert_eq!(completeness("if x then; while y"), Completeness::Incomplete);
        assert_eq!(completeness("if x then print 1"), Completeness::Complete);
    }

    #[test]
    fn line_ends_are_gone_inside_of_a_continued_line() {
        assert_eq!(completeness("x = [1,\n2]"), Completeness::Complete);
        assert_eq!(completeness("x = [1,2\n3]"), Completeness::Error);
        assert_eq!(completeness("x =\n5"), Completeness::Complete);
    }

    #[test]
    fn errors_drop_the_line_and_keep_what_is_open() {
        let mut input = Input::new("input");
        assert!(matches!(input.feed("if 1 then"), Ok(Reply::Incomplete)));
        let Ok(Reply::Error {
            source,
            diagnostics,
        }) = input.feed("print )")
        else {
            panic!()
        };
        assert_eq!(
            diagnostics[0].to_string(),
            "Compiler Error: got RParen where number, string, or identifier is required [line 1]"
        );
        assert_eq!(source.slice(diagnostics[0].span), ")");
        assert!(input.is_incomplete());
        assert!(matches!(input.feed("print 5"), Ok(Reply::Incomplete)));
        let Ok(Reply::Complete { source, .. }) = input.feed("end if") else {
            panic!()
        };
        assert_eq!(source.text(), "if 1 then\nprint 5\nend if\n");
        assert!(!input.is_incomplete());
    }

    #[test]
    fn every_line_is_line_one() {
        let mut input = Input::new("input");
        assert!(matches!(input.feed("while x"), Ok(Reply::Incomplete)));
        assert!(matches!(input.feed("y"), Ok(Reply::Incomplete)));
        let Ok(Reply::Complete { program, .. }) = input.feed("end while") else {
            panic!()
        };
        assert_eq!(program.main().body[0].line, 1);
    }
}
