//! The builder: encoding, labels, distances and tables.

mod common;

use common::builder;
use kiln_bytecode::{
    BuildError, CodeBlock, Constant, FeedbackIndex, FeedbackKind, Instruction, InvokePath,
    LineEntry, LoopInfo, Op, ReadMode, Register,
};

const X: Register = Register(3);
const Y: Register = Register(4);

fn ops(block: &CodeBlock) -> Vec<Op> {
    let decode = |instruction: &Instruction| instruction.op().unwrap();
    block.instructions.iter().map(decode).collect()
}

/// Follows a jump at `position` through the islands to where it ends, `taken` or not.
fn destination(block: &CodeBlock, position: usize, taken: bool) -> usize {
    let instruction = block.instructions[position];
    let mut at = position + 1;
    if taken {
        at = at.wrapping_add_signed(isize::from(instruction.c() as i16));
    }
    while block.instructions[at].op() == Some(Op::Jump) {
        let distance = block.instructions[at].bc() as i32;
        at = (at + 1).wrapping_add_signed(distance as isize);
    }
    at
}

#[test]
fn operands_fill_the_fields_in_the_order_of_the_table() {
    let mut builder = builder();
    let key = builder.member_feedback("name");
    builder.add(Y, X, Register(5));
    builder.get_member(Y, X, key, ReadMode::INVOKE);
    let call = builder.call_feedback();
    builder.call(Y, Register(10), call, 2);
    let block = builder.finish().unwrap();
    assert_eq!(block.instructions[0], Instruction::new(Op::Add, 0, 4, 3, 5));
    let get = Instruction::new(Op::GetMember, ReadMode::INVOKE.0, 4, 3, 0);
    assert_eq!(block.instructions[1], get);
    assert_eq!(
        block.instructions[2],
        Instruction::new(Op::Call, 2, 4, 10, 1)
    );
    assert_eq!(block.register_count, 15, "slots 10 to 12 and two arguments");
    assert_eq!(block.feedback[0].kind, FeedbackKind::Member);
    assert_eq!(block.feedback[1].kind, FeedbackKind::Call);
}

#[test]
fn unused_fields_take_no_argument_and_are_zero() {
    let mut builder = builder();
    let cell = builder.variable_feedback("super");
    builder.bind_super(X, cell);
    let block = builder.finish().unwrap();
    assert_eq!(
        block.instructions[0],
        Instruction::new(Op::BindSuper, 0, 3, 0, 0)
    );
}

#[test]
fn labels_work_in_both_directions() {
    let mut builder = builder();
    let head = builder.new_label();
    let end = builder.new_label();
    let counter = builder.add_loop(head, end, 7);
    builder.bind(head);
    builder.jump_if_less(X, Y, end);
    builder.loop_back(counter, head);
    builder.bind(end);
    builder.return_value(X);
    let block = builder.finish().unwrap();
    assert_eq!(block.instructions[0].c() as i16, 1);
    assert_eq!(block.instructions[1].bc() as i32, -2);
    let info = LoopInfo {
        header: 0,
        end: 2,
        line: 7,
    };
    assert_eq!(block.loops, [info]);
}

#[test]
fn equal_constants_share_an_index() {
    let mut builder = builder();
    let one = builder.number(1.0);
    assert_eq!(builder.number(1.0), one);
    assert_ne!(builder.number(0.0), builder.number(-0.0));
    let name = builder.string("name");
    assert_eq!(builder.string("name"), name);
    assert_eq!(builder.null(), builder.constant(Constant::Null));
    let odd_nan = f64::from_bits(0xFFFB_0000_0000_0001);
    assert_eq!(builder.number(odd_nan), builder.number(f64::NAN));
    let block = builder.finish().unwrap();
    assert_eq!(block.constants.len(), 6);
    let Constant::Number(nan) = block.constants[5] else {
        panic!("the NaN is the last constant");
    };
    assert_eq!(nan.to_bits(), f64::NAN.to_bits(), "no foreign NaN survives");
}

#[test]
fn a_global_has_one_index_for_each_name() {
    let mut builder = builder();
    let print = builder.global("print");
    let x = builder.global("x");
    assert_ne!(print, x);
    assert_eq!(builder.global("print"), print);
    builder.get_global(X, x, ReadMode::PLAIN);
    let block = builder.finish().unwrap();
    assert_eq!(block.globals, [0, 1]);
    assert_eq!(block.instructions[0].bc(), 1);
}

#[test]
fn an_index_above_16_bits_gets_a_wide_prefix() {
    let mut builder = builder();
    builder.invoke(X, X, FeedbackIndex(0xFFFF));
    builder.set_line(2);
    let end = builder.new_label();
    let position = builder.invoke(X, X, FeedbackIndex(0x2_0005));
    builder.add_invoke_path(position, end);
    builder.bind(end);
    builder.return_value(X);
    let block = builder.finish().unwrap();
    assert_eq!(ops(&block), [Op::Invoke, Op::Wide, Op::Invoke, Op::Return]);
    assert_eq!(block.instructions[1].a(), 2);
    assert_eq!(block.instructions[2].c(), 5);
    assert_eq!(block.line_at(1), 2, "the prefix belongs to its instruction");
    assert_eq!(block.invoke_path(2), Some(3));
}

