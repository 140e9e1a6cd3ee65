//! Tokens and syntax trees as text for people. Places are byte offsets, `start..end`.

use std::fmt::{self, Display, Write};

use crate::source::{Source, Span};

use super::ast::{
    Block, Expr, ExprKind, Function, Literal, Program, Read, Selector, Statement, StatementKind,
};
use super::ast::{Step, StepKind, Target, TargetKind};
use super::lexer::Lexer;
use super::names::Name;
use super::token::TokenKind;

/// All tokens of a source, one to a line: line number, place, and the token as errors name it. What is no token is
/// listed as an error.
pub fn tokens(source: &Source) -> String {
    let text = source.text();
    let mut lexer = Lexer::new(text);
    let mut out = String::new();
    loop {
        let (line, span, what) = match lexer.next_token() {
            Ok(token) if token.kind == TokenKind::EndOfInput => return out,
            Ok(token) => (
                token.line,
                token.span,
                token.describe(text).escape_debug().to_string(),
            ),
            Err(error) => (error.line, error.span, format!("error: {error}")),
        };
        let place = format!("{}..{}", span.start, span.end);
        out.push_str(&format!("{line:>4}  {place:<12} {what}\n"));
    }
}

/// The syntax tree of a program: its functions one after the other, each as an indented outline.
pub fn program(program: &Program) -> String {
    let mut dump = Dump {
        program,
        out: String::new(),
        depth: 0,
    };
    for (index, function) in program.functions.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = dump.function(index, function);
    }
    dump.out
}

struct Dump<'a> {
    program: &'a Program,
    out: String,
    depth: usize,
}

