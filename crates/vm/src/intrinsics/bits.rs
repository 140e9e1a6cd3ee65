//! Operations on the bits of numbers.
//!
//! A number takes part as sign and magnitude: the magnitudes are combined as 64-bit integers, and the signs by the same
//! operation, minus counting as a set bit. This is not two's complement.

use super::{Arguments, Intrinsic, number};
use crate::error::Fallible;
use crate::value::Value;
use crate::vm::Vm;

/// The table of the family.
pub static TABLE: &[Intrinsic] = &[
    Intrinsic {
        name: "bitAnd",
        parameters: &[number("i", 0.0), number("j", 0.0)],
        help: "the bits set in both whole numbers",
        run: bit_and,
    },
    Intrinsic {
        name: "bitOr",
        parameters: &[number("i", 0.0), number("j", 0.0)],
        help: "the bits set in either whole number",
        run: bit_or,
    },
    Intrinsic {
        name: "bitXor",
        parameters: &[number("i", 0.0), number("j", 0.0)],
        help: "the bits set in exactly one of the two whole numbers",
        run: bit_xor,
    },
];

/// Magnitudes from here on do not fit into 64 bits.
const MAGNITUDE_LIMIT: f64 = 18_446_744_073_709_551_616.0;

/// Sign and magnitude of a number; those of zero if the magnitude is too large or no number.
fn split(number: f64) -> (bool, u64) {
    if number.abs() < MAGNITUDE_LIMIT {
        (number < 0.0, number.abs() as u64)
    } else {
        (false, 0)
    }
}

fn combine(
    arguments: Arguments,
    signs: fn(bool, bool) -> bool,
    magnitudes: fn(u64, u64) -> u64,
) -> Fallible<Value> {
    let (left, right) = (split(arguments.number(0)), split(arguments.number(1)));
    let magnitude = magnitudes(left.1, right.1) as f64;
    Ok(Value::number(if signs(left.0, right.0) {
        -magnitude
    } else {
        magnitude
    }))
}

fn bit_and(_vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    combine(arguments, |a, b| a & b, |a, b| a & b)
}

fn bit_or(_vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    combine(arguments, |a, b| a | b, |a, b| a | b)
}

fn bit_xor(_vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    combine(arguments, |a, b| a ^ b, |a, b| a ^ b)
}
