//! Numbers.

use std::cmp::Ordering;

use super::{Arguments, Intrinsic, number, parameter};
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
        name: "acos",
        parameters: &[number("x", 0.0)],
        help: "the angle in radians whose cosine is x",
        run: acos,
    },
    Intrinsic {
        name: "asin",
        parameters: &[number("x", 0.0)],
        help: "the angle in radians whose sine is x",
        run: asin,
    },
    Intrinsic {
        name: "atan",
        parameters: &[number("y", 0.0), number("x", 1.0)],
        help: "the angle in radians whose tangent is y/x, in the quadrant of the point (x, y)",
        run: atan,
    },
    Intrinsic {
        name: "ceil",
        parameters: &[number("x", 0.0)],
        help: "the least whole number that is not below x",
        run: ceil,
    },
    Intrinsic {
        name: "cos",
        parameters: &[number("radians", 0.0)],
        help: "the cosine of an angle in radians",
        run: cos,
    },
    Intrinsic {
        name: "floor",
        parameters: &[number("x", 0.0)],
        help: "the greatest whole number that is not above x",
        run: floor,
    },
    Intrinsic {
        name: "log",
        parameters: &[number("x", 0.0), number("base", 10.0)],
        help: "the logarithm of x to the given base; a base of 2.718282 means the natural logarithm",
        run: log,
    },
    Intrinsic {
        name: "pi",
        parameters: &[],
        help: "the ratio of a circle's circumference to its diameter",
        run: pi,
    },
    Intrinsic {
        name: "rnd",
        parameters: &[parameter("seed")],
        help: "a random number from 0 up to but not including 1; a seed makes the numbers that follow repeatable",
        run: rnd,
    },
    Intrinsic {
        name: "round",
        parameters: &[number("x", 0.0), number("decimalPlaces", 0.0)],
        help: "x rounded to so many decimal places, halves away from zero; negative places round to tens, hundreds and so on",
        run: round,
    },
    Intrinsic {
        name: "sign",
        parameters: &[number("x", 0.0)],
        help: "-1, 0 or 1 as x is negative, zero or positive",
        run: sign,
    },
    Intrinsic {
        name: "sin",
        parameters: &[number("radians", 0.0)],
        help: "the sine of an angle in radians",
        run: sin,
    },
    Intrinsic {
        name: "sqrt",
        parameters: &[number("x", 0.0)],
        help: "the square root of x",
        run: sqrt,
    },
    Intrinsic {
        name: "tan",
        parameters: &[number("radians", 0.0)],
        help: "the tangent of an angle in radians",
        run: tan,
    },
];

/// Bases this close to [`ROUNDED_E`] mean e itself.
const E_TOLERANCE: f64 = 1e-6;
/// What scripts write for e.
#[expect(
    clippy::approx_constant,
    reason = "the centre of the interval, not e itself"
)]
const ROUNDED_E: f64 = 2.718_282;
/// A double has no more decimal digits than these to round to.
const MOST_PLACES: i32 = 15;
/// From this magnitude on every number is whole.
const FIRST_WHOLE: f64 = 4_503_599_627_370_496.0;

fn abs(_vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    Ok(Value::number(arguments.number(0).abs()))
}

fn acos(_vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    Ok(Value::number(arguments.number(0).acos()))
}

fn asin(_vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    Ok(Value::number(arguments.number(0).asin()))
}

fn atan(_vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let (y, x) = (arguments.number(0), arguments.number(1));
    Ok(Value::number(if x == 1.0 { y.atan() } else { y.atan2(x) }))
}

fn ceil(_vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    Ok(Value::number(arguments.number(0).ceil()))
}

fn cos(_vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    Ok(Value::number(arguments.number(0).cos()))
}

fn floor(_vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    Ok(Value::number(arguments.number(0).floor()))
}

fn log(_vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let (x, base) = (arguments.number(0), arguments.number(1));
    let natural = (base - ROUNDED_E).abs() < E_TOLERANCE;
    Ok(Value::number(if natural {
        x.ln()
    } else {
        x.ln() / base.ln()
    }))
}

fn pi(_vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    Ok(Value::number(std::f64::consts::PI))
}

fn rnd(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    if !arguments.get(0).is_null() {
        vm.random.seed(arguments.number(0));
    }
    Ok(Value::number(vm.random.fraction()))
}

fn round(_vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    Ok(Value::number(round_to(
        arguments.number(0),
        arguments.integer(1),
    )))
}

/// Rounds halves away from zero.
fn round_to(number: f64, places: i32) -> f64 {
    if !number.is_finite() {
        return number;
    }
    if places >= 0 {
        if number.abs() >= FIRST_WHOLE {
            return number;
        }
        let scale = 10f64.powi(places.min(MOST_PLACES));
        return (number * scale).round() / scale;
    }
    let unit = 10f64.powi(places.saturating_neg());
    let units = (number / unit).round();
    // Zero times an infinite unit would be NaN.
    if units == 0.0 { units } else { units * unit }
}

fn sign(_vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    Ok(Value::number(match arguments.number(0).partial_cmp(&0.0) {
        Some(Ordering::Less) => -1.0,
        Some(Ordering::Greater) => 1.0,
        Some(Ordering::Equal) | None => 0.0,
    }))
}

fn sin(_vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    Ok(Value::number(arguments.number(0).sin()))
}

fn sqrt(_vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    Ok(Value::number(arguments.number(0).sqrt()))
}

fn tan(_vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    Ok(Value::number(arguments.number(0).tan()))
}
