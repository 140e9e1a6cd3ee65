//! Numbers.

use super::{Arguments, Intrinsic, number};
use crate::error::Fallible;
use crate::value::Value;
use crate::vm::Vm;

/// The table of the family.
pub static TABLE: &[Intrinsic] = &[
    Intrinsic { name: "abs", parameters: &[number("x", 0.0)], help: "the magnitude of x", run: abs },
];

fn abs(_vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    Ok(Value::number(arguments.number(0).abs()))
}
