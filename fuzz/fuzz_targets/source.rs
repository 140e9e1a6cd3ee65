//! Any bytes are a program or a report; a program's bytecode is valid, and survives being printed and written.

#![no_main]

use kiln::{CompileOptions, Stage};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = kiln::dump("fuzz.ms", bytes, Stage::Tokens);
    match kiln::compile("fuzz.ms", bytes, CompileOptions::default()) {
        Ok(program) => {
            kiln_bytecode::verify(&program).expect("what the emitter makes is valid");
            let read = kiln_bytecode::parse(&program.to_string());
            assert_eq!(read.expect("what is printed can be read"), *program);
            let read = kiln::load_compiled(&kiln::save_compiled(&program));
            assert_eq!(read.expect("what is written can be read"), program);
        }
        Err(errors) => assert!(!errors.render(false).is_empty()),
    }
});
