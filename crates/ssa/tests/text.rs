//! Functions as text.

use kiln_ssa::ir::Node;
use kiln_ssa::text::{Problem, parse};

const COUNTDOWN: &str = r#"function "countdown" at @2
depends on prototypes
depends on constant constant3 slot1
depends on constant global2
b0:
  v0: tagged = load_register r3
  v1: f64 = guard_number v0, frame0
  jump b1(v1)
b1(v2: f64):
  v3: f64 truth = number 1.0
  v4: f64 = subtract_f64 v2, v3
  v5: f64 inexact = number -0.0
  v6: bool = compare_f64 greater, v4, v5
  poll frame1
  branch v6, b1(v4), b2
b2 cold:
  v7: tagged number|string = runtime_value code0@7 add, [v0, v0], frame2
  v8: tagged list|map = guard_kind v7, list|map, frame1
  v9: bool truth = truth true
  return_value v7
frame0 = code0@2 r0=v0 r3=v0
frame1 = code1@5 +7 r3=v0 in frame2
frame2 = code0@7
end
"#;

#[test]
fn what_is_printed_can_be_read() {
    let text = COUNTDOWN.replace("bool truth", "bool");
    let function = parse(&text).expect("the text is well formed");
    assert_eq!(function.to_string(), text);
}

#[test]
fn every_instruction_of_the_table_has_its_own_name() {
    let mut names: Vec<&str> = Node::TABLE.iter().map(|row| row.name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

fn problem(body: &str) -> Problem {
    let text = format!("function \"\"\n{body}end\n");
    parse(&text).expect_err("the text is wrong").problem
}

#[test]
fn mistakes_are_reported() {
    let unknown = Problem::Unknown("frobnicate".to_owned());
    assert_eq!(problem("b0:\n  frobnicate v0\n"), unknown);
    let undefined = |what: &str| Problem::Undefined(what.to_owned());
    assert_eq!(problem("b0:\n  return_value v7\n"), undefined("v7"));
    assert_eq!(problem("b0:\n  jump b1\n"), undefined("b1"));
    assert_eq!(problem("b0:\n  poll frame0\n"), undefined("frame0"));
    let twice = "b0:\n  v0: tagged null = null\n  v0: tagged null = null\n";
    assert_eq!(problem(twice), Problem::DefinedTwice(0));
    let large = "b0:\n  v4294967295: tagged null = null\n";
    assert_eq!(problem(large), Problem::Expected("a smaller number"));
}
