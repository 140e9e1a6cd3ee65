//! Numbers as text.
//!
//! A number is written with at most 15 significant digits. They come from the number's exact
//! decimal expansion, with halves rounded away from zero, and every shorter form is rounded, again
//! so, from these digits. Whole numbers up to 2^53 are exempt: they are written in full.

use std::borrow::Cow;
use std::fmt::Write;

/// Whole numbers up to this one in magnitude are exact.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// The significant digits of a number that is not an exact whole one.
const SIGNIFICANT: usize = 15;

/// The significant digits of a number written with an exponent.
const SCIENTIFIC: usize = 7;

/// The places behind the decimal point.
const PLACES: i32 = 6;

/// Numbers with a fraction are written with an exponent above this magnitude.
const LARGE: f64 = 1e10;

/// Numbers are written with an exponent below this magnitude.
const SMALL: f64 = 1e-6;

/// Appends the number to `out` as the language prints it.
///
/// ```
/// use kiln_vm::text::number::format_number;
///
/// let mut out = String::new();
/// format_number(1.0 / 3.0, &mut out);
/// assert_eq!(out, "0.333333");
/// ```
#[inline]
pub fn format_number(number: f64, out: &mut String) {
    let whole = number as i64;
    if whole as f64 == number && number.abs() <= MAX_EXACT {
        out.push_str(itoa::Buffer::new().format(whole));
    } else {
        format_inexact(number, out);
    }
}

fn format_inexact(number: f64, out: &mut String) {
    if number.is_nan() {
        return out.push_str("NaN");
    }
    if number.is_sign_negative() {
        out.push('-');
    }
    let magnitude = number.abs();
    if magnitude.is_infinite() {
        return out.push_str("Infinity");
    }
    let mut decimal = Decimal::new(magnitude);
    if magnitude.fract() == 0.0 {
        decimal.write_places(0, out);
    } else if !(SMALL..=LARGE).contains(&magnitude) {
        decimal.round(SCIENTIFIC as i32);
        decimal.write_scientific(out);
    } else {
        decimal.round(decimal.exponent + 1 + PLACES);
        decimal.write_places(1, out);
    }
}

/// `count` significant digits of the number, as ASCII, and the power of ten of the first.
fn expand(number: f64, count: usize) -> (Vec<u8>, i32) {
    let text = format!("{number:.*e}", count - 1);
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = digits.bytes().filter(u8::is_ascii_digit).collect();
    (digits, exponent.parse().unwrap_or(0))
}

/// A positive number of few decimal digits: `d.dddd… * 10^exponent`.
struct Decimal {
    /// The digits, 0 to 9, without zeros at the end.
    digits: [u8; SIGNIFICANT],
    length: usize,
    exponent: i32,
}

impl Decimal {
    /// The first [`SIGNIFICANT`] digits of a finite positive number, halves rounded up.
    fn new(number: f64) -> Decimal {
        // Two more digits decide how to round, unless they look like a half: they are rounded
        // themselves, perhaps up to it, so that the whole expansion is needed. No double
        // has more digits than `LONGEST`.
        const GUARD: usize = 2;
        const LONGEST: usize = 767;
        let (text, exponent) = expand(number, SIGNIFICANT + GUARD);
        let (kept, guard) = text.split_at(SIGNIFICANT);
        let up = match guard {
            [b'5', b'0'] => expand(number, LONGEST).0[SIGNIFICANT] >= b'5',
            _ => guard[0] >= b'5',
        };
        let mut digits = [0; SIGNIFICANT];
        for (digit, character) in digits.iter_mut().zip(kept) {
            *digit = character - b'0';
        }
        let mut decimal = Decimal {
            digits,
            length: SIGNIFICANT,
            exponent,
        };
        if up {
            decimal.increment();
        }
        decimal.trim();
        decimal
    }

    /// Rounds to this many significant digits, halves up.
    fn round(&mut self, count: i32) {
        let count = count.max(0) as usize;
        if count >= self.length {
            return;
        }
        let up = self.digits[count] >= 5;
        self.length = count;
        if up {
            self.increment();
        }
        self.trim();
    }

