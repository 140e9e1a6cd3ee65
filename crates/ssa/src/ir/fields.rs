//! What instructions are made of besides operands, and what every field can do: be visited, written and read.

use std::fmt::{self, Write};

use kiln_bytecode::{Op, Register};

use super::types::Kinds;
use super::{Block, BlockCall, FrameId, Value};
use crate::entity::define_entities;
use crate::job::{CodeId, ConstantId, GlobalId, ShapeId};
use crate::text::{Problem, Scanner};

/// An integer constant.
pub type Integer = i64;

/// A truth value that is a constant.
pub type Flag = bool;

define_entities! {
    /// An index into the constants of a code block.
    PoolIndex "c";
}

/// A slot of maps of some shape. As all maps of a shape have room inside for as many slots, so do all with the slot.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotIndex {
    /// The number.
    pub number: u32,
    /// The slot lies in the map's own cell; else it may lie elsewhere.
    pub is_inside: bool,
}

impl SlotIndex {
    /// The slot with this number, wherever it lies.
    pub fn anywhere(number: u32) -> SlotIndex {
        SlotIndex {
            number,
            is_inside: false,
        }
    }
}

impl fmt::Display for SlotIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.is_inside { "inside" } else { "slot" };
        write!(f, "{place}{}", self.number)
    }
}

impl fmt::Debug for SlotIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Field for SlotIndex {
    fn write(&self, text: &mut String) {
        let _ = write!(text, "{self}");
    }
    fn parse(text: &mut Scanner<'_>) -> Result<Self, Problem> {
        let is_inside = text.take("inside");
        let number = match is_inside {
            true => text.number()?,
            false => text.prefixed("slot")?,
        };
        Ok(SlotIndex { number, is_inside })
    }
}

/// Shapes of which a map may have any: at least one, in ascending order.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ShapeSet(Box<[ShapeId]>);

impl ShapeSet {
    /// The set of these shapes.
    pub fn of(shapes: impl IntoIterator<Item = ShapeId>) -> ShapeSet {
        let mut shapes: Vec<ShapeId> = shapes.into_iter().collect();
        shapes.sort_unstable();
        shapes.dedup();
        ShapeSet(shapes.into())
    }

    /// The shapes.
    pub fn iter(&self) -> impl Iterator<Item = ShapeId> + '_ {
        self.0.iter().copied()
    }

    /// How many they are.
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the shape is one of them.
    pub fn contains(&self, shape: ShapeId) -> bool {
        self.0.contains(&shape)
    }

    /// Whether all of them are in `other`.
    pub fn is_within(&self, other: &ShapeSet) -> bool {
        self.iter().all(|shape| other.contains(shape))
    }

    /// Whether any of them is in `other`.
    pub fn meets(&self, other: &ShapeSet) -> bool {
        self.iter().any(|shape| other.contains(shape))
    }
}

impl From<ShapeId> for ShapeSet {
    fn from(shape: ShapeId) -> ShapeSet {
        ShapeSet(Box::new([shape]))
    }
}

impl fmt::Debug for ShapeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, shape) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { "|" };
            write!(f, "{separator}{shape}")?;
        }
        Ok(())
    }
}

impl Field for ShapeSet {
    fn write(&self, text: &mut String) {
        let _ = write!(text, "{self:?}");
    }
    fn parse(text: &mut Scanner<'_>) -> Result<Self, Problem> {
        let mut shapes = vec![ShapeId::parse(text)?];
        while text.take("|") {
            shapes.push(ShapeId::parse(text)?);
        }
        Ok(ShapeSet::of(shapes))
    }
}

/// A double compared by its bits, so that -0 is not 0 and NaN is itself.
#[derive(Clone, Copy)]
pub struct Number(pub f64);

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Number {}

