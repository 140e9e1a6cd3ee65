//! The syntax tree.
//!
//! The tree says *how* every value is read, so that later stages need not know the grammar's rules about it: see
//! [`Read`]. Chains of any length are flat (`a + b + c` is one node with a first operand and a list), and functions
//! stand side by side in [`Program::functions`] rather than inside the expressions that name them. The parser bounds
//! what is left: within one function, blocks are at most
//! [`MAX_BLOCK_DEPTH`](super::parser::MAX_BLOCK_DEPTH) deep and each expression at most
//! [`MAX_EXPRESSION_DEPTH`](super::parser::MAX_EXPRESSION_DEPTH). So the tree may be walked, and dropped, recursively.

use crate::source::Span;

use super::names::{Name, NameTable};

/// A whole program.
#[derive(Clone, Debug)]
pub struct Program {
    /// Texts of identifiers and string literals.
    pub names: NameTable,
    /// All functions in the order of their headers in the source. The first is the program itself.
    pub functions: Vec<Function>,
}

impl Program {
    /// The code outside of all functions.
    pub fn main(&self) -> &Function {
        self.function(FunctionId::MAIN)
    }

    /// A function of this program.
    ///
    /// # Panics
    /// If the number comes from another program.
    pub fn function(&self, id: FunctionId) -> &Function {
        &self.functions[id.index()]
    }
}

/// The number of a function in [`Program::functions`]. A function's parent has a smaller number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FunctionId(pub(super) u32);

impl FunctionId {
    /// The program itself.
    pub const MAIN: FunctionId = FunctionId(0);

    /// Position in [`Program::functions`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A function literal with its body, or the program itself.
#[derive(Clone, Debug)]
pub struct Function {
    /// The function whose body contains the literal; none for the program itself.
    pub parent: Option<FunctionId>,
    /// From `function` to the end of `end function`.
    pub span: Span,
    /// Line of the statement that contains the literal.
    pub line: u32,
    /// Parameters in order of declaration; names may repeat.
    pub parameters: Vec<Parameter>,
    /// Whether the literal is directly the right side of an `=`. Only then does running it make a new function that
    /// sees the variables around it; otherwise it is one function without outer variables.
    pub is_closure: bool,
    /// The statements.
    pub body: Block,
}

/// A parameter of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: Name,
    /// The name and the default.
    pub span: Span,
    /// The value when no argument is passed.
    pub default: Option<Literal>,
}

/// A value written in the source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Literal {
    /// `null`
    Null,
    /// A number; `true` and `false` are 1 and 0, and a minus sign before a number is part of it.
    Number(f64),
    /// A string.
    String(Name),
}

/// Statements in order.
pub type Block = Vec<Statement>;

/// A statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// What it does.
    pub kind: StatementKind,
    /// All of it, for blocks up to and including the `end`.
    pub span: Span,
    /// The line errors in it report: that of its first word.
    pub line: u32,
}

/// The kinds of statement.
#[derive(Clone, Debug)]
pub enum StatementKind {
    /// An expression by itself; its value is the implicit result. Commands (`print x`) whose callee is a variable,
    /// member or element are here too, as a [`Read::Call`].
    Expression(Expr),
    /// A command whose callee is none of those, such as `f(1) 2`: a computed value is called.
    CallValue {
        /// The value to call.
        callee: Expr,
        /// At least one argument.
        arguments: Vec<Expr>,
    },
    /// `target = value`
    Assign {
        /// Where to store.
        target: Target,
        /// What to store.
        value: Expr,
    },
    /// `target += value` and the like: container and index first, then the value, then the old value of the target
    /// is read (and called, unless the target is marked with `@`), then the store.
    Update {
        /// Where to read and store.
        target: Target,
        /// The operation.
        op: ArithmeticOp,
        /// The right operand.
        value: Expr,
    },
    /// `if`, in block or short form.
    If {
        /// The conditions, tried in order, each with its statements. At least one.
        clauses: Vec<IfClause>,
        /// The statements of `else`.
        otherwise: Option<Block>,
    },
    /// `while condition`
    While {
        /// Evaluated before each pass.
        condition: Expr,
        /// The loop body.
        body: Block,
    },
    /// `for variable in sequence`
    For {
        /// The loop variable.
        variable: Name,
        /// The name of the hidden counter, `__variable_idx`.
        counter: Name,
        /// Evaluated once, unless it is a variable read as [`Read::Deferred`]: then on every pass.
        sequence: Expr,
        /// The loop body.
        body: Block,
    },
    /// `break`, inside a loop.
    Break,
    /// `continue`, inside a loop.
    Continue,
    /// `return`; null without an expression.
    Return(Option<Expr>),
}

