//! Lists and maps under the intrinsics for all collections.

use super::session::{Session, check};

#[test]
fn lengths_and_indexes() {
    check(&[
        (
            "[[1, 2].len, {\"a\": 1}.len, len(null), len(42), len]",
            "[2, 1, null, null, null]",
        ),
        (
            "[[7, 8].indexes, [].indexes, {\"x\": 1, 5: 2}.indexes, indexes(42)]",
            "[[0, 1], [], [\"x\", 5], null]",
        ),
        (
            "l = [10, 20]\n[l.hasIndex(1), l.hasIndex(2), l.hasIndex(-2), l.hasIndex(-3), l.hasIndex(1.9), l.hasIndex(\"0\"), l.hasIndex]",
            "[1, 0, 1, 0, 1, 0, 0]",
        ),
        (
            "m = {\"a\": null, 2: 1, [1, 2]: 3}\n[m.hasIndex(\"a\"), m.hasIndex(2), m.hasIndex(\"2\"), m.hasIndex([1, 2]), m.hasIndex(null)]",
            "[1, 1, 0, 1, 0]",
        ),
        (
            "[{\"x\": 1, \"y\": null}.values, values(null), values(42)]",
            "[[1, null], null, 42]",
        ),
        ("l = [1]\nrefEquals(l, l.values)", "1"),
    ]);
}

#[test]
fn finding_in_lists() {
    check(&[
        (
            "l = [1, 2, 1, 2]\n[l.indexOf(2), l.indexOf(2, 1), l.indexOf(2, 3), l.indexOf(3)]",
            "[1, 3, null, null]",
        ),
        (
            "l = [1, 2, 1, 2]\n[l.indexOf(1, -1), l.indexOf(2, -2), l.indexOf(1, -4), l.indexOf(1, -5), l.indexOf(1, -6)]",
            "[0, 3, 2, 0, null]",
        ),
        (
            "l = [1, 2, 1, 2]\n[l.indexOf(2, null), l.indexOf(2, 1.9), l.indexOf(1, \"x\"), l.indexOf(1, 99)]",
            "[1, 3, 2, null]",
        ),
        (
            "[[[1], [2]].indexOf([2]), [null, 0].indexOf(0), [0, null].indexOf(null), [1, \"1\"].indexOf(\"1\"), [1].indexOf]",
            "[1, 1, 1, 1, null]",
        ),
        ("[nan].indexOf(nan)", "null"),
    ]);
}

#[test]
fn finding_in_maps() {
    check(&[
        (
            "m = {\"a\": 1, \"b\": 2, \"c\": 1}\n[m.indexOf(1), m.indexOf(1, \"a\"), m.indexOf(1, \"c\"), m.indexOf(3), m.indexOf(1, \"nosuch\")]",
            "[\"a\", \"c\", null, null, null]",
        ),
        (
            "[{\"k\": [1, 2]}.indexOf([1, 2]), {null: 5}.indexOf(5), indexOf(12, 1)]",
            "[\"k\", null, null]",
        ),
    ]);
}

#[test]
fn inserting() {
    check(&[
        (
            "l = [1, 2]\nl.insert(0, \"first\")\nl.insert(-1, \"last\")\nl.insert(-2, \"x\")",
            "[\"first\", 1, 2, \"x\", \"last\"]",
        ),
        (
            "l = [1]\nl.insert(0)\nl.insert(1.9, \"cut\")",
            "[null, \"cut\", 1]",
        ),
        ("l = [1]\nl.insert(0, l)", "[[[[...], 1], 1], 1]"),
        (
            "[1, 2].insert(-5, \"x\")",
            "Index Error: index (-2) out of range (0 to 2)",
        ),
        (
            "[1].insert(2, \"x\")",
            "Index Error: index (2) out of range (0 to 1)",
        ),
        ("[1].insert", "insert: index argument required"),
        (
            "[1].insert(\"0\", 2)",
            "insert: number required for index argument",
        ),
        ("insert({}, 0, 1)", "insert called on invalid type"),
    ]);
}

