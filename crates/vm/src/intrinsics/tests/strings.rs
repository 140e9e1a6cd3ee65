//! Strings.

use super::session::check;

#[test]
fn characters_and_code_points() {
    check(&[
        (
            "[char(65), char(233), char(128512), char, char(65.9), char(\"a\").code]",
            "[\"A\", \"é\", \"😀\", \"A\", \"A\", 0]",
        ),
        ("char(-1)", "char: code point out of range"),
        ("char(55296)", "char: code point out of range"),
        ("char(1114112)", "char: code point out of range"),
        ("char(nan)", "char: code point out of range"),
        (
            "[\"é\".code, \"😀x\".code, code(65), code([1]), \"\".code, code(null), code]",
            "[233, 128512, 54, 91, 0, 0, 0]",
        ),
    ]);
}

#[test]
fn text_and_numbers() {
    check(&[
        (
            "[str(12), str(\"x\"), str([1, \"a\", null]), str(null), str]",
            r#"["12", "x", "[1, ""a"", null]", "", ""]"#,
        ),
        (
            "[val(\"12.5\"), val(12.5), val(null), val([1]), val, \"1,000\".val, \"12abc\".val]",
            "[12.5, 12.5, null, null, 0, 1000, 0]",
        ),
    ]);
}

#[test]
fn letter_case() {
    check(&[
        (
            "[\"héllo\".upper, \"ÀÉ\".lower, \"straße\".upper, \"\".upper]",
            r#"["HÉLLO", "àé", "STRAßE", ""]"#,
        ),
        (
            "[upper(12), lower(null), upper([1]), lower]",
            "[12, null, [1], null]",
        ),
    ]);
}

