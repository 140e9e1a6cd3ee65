//! Ranges.

use super::session::check;

#[test]
fn ranges_count_up_or_down() {
    check(&[
        (
            "[range(1, 5), range(3), range(-2), range, range(2, 2)]",
            "[[1, 2, 3, 4, 5], [3, 2, 1, 0], [-2, -1, 0], [0], [2]]",
        ),
        (
            "[range(null, 2), range(1, null), range(\"4\", 2), range([9], \"x\")]",
            "[[0, 1, 2], [1, 0], [0, 1, 2], [0]]",
        ),
        (
            "[range(1, 10, 3), range(10, 1, -4), range(0, 1, 0.25), range(1.5, 4)]",
            "[[1, 4, 7, 10], [10, 6, 2], [0, 0.25, 0.5, 0.75, 1], [1.5, 2.5, 3.5]]",
        ),
        (
            "[range(5, 5, -3), range(1, 2, -1), range(0, 3, null), range(3, 0, \"2\")]",
            "[[5], [], [0, 1, 2, 3], [3, 2, 1, 0]]",
        ),
    ]);
}

#[test]
fn ranges_that_do_not_end_are_errors() {
    check(&[
        ("range(1, 1, 0)", "range() error (step==0)"),
        ("range(1, 5, -1)", "range() error"),
        ("range(0, nan)", "range() error"),
        ("range(0, 1e10)", "range() error"),
        ("range(1, 16777216)", "list too large"),
        ("range(1e16, 10000000000000010)", "list too large"),
        ("range(1, 16777215).len", "16777215"),
    ]);
}