    /// Adds one to the last digit.
    fn increment(&mut self) {
        while self.length > 0 {
            let last = &mut self.digits[self.length - 1];
            if *last < 9 {
                *last += 1;
                return;
            }
            self.length -= 1;
        }
        self.digits[0] = 1;
        self.length = 1;
        self.exponent += 1;
    }

    fn trim(&mut self) {
        while self.length > 0 && self.digits[self.length - 1] == 0 {
            self.length -= 1;
        }
    }

    /// The digit that counts `10^power`.
    fn digit(&self, power: i32) -> char {
        let digit = usize::try_from(self.exponent - power)
            .ok()
            .and_then(|place| self.digits[..self.length].get(place))
            .copied()
            .unwrap_or(0);
        char::from(b'0' + digit)
    }

    /// Writes all digits, at least `places` of them behind the point.
    fn write_places(&self, places: i32, out: &mut String) {
        let last_power = self.exponent + 1 - self.length as i32;
        let places = places.max(-last_power);
        out.extend(
            (0..=self.exponent.max(0))
                .rev()
                .map(|power| self.digit(power)),
        );
        if places > 0 {
            out.push('.');
            out.extend((1..=places).map(|place| self.digit(-place)));
        }
    }

    /// Writes [`SCIENTIFIC`] digits and an exponent.
    fn write_scientific(&self, out: &mut String) {
        out.push(self.digit(self.exponent));
        out.push('.');
        out.extend((1..SCIENTIFIC as i32).map(|place| self.digit(self.exponent - place)));
        let sign = if self.exponent < 0 { '-' } else { '+' };
        // Writing to a string cannot fail.
        let _ = write!(out, "E{sign}{:02}", self.exponent.unsigned_abs());
    }
}

