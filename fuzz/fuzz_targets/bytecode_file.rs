//! Any bytes are a compiled file or an error; what is loaded has been verified, so it can be run.

#![no_main]

use kiln_fuzz::{Mode, run};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(program) = kiln::load_compiled(bytes) {
        let _ = program.to_string();
        run(&program, Mode::interpreter());
        run(&program, Mode::compiled());
    }
});