impl std::hash::Hash for Number {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Enums without data that have names in listings.
macro_rules! named_enum {
    ($(#[$doc:meta])+ $name:ident { $($(#[$variant_doc:meta])+ $variant:ident = $text:literal,)* }) => {
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])+ $variant,)* }

        impl $name {
            /// Every one.
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            /// The name in listings.
            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }
        }

        impl Field for $name {
            fn write(&self, text: &mut String) {
                text.push_str(self.name());
            }
            fn parse(text: &mut Scanner<'_>) -> Result<Self, Problem> {
                let name = text.name();
                let mut all = $name::ALL.iter().copied();
                all.find(|one| one.name() == name).ok_or(Problem::Unknown(name.to_owned()))
            }
        }
    };
}

named_enum! {
    /// What a comparison asks.
    Condition {
        /// `==`
        Equal = "equal",
        /// `!=`
        NotEqual = "not_equal",
        /// `<`
        Less = "less",
        /// `<=`
        LessEqual = "less_equal",
        /// `>`
        Greater = "greater",
        /// `>=`
        GreaterEqual = "greater_equal",
    }
}

named_enum! {
    /// Why compiled code gives up without a failed guard.
    ExitReason {
        /// Control got where it had never been.
        NeverRun = "never_run",
        /// A value always fails a guard.
        Contradiction = "contradiction",
    }
}

impl Condition {
    /// What it asks with the operands exchanged.
    pub fn exchanged(self) -> Condition {
        match self {
            Condition::Less => Condition::Greater,
            Condition::LessEqual => Condition::GreaterEqual,
            Condition::Greater => Condition::Less,
            Condition::GreaterEqual => Condition::LessEqual,
            symmetric => symmetric,
        }
    }

    /// Whether it holds for two numbers.
    pub fn holds<T: PartialOrd>(self, lhs: T, rhs: T) -> bool {
        match self {
            Condition::Equal => lhs == rhs,
            Condition::NotEqual => lhs != rhs,
            Condition::Less => lhs < rhs,
            Condition::LessEqual => lhs <= rhs,
            Condition::Greater => lhs > rhs,
            Condition::GreaterEqual => lhs >= rhs,
        }
    }
}

/// A bytecode instruction: what a `runtime` instruction does as the interpreter would.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Site {
    /// The code block.
    pub code: CodeId,
    /// The position of the instruction.
    pub position: u32,
    /// The opcode that stands there.
    pub op: Op,
}

/// What the optimizer can do with a field of an instruction without knowing the instruction.
pub trait Field {
    /// Calls `visit` with every operand in the field.
    fn operands(&self, _visit: &mut dyn FnMut(Value)) {}
    /// Calls `visit` with every operand in the field, to change it.
    fn operands_mut(&mut self, _visit: &mut dyn FnMut(&mut Value)) {}
    /// The frame state, if the field is one.
    fn frame(&self) -> Option<FrameId> {
        None
    }
    /// Replaces the frame state, if the field is one.
    fn set_frame(&mut self, _frame: FrameId) {}
    /// The successor, if the field is one.
    fn target(&self) -> Option<&BlockCall> {
        None
    }
    /// The successor, if the field is one, to change it.
    fn target_mut(&mut self) -> Option<&mut BlockCall> {
        None
    }
    /// Appends the field as listings show it.
    fn write(&self, text: &mut String);
    /// Reads the field as listings show it.
    fn parse(text: &mut Scanner<'_>) -> Result<Self, Problem>
    where
        Self: Sized;
}

impl Field for Value {
    fn operands(&self, visit: &mut dyn FnMut(Value)) {
        visit(*self);
    }
    fn operands_mut(&mut self, visit: &mut dyn FnMut(&mut Value)) {
        visit(self);
    }
    fn write(&self, text: &mut String) {
        let _ = write!(text, "{self}");
    }
    fn parse(text: &mut Scanner<'_>) -> Result<Self, Problem> {
        text.prefixed("v").map(Value)
    }
}

impl Field for Vec<Value> {
    fn operands(&self, visit: &mut dyn FnMut(Value)) {
        self.iter().copied().for_each(visit);
    }
    fn operands_mut(&mut self, visit: &mut dyn FnMut(&mut Value)) {
        self.iter_mut().for_each(visit);
    }
    fn write(&self, text: &mut String) {
        write_list(text, "[", self, "]");
    }
    fn parse(text: &mut Scanner<'_>) -> Result<Self, Problem> {
        text.require("[")?;
        text.list("]", Value::parse)
    }
}

/// Writes values between brackets.
fn write_list(text: &mut String, open: &str, values: &[Value], close: &str) {
    text.push_str(open);
    for (index, value) in values.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        let _ = write!(text, "{separator}{value}");
    }
    text.push_str(close);
}

