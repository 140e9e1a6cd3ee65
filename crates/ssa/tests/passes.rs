//! One pass at a time: each folder in `tests/passes` has the name of a pass, each case in it a function and what the pass makes of it.

mod common;

use kiln_ssa::pipeline::pass;
use kiln_ssa::text::parse;
use kiln_ssa::verifier::verify;

fn check_pass(name: &str) {
    let pass = pass(name).expect("there is such a pass");
    common::check_cases(&format!("passes/{name}"), |input| {
        let mut function = parse(input).unwrap_or_else(|error| panic!("{error}\n{input}"));
        if let Err(error) = verify(&function) {
            panic!("{error}\n{input}");
        }
        (pass.run)(&mut function);
        if let Err(error) = verify(&function) {
            panic!("behind {name}: {error}\n{function}");
        }
        function.to_string()
    });
}

macro_rules! pass_tests {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            check_pass(stringify!($name));
        })*

        #[test]
        fn every_pass_has_cases() {
            for pass in kiln_ssa::pipeline::PASSES {
                assert!([$(stringify!($name)),*].contains(&pass.name), "{} has none", pass.name);
            }
        }
    };
}

pass_tests! {
    checkpoints
    cold_blocks
    control_flow
    dead_code
    entry_guards
    global_promotion
    guards
    kinds
    loop_invariants
    loop_rotation
    memory
    ranges
    unboxing
    value_numbering
}
