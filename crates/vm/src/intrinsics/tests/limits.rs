//! Sizes, interrupts, and garbage collection in the midst of it.

use super::session::{Session, check};

#[test]
fn texts_that_are_too_long_are_refused_before_they_are_made() {
    let long = "x = \"xxxxxxxxxxxxxxxx\"\ny = x.replace(\"x\", x)\ny = y.replace(\"x\", y)\ny = y.replace(\"x\", x)\n";
    check(&[
        (&format!("{long}y.len"), "1048576"),
        (&format!("{long}y.replace(\"x\", y)"), "string too large"),
        (
            &format!("{long}[y, y, y, y, y, y, y, y, y, y, y, y, y, y, y, y, y].join(\"\")"),
            "string too large",
        ),
        (
            &format!("{long}range(1, 1000000).join(y)"),
            "string too large",
        ),
        (
            &format!("{long}y = [y, y, y, y, y, y, y, y, y, y, y, y, y, y, y, y].join(\"\")"),
            "string too large",
        ),
        (
            &format!(
                "{long}z = [y, y, y, y, y, y, y, y, y, y, y, y, y, y, y].join(\"\")\nz.insert(-1, y)"
            ),
            "string too large",
        ),
    ]);
}

#[test]
fn an_interrupt_ends_long_loops() {
    let calls = [
        ("sort", "range(1, 9999)"),
        ("sort", "range(1, 9999).push(\"x\")"),
        ("sort", "range(1, 9999), \"key\""),
        ("join", "range(1, 9999)"),
        ("sum", "range(1, 9999)"),
        ("indexOf", "range(1, 9999).push(null), \"x\""),
        ("replace", "range(1, 9999), \"x\", 1"),
        ("replace", "range(1, 9999).join, \" \", \"_\""),
        ("split", "range(1, 9999).join, \" \""),
        ("values", "range(1, 9999).join"),
    ];
    for (name, arguments) in calls {
        assert_eq!(
            Session::new().run_interrupted(name, arguments),
            "interrupted",
            "{name}"
        );
    }
    assert_eq!(
        Session::new().run_interrupted("len", "range(1, 9999)"),
        "9999"
    );
}

#[test]
fn collections_at_every_allocation_lose_nothing() {
    let programs = [
        (
            "\"b,☃,a,a long part that is certainly kept apart\".split(\",\").sort.join(\"-\")",
            "\"a-a long part that is certainly kept apart-b-☃\"",
        ),
        (
            "[{\"k\": \"☃☃\"}, {\"k\": \"aa\"}, {\"__isa\": {\"k\": \"bb\"}}].sort(\"k\")",
            "[{\"k\": \"aa\"}, {\"__isa\": {\"k\": \"bb\"}}, {\"k\": \"☃☃\"}]",
        ),
        (
            "m = {\"a\": [1], \"b\": [2], 3: [3]}\nm.replace([2], \"two\").push([4])\n[m.indexes, m.values, m.pop, m.indexOf([3])]",
            "[[\"a\", \"b\", 3, [4]], [[1], \"two\", [3], 1], \"a\", 3]",
        ),
        (
            "l = [[1], [2], [3]]\nl.insert(1, [9]).push([4])\nl.remove(0)\nl.replace([2], \"x\")\n[l.pull, l.pop, l]",
            "[[9], [4], [\"x\", [3]]]",
        ),
        (
            "\"banana\".insert(3, [1]).replace(\"a\", \"☃☃\").remove(\"☃☃\").upper.values.join",
            "\"B N [ 1 ] ☃ ☃ N ☃ ☃\"",
        ),
        ("version.values.len", "5"),
        (
            "m = {\"a\": [1], \"b\": [1]}\nm.shuffle\nm",
            "{\"a\": [1], \"b\": [1]}",
        ),
    ];
    for (program, expected) in programs {
        assert_eq!(Session::stressed().run(program), expected, "{program}");
    }
}
