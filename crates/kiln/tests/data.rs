//! Data on its way into scripts and out of them.

use std::collections::{BTreeMap, HashMap};

use kiln::{Data, Engine, Error, Interpreter, Intrinsic, Limits, Record};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

fn interpreter() -> Interpreter {
    Engine::new().interpreter().build().unwrap()
}

fn run(interpreter: &mut Interpreter, program: &str) {
    let program = interpreter.compile("test", program).unwrap();
    interpreter.run(&program).unwrap();
}

/// What an expression of a script is in Rust.
fn read<T: DeserializeOwned>(expression: &str) -> Result<T, String> {
    let mut interpreter = interpreter();
    run(&mut interpreter, &format!("x = {expression}"));
    let data = interpreter.global::<Data<T>>("x");
    data.map(|Data(data)| data)
        .map_err(|error| error.to_string())
}

/// How a script sees data.
fn write(data: impl Serialize) -> Result<String, String> {
    let mut interpreter = interpreter();
    interpreter
        .set_global("x", Data(data))
        .map_err(|error| error.to_string())?;
    run(&mut interpreter, "text = str(x)");
    Ok(interpreter.global("text").unwrap())
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Point,
    Circle(f64),
    Line(i32, i32),
    Box { width: u8, height: u8 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    truth: bool,
    signed: i64,
    unsigned: u16,
    float: f32,
    letter: char,
    text: String,
    nothing: Option<u8>,
    something: Option<u8>,
    unit: (),
    pair: (u8, String),
    list: Vec<Vec<u8>>,
    shapes: Vec<Shape>,
    numbers: BTreeMap<u32, String>,
    wrapped: Wrapped,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    missing: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Wrapped(f64);

impl Record for Everything {}

fn everything() -> Everything {
    Everything {
        truth: true,
        signed: -5_000_000_000,
        unsigned: 65535,
        float: 0.5,
        letter: 'ü',
        text: "a text that is not short".into(),
        nothing: None,
        something: Some(7),
        unit: (),
        pair: (1, "two".into()),
        list: vec![vec![1, 2], vec![]],
        shapes: vec![
            Shape::Point,
            Shape::Circle(1.5),
            Shape::Line(-1, 2),
            Shape::Box {
                width: 3,
                height: 4,
            },
        ],
        numbers: BTreeMap::from([(1, "one".into()), (10, "ten".into())]),
        wrapped: Wrapped(2.5),
        kind: "all".into(),
        missing: 3,
    }
}

#[test]
fn what_goes_in_comes_out_again() {
    let mut interpreter = interpreter();
    interpreter.set_gc_stress(true);
    let original = everything();
    interpreter.set_global("x", &original).unwrap();
    // A copy that the script has made.
    run(&mut interpreter, "y = x + {}");
    assert_eq!(interpreter.global::<Everything>("y").unwrap(), original);
}

#[test]
fn scripts_see_maps_lists_and_numbers() {
    assert_eq!(
        write((true, 'x', "y", Some(1), ())).unwrap(),
        "[1, \"x\", \"y\", 1, null]"
    );
    assert_eq!(
        write([Shape::Point, Shape::Circle(0.5), Shape::Line(1, 2)]).unwrap(),
        "[\"Point\", {\"Circle\": 0.5}, {\"Line\": [1, 2]}]"
    );
    assert_eq!(write(BTreeMap::from([(2, "b")])).unwrap(), "{2: \"b\"}");
    assert_eq!(
        write(serde_json::json!({"a": [1.5, null]})).unwrap(),
        "{\"a\": [1.5, null]}"
    );
}

#[test]
fn records_are_arguments_and_results() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Point {
        x: f64,
        y: f64,
    }
    impl Record for Point {}

    let mirror = Intrinsic::new("mirror", |call| {
        let point: Point = call.argument(0)?;
        Ok(Point {
            x: point.y,
            y: point.x,
        })
    })
    .parameter("point");
    let mut interpreter = interpreter();
    interpreter.define(mirror).unwrap();
    run(
        &mut interpreter,
        "twice = function(point)\np = mirror(point)\nreturn {\"x\": p.x * 2, \"y\": p.y * 2}\nend function",
    );
    let result: Point = interpreter
        .call("twice", (Point { x: 1.0, y: 2.0 },))
        .unwrap();
    assert_eq!(result, Point { x: 4.0, y: 2.0 });
    interpreter.set_global("points", vec![result]).unwrap();
    let points: Vec<Point> = interpreter.global("points").unwrap();
    assert_eq!(points.len(), 1);
}

#[test]
fn fields_may_be_inherited_and_the_prototype_is_none() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Monster {
        strength: u32,
        name: String,
    }
    impl Record for Monster {}

    let mut interpreter = interpreter();
    run(
        &mut interpreter,
        "Monster = {\"strength\": 7, \"name\": \"?\"}\nm = new Monster\nm.name = \"Grom\"",
    );
    let monster: Monster = interpreter.global("m").unwrap();
    assert_eq!((monster.strength, &*monster.name), (7, "Grom"));
    run(&mut interpreter, "m.wings = 2");
    let error = interpreter.global::<Monster>("m").unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown field `wings`, expected `strength` or `name`"
    );
}

