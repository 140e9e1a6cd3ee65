//! The value: one NaN-boxed 64-bit word.
//!
//! Below `0xFFF9 << 48` (unsigned) a word is the double it is; a NaN of either sign that arithmetic produces
//! lies there too. Above are seven tags in the upper 16 bits with a 48-bit payload:
//!
//! | upper 16 bits | kind |
//! |---|---|
//! | `FFF9` | immediate: null, unassigned |
//! | `FFFA` | int (no MiniScript value is one) |
//! | `FFFB` | string |
//! | `FFFC` | list |
//! | `FFFD` | map |
//! | `FFFE` | function |
//! | `FFFF` | other cell: told apart by its header |
//!
//! Read as a double every non-number is a NaN, so `a + b` may add first and look at the operands only if the
//! result is unordered.

use crate::heap::{Gc, Header, Kind};
use crate::object::function::FunctionCell;
use crate::object::list::ListCell;
use crate::object::map::MapCell;
use crate::object::string::StringCell;

/// A value of the guest language. Copying it copies the reference.
///
/// Outside the script stack a `Value` that refers to a cell must live where the collector finds it: see
/// [`crate::heap`].
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Value(u64);

const TAG_SHIFT: u32 = 48;
const PAYLOAD: u64 = (1 << TAG_SHIFT) - 1;

/// The upper 16 bits of a word that is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Tag {
    /// Null, unassigned and other markers.
    Immediate = 0xFFF9,
    /// A small integer, for languages that have them.
    Int = 0xFFFA,
    /// A string cell.
    String = 0xFFFB,
    /// A list cell.
    List = 0xFFFC,
    /// A map cell.
    Map = 0xFFFD,
    /// A function cell.
    Function = 0xFFFE,
    /// A cell of any other kind.
    Other = 0xFFFF,
}

impl Value {
    /// Words below this one are numbers.
    pub const FIRST_NON_NUMBER: u64 = 0xFFF9 << TAG_SHIFT;
    /// The null value.
    pub const NULL: Value = Value(Self::FIRST_NON_NUMBER);
    /// A variable without a value, an absent `self` or `super`. No program sees it.
    pub const UNASSIGNED: Value = Value(Self::FIRST_NON_NUMBER | 1);
    /// The number 0.
    pub const ZERO: Value = Value(0);
    /// The number 1.
    pub const ONE: Value = Value(0x3FF0_0000_0000_0000);

    /// A number. A NaN whose bits would read as a tag (one from outside) becomes the ordinary one.
    #[inline(always)]
    pub fn number(number: f64) -> Value {
        let bits = number.to_bits();
        if bits < Self::FIRST_NON_NUMBER {
            Value(bits)
        } else {
            Value(f64::NAN.to_bits())
        }
    }

    /// A number that is the result of arithmetic: its NaNs never look like a tag (see the module's text).
    #[inline(always)]
    pub fn arithmetic(number: f64) -> Value {
        debug_assert!(number.to_bits() < Self::FIRST_NON_NUMBER);
        Value(number.to_bits())
    }

    /// 1 or 0.
    #[inline(always)]
    pub fn truth(truth: bool) -> Value {
        if truth { Value::ONE } else { Value::ZERO }
    }

    /// The raw word.
    #[inline(always)]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The value with this raw word.
    ///
    /// # Safety
    /// The word must come from [`Value::bits`] of a value that is still alive.
    #[inline(always)]
    pub const unsafe fn from_bits(bits: u64) -> Value {
        Value(bits)
    }

    #[inline(always)]
    fn cell<T>(tag: Tag, cell: Gc<T>) -> Value {
        Value((tag as u64) << TAG_SHIFT | cell.address() as u64)
    }

    /// A string.
    #[inline(always)]
    pub fn string(cell: Gc<StringCell>) -> Value {
        Value::cell(Tag::String, cell)
    }

    /// A list.
    #[inline(always)]
    pub fn list(cell: Gc<ListCell>) -> Value {
        Value::cell(Tag::List, cell)
    }

    /// A map.
    #[inline(always)]
    pub fn map(cell: Gc<MapCell>) -> Value {
        Value::cell(Tag::Map, cell)
    }

    /// A function.
    #[inline(always)]
    pub fn function(cell: Gc<FunctionCell>) -> Value {
        Value::cell(Tag::Function, cell)
    }

    /// A cell of any other kind.
    #[inline(always)]
    pub fn other<T>(cell: Gc<T>) -> Value {
        Value::cell(Tag::Other, cell)
    }

    /// Whether this is a number.
    #[inline(always)]
    pub const fn is_number(self) -> bool {
        self.0 < Self::FIRST_NON_NUMBER
    }

