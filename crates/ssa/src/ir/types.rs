//! What is known about a value: the kinds of values it can be, and how it is represented in the machine.
//!
//! A map's shape is no part of its type: it changes while the map stays the same. What a `guard_shape` has proved is a
//! fact about a point of the program, which passes track.

use std::fmt;

/// A set of kinds of values.
///
/// Numbers fall into three classes, so that the lattice the optimizer wants (truth values within whole numbers within numbers) is
/// plain inclusion of sets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Kinds(u16);

impl Kinds {
    /// No value at all.
    pub const NONE: Kinds = Kinds(0);
    /// The numbers 0 and 1, as comparisons yield them. Not -0.
    pub const TRUTH: Kinds = Kinds(1);
    /// Whole numbers whose magnitude is below 2^53. Not -0.
    pub const WHOLE: Kinds = Kinds(1 | 2);
    /// All numbers: with fractions, -0, large ones, infinities and NaN.
    pub const NUMBER: Kinds = Kinds(1 | 2 | 4);
    /// The truth values of languages that have them as a kind of their own.
    pub const BOOLEAN: Kinds = Kinds(8);
    /// Null.
    pub const NULL: Kinds = Kinds(16);
    /// The mark of a variable without a value.
    pub const UNASSIGNED: Kinds = Kinds(32);
    /// Strings.
    pub const STRING: Kinds = Kinds(64);
    /// Lists.
    pub const LIST: Kinds = Kinds(128);
    /// Maps.
    pub const MAP: Kinds = Kinds(256);
    /// Functions.
    pub const FUNCTION: Kinds = Kinds(512);
    /// Ranges that a `for` loop runs over without a list.
    pub const RANGE: Kinds = Kinds(1024);
    /// Whatever else there is.
    pub const OTHER: Kinds = Kinds(2048);
    /// Every kind.
    pub const ANY: Kinds = Kinds(4095);
    /// Kinds of values that a read of a variable delivers as they are.
    pub const SETTLED: Kinds = Kinds(Kinds::ANY.0 & !(Kinds::FUNCTION.0 | Kinds::UNASSIGNED.0));

    /// The kinds with names; sets are written with the first that fits.
    const NAMES: &[(Kinds, &str)] = &[
        (Kinds::ANY, "any"),
        (Kinds::SETTLED, "settled"),
        (Kinds::NUMBER, "number"),
        (Kinds::WHOLE, "whole"),
        (Kinds::TRUTH, "truth"),
        (Kinds::BOOLEAN, "boolean"),
        (Kinds::NULL, "null"),
        (Kinds::UNASSIGNED, "unassigned"),
        (Kinds::STRING, "string"),
        (Kinds::LIST, "list"),
        (Kinds::MAP, "map"),
        (Kinds::FUNCTION, "function"),
        (Kinds::RANGE, "range"),
        (Kinds::OTHER, "other"),
        (Kinds(2), "counting"),
        (Kinds(4), "inexact"),
        (Kinds::NONE, "none"),
    ];