/// The number that the text spells, 0 if it spells none: what `val` returns.
///
/// A sign, digits with a point among, before or behind them, and an exponent, with white space
/// around. Commas behind the first digit of the whole part are skipped. `Infinity`, `-Infinity` and
/// `NaN` are known in exactly this form.
///
/// ```
/// use kiln_vm::text::number::parse_number;
///
/// assert_eq!(parse_number(" -1,234.5e1 "), -12345.0);
/// assert_eq!(parse_number("12 apples"), 0.0);
/// ```
pub fn parse_number(text: &str) -> f64 {
    match text {
        "Infinity" => return f64::INFINITY,
        "-Infinity" => return f64::NEG_INFINITY,
        "NaN" => return f64::NAN,
        _ => {}
    }
    let text = text.trim_matches(|character| matches!(character, '\t'..='\r' | ' '));
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let whole_end =
        unsigned.find(|character: char| !character.is_ascii_digit() && character != ',');
    let (whole, rest) = unsigned.split_at(whole_end.unwrap_or(unsigned.len()));
    let (places, exponent) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(
            rest.find(|character: char| !character.is_ascii_digit())
                .unwrap_or(rest.len()),
        ),
        None => ("", rest),
    };
    let exponent_is_valid = match exponent.strip_prefix(['e', 'E']) {
        Some(exponent) => is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        None => exponent.is_empty(),
    };
    if whole.starts_with(',') || whole.len() + places.len() == 0 || !exponent_is_valid {
        return 0.0;
    }
    let plain = if whole.contains(',') {
        Cow::Owned(text.replace(',', ""))
    } else {
        Cow::Borrowed(text)
    };
    plain.parse().unwrap_or(0.0)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(number: f64) -> String {
        let mut out = String::new();
        format_number(number, &mut out);
        out
    }

    #[track_caller]
    fn check(expected: &[(f64, &str)]) {
        for (number, text) in expected {
            assert_eq!(printed(*number), *text, "printing {number:e}");
            if *number != 0.0 && !number.is_nan() {
                assert_eq!(printed(-number), format!("-{text}"), "printing -{number:e}");
            }
        }
    }

    #[test]
    fn whole_numbers_up_to_2_to_the_53_print_in_full() {
        check(&[
            (0.0, "0"),
            (-0.0, "0"),
            (7.0, "7"),
            (100.0, "100"),
            (1e10, "10000000000"),
            (1e15 + 1.0, "1000000000000001"),
            (9007199254740992.0, "9007199254740992"),
        ]);
    }

    #[test]
    fn larger_whole_numbers_print_15_digits_and_zeros() {
        check(&[
            (9007199254740994.0, "9007199254740990"),
            (12345678901234567.0, "12345678901234600"),
            (2f64.powi(63), "9223372036854780000"),
            (1e22, "10000000000000000000000"),
            (1e30, &format!("1{}", "0".repeat(30))),
            (
                2f64.powi(1000),
                &format!("107150860718627{}", "0".repeat(287)),
            ),
            (f64::MAX, &format!("179769313486232{}", "0".repeat(294))),
        ]);
    }

    #[test]
    fn fractions_print_six_places_at_most() {
        check(&[
            (1.5, "1.5"),
            (0.1 + 0.2, "0.3"),
            (2.0 / 3.0, "0.666667"),
            (0.99999999, "1.0"),
            (99999999.99999999, "100000000.0"),
            (9999999999.5, "9999999999.5"),
            (9999999999.999999, "10000000000.0"),
            (1e-6, "0.000001"),
            (0.0000015, "0.000002"),
            (123456.7890123, "123456.789012"),
        ]);
    }

    #[test]
    fn places_are_rounded_from_15_digits() {
        check(&[
            (0.1234565, "0.123457"),
            (5.5555555, "5.555556"),
            (1234567890.1234567, "1234567890.12346"),
        ]);
    }

    #[test]
    fn large_and_small_fractions_print_an_exponent() {
        check(&[
            (1e10 + 0.5, "1.000000E+10"),
            (12345678901.5, "1.234568E+10"),
            (1e15 / 3.0, "3.333333E+14"),
            (0.9999e-6, "9.999000E-07"),
            (9.9999999e-7, "1.000000E-06"),
            (1e-7, "1.000000E-07"),
            (1e-100, "1.000000E-100"),
            (5e-324, "4.940656E-324"),
        ]);
    }

    #[test]
    fn what_is_no_finite_number_prints_its_name() {
        check(&[
            (f64::INFINITY, "Infinity"),
            (f64::NAN, "NaN"),
            (-f64::NAN, "NaN"),
        ]);
    }

    #[test]
    fn an_exact_half_behind_15_digits_is_rounded_up() {
        check(&[
            (10000000000000050.0, "10000000000000100"),
            (10000000000000250.0, "10000000000000300"),
            (10000000000000248.0, "10000000000000200"),
        ]);
    }

    #[test]
    fn texts_that_spell_a_number_have_its_value() {
        let expected = [
            ("42", 42.0),
            ("  42\n", 42.0),
            ("+7", 7.0),
            ("-3.5e2", -350.0),
            ("1E+2", 100.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("5.e1", 50.0),
            ("1,000", 1000.0),
            ("1,0", 10.0),
            ("1,,0,.5", 10.5),
            ("1e400", f64::INFINITY),
            ("-1e400", f64::NEG_INFINITY),
            ("Infinity", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
        ];
        for (text, number) in expected {
            assert_eq!(parse_number(text), number, "{text:?}");
        }
        assert!(parse_number("NaN").is_nan());
        assert!(parse_number("-0").is_sign_negative());
    }

    #[test]
    fn other_texts_have_the_value_0() {
        let none = [
            "",
            " ",
            "abc",
            "12abc",
            "1e",
            "1e+",
            "e5",
            ".",
            "+",
            "-.e1",
            "--5",
            "1 2",
            "1.5.2",
            "0x1F",
            "nan",
            "inf",
            "infinity",
            "+Infinity",
            " Infinity",
            "(5)",
            "5-",
            ",1",
            "1.0,0",
            "1e1,0",
            "-,1",
            "1_0",
            "é",
            "１",
        ];
        for text in none {
            assert_eq!(parse_number(text), 0.0, "{text:?}");
        }
    }
}
