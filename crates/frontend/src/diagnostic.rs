//! What is wrong with a source text, and how to show it.

use std::fmt;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::source::{Source, Span};

/// Which part of the front end found the error. It is the first word of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiagnosticKind {
    /// A character sequence that is no token.
    Lexer,
    /// A token sequence that is no program.
    Compiler,
}

/// An error in a source text.
///
/// Displayed, it is the one line (unless the message itself quotes a line break) that scripts' authors know:
/// `Compiler Error: TEXT [line N]`, with the module's name before `line` in an imported module.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub struct Diagnostic {
    /// Which part of the front end found the error.
    pub kind: DiagnosticKind,
    /// The text of the error, without prefix and position.
    pub message: String,
    /// The place to point at. It need not lie on the reported line: an open block is reported at the end of the
    /// source but shown where it begins.
    pub span: Span,
    /// The line to report, from 1; a few errors of the lexer have none.
    pub line: Option<u32>,
    /// Name of the imported module the error is in.
    pub module: Option<Arc<str>>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            DiagnosticKind::Lexer => "Lexer",
            DiagnosticKind::Compiler => "Compiler",
        };
        write!(f, "{kind} Error: {}", self.message)?;
        match (self.line, &self.module) {
            (Some(line), Some(module)) => write!(f, " [{module} line {line}]"),
            (Some(line), None) => write!(f, " [line {line}]"),
            (None, _) => Ok(()),
        }
    }
}

/// Whether rendered diagnostics use terminal colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    #[default]
    Never,
    /// ANSI escape sequences.
    Always,
}

/// Columns a rendered source line may take; longer lines are cut around the marked place.
const WIDTH: usize = 120;

impl Diagnostic {
    /// The displayed error, followed by the source line with the place marked. Ends without a line break.
    pub fn render(&self, source: &Source, colour: Colour) -> String {
        let renderer = match colour {
            Colour::Never => Renderer::plain(),
            Colour::Always => Renderer::styled(),
        };
        let line = source.line_span(self.span.start);
        let start = source.clamp(self.span.start).min(line.end);
        let end = source.clamp(self.span.end).clamp(start, line.end);
        let snippet = Snippet::source(source.slice(line))
            .line_start(source.line_column(line.start).line as usize)
            .path(source.name())
            .annotation(
                AnnotationKind::Primary
                    .span((start - line.start) as usize..(end - line.start) as usize),
            );
        let group = Group::with_level(Level::ERROR).element(snippet);
        format!("{self}\n{}", renderer.term_width(WIDTH).render(&[group]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagnostic(span: Span, line: Option<u32>) -> Diagnostic {
        Diagnostic {
            kind: DiagnosticKind::Compiler,
            message: "no".into(),
            span,
            line,
            module: None,
        }
    }

    #[test]
    fn position_is_in_brackets() {
        let plain = diagnostic(Span::new(0, 1), Some(3));
        assert_eq!(plain.to_string(), "Compiler Error: no [line 3]");
        let module = Diagnostic {
            module: Some("grfon.ms".into()),
            ..plain.clone()
        };
        assert_eq!(module.to_string(), "Compiler Error: no [grfon.ms line 3]");
        let bare = Diagnostic {
            kind: DiagnosticKind::Lexer,
            line: None,
            ..plain
        };
        assert_eq!(bare.to_string(), "Lexer Error: no");
    }

    #[test]
    fn source_line_is_shown_below() {
        let source = Source::new("a.ms", "x = 1\n\ty = $\n").unwrap();
        let rendered = diagnostic(Span::new(11, 12), Some(2)).render(&source, Colour::Never);
        assert_eq!(
            rendered,
            "Compiler Error: no [line 2]\n \
             --> a.ms:2:6\n  \
             |\n\
             2 |     y = $\n  \
             |         ^"
        );
    }

    #[test]
    fn colour_only_when_asked() {
        let source = Source::new("a.ms", "x").unwrap();
        let diagnostic = diagnostic(Span::new(0, 1), Some(1));
        assert!(!diagnostic.render(&source, Colour::Never).contains('\x1b'));
        let coloured = diagnostic.render(&source, Colour::Always);
        assert!(coloured.starts_with("Compiler Error: no [line 1]\n"));
        assert!(coloured.contains('\x1b'));
    }

    #[test]
    fn endless_lines_are_cut() {
        let text = format!("{}$ + {}", "a + ".repeat(250_000), "b + ".repeat(250_000));
        let source = Source::new("a.ms", text).unwrap();
        let rendered =
            diagnostic(Span::new(1_000_000, 1_000_001), Some(1)).render(&source, Colour::Never);
        assert!(rendered.len() < 1_000, "{} bytes", rendered.len());
        assert!(rendered.contains("a.ms:1:1000001"), "{rendered}");
        assert!(rendered.contains("a + $ + b"), "{rendered}");
    }

    #[test]
    fn spans_outside_of_the_text_do_no_harm() {
        let source = Source::new("a.ms", "é\nü").unwrap();
        for start in 0..8 {
            for end in 0..8 {
                diagnostic(Span::new(start, end), Some(1)).render(&source, Colour::Never);
            }
        }
    }
}
