//! Numbers and their bits.

use super::session::{Session, check};

#[test]
fn functions_take_zero_for_what_is_no_number() {
    check(&[
        (
            "[abs(-5), abs(2.5), abs, abs(null), abs(\"7\"), abs([1])]",
            "[5, 2.5, 0, 0, 0, 0]",
        ),
        (
            "[ceil(41.2), ceil(-41.2), floor(42.9), floor(-42.9), ceil, floor]",
            "[42, -41, 42, -43, 0, 0]",
        ),
        ("[sqrt(144), sqrt(-1), sqrt]", "[12, NaN, 0]"),
        (
            "[sign(-12.5), sign(0), sign(0.001), sign(nan), sign(-inf)]",
            "[-1, 0, 1, 0, -1]",
        ),
        (
            "[sin, cos, tan, asin(1), acos(1), acos(2)]",
            "[0, 1, 0, 1.570796, 0, NaN]",
        ),
        (
            "[atan(1), atan(1, -1), atan(-1, -1), atan(5, null), atan]",
            "[0.785398, 2.356194, -2.356194, 1.570796, 0]",
        ),
        ("pi", "3.141593"),
    ]);
}

#[test]
fn logarithms() {
    check(&[
        (
            "[log(100), log(8, 2), log(1), log(1000), log(0.01)]",
            "[2, 3, 0, 3.0, -2.0]",
        ),
        (
            "[log(0), log(-1), log, log(100, 0), log(10, 1)]",
            "[-Infinity, NaN, -Infinity, 0, Infinity]",
        ),
        (
            "[log(10, 2.718282), log(2.718281828459045, 2.718281828459045)]",
            "[2.302585, 1]",
        ),
    ]);
}

#[test]
fn rounding_takes_halves_away_from_zero() {
    check(&[
        (
            "[round(2.5), round(-2.5), round(-0.4), round(2.4)]",
            "[3, -3, 0, 2]",
        ),
        (
            "[round(0.125, 2), round(1.235, 2), round(0.375, 2)]",
            "[0.13, 1.24, 0.38]",
        ),
        (
            "[round(1234, -2), round(25, -1), round(-25, -1), round(49, -2), round(7, -400)]",
            "[1200, 30, -30, 0, 0]",
        ),
        (
            "[round(1.26, 1.9), round(1.7, null), round(0.333333333, 400)]",
            "[1.3, 2, 0.333333]",
        ),
        (
            "[round(1e20, 5), round(nan, 2), round(inf, 2), round(inf, -2)]",
            "[100000000000000000000, NaN, Infinity, Infinity]",
        ),
    ]);
}

#[test]
fn bits_are_combined_apart_from_the_sign() {
    check(&[
        (
            "[bitAnd(14, 7), bitOr(14, 7), bitXor(14, 7), bitAnd]",
            "[6, 15, 9, 0]",
        ),
        (
            "[bitAnd(-5, 3), bitAnd(-5, -3), bitOr(-5, 3), bitOr(0, -1), bitXor(-5, 3), bitXor(-5, -3)]",
            "[1, -1, -7, -1, -6, 6]",
        ),
        (
            "[bitAnd(nan, 1), bitOr(18446744073709551616, 5), bitXor(inf, 6), bitOr(-1e30, 1)]",
            "[0, 5, 6, 1]",
        ),
        (
            "bitOr(9223372036854775808, 4611686018427387904)",
            "13835058055282200000",
        ),
    ]);
}

#[test]
fn a_seed_repeats_the_sequence() {
    let mut session = Session::new();
    let first = session.run("[rnd(42), rnd, rnd]");
    assert_eq!(session.run("[rnd(42), rnd(null), rnd]"), first);
    assert_ne!(session.run("[rnd(43), rnd, rnd]"), first);
}