    /// The number, if it is one.
    #[inline(always)]
    pub fn as_number(self) -> Option<f64> {
        self.is_number().then(|| f64::from_bits(self.0))
    }

    /// The word read as a double: the number, or some NaN.
    #[inline(always)]
    pub fn number_or_nan(self) -> f64 {
        f64::from_bits(self.0)
    }

    /// Whether the upper 16 bits are this tag.
    #[inline(always)]
    pub const fn has_tag(self, tag: Tag) -> bool {
        self.0 >> TAG_SHIFT == tag as u64
    }

    /// Whether this is null.
    #[inline(always)]
    pub const fn is_null(self) -> bool {
        self.0 == Self::NULL.0
    }

    /// Whether this is the marker of a variable without a value.
    #[inline(always)]
    pub const fn is_unassigned(self) -> bool {
        self.0 == Self::UNASSIGNED.0
    }

    /// Whether this is a function.
    #[inline(always)]
    pub const fn is_function(self) -> bool {
        self.has_tag(Tag::Function)
    }

    /// Whether this refers to a cell.
    #[inline(always)]
    pub const fn is_cell(self) -> bool {
        self.0 >= (Tag::String as u64) << TAG_SHIFT
    }

    #[inline(always)]
    fn cast<T>(self, tag: Tag) -> Option<Gc<T>> {
        if self.has_tag(tag) {
            // SAFETY: only `Value::cell` makes words with a cell tag, from a `Gc` of the tag's type.
            Some(unsafe { Gc::from_address((self.0 & PAYLOAD) as usize) })
        } else {
            None
        }
    }

    /// The string, if it is one.
    #[inline(always)]
    pub fn as_string(self) -> Option<Gc<StringCell>> {
        self.cast(Tag::String)
    }

    /// The list, if it is one.
    #[inline(always)]
    pub fn as_list(self) -> Option<Gc<ListCell>> {
        self.cast(Tag::List)
    }

    /// The map, if it is one.
    #[inline(always)]
    pub fn as_map(self) -> Option<Gc<MapCell>> {
        self.cast(Tag::Map)
    }

    /// The function, if it is one.
    #[inline(always)]
    pub fn as_function(self) -> Option<Gc<FunctionCell>> {
        self.cast(Tag::Function)
    }

    /// The header of the cell, if this refers to one.
    #[inline(always)]
    pub fn as_cell(self) -> Option<Gc<Header>> {
        if self.is_cell() {
            // SAFETY: as in `cast`; every cell starts with a header.
            Some(unsafe { Gc::from_address((self.0 & PAYLOAD) as usize) })
        } else {
            None
        }
    }

    /// The kind of the cell, if this refers to one.
    pub fn cell_kind(self) -> Option<Kind> {
        self.as_cell().map(|header| header.kind())
    }

    /// The cell of the `Other` tag with the given kind.
    #[inline]
    pub fn as_other<T>(self, kind: Kind) -> Option<Gc<T>> {
        let cell: Gc<Header> = self.cast(Tag::Other)?;
        if cell.kind() == kind {
            // SAFETY: a cell's kind fixes its type; the caller pairs them as `CellType` does.
            Some(unsafe { Gc::from_address(cell.address()) })
        } else {
            None
        }
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(number) = self.as_number() {
            return write!(f, "{number}");
        }
        match self.0 >> TAG_SHIFT {
            0xFFF9 if self.is_null() => write!(f, "null"),
            0xFFF9 if self.is_unassigned() => write!(f, "unassigned"),
            _ => write!(f, "{:?}@{:#x}", self.cell_kind(), self.0 & PAYLOAD),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_itself() {
        for number in [
            0.0,
            -0.0,
            1.0,
            -1.5,
            f64::MAX,
            f64::MIN_POSITIVE,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ] {
            let value = Value::number(number);
            assert!(value.is_number());
            assert_eq!(value.as_number().unwrap().to_bits(), number.to_bits());
        }
    }

    #[test]
    fn a_nan_with_any_payload_stays_a_number() {
        for bits in [
            0x7FF8 << 48,
            0xFFF8 << 48,
            0xFFF9 << 48,
            0xFFFB << 48 | 0x1234,
            u64::MAX,
        ] {
            let value = Value::number(f64::from_bits(bits));
            assert!(value.as_number().unwrap().is_nan());
        }
    }

    #[test]
    fn markers_are_no_numbers() {
        assert!(!Value::NULL.is_number() && !Value::UNASSIGNED.is_number());
        assert!(Value::NULL.is_null() && !Value::UNASSIGNED.is_null());
        assert!(!Value::NULL.is_cell());
    }
}
