//! Generated programs do the same in every mode. The input decides what the generator chooses.

#![no_main]

use kiln::CompileOptions;
use kiln_tests::generate;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = generate::from_bytes(bytes).to_string();
    let program = kiln::compile("program.ms", text.as_bytes(), CompileOptions::default());
    let program = match program {
        Ok(program) => program,
        Err(errors) => panic!("{}\n{text}", errors.render(false)),
    };
    let Some(expected) = kiln_fuzz::run(&program, false) else {
        return;
    };
    if let Some(actual) = kiln_fuzz::run(&program, true) {
        assert_eq!(expected, actual, "in this program:\n{text}");
    }
});
