//! Bytecode and feedback to SSA form: each case in `tests/build` is a compile job and what it is built to.

mod common;

use kiln_ssa::CompileJob;
use kiln_ssa::build::build;
use kiln_ssa::verifier::verify_with_job;

#[test]
fn jobs_are_built_as_expected() {
    common::check_cases("build", |input| {
        let job = CompileJob::parse(input).unwrap_or_else(|error| panic!("{error}\n{input}"));
        let function = build(&job).expect("the job is within its limits");
        if let Err(error) = verify_with_job(&function, &job) {
            panic!("{error}\n{function}");
        }
        let text = function.to_string();
        let parsed = kiln_ssa::text::parse(&text).expect("what is printed can be read");
        assert_eq!(parsed.to_string(), text);
        text
    });
}
