//! Dates as numbers and as text.

use super::super::{Arguments, Intrinsic, parameter, text};
use crate::error::Fallible;
use crate::text::dates::DEFAULT_FORMAT;
use crate::value::Value;
use crate::vm::Vm;

/// The table of the family.
pub static TABLE: &[Intrinsic] = &[
    Intrinsic {
        name: "_dateVal",
        parameters: &[parameter("dateStr")],
        help: "the seconds from the start of the year 2000 to a date such as \"2023-02-03 04:05\", or to now",
        run: date_value,
    },
    Intrinsic {
        name: "_dateStr",
        parameters: &[parameter("date"), text("format", DEFAULT_FORMAT)],
        help: "a date, or the present one, as text in a format such as \"d MMMM yyyy\"",
        run: date_string,
    },
];

/// The date that a value stands for; none if it is too far away to be one.
fn date_of(vm: &mut Vm, value: Value) -> Fallible<Option<f64>> {
    if value.is_null() {
        return Ok(Some(vm.shell.calendar().now()));
    }
    if let Some(number) = value.as_number() {
        return Ok(Some(number));
    }
    let text = vm.argument_string(value)?;
    Ok(vm.shell.calendar().parse(&text))
}

fn date_value(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let date = date_of(vm, arguments.get(0))?;
    Ok(date.map_or(Value::NULL, Value::number))
}

fn date_string(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let Some(date) = date_of(vm, arguments.get(0))? else {
        return Ok(Value::NULL);
    };
    let format = match arguments.get(1) {
        Value::NULL => DEFAULT_FORMAT.into(),
        format => vm.argument_string(format)?,
    };
    let text = vm.shell.calendar().format(date, &format);
    vm.new_string(&text)
}