    /// The kinds in either set.
    pub const fn union(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    /// The kinds in both sets.
    pub const fn intersection(self, other: Kinds) -> Kinds {
        Kinds(self.0 & other.0)
    }

    /// The kinds not in the other set.
    pub const fn without(self, other: Kinds) -> Kinds {
        Kinds(self.0 & !other.0)
    }

    /// Whether every kind here is also in `other`.
    pub const fn is_within(self, other: Kinds) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether the sets have a kind in common.
    pub const fn meets(self, other: Kinds) -> bool {
        self.0 & other.0 != 0
    }

    /// How many kinds are in the set, classes of numbers counted each.
    pub const fn parts(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether there is no kind in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The class of a number.
    pub fn of_number(number: f64) -> Kinds {
        const LIMIT: f64 = (1u64 << 53) as f64;
        if number == 1.0 || (number == 0.0 && number.is_sign_positive()) {
            Kinds::TRUTH
        } else if number.trunc() == number && number.abs() < LIMIT && number != 0.0 {
            Kinds(2)
        } else {
            Kinds(4)
        }
    }

    /// The set of that name: names joined by `|`.
    pub fn parse(text: &str) -> Option<Kinds> {
        text.split('|').try_fold(Kinds::NONE, |set, name| {
            let found = Kinds::NAMES.iter().find(|(_, known)| *known == name)?;
            Some(set.union(found.0))
        })
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = *self;
        let mut separator = "";
        for (kinds, name) in Kinds::NAMES {
            let is_part = !kinds.is_empty() && kinds.is_within(rest);
            if is_part || (kinds == self && separator.is_empty()) {
                write!(f, "{separator}{name}")?;
                separator = "|";
                rest = rest.without(*kinds);
            }
            if rest.is_empty() && !separator.is_empty() {
                break;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How a value is represented in the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Representation {
    /// A tagged 64-bit word that can hold any value.
    Tagged,
    /// A double. The double's bits are also the tagged word, so boxing is free.
    F64,
    /// A 64-bit integer: a whole number, or an index or length.
    I64,
    /// A 32-bit integer.
    I32,
    /// The outcome of a comparison; as a value of the language, 0 or 1.
    Bool,
    /// A machine address that is no value of the language. Never in a frame state.
    Pointer,
}

impl Representation {
    /// Every representation.
    pub const ALL: &'static [Representation] = &[
        Representation::Tagged,
        Representation::F64,
        Representation::I64,
        Representation::I32,
        Representation::Bool,
        Representation::Pointer,
    ];

    /// The name in listings.
    pub const fn name(self) -> &'static str {
        match self {
            Representation::Tagged => "tagged",
            Representation::F64 => "f64",
            Representation::I64 => "i64",
            Representation::I32 => "i32",
            Representation::Bool => "bool",
            Representation::Pointer => "pointer",
        }
    }

    /// All kinds that a value in this representation can be.
    pub const fn kinds(self) -> Kinds {
        match self {
            Representation::Tagged => Kinds::ANY,
            Representation::F64 => Kinds::NUMBER,
            Representation::I64 | Representation::I32 => Kinds::WHOLE,
            Representation::Bool => Kinds::TRUTH,
            Representation::Pointer => Kinds::NONE,
        }
    }
}

/// The type of a value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Type {
    /// How it is represented.
    pub representation: Representation,
    /// What it can be.
    pub kinds: Kinds,
}

impl Type {
    /// A tagged word that can be anything.
    pub const ANY: Type = Type::tagged(Kinds::ANY);
    /// A double.
    pub const F64: Type = Type::of(Representation::F64);
    /// A 64-bit integer.
    pub const I64: Type = Type::of(Representation::I64);
    /// A truth value.
    pub const BOOL: Type = Type::of(Representation::Bool);

    /// The widest type with this representation.
    pub const fn of(representation: Representation) -> Type {
        Type {
            representation,
            kinds: representation.kinds(),
        }
    }

    /// A tagged word of these kinds.
    pub const fn tagged(kinds: Kinds) -> Type {
        Type {
            representation: Representation::Tagged,
            kinds,
        }
    }

    /// The same representation, with the kinds that are also in `kinds`.
    pub const fn narrowed(self, kinds: Kinds) -> Type {
        Type {
            representation: self.representation,
            kinds: self.kinds.intersection(kinds),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.representation.name())?;
        if self.kinds != self.representation.kinds() {
            write!(f, " {}", self.kinds)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_classes() {
        assert_eq!(Kinds::of_number(1.0), Kinds::TRUTH);
        assert!(Kinds::of_number(-7.0).is_within(Kinds::WHOLE));
        for inexact in [-0.0, 0.5, f64::NAN, f64::INFINITY, 9007199254740992.0] {
            assert!(!Kinds::of_number(inexact).meets(Kinds::WHOLE), "{inexact}");
        }
    }

    #[test]
    fn sets_are_written_as_they_are_read() {
        for set in (0..4096).map(Kinds) {
            assert_eq!(Kinds::parse(&set.to_string()), Some(set), "{set}");
        }
        assert_eq!(
            Kinds::NUMBER.union(Kinds::STRING).to_string(),
            "number|string"
        );
    }
}