#[test]
fn errors_name_the_place() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Outer {
        items: Vec<Inner>,
        #[serde(default)]
        by_name: HashMap<String, Shape>,
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Inner {
        count: u8,
    }
    for (expression, expected) in [
        ("5", "invalid type: integer `5`, expected struct Outer"),
        ("{}", "missing field `items`"),
        (
            "{\"items\": [{\"count\": 1}, {}]}",
            "items[1]: missing field `count`",
        ),
        (
            "{\"items\": [{\"count\": 300}]}",
            "items[0].count: invalid value: integer `300`, expected u8",
        ),
        (
            "{\"items\": [{\"count\": 1.5}]}",
            "items[0].count: invalid type: floating point `1.5`, expected u8",
        ),
        (
            "{\"items\": [{\"count\": null}]}",
            "items[0].count: invalid type: unit value, expected u8",
        ),
        (
            "{\"items\": [{\"count\": @len}]}",
            "items[0].count: invalid type: function, expected u8",
        ),
        (
            "{\"items\": [], \"by_name\": {\"a\": {\"Box\": {\"width\": 1, \"height\": \"x\"}}}}",
            "by_name.a.Box.height: invalid type: string \"x\", expected u8",
        ),
        (
            "{\"items\": [], \"by_name\": {\"a\": \"Star\"}}",
            "by_name.a: unknown variant `Star`, expected one of `Point`, `Circle`, `Line`, `Box`",
        ),
        (
            "{\"items\": [], \"by_name\": {\"a\": {\"Circle\": 1, \"Line\": 2}}}",
            "by_name.a: a variant of an enum is a map with its name as the only key",
        ),
    ] {
        assert_eq!(
            read::<Outer>(expression).unwrap_err(),
            expected,
            "{expression}"
        );
    }
    let mut interpreter = interpreter();
    run(&mut interpreter, "x = {\"items\": [{\"count\": -1}]}");
    let Err(Error::Data(error)) = interpreter.global::<Data<Outer>>("x") else {
        panic!("an error was expected");
    };
    assert_eq!(error.path(), "items[0].count");
}

#[test]
fn numbers_that_scripts_cannot_hold_are_refused() {
    let error = write(BTreeMap::from([("big", vec![0, 1_u64 << 60])])).unwrap_err();
    assert_eq!(
        error,
        "big[1]: a script's number cannot be 1152921504606846976 exactly"
    );
    assert_eq!(write(1_u64 << 53).unwrap(), "9007199254740992");
    assert_eq!(read::<u64>("2 ^ 53").unwrap(), 1 << 53);
    assert_eq!(read::<i64>("-(2 ^ 53)").unwrap(), -(1 << 53));
    assert!(read::<u64>("2 ^ 60").is_err());
    assert_eq!(read::<f64>("2 ^ 60").unwrap(), 2_f64.powi(60));
}

#[test]
fn values_that_contain_themselves_are_refused() {
    let mut interpreter = interpreter();
    run(&mut interpreter, "x = [1]\nx.push x");
    let error = interpreter
        .global::<Data<serde_json::Value>>("x")
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the value is nested too deeply"),
        "{error}"
    );
    run(&mut interpreter, "m = {}\nm.m = m");
    assert!(interpreter.global::<Data<serde_json::Value>>("m").is_err());

    #[derive(Serialize)]
    struct Nested(Option<Box<[Nested; 1]>>);
    let deep = (0..1000).fold(Nested(None), |inner, _| Nested(Some(Box::new([inner]))));
    let error = write(deep).unwrap_err();
    assert!(error.ends_with("the data are nested too deeply"), "{error}");
}

/// A few lists that share each other can be more data than there is memory.
#[test]
fn shared_values_are_no_way_around_limits() {
    let mut interpreter = interpreter();
    run(
        &mut interpreter,
        "x = [1, 2, 3, 4, 5, 6, 7, 8]\nfor i in range(1, 40)\nx = [x, x]\nend for\nf = function\nreturn x\nend function",
    );
    let limits = Limits::default();
    assert!(limits.call_time.is_some());
    // The limit of time, or of size, whichever is reached first.
    let error = interpreter.call::<Data<Count>>("f", ()).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("the value is too large") || text.contains("the time limit is reached"),
        "{text}"
    );
}

/// Reads values without keeping them.
#[derive(Debug)]
struct Count;

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Count, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Count)
    }
}

#[test]
fn the_heap_limit_holds_for_data() {
    let limits = Limits {
        heap_bytes: 1 << 20,
        ..Limits::default()
    };
    let mut interpreter = Engine::new().interpreter().limits(limits).build().unwrap();
    let texts: Vec<String> = (0..10_000)
        .map(|n| format!("a text of some length {n}") + &"x".repeat(200))
        .collect();
    let error = interpreter.set_global("x", Data(texts)).unwrap_err();
    assert!(error.to_string().contains("the heap limit"), "{error}");
    run(&mut interpreter, "y = 1");
}
