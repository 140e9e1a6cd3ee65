//! Output, time, inspection, the type maps.

use super::session::{Event, Session, check};
use crate::stack::Suspension;

#[test]
fn print_writes_the_text_and_the_delimiter() {
    let mut session = Session::new();
    session.run("print(\"a\", \", \")\nprint(\"b\", null)\nprint(null)\nprint\nprint([1, \"x\"], 5)\nprint(12.5)");
    assert_eq!(session.output(), "a, b\nnull\n\n[1, \"x\"]512.5\n");
    assert_eq!(session.run("print(\"x\")"), "null");
    assert_eq!(session.events(), [Event::Output("x\n".into())]);
}

#[test]
fn wait_and_yield_give_control_to_the_host() {
    let mut session = Session::new();
    session.run("wait(0.5)\nwait\nwait(-5)\nwait(\"x\")\nwait(nan)\nyield");
    let waits = [0.5, 1.0, 0.0, 0.0, 0.0];
    let waits = waits
        .into_iter()
        .flat_map(|seconds| [Event::Flush, Event::Suspended(Suspension::Wait(seconds))]);
    let expected: Vec<Event> = waits.chain([Event::Suspended(Suspension::Yield)]).collect();
    assert_eq!(session.events(), expected);
    assert_eq!(session.run("[wait(0), yield]"), "[null, null]");
}

#[test]
fn time_passes() {
    let mut session = Session::new();
    let before: f64 = session.run("time").parse().unwrap();
    let after: f64 = session.run("time").parse().unwrap();
    assert!(0.0 <= before && before <= after);
}

#[test]
fn identity_and_equality() {
    check(&[
        (
            "a = [1]\nb = a\n[refEquals(a, b), refEquals(a, [1]), refEquals({}, {})]",
            "[1, 0, 0]",
        ),
        (
            "[refEquals(\"ab\", \"a\".insert(1, \"b\")), refEquals(\"a\", \"b\"), refEquals(1, 1), refEquals(0, -0), refEquals(nan, nan)]",
            "[1, 0, 1, 1, 0]",
        ),
        (
            "[refEquals(null, null), refEquals(null, 0), refEquals, refEquals(@sin, @sin), refEquals(@sin, @cos)]",
            "[1, 0, 1, 1, 0]",
        ),
    ]);
}

#[test]
fn equal_values_have_equal_hashes() {
    check(&[
        (
            "refEquals(hash(\"abc\"), hash(\"ab\".insert(2, \"c\")))",
            "1",
        ),
        (
            "[refEquals(hash(0), hash(-0)), refEquals(hash([1, [2, \"x\"]]), hash([1, [2, \"x\"]]))]",
            "[1, 1]",
        ),
        (
            "refEquals(hash({\"a\": 1, \"b\": 2}), hash({\"b\": 2, \"a\": 1}))",
            "1",
        ),
        ("refEquals(hash, hash(null))", "1"),
    ]);
}

#[test]
fn version_is_one_map() {
    check(&[
        (
            "version.indexes",
            "[\"miniscript\", \"buildDate\", \"host\", \"hostName\", \"hostInfo\"]",
        ),
        ("version.values.remove(1)", "null"),
        (
            "[version.indexOf(\"1.6.2\"), version.indexOf(2.5), version.indexOf(\"test\"), refEquals(version, version)]",
            "[\"miniscript\", \"host\", \"hostName\", 1]",
        ),
    ]);
}

#[test]
fn the_map_of_intrinsics_is_protected() {
    check(&[
        ("refEquals(intrinsics, intrinsics)", "1"),
        (
            "[intrinsics.hasIndex(\"sin\"), intrinsics.indexOf(@sin), intrinsics.hasIndex(\"\")]",
            "[1, \"sin\", 0]",
        ),
        ("intrinsics.remove(\"sin\")", "Assignment to protected map"),
        ("intrinsics.push(\"x\")", "Assignment to protected map"),
        ("intrinsics.pop", "Assignment to protected map"),
        ("intrinsics.pull", "Assignment to protected map"),
        ("intrinsics.shuffle", "Assignment to protected map"),
        ("intrinsics.replace(1, 2)", "Assignment to protected map"),
    ]);
}

#[test]
fn type_maps_list_their_methods_in_order() {
    check(&[
        (
            "string.indexes.join",
            "\"hasIndex indexes indexOf insert code len lower val remove replace split upper values\"",
        ),
        (
            "list.indexes.join",
            "\"hasIndex indexes indexOf insert join len pop pull push shuffle sort sum remove replace values\"",
        ),
        (
            "map.indexes.join",
            "\"hasIndex indexes indexOf len pop push pull shuffle sum remove replace values\"",
        ),
        (
            "[number, funcRef, string.indexOf(@upper), refEquals(list, list)]",
            "[{}, {}, \"upper\", 1]",
        ),
    ]);
}

#[test]
fn functions_show_their_parameters() {
    check(&[
        (
            "[@print, @sort, @str, @log, @val]",
            "[FUNCTION(s=\"\", delimiter), FUNCTION(self, byKey, ascending=1), FUNCTION(x=\"\"), FUNCTION(x=0, base=10), FUNCTION(self=0)]",
        ),
        (
            "[@atan, @split, @slice, @replace, @char]",
            "[FUNCTION(y=0, x=1), FUNCTION(self, delimiter=\" \", maxCount=-1), FUNCTION(seq, from=0, to), FUNCTION(self, oldval, newval, maxCount), FUNCTION(codePoint=65)]",
        ),
        (
            "[@range, @rnd, @insert, @join, @wait, @pi]",
            "[FUNCTION(from=0, to=0, step), FUNCTION(seed), FUNCTION(self, index, value), FUNCTION(self, delimiter=\" \"), FUNCTION(seconds=1), FUNCTION()]",
        ),
    ]);
}

#[test]
fn arguments_are_counted() {
    check(&[
        ("abs(1, 2)", "Too Many Arguments"),
        ("[1].len(0)", "Too Many Arguments"),
        ("stackTrace", "[]"),
    ]);
}
