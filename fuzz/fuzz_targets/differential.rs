//! Generated programs do the same in every mode. The input decides what the generator chooses.

#![no_main]

use kiln::CompileOptions;
use kiln_fuzz::{Mode, run};
use kiln_tests::generate;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = generate::from_bytes(bytes).to_string();
    let program = kiln::compile("program.ms", text.as_bytes(), CompileOptions::default());
    let program = match program {
        Ok(program) => program,
        Err(errors) => panic!("{}\n{text}", errors.render(false)),
    };
    let Some(expected) = run(&program, Mode::interpreter()) else {
        return;
    };
    for mode in [
        Mode::compiled(),
        Mode::warm(),
        Mode::warm().with_gc_stress(),
    ] {
        if let Some(actual) = run(&program, mode.clone()) {
            assert_eq!(expected, actual, "{mode:?}, in this program:\n{text}");
        }
    }
});
