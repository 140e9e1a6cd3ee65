//! All passes in a row: each case in `tests/pipeline` is a compile job and what it is optimized to.

mod common;

use kiln_ssa::CompileJob;
use kiln_ssa::pipeline::{Options, PASSES, optimize};

#[test]
fn jobs_are_optimized_as_expected() {
    common::check_cases("pipeline", |input| {
        let job = CompileJob::parse(input).unwrap_or_else(|error| panic!("{error}\n{input}"));
        let options = Options {
            verify: true,
            ..Options::default()
        };
        let mut steps = 0;
        let mut last = String::new();
        let function = optimize(&job, &options, &mut |step, function| {
            steps += 1;
            if std::env::var_os("KILN_DUMP").is_some() {
                println!("; {}\n{function}", step.pass);
            }
            last = function.to_string();
        });
        let function = function.unwrap_or_else(|error| panic!("{error}\n{last}"));
        assert_eq!(steps, PASSES.len() + 1);
        function.to_string()
    });
}

#[test]
fn the_pipeline_can_be_cut_short() {
    let job = CompileJob::parse(
        "function \"\"
  language miniscript1
  origin \"one.ms\"
  registers 4
  constant c0 = 1.0
  code
    load_constant r3, c0
    return_value r3
end
",
    )
    .expect("the job is well formed");
    let options = Options {
        stop_after: Some(2),
        skip: vec!["control_flow".to_owned()],
        verify: true,
    };
    let mut passes = Vec::new();
    optimize(&job, &options, &mut |step, _| passes.push(step.pass)).expect("the job is small");
    assert_eq!(passes, ["build", "dead_code"]);
}