#[test]
fn lines_are_ranges() {
    let mut builder = builder();
    builder.set_line(3);
    builder.set_line(4);
    builder.nop();
    builder.set_line(4);
    builder.nop();
    builder.set_line(9);
    builder.nop();
    builder.set_line(10);
    let block = builder.finish().unwrap();
    let entry = |start, line| LineEntry { start, line };
    assert_eq!(block.lines, [entry(0, 4), entry(2, 9)]);
}

#[test]
fn short_jumps_reach_targets_at_any_distance() {
    let mut builder = builder();
    let (head, middle, end) = (builder.new_label(), builder.here(), builder.new_label());
    builder.set_line(1);
    builder.bind(head);
    let forward = builder.jump_if_less(X, Y, end);
    builder.jump_if_equal(X, Y, middle);
    for _ in 0..40_000 {
        builder.negate(Y, X);
    }
    builder.set_line(2);
    let backward = builder.jump_if_greater(X, Y, head);
    builder.add_invoke_path(backward, end);
    builder.add_invoke_path(forward, end);
    builder.bind(end);
    builder.set_line(3);
    builder.return_value(X);
    let block = builder.finish().unwrap();

    // The far jumps at both ends have grown by two instructions, the near one has not.
    assert_eq!(block.instructions.len(), 1 + 1 + 40_000 + 1 + 1 + 4);
    let (forward, near, backward, end) = (0, 3, 40_004, 40_007);
    assert_eq!(block.instructions[backward].op(), Some(Op::JumpIfGreater));
    assert_eq!(destination(&block, forward, true), end);
    assert_eq!(destination(&block, forward, false), near);
    assert_eq!(destination(&block, near, true), 0);
    assert_eq!(destination(&block, backward, true), 0);
    assert_eq!(destination(&block, backward, false), end);

    let path = |from: usize| InvokePath {
        from: from as u32,
        to: end as u32,
    };
    assert_eq!(block.invoke_paths, [path(forward), path(backward)]);
    assert_eq!(block.line_at(2), 1);
    assert_eq!(block.line_at(backward as u32 + 2), 2);
    assert_eq!(block.line_at(end as u32), 3);
}

#[test]
fn many_jumps_that_grow_push_each_other_out_of_reach() {
    // Without islands every jump reaches its target with little to spare.
    let mut builder = builder();
    let end = builder.new_label();
    let jumps = 1_000;
    for _ in 0..jumps {
        builder.jump_if_less(X, Y, end);
    }
    for _ in 0..32_500 {
        builder.negate(Y, X);
    }
    builder.bind(end);
    builder.return_value(X);
    let block = builder.finish().unwrap();
    let end = block.instructions.len() - 1;
    for (position, op) in ops(&block).into_iter().enumerate() {
        if op == Op::JumpIfLess {
            assert_eq!(destination(&block, position, true), end);
        }
    }
    assert!(block.instructions.len() > jumps + 32_501);
}

#[test]
fn mistakes_are_reported_at_the_end() {
    let mut unbound = builder();
    let label = unbound.new_label();
    unbound.jump(label);
    assert_eq!(unbound.finish(), Err(BuildError::UnboundLabel(label)));

    let mut twice = builder();
    let label = twice.here();
    twice.bind(label);
    assert_eq!(twice.finish(), Err(BuildError::LabelBoundTwice(label)));

    let mut foreign = builder();
    foreign.bind(label);
    assert_eq!(foreign.finish(), Err(BuildError::Foreign));

    let mut pair = builder();
    pair.slice(X, Y, Register(u16::MAX));
    assert_eq!(pair.finish(), Err(BuildError::TooManyRegisters));

    let mut constants = builder();
    for number in 0..=0xFFFF {
        constants.number(f64::from(number));
    }
    let far = constants.number(-1.0);
    assert!(!far.fits_16_bits());
    constants.add_constant(X, X, far);
    assert_eq!(constants.finish(), Err(BuildError::ConstantOutOfReach(far)));

    let mut paths = builder();
    let position = paths.negate(X, Y);
    let label = paths.here();
    paths.add_invoke_path(position, label);
    paths.add_invoke_path(position, label);
    assert_eq!(paths.finish(), Err(BuildError::TwoInvokePaths(position)));
}

#[test]
fn parameters_arrive_in_registers_behind_super() {
    let mut builder = builder();
    let first = builder.add_parameter("self", Constant::Null);
    let second = builder.add_parameter("count", 1.0);
    builder.self_parameter = true;
    assert_eq!((first, second), (Register(3), Register(4)));
    let block = builder.finish().unwrap();
    assert_eq!(block.register_count, 5);
    assert_eq!(block.parameters[1].default, Constant::Number(1.0));
}
