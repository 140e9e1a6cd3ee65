//! What optimized code may rely on, and that it hears when that ends.

use std::sync::Arc;

use kiln::{CompileOptions, Engine, Interpreter, Outcome};
use kiln_vm::Value;
use kiln_vm::watch::{Validity, stores_to_globals};

struct Session(Interpreter);

impl Session {
    fn new(program: &str) -> Session {
        let interpreter = Engine::new().interpreter().build().unwrap();
        let mut session = Session(interpreter);
        session.run(program);
        session
    }

    fn run(&mut self, program: &str) {
        let block = kiln::compile("test", program.as_bytes(), CompileOptions::default()).unwrap();
        let outcome = self.0.run(&block).map_err(|error| error.error.to_string());
        assert_eq!(outcome, Ok(Outcome::Finished));
    }

    /// What code may take a global variable for, and the validity of that code.
    fn constant(&mut self, name: &str) -> (Option<Value>, Arc<Validity>) {
        let validity = Validity::new();
        let vm = self.0.vm();
        let name = vm.intern(name).ok().unwrap();
        let number = vm.global_index(name);
        (vm.constant_global(number, &validity), validity)
    }

    /// What code may take a member of the map in the global variable `A` for, and the validity of that code.
    fn slot(&mut self, member: &str) -> (Option<Value>, Arc<Validity>) {
        let validity = Validity::new();
        let (map, _) = self.constant("A");
        let map = map.and_then(Value::as_map).unwrap();
        let vm = self.0.vm();
        let key = vm.intern(member).ok().unwrap();
        let slot = vm.slot_of(map, key);
        let value = slot.and_then(|slot| vm.constant_slot(map, slot, &validity));
        (value, validity)
    }

    fn number(&mut self, name: &str) -> (Option<f64>, Arc<Validity>) {
        let (value, validity) = self.constant(name);
        (value.and_then(Value::as_number), validity)
    }
}

/// The stores that code may make to the global `x`.
fn stores(program: &str) -> u8 {
    let block = kiln::compile("test", program.as_bytes(), CompileOptions::default()).unwrap();
    let counts = stores_to_globals(&block);
    let names = block.globals.iter().zip(counts);
    let mut of_x = names.filter(|(name, _)| {
        block.constants[**name as usize] == kiln_bytecode::Constant::String("x".into())
    });
    of_x.next().map_or(0, |(_, count)| count)
}

#[test]
fn stores_in_code_are_counted_as_far_as_they_can_happen() {
    assert_eq!(stores("print x"), 0);
    assert_eq!(stores("x = 1\nprint x"), 1);
    assert_eq!(stores("x = function\nend function"), 1);
    assert_eq!(stores("x = 1\nx = 2"), 2);
    assert_eq!(stores("x = 1\nx += 1"), 2);
    assert_eq!(stores("while true\nx = 1\nend while"), 2);
    assert_eq!(stores("for x in [1]\nend for"), 2);
    assert_eq!(stores("for y in [1]\nend for\nx = 1"), 1);
    assert_eq!(stores("for y in [1]\nif y then x = 1\nend for"), 2);
}

#[test]
fn a_variable_stored_once_is_a_constant() {
    let mut session = Session::new("x = 5\ny = 1\ny = 2");
    let (value, validity) = session.number("x");
    assert_eq!(value, Some(5.0));
    assert!(validity.is_valid());
    assert_eq!(session.number("y").0, None);
    session.run("print x");
    assert!(validity.is_valid(), "reading changes nothing");
}

#[test]
fn each_further_store_ends_it() {
    for change in [
        "x = 6",
        "if false then x = 6",
        "globals.x = 6",
        "globals[\"x\"] = 6",
        "f = function\nglobals.x = 6\nend function\nf",
        "globals.remove \"x\"",
        "for x in range(3)\nend for",
        "m = globals\nm.x = 6",
    ] {
        let mut session = Session::new("x = 5");
        let (value, validity) = session.number("x");
        assert_eq!(value, Some(5.0));
        session.run(change);
        assert!(!validity.is_valid(), "{change}");
        assert_eq!(session.number("x").0, None, "{change}");
    }
}

#[test]
fn a_program_that_runs_again_stores_again() {
    let mut session = Session::new("");
    let block = kiln::compile("test", b"x = 5", CompileOptions::default()).unwrap();
    assert!(session.0.run(&block).is_ok());
    let (value, validity) = session.number("x");
    assert_eq!(value, Some(5.0));
    assert!(session.0.run(&block).is_ok());
    assert!(!validity.is_valid());
}

