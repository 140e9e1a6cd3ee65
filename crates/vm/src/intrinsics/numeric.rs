//! Numbers.

use super::{Arguments, Intrinsic, number};
use crate::error::Fallible;
use crate::value::Value;
use crate::vm::Vm;

/// The table of the family.
pub static TABLE: &[Intrinsic] = &[
    Intrinsic {
        name: "abs",
        parameters: &[number("x", 0.0)],
        help: "the magnitude of x",
        run: abs,
    },
    Intrinsic {
        name: "print",
        parameters: &[super::parameter("s")],
        help: "tmp",
        run: print,
    },
];

fn print(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let mut t = String::new();
    if arguments.get(0).is_null() {
        t.push_str("null");
    }
    vm.append_text(arguments.get(0), &mut t)?;
    t.push('\n');
    vm.host.write_output(&t);
    Ok(Value::NULL)
}

fn abs(_vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    Ok(Value::number(arguments.number(0).abs()))
}
