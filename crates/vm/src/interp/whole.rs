//! Doubles to integers at the speed of the processor.
//!
//! Rust's `as` saturates, which takes several instructions more than the conversion itself. Here a number that does not
//! fit gives some integer that does not compare equal to it, and that is all a caller that checks for whole numbers needs.

/// The number cut to an `i32`; any `i32` but an equal one if it does not fit.
#[inline(always)]
pub(crate) fn to_i32(number: f64) -> i32 {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_mm_cvttsd_si32, _mm_set_sd};
        // SAFETY: SSE2 is part of x86-64. A value that does not fit gives the least integer.
        unsafe { _mm_cvttsd_si32(_mm_set_sd(number)) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        number as i32
    }
}

/// The number cut to an `i64`; any `i64` but an equal one if it does not fit.
#[inline(always)]
pub(super) fn to_i64(number: f64) -> i64 {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_mm_cvttsd_si64, _mm_set_sd};
        // SAFETY: SSE2 is part of x86-64. A value that does not fit gives the least integer.
        unsafe { _mm_cvttsd_si64(_mm_set_sd(number)) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        number as i64
    }
}

/// A whole number that is a position from the front. A word that is no number is a NaN here, and no position.
#[inline(always)]
pub(super) fn front_index(number: f64) -> Option<usize> {
    let index = to_i32(number);
    (f64::from(index) == number && index >= 0).then_some(index as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_come_back_equal() {
        for number in [0.0, -0.0, 1.0, 2147483647.0, -2147483648.0] {
            assert_eq!(f64::from(to_i32(number)), number);
        }
        for number in [0.5, 2147483648.0, 1e300, f64::INFINITY, f64::NAN] {
            assert_ne!(f64::from(to_i32(number)), number);
        }
        assert_eq!(to_i64(9007199254740992.0), 1 << 53);
        assert_ne!(to_i64(1e19) as f64, 1e19);
    }

    #[test]
    fn positions_are_whole_and_not_negative() {
        assert_eq!(front_index(7.0), Some(7));
        assert_eq!(front_index(-0.0), Some(0));
        for number in [-1.0, 1.5, f64::NAN, f64::INFINITY, 4294967296.0] {
            assert_eq!(front_index(number), None);
        }
    }
}
