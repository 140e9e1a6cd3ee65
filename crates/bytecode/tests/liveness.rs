//! Live registers, shown on small functions.

mod common;

use common::{builder, fibonacci, top_level};
use kiln_bytecode::{CodeBlock, Liveness, Op, Register, RegisterSet};

const A: Register = Register(3);
const B: Register = Register(4);
const C: Register = Register(5);

/// The live registers that are no part of every frame.
fn live(block: &CodeBlock, position: u32) -> Vec<u16> {
    let set = Liveness::of(block).unwrap().at(position);
    assert!(
        set.contains(Register::CALLEE),
        "the callee identifies the frame"
    );
    set.iter_from(Register(1))
        .map(|register| register.0)
        .collect()
}

fn position_of(block: &CodeBlock, op: Op) -> u32 {
    let mut instructions = block.instructions.iter();
    instructions.position(|it| it.op() == Some(op)).unwrap() as u32
}

#[test]
fn a_register_lives_from_its_definition_to_its_last_use() {
    let mut builder = builder();
    let one = builder.number(1.0);
    builder.load_constant(A, one);
    builder.load_constant(B, one);
    builder.add(C, A, B);
    builder.add(C, C, B);
    builder.return_value(C);
    let block = builder.finish().unwrap();
    assert_eq!(live(&block, 0), []);
    assert_eq!(live(&block, 1), [3]);
    assert_eq!(live(&block, 2), [3, 4]);
    assert_eq!(live(&block, 3), [4, 5]);
    assert_eq!(live(&block, 4), [5]);
}

#[test]
fn what_a_loop_reads_in_its_next_pass_lives_throughout() {
    let mut builder = builder();
    let one = builder.number(1.0);
    builder.load_constant(A, one);
    builder.load_constant(B, one);
    let (head, end) = (builder.here(), builder.new_label());
    let counter = builder.add_loop(head, end, 1);
    builder.jump_if_less(A, B, end);
    builder.subtract(A, A, B);
    builder.loop_back(counter, head);
    builder.bind(end);
    builder.return_value(A);
    let block = builder.finish().unwrap();
    assert_eq!(live(&block, 4), [3, 4], "before going back");
    assert_eq!(live(&block, 5), [3], "behind the loop");
}

#[test]
fn a_call_reads_callee_and_arguments_and_overwrites_its_window() {
    let mut builder = builder();
    let window = Register(10);
    let feedback = builder.call_feedback();
    builder.load_unassigned(A);
    for slot in [0, 3, 4, 6] {
        builder.load_unassigned(window.offset(slot));
    }
    builder.call(B, window, feedback, 2);
    builder.add(A, A, B);
    builder.return_value(A);
    let block = builder.finish().unwrap();
    assert_eq!(live(&block, 5), [3, 10, 13, 14]);
    assert_eq!(live(&block, 6), [3, 4]);
}

#[test]
fn each_kind_of_call_reads_the_slots_it_does_not_fill_itself() {
    let mut builder = builder();
    let window = Register(10);
    let key = builder.member_feedback("key");
    builder.call_member(A, window, key, 1);
    builder.return_value(A);
    builder.call_super(A, window, key, 0);
    builder.return_value(A);
    builder.call_index(A, window, C, 0);
    builder.return_value(A);
    let block = builder.finish().unwrap();
    assert_eq!(live(&block, 0), [11, 13]);
    assert_eq!(live(&block, 2), [11, 12]);
    assert_eq!(live(&block, 4), [5, 11]);
}

#[test]
fn a_for_loop_leaves_its_variable_alone_when_it_ends() {
    let mut builder = builder();
    let (test, body, end) = (
        builder.new_label(),
        builder.new_label(),
        builder.new_label(),
    );
    let counter = builder.add_loop(body, end, 1);
    builder.jump(test);
    builder.bind(body);
    builder.nop();
    builder.bind(test);
    builder.for_loop(A, B, body, counter);
    builder.bind(end);
    builder.return_value(A);
    let block = builder.finish().unwrap();
    assert_eq!(
        live(&block, 0),
        [3, 4, 5],
        "an empty sequence keeps the old value"
    );
    // In the body the variable has been written; it is live because the loop may end next.
    assert_eq!(live(&block, 1), [3, 4, 5]);
}

#[test]
fn a_range_keeps_the_window_for_the_call_that_may_follow() {
    let block = top_level();
    let make_range = position_of(&block, Op::MakeRange);
    assert_eq!(live(&block, make_range), [1, 6, 9, 10]);
    assert_eq!(live(&block, make_range + 1), [1, 6, 9, 10]);
    assert_eq!(live(&block, make_range + 2), [1, 4], "the range alone");
}

#[test]
fn an_invoke_path_reads_what_it_evaluates_again() {
    let mut builder = builder();
    let slow = builder.new_label();
    let fast = builder.add(A, A, A);
    builder.add_invoke_path(fast, slow);
    builder.return_value(A);
    builder.bind(slow);
    builder.add(A, A, C);
    builder.return_value(A);
    let block = builder.finish().unwrap();
    assert_eq!(live(&block, 0), [3, 5]);
    assert_eq!(live(&block, 1), [3]);
}

#[test]
fn code_that_other_code_may_name_variables_of_keeps_the_variable_map() {
    let mut builder = builder();
    builder.variables_register = Some(C);
    builder.new_variables(C);
    let x = builder.global("x");
    builder.get_global(A, x, kiln_bytecode::ReadMode::INVOKE);
    builder.return_value(A);
    let block = builder.finish().unwrap();
    assert_eq!(live(&block, 1), [5]);
    assert_eq!(live(&block, 2), [3]);
}

#[test]
fn all_sites_agree_with_single_positions() {
    for block in [fibonacci(), top_level(), common::every_instruction(1)] {
        let liveness = Liveness::of(&block).unwrap();
        let mut sites = Vec::new();
        liveness.for_each_site(|position, before, after| {
            assert_eq!(*before, liveness.at(position));
            let instruction = block.instructions[position as usize];
            let mut successors = RegisterSet::with_room_for(block.register_count);
            let next = position + 1;
            let falls_through = instruction.op().unwrap().falls_through();
            let target = instruction.jump_target(position).map(|to| to as u32);
            for successor in target.into_iter().chain(falls_through.then_some(next)) {
                liveness
                    .at(successor)
                    .iter()
                    .for_each(|it| successors.insert(it));
            }
            assert_eq!(*after, successors, "after {position}");
            sites.push(position);
        });
        assert_eq!(sites.len(), block.instructions.len());
    }
}

#[test]
fn register_sets() {
    let mut set = RegisterSet::with_room_for(200);
    for register in [0, 63, 64, 130, 199, 1000] {
        set.insert(Register(register));
    }
    let numbers = |set: &RegisterSet, from| {
        let registers = set.iter_from(Register(from));
        registers.map(|register| register.0).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&set, 0), [0, 63, 64, 130, 199]);
    assert_eq!(numbers(&set, 64), [64, 130, 199]);
    assert_eq!(numbers(&set, 65), [130, 199]);
    set.remove(Register(63));
    set.remove_from(Register(131));
    assert_eq!(numbers(&set, 0), [0, 64, 130]);
    assert!(!set.contains(Register(1000)));
}