impl Dump<'_> {
    fn line(&mut self, what: impl Display, span: Span) -> fmt::Result {
        writeln!(
            self.out,
            "{:width$}{what}  {}..{}",
            "",
            span.start,
            span.end,
            width = self.depth * 2
        )
    }

    /// Writes what `write` writes one level deeper, under a heading if there is one.
    fn nested(
        &mut self,
        heading: &str,
        write: impl FnOnce(&mut Self) -> fmt::Result,
    ) -> fmt::Result {
        if !heading.is_empty() {
            writeln!(self.out, "{:width$}{heading}", "", width = self.depth * 2)?;
        }
        self.depth += 1;
        let result = write(self);
        self.depth -= 1;
        result
    }

    fn name(&self, name: Name) -> String {
        self.program.names.text(name).to_string()
    }

    fn literal(&self, literal: Literal) -> String {
        match literal {
            Literal::Null => "null".to_owned(),
            Literal::Number(number) => format!("{number:?}"),
            Literal::String(text) => format!("{:?}", self.program.names.text(text)),
        }
    }

    fn function(&mut self, index: usize, function: &Function) -> fmt::Result {
        let Some(parent) = function.parent else {
            self.line("main", function.span)?;
            return self.block("", &function.body);
        };
        let mut parameters = Vec::new();
        for parameter in &function.parameters {
            let default = parameter
                .default
                .map(|literal| format!("={}", self.literal(literal)));
            parameters.push(self.name(parameter.name) + &default.unwrap_or_default());
        }
        let kind = if function.is_closure {
            "closure"
        } else {
            "function"
        };
        let parameters = parameters.join(", ");
        self.line(
            format_args!(
                "{kind} #{index}({parameters}) in #{}, line {}",
                parent.index(),
                function.line
            ),
            function.span,
        )?;
        self.block("", &function.body)
    }

    fn block(&mut self, heading: &str, block: &Block) -> fmt::Result {
        self.nested(heading, |dump| {
            block
                .iter()
                .try_for_each(|statement| dump.statement(statement))
        })
    }

    fn statement(&mut self, statement: &Statement) -> fmt::Result {
        let Statement {
            ref kind,
            span,
            line,
        } = *statement;
        match kind {
            StatementKind::Expression(expr) => {
                self.line(format_args!("{line}: expression"), span)?;
                self.nested("", |dump| dump.expr(expr))
            }
            StatementKind::CallValue { callee, arguments } => {
                self.line(format_args!("{line}: call value"), span)?;
                self.nested("", |dump| {
                    dump.expr(callee)?;
                    dump.exprs("arguments", arguments)
                })
            }
            StatementKind::Assign { target, value } => {
                self.line(format_args!("{line}: assign"), span)?;
                self.nested("", |dump| {
                    dump.target(target)?;
                    dump.expr(value)
                })
            }
            StatementKind::Update { target, op, value } => {
                self.line(format_args!("{line}: update {op:?}"), span)?;
                self.nested("", |dump| {
                    dump.target(target)?;
                    dump.expr(value)
                })
            }
            StatementKind::If { clauses, otherwise } => {
                self.line(format_args!("{line}: if"), span)?;
                self.nested("", |dump| {
                    for clause in clauses {
                        dump.nested("condition", |dump| dump.expr(&clause.condition))?;
                        dump.block("then", &clause.body)?;
                    }
                    otherwise
                        .iter()
                        .try_for_each(|block| dump.block("else", block))
                })
            }
            StatementKind::While { condition, body } => {
                self.line(format_args!("{line}: while"), span)?;
                self.nested("", |dump| {
                    dump.expr(condition)?;
                    dump.block("do", body)
                })
            }
            StatementKind::For {
                variable,
                sequence,
                body,
                ..
            } => {
                self.line(format_args!("{line}: for {}", self.name(*variable)), span)?;
                self.nested("", |dump| {
                    dump.expr(sequence)?;
                    dump.block("do", body)
                })
            }
            StatementKind::Break => self.line(format_args!("{line}: break"), span),
            StatementKind::Continue => self.line(format_args!("{line}: continue"), span),
            StatementKind::Return(value) => {
                self.line(format_args!("{line}: return"), span)?;
                self.nested("", |dump| {
                    value.iter().try_for_each(|value| dump.expr(value))
                })
            }
        }
    }

    fn target(&mut self, target: &Target) -> fmt::Result {
        let address = if target.is_address { "@" } else { "" };
        match &target.kind {
            TargetKind::Variable(name) => self.line(
                format_args!("target {address}variable {}", self.name(*name)),
                target.span,
            ),
            TargetKind::Element {
                container,
                selector,
            } => {
                self.line(format_args!("target {address}element"), target.span)?;
                self.nested("", |dump| {
                    dump.expr(container)?;
                    dump.selector(selector)
                })
            }
            TargetKind::Literal => self.line("target literal", target.span),
        }
    }

    fn selector(&mut self, selector: &Selector) -> fmt::Result {
        match selector {
            Selector::Member(name) => {
                writeln!(
                    self.out,
                    "{:width$}.{}",
                    "",
                    self.name(*name),
                    width = self.depth * 2
                )
            }
            Selector::Index(index) => self.nested("[]", |dump| dump.expr(index)),
        }
    }

    fn exprs<'e>(
        &mut self,
        heading: &str,
        exprs: impl IntoIterator<Item = &'e Expr>,
    ) -> fmt::Result {
        self.nested(heading, |dump| {
            exprs.into_iter().try_for_each(|expr| dump.expr(expr))
        })
    }

    fn expr(&mut self, expr: &Expr) -> fmt::Result {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Literal(literal) => self.line(self.literal(*literal), span),
            ExprKind::Function(id) => self.line(format_args!("function #{}", id.index()), span),
            ExprKind::Variable { name, read } => {
                self.line(
                    format_args!("{} {}", read_name(read), self.name(*name)),
                    span,
                )?;
                self.arguments(read)
            }
            ExprKind::Chain { base, steps } => {
                self.line("chain", span)?;
                self.nested("", |dump| {
                    dump.expr(base)?;
                    steps.iter().try_for_each(|step| dump.step(step))
                })
            }
            ExprKind::List(elements) => {
                self.line("list", span)?;
                self.exprs("", elements)
            }
            ExprKind::Map(entries) => {
                self.line("map", span)?;
                self.exprs(
                    "",
                    entries.iter().flat_map(|entry| [&entry.key, &entry.value]),
                )
            }
            ExprKind::Not(operand) => self.unary("not", operand, span),
            ExprKind::Negate(operand) => self.unary("negate", operand, span),
            ExprKind::New(operand) => self.unary("new", operand, span),
            ExprKind::Isa { value, kind } => {
                self.line("isa", span)?;
                self.exprs("", [&**value, &**kind])
            }
            ExprKind::Compare { first, rest } => self.operations("compare", first, rest, span),
            ExprKind::Arithmetic { first, rest } => {
                self.operations("arithmetic", first, rest, span)
            }
            ExprKind::Logical { op, operands } => {
                self.line(format_args!("{op:?}"), span)?;
                self.exprs("", operands)
            }
        }
    }

    fn unary(&mut self, what: &str, operand: &Expr, span: Span) -> fmt::Result {
        self.line(what, span)?;
        self.exprs("", [operand])
    }

    fn operations<O: fmt::Debug>(
        &mut self,
        what: &str,
        first: &Expr,
        rest: &[(O, Expr)],
        span: Span,
    ) -> fmt::Result {
        self.line(what, span)?;
        self.exprs("", [first])?;
        self.nested("", |dump| {
            rest.iter()
                .try_for_each(|(op, operand)| dump.exprs(&format!("{op:?}"), [operand]))
        })
    }

    fn step(&mut self, step: &Step) -> fmt::Result {
        match &step.kind {
            StepKind::Select { selector, read } => {
                self.line(read_name(read), step.span)?;
                self.nested("", |dump| dump.selector(selector))?;
                self.arguments(read)
            }
            StepKind::Slice { from, to } => {
                self.line("slice", step.span)?;
                self.nested("", |dump| {
                    for (heading, bound) in [("from", from), ("to", to)] {
                        if let Some(bound) = bound {
                            dump.exprs(heading, [&**bound])?;
                        }
                    }
                    Ok(())
                })
            }
        }
    }

    fn arguments(&mut self, read: &Read) -> fmt::Result {
        match read {
            Read::Call(arguments) if !arguments.is_empty() => {
                self.nested("", |dump| dump.exprs("arguments", arguments))
            }
            _ => Ok(()),
        }
    }
}

fn read_name(read: &Read) -> &'static str {
    match read {
        Read::Plain => "read",
        Read::Deferred => "deferred",
        Read::Invoke => "invoke",
        Read::Call(_) => "call",
    }
}