#[test]
fn pushing_popping_pulling() {
    check(&[
        (
            "l = []\nl.push(\"a\").push(\"b\").push(\"c\")\n[l.pop, l.pull, l, [].pop, [].pull]",
            "[\"c\", \"a\", [\"b\"], null, null]",
        ),
        (
            "l = [1]\nl.push(l)\nl.push(l)",
            "[1, [1, [1, [...], [...]], [1, [...], [...]]], [1, [1, [...], [...]], [1, [...], [...]]]]",
        ),
        (
            "m = {}\nm.push(\"a\").push(null).push(\"a\")\n[m.pop, m, m.pull, m.pull, m]",
            "[\"a\", {}, null, null, {}]",
        ),
        ("{3: 1, 1: 2}.pop", "3"),
        (
            "m = {nan: 1, 2: 3}\n[m.pop, m.pop, m.pop]",
            "[NaN, 2, null]",
        ),
        (
            "[push(null, 1), push(\"abc\", 1), pop(12), pull(\"x\")]",
            "[null, null, null, null]",
        ),
    ]);
}

#[test]
fn removing() {
    check(&[
        (
            "l = [1, 2, 3, 4]\nl.remove(1)\nl.remove(-1)\nl.remove(0.9)\nl",
            "[3]",
        ),
        ("l = [1, 2]\nl.remove(\"text\")\nl", "[2]"),
        (
            "m = {\"x\": 1, \"y\": null, null: 5}\n[m.remove(\"y\"), m.remove(\"y\"), m.remove(null), m]",
            "[1, 0, 1, {\"x\": 1}]",
        ),
        (
            "[1].remove(5)",
            "Index Error: index (5) out of range (0 to 0)",
        ),
        (
            "[1].remove(-2)",
            "Index Error: index (-1) out of range (0 to 0)",
        ),
        (
            "[].remove(0)",
            "Index Error: index (0) out of range (0 to -1)",
        ),
        ("[1].remove", "argument to 'remove' must not be null"),
        (
            "remove(null, 1)",
            "Type Error: 'remove' requires map, list, or string",
        ),
        (
            "remove(12, 1)",
            "Type Error: 'remove' requires map, list, or string",
        ),
    ]);
}

#[test]
fn replacing() {
    check(&[
        (
            "l = [1, 2, 1, null, [1], 1]\nl.replace(1, \"one\", 2)\nl.replace(null, \"none\")\nl.replace([1], 2)",
            "[\"one\", 2, \"one\", \"none\", 2, 1]",
        ),
        (
            "[[1, 2].replace(1), [1].replace(1, 2, 0), [1].replace(1, [1])]",
            "[[null, 2], [1], [[1]]]",
        ),
        (
            "m = {\"a\": 1, \"b\": 2, 1: 1}\nm.replace(1, \"one\", 1)",
            "{\"a\": \"one\", \"b\": 2, 1: 1}",
        ),
        (
            "{\"a\": 1, \"b\": null}.replace(null, 1).replace(1, 2)",
            "{\"a\": 2, \"b\": 2}",
        ),
        (
            "replace(null, 1, 2)",
            "argument to 'replace' must not be null",
        ),
        (
            "replace(121, 1, 2)",
            "Type Error: 'replace' requires map, list, or string",
        ),
    ]);
}

#[test]
fn replacing_what_others_inherit_is_noticed() {
    let epoch_after = |program: &str| {
        let mut session = Session::new();
        session.run(program);
        session.vm.prototype_epoch
    };
    let family = "a = {\"x\": 1}\nparent = {\"__isa\": a, 1: 2}\nchild = {\"__isa\": parent}\n";
    assert_ne!(
        epoch_after(family),
        epoch_after(&format!("{family}parent.replace(a, {{}})"))
    );
}

#[test]
fn summing() {
    check(&[
        (
            "[[1, 2, 3].sum, [].sum, {\"a\": 1, \"b\": 2.5}.sum, [1, null, \"2\", [3]].sum, sum(12), sum(\"123\"), sum]",
            "[6, 0, 3.5, 1, 0, 0, 0]",
        ),
        ("[1e20, 1, -1e20].sum", "0"),
    ]);
}

#[test]
fn slicing() {
    check(&[(
        "l = [10, 20, 30]\n[slice(l), slice(l, 1), slice(l, -2, -1), slice(l, 0.9, 2.9), slice(l, 2, 1), slice({})]",
        "[[10, 20, 30], [20, 30], [20], [10, 20], [], null]",
    )]);
}
