//! Sorting and shuffling.

use super::session::{Session, check};

#[test]
fn every_value_has_its_place() {
    check(&[
        ("[10, 9, \"8\"].sort", "[9, 10, \"8\"]"),
        (
            "[3, \"a\", null, 1, \"B\", [1], {}, 2].sort",
            "[1, 2, 3, \"B\", \"a\", [1], {}, null]",
        ),
        (
            "[3, \"a\", null, 1, \"B\", [1], {}, 2].sort(null, 0)",
            "[null, [1], {}, \"a\", \"B\", 3, 2, 1]",
        ),
        ("[3, nan, 2, 1].sort", "[1, 2, 3, NaN]"),
        (
            "[nan, 3, null, -inf].sort(null, null)",
            "[null, NaN, 3, -Infinity]",
        ),
        (
            "[2.5, -1, 10, -0.5, 0, -10].sort",
            "[-10, -1, -0.5, 0, 2.5, 10]",
        ),
        ("[1, 3, 2].sort(null, 0)", "[3, 2, 1]"),
        ("[1, -1, -2, 2, \"\"].sort", "[-2, -1, 1, 2, \"\"]"),
    ]);
}

#[test]
fn strings_are_ordered_by_code_points() {
    check(&[
        (
            "[\"b\", \"A\", \"a\", \"B\"].sort",
            "[\"A\", \"B\", \"a\", \"b\"]",
        ),
        (
            "[\"é\", \"z\", \"e\", \"a-c\", \"ab\", \"\"].sort",
            "[\"\", \"a-c\", \"ab\", \"e\", \"z\", \"é\"]",
        ),
        (
            "[\"12345678z\", \"12345678\", \"12345678a\", \"1234567\"].sort",
            "[\"1234567\", \"12345678\", \"12345678a\", \"12345678z\"]",
        ),
        ("[\"a\".insert(1, char(0)), \"a\"].sort.len", "2"),
        (
            "nul = \"a\".insert(1, char(0))\nrefEquals([nul, \"a\"].sort.pull, \"a\")",
            "1",
        ),
    ]);
}

#[test]
fn keys_and_positions() {
    check(&[
        (
            "[{\"k\": 2}, 5, {\"k\": 1}, \"x\", {}].sort(\"k\")",
            "[{\"k\": 1}, {\"k\": 2}, 5, \"x\", {}]",
        ),
        (
            "[{\"k\": 2}, 5, {\"k\": 1}, \"x\", {}].sort(\"k\", 0)",
            "[5, \"x\", {}, {\"k\": 2}, {\"k\": 1}]",
        ),
        (
            "[{\"__isa\": {\"k\": 2}}, {\"k\": 1}].sort(\"k\")",
            "[{\"k\": 1}, {\"__isa\": {\"k\": 2}}]",
        ),
        (
            "[[2, \"b\"], [1, \"c\"], [3, \"a\"]].sort(1)",
            "[[3, \"a\"], [2, \"b\"], [1, \"c\"]]",
        ),
        (
            "[[1, \"z\"], [0, \"y\"]].sort(-1)",
            "[[0, \"y\"], [1, \"z\"]]",
        ),
        (
            "[[2, \"x\"], [1, \"y\"]].sort(-2)",
            "[[2, \"x\"], [1, \"y\"]]",
        ),
        ("[[2], [1, 9], [3, 8]].sort(1)", "[[3, 8], [1, 9], [2]]"),
        ("[[2], [1]].sort(\"x\")", "[[1], [2]]"),
        ("[3, 1, 2].sort(0)", "[3, 1, 2]"),
        ("[sort(\"cba\"), sort(12), sort]", "[\"cba\", 12, null]"),
    ]);
}

#[test]
fn equal_keys_keep_their_order() {
    let entries: Vec<String> = (0..60)
        .map(|n| format!("{{\"k\": {}, \"n\": {n}}}", n * 7 % 6))
        .collect();
    let expected = |keys: &mut dyn Iterator<Item = i32>| {
        let of_key = |key| (0..60).filter(move |n| n * 7 % 6 == key);
        let entries: Vec<String> = keys
            .flat_map(|key| of_key(key).map(move |n| format!("{{\"k\": {key}, \"n\": {n}}}")))
            .collect();
        format!("[{}]", entries.join(", "))
    };
    let list = format!("[{}]", entries.join(", "));
    assert_eq!(
        Session::new().run(&format!("{list}.sort(\"k\")")),
        expected(&mut (0..6))
    );
    assert_eq!(
        Session::new().run(&format!("{list}.sort(\"k\", 0)")),
        expected(&mut (0..6).rev())
    );
}

#[test]
fn lists_of_several_runs_are_sorted_too() {
    check(&[
        (
            "l = range(1, 700000)\nl.shuffle\nrefEquals(l, l.sort)\nhash(l.push(0)) ",
            &Session::new().run("hash(range(1, 700000).push(0))"),
        ),
        (
            "l = range(1, 700000)\nl.shuffle\nl.sort(null, 0)\n[l.pull, l.pull, l.pop, l.indexOf(350000)]",
            "[700000, 699999, 1, 349998]",
        ),
        (
            "l = range(1, 700000)\nl.shuffle\nl.push(\"end\").sort\n[l.pull, l.pull, l.pop, l.indexOf(350000)]",
            "[1, 2, \"end\", 349997]",
        ),
    ]);
}

#[test]
fn shuffling_keeps_the_elements() {
    check(&[
        ("l = range(1, 50)\nl.shuffle\nl.sort\nl.indexOf(50)", "49"),
        (
            "rnd(5)\na = range(1, 50)\na.shuffle\nrnd(5)\nb = range(1, 50)\nb.shuffle\n[a].indexOf(b)",
            "0",
        ),
        (
            "m = {\"a\": 1, \"b\": 2, \"c\": 3}\nm.shuffle\n[m.indexes, m.values.sort]",
            "[[\"a\", \"b\", \"c\"], [1, 2, 3]]",
        ),
        (
            "[[].shuffle, [1].shuffle, shuffle(\"abc\"), shuffle]",
            "[null, null, null, null]",
        ),
    ]);
}
