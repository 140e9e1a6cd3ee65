//! Entry point of the suite `kiln_tests::examples`.

use std::process::ExitCode;

fn main() -> ExitCode {
    kiln_tests::examples::main(env!("CARGO_BIN_EXE_kiln"))
}
