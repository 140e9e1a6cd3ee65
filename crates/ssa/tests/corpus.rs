//! Real programs with made-up feedback: whatever is claimed to have been observed, what comes out keeps the rules.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fastrand::Rng;
use kiln_bytecode::{CodeBlock, Op};
use kiln_frontend::miniscript;
use kiln_frontend::source::Source;
use kiln_ssa::CompileJob;
use kiln_ssa::entity::Entity;
use kiln_ssa::ir::{Entry, Kinds, SlotIndex};
use kiln_ssa::job::{
    CallFeedback, CallTarget, CodeId, ConstantId, ConstantInput, GlobalId, GlobalInput, Intrinsic,
    MemberAccess, MemberCase, MemberFeedback, Receiver, ShapeId, SiteFeedback,
};
use kiln_ssa::pipeline::{Options, optimize};

/// A map, a function with code and an intrinsic: the constants of every job.
const MAP: ConstantId = ConstantId(0);
const FUNCTION: ConstantId = ConstantId(1);
const INTRINSIC: ConstantId = ConstantId(2);

fn programs(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            programs(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "ms") {
            found.push(path);
        }
    }
}

fn compile(file: &Path) -> Option<CodeBlock> {
    let text = fs::read(file).ok()?;
    let source = Source::from_file("program.ms", &text).ok()?;
    // Some programs of the corpus are wrong on purpose.
    let program = miniscript::parse(&source).ok()?;
    let options = miniscript::Options {
        keep_results: false,
    };
    miniscript::emit(&program, &source, options)
        .ok()
        .map(|block| (*block).clone())
}

/// All code blocks of a program in one job.
fn job(block: CodeBlock) -> CompileJob {
    let mut job = CompileJob::new(Arc::new(block));
    let mut next = 0;
    while next < job.codes.len() {
        let functions = job.codes[CodeId::from_index(next)].block.functions.clone();
        for function in functions {
            job.add_code(function);
        }
        next += 1;
    }
    let of = |kinds| ConstantInput {
        kinds,
        ..ConstantInput::default()
    };
    job.constants.push(of(Kinds::MAP));
    job.constants.push(ConstantInput {
        code: Some(CodeId(job.codes.len() as u32 - 1)),
        ..of(Kinds::FUNCTION)
    });
    job.constants.push(ConstantInput {
        intrinsic: Some(Intrinsic::Length),
        ..of(Kinds::FUNCTION)
    });
    job
}

fn kinds(rng: &mut Rng) -> Kinds {
    const SETS: [Kinds; 6] = [
        Kinds::NUMBER,
        Kinds::NUMBER,
        Kinds::TRUTH,
        Kinds::STRING,
        Kinds::LIST,
        Kinds::ANY,
    ];
    SETS[rng.usize(..SETS.len())]
}

fn calls(job: &CompileJob, rng: &mut Rng) -> CallFeedback {
    let target = match rng.u32(..4) {
        0 => return CallFeedback::default(),
        1 => CallTarget::Constant(FUNCTION),
        _ => CallTarget::Code(CodeId(rng.u32(..job.codes.len() as u32))),
    };
    CallFeedback {
        targets: vec![target],
        is_open: rng.u32(..8) == 0,
    }
}

fn member(job: &CompileJob, rng: &mut Rng) -> MemberFeedback {
    let case = |rng: &mut Rng| {
        let receiver = match rng.u32(..4) {
            0 => Receiver::Kind(Kinds::LIST),
            _ => Receiver::Shape(ShapeId(rng.u32(1..4))),
        };
        let access = match rng.u32(..4) {
            0 => MemberAccess::Add(SlotIndex::anywhere(rng.u32(..3)), ShapeId(rng.u32(1..4))),
            1 => MemberAccess::Inherited {
                holder: MAP,
                slot: SlotIndex::anywhere(rng.u32(..3)),
                value: [None, Some(FUNCTION), Some(INTRINSIC)][rng.usize(..3)],
            },
            _ => MemberAccess::Own(SlotIndex::anywhere(rng.u32(..3))),
        };
        MemberCase { receiver, access }
    };
    MemberFeedback {
        cases: (0..rng.u32(1..4)).map(|_| case(rng)).collect(),
        is_open: rng.u32(..8) == 0,
        calls: calls(job, rng),
    }
}

fn make_up_feedback(job: &mut CompileJob, rng: &mut Rng) {
    for code in 0..job.codes.len() {
        let code = CodeId::from_index(code);
        job.codes[code].calls = 100;
        for position in 0..job.codes[code].block.instructions.len() as u32 {
            let op = job.codes[code].instruction(position).op();
            let feedback = match op {
                _ if rng.u32(..20) == 0 => SiteFeedback::NeverRun,
                _ if rng.u32(..10) == 0 => SiteFeedback::Unknown,
                Some(Op::GetIndex | Op::SetIndex | Op::ForLoop) => {
                    SiteFeedback::Container([Kinds::LIST, Kinds::RANGE, Kinds::MAP][rng.usize(..3)])
                }
                Some(Op::Call | Op::Invoke | Op::GetGlobal | Op::ReadLocal) => {
                    SiteFeedback::Call(calls(job, rng))
                }
                Some(
                    Op::GetMember
                    | Op::SetMember
                    | Op::InitMember
                    | Op::CallMember
                    | Op::GetVariable
                    | Op::SetVariable
                    | Op::GetOuterVariable,
                ) => SiteFeedback::Member(member(job, rng)),
                _ => SiteFeedback::Operands(kinds(rng)),
            };
            job.codes[code].set_feedback(position, feedback);
        }
    }
    for global in 0..job.globals.len() {
        job.globals[GlobalId::from_index(global)] = match rng.u32(..4) {
            0 => GlobalInput::Unknown,
            1 => GlobalInput::Constant(FUNCTION),
            2 => GlobalInput::Intrinsic(INTRINSIC),
            _ => GlobalInput::Assigned,
        };
    }
}

fn check(job: &CompileJob, file: &Path) {
    let options = Options {
        verify: true,
        ..Options::default()
    };
    let mut last = String::new();
    let result = optimize(job, &options, &mut |step, function| {
        last = format!("{}\n{function}", step.pass);
    });
    if let Err(error) = result {
        let block = &job.codes[job.root].block;
        panic!("{}: {error}\n{block}\n{last}", file.display());
    }
}

#[test]
fn every_function_of_the_corpus_can_be_optimized() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for folder in ["tests/corpus", "benches", "examples"] {
        programs(&root.join(folder), &mut files);
    }
    files.sort();
    let mut rng = Rng::with_seed(1);
    let mut functions = 0;
    for file in &files {
        let Some(block) = compile(file) else { continue };
        let mut job = job(block);
        for round in 0..2 {
            if round > 0 {
                make_up_feedback(&mut job, &mut rng);
            }
            for code in 0..job.codes.len().min(12) {
                job.root = CodeId::from_index(code);
                job.entry = Entry::Call;
                if job.codes[job.root].block.instructions.len() > 1000 {
                    continue;
                }
                check(&job, file);
                functions += 1;
                let loops = job.codes[job.root].block.loops.clone();
                for one in loops.into_iter().take(1) {
                    job.entry = Entry::Loop(one.header);
                    check(&job, file);
                }
            }
        }
    }
    assert!(functions > 500, "only {functions} functions were found");
}
