//! What programs may cost, and that running out of memory or stack leaves the interpreter sound.

use kiln::{CompileOptions, Engine, Interpreter, Limits, Outcome};

fn interpreter(limits: Limits) -> Interpreter {
    Engine::new().interpreter().limits(limits).build().unwrap()
}

fn run(interpreter: &mut Interpreter, program: &str) -> Result<Outcome, String> {
    let block = kiln::compile("test", program.as_bytes(), CompileOptions::default()).unwrap();
    interpreter
        .run(&block)
        .map_err(|error| error.error.to_string())
}

#[test]
fn defaults_of_very_many_parameters_stay_on_the_stack() {
    let parameters: Vec<String> = (0..60_000)
        .map(|index| format!("p{index}={index}"))
        .collect();
    let program = format!(
        "f = function({})\nreturn 1\nend function\nf",
        parameters.join(",")
    );
    let mut interpreter = interpreter(Limits {
        stack_registers: 1000,
        ..Limits::default()
    });
    assert_eq!(
        run(&mut interpreter, &program),
        Err("Call stack overflow".into())
    );
}

#[test]
fn a_prototype_that_finds_no_memory_for_a_key_keeps_its_shape() {
    // However full the heap is, some of these prototypes meet the limit when their slots have to grow.
    for ballast in (0..4_000).step_by(800) {
        let mut interpreter = interpreter(Limits {
            heap_bytes: 3 << 20,
            ..Limits::default()
        });
        let program = format!(
            "keep = []\nall = []\nfor i in range(1, {ballast} + 1)\nkeep.push [i, i, i, i]\nend for\n\
             while true\nP = {{}}\nchild = new P\nall.push child\n\
             for j in range(1, 60)\nP[\"k\" + j] = j\nend for\nend while"
        );
        let ending = run(&mut interpreter, &program);
        assert!(ending.is_err(), "{ending:?}");
        let check = "keep = null\nfor o in all\np = o.__isa\nfor j in range(1, p.len)\n\
                     if p.len and p[\"k\" + j] != j then wrong_key\nif p.len == 0 then break\nend for\nend for";
        assert_eq!(run(&mut interpreter, check), Ok(Outcome::Finished));
    }
}