impl Field for BlockCall {
    fn operands(&self, visit: &mut dyn FnMut(Value)) {
        self.arguments.operands(visit);
    }
    fn operands_mut(&mut self, visit: &mut dyn FnMut(&mut Value)) {
        self.arguments.operands_mut(visit);
    }
    fn target(&self) -> Option<&BlockCall> {
        Some(self)
    }
    fn target_mut(&mut self) -> Option<&mut BlockCall> {
        Some(self)
    }
    fn write(&self, text: &mut String) {
        let _ = write!(text, "{}", self.block);
        if !self.arguments.is_empty() {
            write_list(text, "(", &self.arguments, ")");
        }
    }
    fn parse(text: &mut Scanner<'_>) -> Result<Self, Problem> {
        let block = text.prefixed("b").map(Block)?;
        let arguments = match text.take("(") {
            true => text.list(")", Value::parse)?,
            false => Vec::new(),
        };
        Ok(BlockCall { block, arguments })
    }
}

impl Field for FrameId {
    fn frame(&self) -> Option<FrameId> {
        Some(*self)
    }
    fn set_frame(&mut self, frame: FrameId) {
        *self = frame;
    }
    fn write(&self, text: &mut String) {
        let _ = write!(text, "{self}");
    }
    fn parse(text: &mut Scanner<'_>) -> Result<Self, Problem> {
        text.prefixed("frame").map(FrameId)
    }
}

impl Field for Site {
    fn write(&self, text: &mut String) {
        let _ = write!(
            text,
            "{}@{} {}",
            self.code,
            self.position,
            self.op.info().name
        );
    }
    fn parse(text: &mut Scanner<'_>) -> Result<Self, Problem> {
        let code = CodeId::parse(text)?;
        let position = text.prefixed("@")?;
        let name = text.name();
        let mut ops = Op::ALL.iter().copied();
        let op = ops
            .find(|op| op.info().name == name)
            .ok_or(Problem::Unknown(name.to_owned()))?;
        Ok(Site { code, position, op })
    }
}

impl Field for Number {
    fn write(&self, text: &mut String) {
        let _ = write!(text, "{:?}", self.0);
    }
    fn parse(text: &mut Scanner<'_>) -> Result<Self, Problem> {
        text.number().map(Number)
    }
}

impl Field for Integer {
    fn write(&self, text: &mut String) {
        let _ = write!(text, "{self}");
    }
    fn parse(text: &mut Scanner<'_>) -> Result<Self, Problem> {
        text.number()
    }
}

impl Field for Flag {
    fn write(&self, text: &mut String) {
        text.push_str(if *self { "true" } else { "false" });
    }
    fn parse(text: &mut Scanner<'_>) -> Result<Self, Problem> {
        match text.name() {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(Problem::Unknown(other.to_owned())),
        }
    }
}

impl Field for Kinds {
    fn write(&self, text: &mut String) {
        let _ = write!(text, "{self}");
    }
    fn parse(text: &mut Scanner<'_>) -> Result<Self, Problem> {
        let names = text.kind_names();
        Kinds::parse(names).ok_or(Problem::Unknown(names.to_owned()))
    }
}

/// Fields that are a prefix and a number.
macro_rules! prefixed_fields {
    ($($name:ident $prefix:literal;)*) => {$(
        impl Field for $name {
            fn write(&self, text: &mut String) {
                let _ = write!(text, "{self}");
            }
            fn parse(text: &mut Scanner<'_>) -> Result<Self, Problem> {
                text.prefixed($prefix).map($name)
            }
        }
    )*};
}

prefixed_fields! {
    Register "r";
    PoolIndex "c";
    CodeId "code";
    ConstantId "constant";
    GlobalId "global";
    ShapeId "shape";
}
