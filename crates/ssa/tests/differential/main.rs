//! Random programs, as the reference machine runs them and as they run optimized: with feedback from other inputs than they are then given,
//! with guards that fail without reason, entered at the beginning and in mid-loop.

mod evaluator;
mod generator;
mod machine;

use std::collections::HashMap;
use std::sync::Arc;

use fastrand::Rng;
use kiln_bytecode::Op;
use kiln_ssa::CompileJob;
use kiln_ssa::entity::Entity;
use kiln_ssa::ir::{Entry, Function, Kinds};
use kiln_ssa::job::{
    CallFeedback, CallTarget, CodeId, ConstantInput, GlobalId, GlobalInput, SiteFeedback,
};
use kiln_ssa::pipeline::{Options, optimize};

use generator::GLOBALS;
use machine::{Machine, Stop, Value};

const OUTER: CodeId = CodeId(0);
const INNER: CodeId = CodeId(1);

/// What a run is given.
#[derive(Clone)]
struct Input {
    arguments: Vec<Value>,
    heap: Vec<Vec<Value>>,
    globals: Vec<Value>,
}

/// What a run leaves behind.
#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    result: Result<Value, Stop>,
    heap: Vec<Vec<Value>>,
    globals: Vec<Value>,
}

fn number(rng: &mut Rng) -> Value {
    const NUMBERS: [f64; 8] = [0.0, 1.0, 2.0, 3.5, -1.0, -0.0, 5.0, f64::INFINITY];
    Value::Number(NUMBERS[rng.usize(..NUMBERS.len())])
}

fn value(rng: &mut Rng, oddity: u32) -> Value {
    match rng.u32(..20) {
        odd if odd < oddity => Value::Null,
        8..=12 => Value::List(rng.usize(..2)),
        _ => number(rng),
    }
}

fn input(rng: &mut Rng, oddity: u32) -> Input {
    let heap = (0..2)
        .map(|_| (0..rng.usize(..5)).map(|_| number(rng)).collect())
        .collect();
    let mut globals: Vec<Value> = (0..GLOBALS).map(|_| value(rng, oddity)).collect();
    globals[0] = Value::Function(INNER);
    Input {
        arguments: (0..3).map(|_| value(rng, oddity)).collect(),
        heap,
        globals,
    }
}

/// Registers in front of instructions at loop headers: states to enter optimized code with.
type Entries = HashMap<u32, (Vec<Value>, Input)>;

/// Runs a program as it is; notes what instructions have seen and the states at loop headers.
fn reference(
    job: &CompileJob,
    input: &Input,
    mut seen: Option<&mut HashMap<(CodeId, u32), Kinds>>,
) -> Outcome {
    let mut machine = Machine::new(job, input.heap.clone(), input.globals.clone());
    let result = machine.call(OUTER, &input.arguments, &mut |code, position, registers| {
        if let Some(seen) = &mut seen {
            let kinds = observed(job, code, position, registers);
            let entry = seen.entry((code, position)).or_default();
            *entry = entry.union(kinds);
        }
    });
    Outcome {
        result,
        heap: machine.heap,
        globals: machine.globals,
    }
}

/// The kinds of what an instruction's feedback is about.
fn observed(job: &CompileJob, code: CodeId, position: u32, registers: &[Value]) -> Kinds {
    let block = &job.codes[code].block;
    let instruction = block.instructions[position as usize];
    let kinds = |register: u16| registers[usize::from(register)].kinds();
    match instruction.op() {
        Some(Op::GetIndex | Op::ForLoop) => kinds(instruction.b()),
        Some(Op::SetIndex) => kinds(instruction.a()),
        Some(Op::Call | Op::Append | Op::GetGlobal | Op::SetGlobal) => Kinds::NONE,
        _ => {
            let mut all = Kinds::NONE;
            let read = kiln_ssa::ir::runtime_inputs(block, instruction);
            read.into_iter()
                .for_each(|register| all = all.union(kinds(register.0)));
            all
        }
    }
}

/// Turns what was observed into feedback.
fn give_feedback(job: &mut CompileJob, seen: &HashMap<(CodeId, u32), Kinds>, rng: &mut Rng) {
    for code in [OUTER, INNER] {
        job.codes[code].calls = 100;
        for position in 0..job.codes[code].block.instructions.len() as u32 {
            let feedback = match seen.get(&(code, position)) {
                None if rng.u32(..4) > 0 => SiteFeedback::NeverRun,
                Some(&kinds) => match job.codes[code].instruction(position).op() {
                    _ if rng.u32(..12) == 0 => SiteFeedback::Unknown,
                    Some(Op::GetIndex | Op::SetIndex | Op::ForLoop) => {
                        SiteFeedback::Container(kinds)
                    }
                    Some(Op::Call) => SiteFeedback::Call(CallFeedback {
                        targets: vec![CallTarget::Code(INNER)],
                        is_open: false,
                    }),
                    _ => SiteFeedback::Operands(kinds),
                },
                None => SiteFeedback::Unknown,
            };
            job.codes[code].set_feedback(position, feedback);
        }
    }
    for global in 0..GLOBALS {
        job.globals[GlobalId::from_index(global)] = match rng.u32(..3) {
            0 => GlobalInput::Unknown,
            1 if global == 0 => {
                let function = ConstantInput {
                    kinds: Kinds::FUNCTION,
                    code: Some(INNER),
                    ..ConstantInput::default()
                };
                GlobalInput::Constant(job.constants.push(function))
            }
            _ => GlobalInput::Assigned,
        };
    }
}