/// A condition of an `if` statement and the statements under it.
#[derive(Clone, Debug)]
pub struct IfClause {
    /// The condition.
    pub condition: Expr,
    /// Line of the `if` or `else if`, which errors in the condition report.
    pub line: u32,
    /// The statements.
    pub body: Block,
}

/// The left side of an assignment.
#[derive(Clone, Debug)]
pub struct Target {
    /// What is assigned to.
    pub kind: TargetKind,
    /// All of it.
    pub span: Span,
    /// Whether it is marked with `@`: an update then reads the old value without calling it.
    pub is_address: bool,
}

/// What can stand on the left of an assignment.
#[derive(Clone, Debug)]
pub enum TargetKind {
    /// A variable.
    Variable(Name),
    /// A member or element.
    Element {
        /// The container.
        container: Box<Expr>,
        /// Which of its elements.
        selector: Selector,
    },
    /// A literal: this compiles, and is the error `not an lvalue` when it runs.
    Literal,
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// All of it, without parentheses around it.
    pub span: Span,
}

/// The kinds of expression.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A literal.
    Literal(Literal),
    /// A function literal.
    Function(FunctionId),
    /// A variable.
    Variable {
        /// Its name.
        name: Name,
        /// How it is read.
        read: Read,
    },
    /// A value and what is selected from it, step by step: `a.b[c].d(e)[f:g]`.
    Chain {
        /// The value the steps begin at.
        base: Box<Expr>,
        /// At least one step.
        steps: Vec<Step>,
    },
    /// `[a, b, c]`
    List(Vec<Expr>),
    /// `{k: v, ...}`; keys may repeat, the last one wins.
    Map(Vec<MapEntry>),
    /// `not a`
    Not(Box<Expr>),
    /// `-a`, where a is no number literal: zero minus a.
    Negate(Box<Expr>),
    /// `new a`
    New(Box<Expr>),
    /// `a isa b`
    Isa {
        /// The left operand.
        value: Box<Expr>,
        /// The right operand.
        kind: Box<Expr>,
    },
    /// `a < b <= c`: each operand is evaluated once (but a [`Read::Deferred`] one in the middle is read for both of
    /// its comparisons), and the value is the product of all comparisons.
    Compare {
        /// The first operand.
        first: Box<Expr>,
        /// At least one operator with its right operand.
        rest: Vec<(CompareOp, Expr)>,
    },
    /// `a + b - c`, `a * b % c`, or `a ^ b ^ c`, from left to right.
    Arithmetic {
        /// The first operand.
        first: Box<Expr>,
        /// At least one operator with its right operand; all of one precedence.
        rest: Vec<(ArithmeticOp, Expr)>,
    },
    /// `a and b and c`, or the same with `or`, from left to right; any operand may end the evaluation.
    Logical {
        /// The operator between all operands.
        op: LogicalOp,
        /// At least two operands.
        operands: Vec<Expr>,
    },
}

/// A step of an [`ExprKind::Chain`].
#[derive(Clone, Debug)]
pub struct Step {
    /// What it does.
    pub kind: StepKind,
    /// From the dot or bracket to the end of the step, arguments included.
    pub span: Span,
}

/// The kinds of step.
#[derive(Clone, Debug)]
pub enum StepKind {
    /// `.name` or `[index]`.
    Select {
        /// Which member or element.
        selector: Selector,
        /// How it is read. If that calls, the container is `self`.
        read: Read,
    },
    /// `[from:to]`
    Slice {
        /// Where to begin, if written.
        from: Option<Box<Expr>>,
        /// Where to end, if written.
        to: Option<Box<Expr>>,
    },
}

/// The part of a container that is read or assigned.
#[derive(Clone, Debug)]
pub enum Selector {
    /// `.name`
    Member(Name),
    /// `[index]`
    Index(Box<Expr>),
}

/// How the value of a variable, member or element is read.
#[derive(Clone, Debug)]
pub enum Read {
    /// As it stands: an element in brackets inside an expression.
    Plain,
    /// As it stands, and only when the surrounding operation executes, after its other operands have been evaluated:
    /// operands marked with `@`, and `self` or `super` where they are not called.
    Deferred,
    /// If it is a function it is called without arguments.
    Invoke,
    /// It is called with these arguments, of which there may be none. The function is looked up after they have been
    /// evaluated (the container it is looked up in, before).
    Call(Vec<Expr>),
}

/// A key and a value of a map literal.
#[derive(Clone, Debug)]
pub struct MapEntry {
    /// The key, evaluated first.
    pub key: Expr,
    /// The value.
    pub value: Expr,
}

/// Arithmetic operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum ArithmeticOp {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}

/// Comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum CompareOp {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// Logical operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum LogicalOp {
    And,
    Or,
}
