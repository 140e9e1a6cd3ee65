//! What kinds of values an instruction works on.

use super::FunctionId;
use crate::heap::Kind;
use crate::value::Value;

/// The kind of an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum OperandKind {
    Number = 1,
    String,
    List,
    Map,
    Function,
    Null,
    /// A variable without a value.
    Unassigned,
    /// The sequence of a loop over `range(…)`.
    Range,
    /// Anything else, such as an object of the host.
    Other,
}

impl OperandKind {
    const ALL: [OperandKind; 9] = [
        OperandKind::Number,
        OperandKind::String,
        OperandKind::List,
        OperandKind::Map,
        OperandKind::Function,
        OperandKind::Null,
        OperandKind::Unassigned,
        OperandKind::Range,
        OperandKind::Other,
    ];

    /// The kind of a value.
    pub fn of(value: Value) -> OperandKind {
        if value.is_number() {
            OperandKind::Number
        } else if value.as_string().is_some() {
            OperandKind::String
        } else if value.as_list().is_some() {
            OperandKind::List
        } else if value.as_map().is_some() {
            OperandKind::Map
        } else if value.is_function() {
            OperandKind::Function
        } else if value.is_null() {
            OperandKind::Null
        } else if value.is_unassigned() {
            OperandKind::Unassigned
        } else if value.cell_kind() == Some(Kind::Range) {
            OperandKind::Range
        } else {
            OperandKind::Other
        }
    }

    /// The kind in words.
    pub fn name(self) -> &'static str {
        match self {
            OperandKind::Number => "number",
            OperandKind::String => "string",
            OperandKind::List => "list",
            OperandKind::Map => "map",
            OperandKind::Function => "function",
            OperandKind::Null => "null",
            OperandKind::Unassigned => "unassigned",
            OperandKind::Range => "range",
            OperandKind::Other => "other",
        }
    }
}

/// Bits of a kind in [`Signature::operands`].
const KIND_BITS: u32 = 4;

/// The most operands that a signature tells apart.
const MAX_OPERANDS: u32 = u32::BITS / KIND_BITS;

/// The kinds of an instruction's operands, the shape of its object, and the function it called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signature {
    /// Kinds from the lowest bits up; zero ends them.
    operands: u32,
    /// The number of the shape of the map whose member is used, or 0.
    pub shape: u32,
    /// The function called, if one was.
    pub target: FunctionId,
}

impl Signature {
    /// No operands.
    pub(crate) const EMPTY: Signature = Signature {
        operands: 0,
        shape: 0,
        target: FunctionId::NONE,
    };

    /// The same operands with this function called.
    pub(crate) fn calling(self, target: FunctionId) -> Signature {
        Signature { target, ..self }
    }

    /// Adds the kind of the next operand. Those beyond the eighth are left out.
    pub(crate) fn push(&mut self, kind: OperandKind) {
        let used = (u32::BITS - self.operands.leading_zeros()).div_ceil(KIND_BITS);
        if used < MAX_OPERANDS {
            self.operands |= (kind as u32) << (used * KIND_BITS);
        }
    }

    /// The kinds in the order of the operands.
    pub fn operands(self) -> impl Iterator<Item = OperandKind> {
        (0..MAX_OPERANDS).map_while(move |index| {
            let kind = self.operands >> (index * KIND_BITS) & ((1 << KIND_BITS) - 1);
            OperandKind::ALL
                .get((kind as usize).checked_sub(1)?)
                .copied()
        })
    }
}

/// The most signatures that are told apart at one instruction: many more than any tier would specialize on.
const MAX_SIGNATURES: usize = 16;

/// How often an instruction met which signature.
#[derive(Clone, Debug, Default)]
pub struct SignatureTable {
    entries: Vec<(Signature, u64)>,
    /// How often it met one beyond those told apart.
    others: u64,
}

impl SignatureTable {
    /// Counts a signature; true if it is a new one.
    pub(crate) fn count(&mut self, signature: Signature) -> bool {
        let known = self
            .entries
            .iter()
            .position(|(known, _)| *known == signature);
        match known {
            Some(index) => {
                self.entries[index].1 += 1;
                // The search is short for what comes often.
                if index > 0 && self.entries[index].1 > self.entries[index - 1].1 {
                    self.entries.swap(index, index - 1);
                }
                false
            }
            None if self.entries.len() < MAX_SIGNATURES => {
                self.entries.push((signature, 1));
                true
            }
            None => {
                self.others += 1;
                false
            }
        }
    }

    /// The signatures with their counts.
    pub fn entries(&self) -> &[(Signature, u64)] {
        &self.entries
    }

    /// How often there was a signature beyond those in [`SignatureTable::entries`].
    pub fn others(&self) -> u64 {
        self.others
    }

    /// All counts added up.
    pub fn total(&self) -> u64 {
        self.entries.iter().map(|(_, count)| count).sum::<u64>() + self.others
    }

    /// The count of the commonest signature.
    pub fn most(&self) -> u64 {
        self.entries
            .iter()
            .map(|(_, count)| *count)
            .max()
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operands_come_back_in_order() {
        let mut signature = Signature::EMPTY;
        for kind in OperandKind::ALL {
            signature.push(kind);
        }
        // The ninth is left out.
        assert!(
            signature
                .operands()
                .eq(OperandKind::ALL[..8].iter().copied())
        );
        assert_eq!(Signature::EMPTY.operands().count(), 0);
    }

    #[test]
    fn signatures_beyond_the_table_are_counted_together() {
        let mut table = SignatureTable::default();
        for shape in 0..20 {
            let signature = Signature {
                shape,
                ..Signature::EMPTY
            };
            table.count(signature);
        }
        table.count(Signature::EMPTY);
        assert_eq!((table.entries().len(), table.others()), (16, 4));
        assert_eq!((table.total(), table.most()), (21, 2));
    }
}