fn new_job(rng: &mut Rng) -> CompileJob {
    let block = Arc::new(generator::program(rng));
    if let Err(error) = kiln_bytecode::verify(&block) {
        panic!("{error}\n{block}");
    }
    let mut job = CompileJob::new(block.clone());
    let inner = job.add_code(block.functions[0].clone());
    // Both functions name the same variables.
    job.codes[inner].globals = job.codes[OUTER].globals.clone();
    job
}

fn optimized(job: &CompileJob, options: &Options) -> Function {
    let mut last = String::new();
    let mut observe = |_: &kiln_ssa::pipeline::Step, function: &Function| {
        last = function.to_string();
    };
    match optimize(job, options, &mut observe) {
        Ok(function) => function,
        Err(error) => panic!("{error}\n{}\n{last}", job.codes[OUTER].block),
    }
}

fn evaluate(
    job: &CompileJob,
    function: &Function,
    registers: &[Value],
    input: &Input,
    guards_left: Option<u32>,
) -> Outcome {
    let mut machine = Machine::new(job, input.heap.clone(), input.globals.clone());
    let result = evaluator::run(function, &mut machine, registers, guards_left);
    Outcome {
        result,
        heap: machine.heap,
        globals: machine.globals,
    }
}

fn window(input: &Input) -> Vec<Value> {
    let mut registers = vec![Value::Function(OUTER), Value::Unassigned, Value::Unassigned];
    registers.extend(&input.arguments);
    registers
}

/// The states at the loop headers of the outer function that a run comes by first.
fn entries(job: &CompileJob, input: &Input) -> Entries {
    let mut machine = Machine::new(job, input.heap.clone(), input.globals.clone());
    let headers: Vec<u32> = job.codes[OUTER]
        .block
        .loops
        .iter()
        .map(|one| one.header)
        .collect();
    let mut found = Entries::new();
    let mut registers = vec![Value::Null; job.codes[OUTER].block.register_count as usize];
    registers[..6].copy_from_slice(&window(input));
    let mut position = 0;
    while machine.burn().is_ok() {
        if headers.contains(&position) {
            let state = Input {
                arguments: Vec::new(),
                heap: machine.heap.clone(),
                globals: machine.globals.clone(),
            };
            found.entry(position).or_insert((registers.clone(), state));
        }
        match machine.step(OUTER, &mut registers, position, &mut |_, _, _| {}) {
            Ok(machine::Flow::Next(next)) => position = next,
            _ => break,
        }
    }
    found
}

fn check(seed: u64, options: &Options) {
    let mut rng = Rng::with_seed(seed);
    let mut job = new_job(&mut rng);
    let oddity = rng.u32(..4);
    let inputs: Vec<Input> = (0..3).map(|_| input(&mut rng, oddity)).collect();
    let mut seen = HashMap::new();
    reference(&job, &inputs[0], Some(&mut seen));
    give_feedback(&mut job, &seen, &mut rng);
    let function = optimized(&job, options);
    for input in &inputs {
        let expected = reference(&job, input, None);
        if expected.result == Err(Stop::OutOfFuel) {
            continue;
        }
        for guards_left in [None, Some(0), Some(rng.u32(..10)), Some(rng.u32(..60))] {
            let found = evaluate(&job, &function, &window(input), input, guards_left);
            if found.result != Err(Stop::OutOfFuel) {
                assert_eq!(
                    found, expected,
                    "seed {seed}, guard {guards_left:?}\n{}\n{function}",
                    job.codes[OUTER].block
                );
            }
        }
    }
    for (header, (registers, state)) in entries(&job, &inputs[1]) {
        job.entry = Entry::Loop(header);
        let function = optimized(&job, options);
        let mut machine = Machine::new(&job, state.heap.clone(), state.globals.clone());
        let result = machine.resume(OUTER, &mut registers.clone(), header, &mut |_, _, _| {});
        let expected = Outcome {
            result,
            heap: machine.heap,
            globals: machine.globals,
        };
        if expected.result == Err(Stop::OutOfFuel) {
            continue;
        }
        for guards_left in [None, Some(rng.u32(..20))] {
            let found = evaluate(&job, &function, &registers, &state, guards_left);
            if found.result != Err(Stop::OutOfFuel) {
                assert_eq!(
                    found, expected,
                    "seed {seed}, entered at {header}, guard {guards_left:?}\n{}\n{function}",
                    job.codes[OUTER].block
                );
            }
        }
    }
}

/// How many programs to try: more with `KILN_PROGRAMS` in the environment.
fn programs() -> u64 {
    let number = std::env::var("KILN_PROGRAMS").ok();
    number.and_then(|number| number.parse().ok()).unwrap_or(400)
}

#[test]
fn optimized_programs_do_what_bytecode_does() {
    let options = Options {
        verify: true,
        ..Options::default()
    };
    for seed in 0..programs() {
        check(seed, &options);
    }
}

#[test]
fn so_they_do_behind_every_pass() {
    for seed in 0..programs() / 4 {
        let options = Options {
            stop_after: Some((seed % 28) as usize),
            verify: true,
            ..Options::default()
        };
        check(seed, &options);
    }
}