#[test]
fn an_intrinsic_is_a_constant_until_a_variable_has_its_name() {
    for change in ["len = 5", "globals.len = 5", "for len in [1]\nend for"] {
        let mut session = Session::new("print len([1])");
        let (value, validity) = session.constant("len");
        assert!(value.is_some_and(Value::is_function));
        session.run(change);
        assert!(!validity.is_valid(), "{change}");
    }
}

#[test]
fn members_may_move_when_prototypes_change() {
    for change in [
        "A.g = 1",
        "A.remove \"f\"",
        "string.shout = 1",
        "A.__isa = {}",
        "B = {\"__isa\": A}\nB.h = 1\nc = new B\nB.i = 1",
    ] {
        let mut session = Session::new("A = {\"f\": 1}\na = new A\nprint a.f");
        let validity = Validity::new();
        session.0.vm().watch_prototypes(&validity);
        session.run("a.x = 1\nb = new A\nb.y = 2\nprint b.f");
        assert!(validity.is_valid(), "objects are no prototypes");
        session.run(change);
        assert!(!validity.is_valid(), "{change}");
    }
}

#[test]
fn a_revoked_validity_stays_so_and_others_are_not_touched() {
    let mut session = Session::new("x = 5\ny = 6");
    let (_, on_x) = session.number("x");
    let (_, on_y) = session.number("y");
    session.run("x = 7");
    session.run("print x");
    assert!(!on_x.is_valid());
    assert!(on_y.is_valid());
    // SAFETY: both validities are alive.
    let bytes = unsafe { [on_x.address().read(), on_y.address().read()] };
    assert_eq!(bytes, [0, 1]);
}

const CLASS: &str = "A = {\"f\": 1, \"g\": 2}\na = new A\nfor i in range(1, 9)\na.x = A.f + a.g\nend for\n\
    store = function(map, value)\nmap.f = value\nend function\n\
    for i in range(1, 9)\nstore A, i\nend for\nstore a, 1";

#[test]
fn a_member_of_a_prototype_is_a_constant_until_the_next_store() {
    for change in [
        "A.f = 6",
        "store A, 6",
        "for m in [a, A]\nstore m, 6\nend for",
        "A[\"f\"] = 6",
        "A.f += 1",
        "A.remove \"f\"",
        "A[5] = 6",
        "B = new A\nC = {\"__isa\": B}\nB.f = 1\nfor m in [C, B, A]\nstore m, 7\nend for",
    ] {
        let mut session = Session::new(CLASS);
        let (value, validity) = session.slot("f");
        assert_eq!(value.and_then(Value::as_number), Some(9.0));
        session.run(
            "print A.f\na.f = 3\nstore a, 4\nb = new A\nstore b, 1\nA.g = 5\nA.h = 6\nA.h = 7",
        );
        assert!(validity.is_valid(), "only other slots were stored to");
        session.run(change);
        assert!(!validity.is_valid(), "{change}");
        assert!(session.slot("f").0.is_none(), "{change}");
    }
}

#[test]
fn the_same_value_may_be_stored_again() {
    let mut session = Session::new(CLASS);
    let (_, validity) = session.slot("f");
    session.run("A.f = 9\nstore A, 9");
    assert!(validity.is_valid());
}

#[test]
fn stores_to_watched_members_are_noticed_in_the_middle_of_a_loop() {
    let mut session = Session::new(CLASS);
    let (_, on_f) = session.slot("f");
    let (_, on_g) = session.slot("g");
    session.run("for i in range(1, 50)\nif i == 40 then store A, i else store a, i\nend for");
    assert!(!on_f.is_valid());
    assert!(on_g.is_valid());
    assert_eq!(session.slot("g").0.and_then(Value::as_number), Some(2.0));
    session.run("A.i = 1\nA.g = 3");
    assert!(
        !on_g.is_valid(),
        "watches move with the prototype to its next shape"
    );
}

#[test]
fn members_of_ordinary_maps_and_of_tables_are_no_constants() {
    assert!(Session::new("A = {\"f\": 1}").slot("f").0.is_none());
    let table = "A = {\"f\": 1, 5: 5}\na = new A";
    assert!(Session::new(table).slot("f").0.is_none());
    let isa = "A = {\"__isa\": {}}\na = new A";
    assert!(Session::new(isa).slot("__isa").0.is_none());
}
