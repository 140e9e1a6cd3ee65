//! Entry point of the suite `kiln_tests::robustness`.

use std::process::ExitCode;

fn main() -> ExitCode {
    kiln_tests::robustness::main(env!("CARGO_BIN_EXE_kiln"))
}
