//! The rules of the intermediate representation, broken one by one.

use kiln_ssa::text::parse;
use kiln_ssa::verifier::{Defect, verify};

fn defect(body: &str) -> Option<Defect> {
    let text = format!("function \"\"\n{body}\nend\n");
    let function = parse(&text).expect("the text is well formed");
    verify(&function).err().map(|error| error.defect)
}

fn value(number: u32) -> kiln_ssa::ir::Value {
    kiln_ssa::ir::Value(number)
}

#[test]
fn a_proper_function_is_accepted() {
    let body = "
b0:
  v0: tagged = argument r3
  v1: f64 truth = number 1.0
  jump b1(v1)
b1(v2: f64):
  v3: f64 = add_f64 v2, v1
  v4: bool = compare_f64 less, v3, v2
  branch v4, b1(v3), b2
b2:
  return_value v0";
    assert_eq!(defect(body), None);
}

#[test]
fn blocks_end_with_a_terminator() {
    assert_eq!(
        defect("b0:\n  v0: tagged null = null"),
        Some(Defect::Terminator)
    );
    let two = "b0:\n  v0: tagged null = null\n  return_value v0\n  return_value v0";
    assert_eq!(defect(two), Some(Defect::Terminator));
}

#[test]
fn nothing_leads_to_the_entry() {
    assert_eq!(defect("b0:\n  jump b0"), Some(Defect::Entry));
}

#[test]
fn operands_have_the_representation_of_the_table() {
    let body = "
b0:
  v0: tagged = argument r3
  v1: f64 = add_f64 v0, v0
  return_value v0";
    assert_eq!(defect(body), Some(Defect::Representation(value(0), "f64")));
}

#[test]
fn a_result_is_no_wider_than_the_table_says() {
    let body = "
b0:
  v0: tagged any = null
  return_value v0";
    assert_eq!(defect(body), Some(Defect::Result));
}

#[test]
fn definitions_dominate_uses() {
    let body = "
b0:
  v0: bool = truth true
  branch v0, b1, b2
b1:
  v1: tagged null = null
  jump b2
b2:
  return_value v1";
    assert_eq!(defect(body), Some(Defect::Dominance(value(1))));
    let in_a_frame = "
b0:
  poll frame0
  v0: tagged null = null
  return_value v0
frame0 = code0@0 r3=v0";
    assert_eq!(defect(in_a_frame), Some(Defect::Dominance(value(0))));
}

#[test]
fn arguments_fit_parameters() {
    let count = "
b0:
  jump b1
b1(v0: f64):
  v1: tagged number = box_f64 v0
  return_value v1";
    let block = kiln_ssa::ir::Block(1);
    assert_eq!(defect(count), Some(Defect::Arguments(block, 1, 0)));
    let representation = "
b0:
  v0: tagged = argument r3
  jump b1(v0)
b1(v1: f64):
  return_value v0";
    assert_eq!(
        defect(representation),
        Some(Defect::Representation(value(0), "f64"))
    );
}

#[test]
fn frame_states_hold_values_of_the_language() {
    let body = "
b0:
  v0: tagged = argument r3
  v1: pointer = list_elements v0
  poll frame0
  return_value v0
frame0 = code0@0 r3=v1";
    let frame = kiln_ssa::ir::FrameId(0);
    assert_eq!(defect(body), Some(Defect::FrameValue(frame)));
}

#[test]
fn inlined_windows_lie_above_their_callers() {
    let body = "
b0:
  poll frame0
  v0: tagged null = null
  return_value v0
frame0 = code1@0 in frame1
frame1 = code0@0";
    let caller = kiln_ssa::ir::FrameId(1);
    assert_eq!(defect(body), Some(Defect::Callers(caller)));
}