#[test]
fn splitting() {
    check(&[
        ("\"a b c\".split", r#"["a", "b", "c"]"#),
        (
            "[\"a,,b\".split(\",\"), \",a,\".split(\",\"), \"abc\".split(\"x\")]",
            r#"[["a", "", "b"], ["", "a", ""], ["abc"]]"#,
        ),
        (
            "[\"\".split(\",\"), \",\".split(\",\"), split(null), \"\".split(\"\")]",
            r#"[[], ["", ""], [], []]"#,
        ),
        ("\"2024☃01☃31\".split(\"☃\")", r#"["2024", "01", "31"]"#),
        (
            "[split(123, 2), \"a1b\".split(1), \"one, two\".split(\", \")]",
            r#"[["1", "3"], ["a", "b"], ["one", "two"]]"#,
        ),
        (
            "[\"héy\".split(\"\"), \"😀☃\".split(null), \"Hello\".split(\"\", 3)]",
            r#"[["h", "é", "y"], ["😀", "☃"], ["H", "e", "llo"]]"#,
        ),
    ]);
}

#[test]
fn the_last_of_a_limited_number_of_parts_takes_the_rest() {
    check(&[
        ("\"a,b,c,d\".split(\",\", 2)", r#"["a", "b,c,d"]"#),
        (
            "[\"a,b\".split(\",\", 1), \"a,b\".split(\",\", 9), \"a,b,c\".split(\",\", 2.9)]",
            r#"[["a,b"], ["a", "b"], ["a", "b,c"]]"#,
        ),
        (
            "[\"a,b\".split(\",\", 0), \"a,b\".split(\",\", -1), \"a,b\".split(\",\", null)]",
            r#"[["a", "b"], ["a", "b"], ["a", "b"]]"#,
        ),
        (
            "[\"a,b,\".split(\",\", 2), \"a,\".split(\",\", 2), \"a,\".split(\",\", 1)]",
            r#"[["a", "b,"], ["a", ""], ["a,"]]"#,
        ),
        (
            "[\"abc\".split(\"\", 1), \"abc\".split(\"\", 3), \"abc\".split(\"\", 4)]",
            r#"[["abc"], ["a", "b", "c"], ["a", "b", "c"]]"#,
        ),
    ]);
}

#[test]
fn joining() {
    check(&[
        ("[2, 4, 8].join(\"-\")", r#""2-4-8""#),
        (
            "[1, null, \"x\", [2, \"y\"]].join(\", \")",
            r#""1, , x, [2, ""y""]""#,
        ),
        (
            "[[\"a\", \"b\"].join, [\"a\", \"b\"].join(null), [\"a\", \"b\"].join(0), [].join, [7].join]",
            r#"["a b", "ab", "a0b", "", "7"]"#,
        ),
        (
            "[join(\"abc\"), join(12, \"-\"), join(null), join]",
            r#"["abc", 12, null, null]"#,
        ),
    ]);
}

#[test]
fn finding() {
    check(&[
        (
            "s = \"hello\"\n[s.indexOf(\"l\"), s.indexOf(\"l\", 2), s.indexOf(\"l\", 3), s.indexOf(\"z\")]",
            "[2, 3, null, null]",
        ),
        (
            "s = \"hello\"\n[s.indexOf(\"h\", -1), s.indexOf(\"o\", -2), s.indexOf(\"h\", -5), s.indexOf(\"h\", -6), s.indexOf(\"h\", -9)]",
            "[0, 4, null, 0, null]",
        ),
        (
            "[\"hello\".indexOf(\"\"), \"hello\".indexOf(\"\", 2), \"\".indexOf(\"\"), \"abc\".indexOf(null)]",
            "[0, 3, 0, null]",
        ),
        (
            "[\"a12b\".indexOf(12), \"a☃b😀c\".indexOf(\"c\"), \"a☃b☃\".indexOf(\"☃\", 1)]",
            "[1, 4, 3]",
        ),
    ]);
}

#[test]
fn inserting_and_removing_parts() {
    check(&[
        (
            "[\"h☃llo\".insert(2, 42), \"abc\".insert(-1, \"!\"), \"abc\".insert(1, null), \"\".insert(0, \"x\")]",
            r#"["h☃42llo", "abc!", "abc", "x"]"#,
        ),
        (
            "\"☃☃\".insert(3, \"x\")",
            "Index Error: index (3) out of range (0 to 2)",
        ),
        (
            "[\"banana\".remove(\"an\"), \"banana\".remove(\"x\"), \"a1b1\".remove(1), remove(\"☃😀\", \"☃\"), \"abc\".remove(\"\")]",
            r#"["bana", "banana", "ab1", "😀", "abc"]"#,
        ),
        (
            "\"abc\".remove(null)",
            "argument to 'remove' must not be null",
        ),
    ]);
}

#[test]
fn replacing_parts() {
    check(&[
        (
            "[\"banana\".replace(\"an\", \"AN\"), \"banana\".replace(\"a\", \"o\", 2), \"aaa\".replace(\"aa\", \"b\")]",
            r#"["bANANa", "bonona", "ba"]"#,
        ),
        (
            "[\"aa\".replace(\"a\", \"aa\"), \"banana\".replace(\"n\", null), \"a1b1\".replace(1, 22)]",
            r#"["aaaa", "baaa", "a22b22"]"#,
        ),
        (
            "[\"banana\".replace(\"a\", \"x\", 0), \"☃x☃\".replace(\"☃\", \"snow\"), \"abc\".replace(\"abc\", \"\")]",
            r#"["banana", "snowxsnow", ""]"#,
        ),
        (
            "\"abc\".replace(\"\", \"x\")",
            "replace: oldval argument is empty",
        ),
        (
            "\"\".replace(null, \"x\")",
            "replace: oldval argument is empty",
        ),
    ]);
}

#[test]
fn characters_as_elements() {
    check(&[
        (
            "[\"a☃😀\".values, \"\".values, \"a😀b\".indexes, \"☃😀\".len]",
            r#"[["a", "☃", "😀"], [], [0, 1, 2], 2]"#,
        ),
        (
            "[\"😀é\".hasIndex(1), \"😀é\".hasIndex(2), \"😀é\".hasIndex(-2), \"😀é\".hasIndex(-3), \"😀é\".hasIndex(\"0\")]",
            "[1, 0, 1, 0, 0]",
        ),
        (
            "[slice(\"a☃b😀c\", 1, 4), slice(\"a☃b\", -1), slice(\"abc\", null, 2), slice(12)]",
            r#"["☃b😀", "b", "ab", null]"#,
        ),
    ]);
}
