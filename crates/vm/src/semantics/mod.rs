//! What operations mean. Every tier calls these for all but the commonest cases, so tiers cannot disagree.

pub mod access;
pub mod arith;
pub mod compare;
pub mod display;
pub mod equality;
pub mod truth;

use crate::value::Value;

/// What a value is, with its article, in messages.
pub fn described_type(value: Value) -> &'static str {
    if value.is_null() {
        "null"
    } else if value.is_number() {
        "a Number"
    } else if value.as_string().is_some() {
        "a String"
    } else if value.as_list().is_some() {
        "a List"
    } else if value.as_map().is_some() {
        "a Map"
    } else if value.is_function() {
        "a Function"
    } else {
        "a Handle"
    }
}

/// A number cut to a 32-bit integer; what is no number counts as 0, what does not fit as the least integer.
pub fn to_integer(value: Value) -> i32 {
    match value.as_number() {
        None => 0,
        Some(number)
            if number.is_nan()
                || number.trunc() < f64::from(i32::MIN)
                || number.trunc() > f64::from(i32::MAX) =>
        {
            i32::MIN
        }
        Some(number) => number as i32,
    }
}
