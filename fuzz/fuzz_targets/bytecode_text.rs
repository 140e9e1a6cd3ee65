//! Any text is bytecode or a parse error; what the verifier accepts can be run and reads back as it is printed.

#![no_main]

use std::sync::Arc;

use kiln_fuzz::{Mode, run};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(block) = kiln_bytecode::parse(text) else {
        return;
    };
    let printed = block.to_string();
    if kiln_bytecode::verify(&block).is_ok() {
        let read = kiln_bytecode::parse(&printed);
        assert_eq!(read.expect("what is printed can be read"), block);
        let program = Arc::new(block);
        run(&program, Mode::interpreter());
        run(&program, Mode::compiled());
    }
});
