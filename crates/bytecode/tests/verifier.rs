//! What the verifier accepts and what it rejects.

mod common;

use std::sync::Arc;

use common::{Random, builder, every_instruction, fibonacci, top_level};
use kiln_bytecode::verifier::MAX_FUNCTION_DEPTH;
use kiln_bytecode::{
    CodeBlock, CodeBlockBuilder, Constant, Defect, FeedbackIndex, FeedbackInfo, FeedbackKind,
    FunctionIndex, GlobalRegister, Instruction, InvokePath, LineEntry, LoopIndex, Op, ReadMode,
    Register, SourceSpan, SpanEntry, from_bytes, parse, to_bytes, verify,
};

const A: Register = Register(3);
const B: Register = Register(4);

/// The defect found in a function that returns null after what `emit` emits.
fn defect_of(emit: impl FnOnce(&mut CodeBlockBuilder)) -> Option<Defect> {
    let block = build(emit);
    verify(&block).err().map(|error| error.defect)
}

fn build(emit: impl FnOnce(&mut CodeBlockBuilder)) -> CodeBlock {
    let mut builder = builder();
    let null = builder.null();
    builder.load_constant(A, null);
    builder.load_constant(B, null);
    emit(&mut builder);
    builder.return_value(A);
    builder.finish().unwrap()
}

/// The defect of the Fibonacci function after `change`.
fn defect_after(change: impl FnOnce(&mut CodeBlock)) -> Option<Defect> {
    let mut block = fibonacci();
    change(&mut block);
    verify(&block).err().map(|error| error.defect)
}

#[test]
fn valid_blocks_are_accepted() {
    assert_eq!(verify(&fibonacci()), Ok(()));
    assert_eq!(verify(&top_level()), Ok(()));
    for seed in 0..50 {
        assert_eq!(verify(&every_instruction(seed)), Ok(()));
    }
}

#[test]
fn instructions_must_be_of_the_table() {
    let unknown = Op::COUNT as u8;
    let replace = |instruction| defect_after(move |block| block.instructions[0] = instruction);
    assert_eq!(
        replace(Instruction(u64::from(unknown))),
        Some(Defect::UnknownOpcode(unknown))
    );
    let stray = Instruction::new(Op::Negate, 0, 3, 3, 1);
    assert_eq!(replace(stray), Some(Defect::UnusedField));
    let stray = Instruction::new(Op::BindSuper, 0, 3, 3, 1);
    assert_eq!(replace(stray), Some(Defect::UnusedField));
    let observed = Instruction::new(Op::Add, 1, 3, 3, 3);
    assert_eq!(replace(observed), Some(Defect::Flags(1)));
    let mode = Instruction::new_32(Op::GetGlobal, 16, 3, 0);
    assert_eq!(replace(mode), Some(Defect::Flags(16)));
}

#[test]
fn operands_must_exist() {
    let build = |emit: fn(&mut CodeBlockBuilder)| defect_of(emit);
    assert_eq!(
        build(|it| {
            it.load_constant(A, kiln_bytecode::ConstantIndex(9));
        }),
        Some(Defect::NoConstant(9))
    );
    assert_eq!(
        build(|it| {
            it.get_global(A, kiln_bytecode::GlobalIndex(1), ReadMode::PLAIN);
        }),
        Some(Defect::NoGlobal(1))
    );
    assert_eq!(
        build(|it| {
            it.invoke(A, A, FeedbackIndex(2));
        }),
        Some(Defect::NoFeedback(2))
    );
    assert_eq!(
        build(|it| {
            it.new_function(A, FunctionIndex(70_000));
        }),
        Some(Defect::NoFunction(70_000))
    );
    assert_eq!(
        build(|it| {
            let head = it.here();
            it.loop_back(LoopIndex(3), head);
        }),
        Some(Defect::NoLoop(3))
    );
    assert_eq!(
        build(|it| {
            let next = it.new_label();
            it.for_loop(A, A, next, LoopIndex(0));
            it.bind(next);
        }),
        Some(Defect::Flags(0)),
        "there is no loop to count"
    );
}

#[test]
fn registers_pairs_and_windows_fit_the_frame() {
    let shrunk = |count, emit: fn(&mut CodeBlockBuilder)| {
        let mut block = build(emit);
        block.register_count = count;
        verify(&block).err().map(|error| error.defect)
    };
    let out_of_range = |register| Some(Defect::RegisterOutOfRange(Register(register)));
    let copy = |it: &mut CodeBlockBuilder| {
        it.move_register(A, Register(5));
    };
    assert_eq!(shrunk(5, copy), out_of_range(5));
    let slice = |it: &mut CodeBlockBuilder| {
        it.slice(A, A, B);
    };
    assert_eq!(shrunk(5, slice), out_of_range(4));
    let call = |it: &mut CodeBlockBuilder| {
        let feedback = it.call_feedback();
        it.call(A, Register(5), feedback, 2);
    };
    assert_eq!(shrunk(9, call), out_of_range(5));
    assert_eq!(shrunk(2, copy), Some(Defect::RegisterCount(2)));
    assert_eq!(shrunk(70_000, copy), Some(Defect::RegisterCount(70_000)));
    let low = |it: &mut CodeBlockBuilder| {
        let feedback = it.call_feedback();
        it.call(A, Register(2), feedback, 0);
    };
    assert_eq!(defect_of(low), Some(Defect::WindowTooLow(Register(2))));
}

#[test]
fn a_right_operand_constant_is_a_number() {
    let defect = defect_of(|it| {
        let text = it.string("text");
        it.add_constant(A, A, text);
    });
    assert_eq!(defect, Some(Defect::NotANumber(1)));
}

#[test]
fn a_message_is_a_string() {
    let throw = |message: Constant| {
        defect_of(|it| {
            let message = it.constant(message);
            it.throw(message);
        })
    };
    assert_eq!(throw("a message".into()), None);
    assert_eq!(throw(1.0.into()), Some(Defect::NotAString(1)));
}

#[test]
fn a_feedback_cell_suits_its_instruction() {
    let defect = defect_of(|it| {
        let cell = it.call_feedback();
        it.get_member(A, A, cell, ReadMode::PLAIN);
    });
    let expected = FeedbackKind::Member;
    assert_eq!(defect, Some(Defect::FeedbackKind { index: 0, expected }));

    let keyed = |kind, key| defect_after(|it| it.feedback.push(FeedbackInfo { kind, key }));
    assert_eq!(keyed(FeedbackKind::Member, 0), Some(Defect::NotAString(0)));
    assert_eq!(
        keyed(FeedbackKind::Variable, 99),
        Some(Defect::NotAString(99))
    );
    assert_eq!(keyed(FeedbackKind::Call, 1), Some(Defect::KeyOfCall(4)));
}

#[test]
fn a_wide_prefix_extends_what_follows() {
    let wide = |high| Instruction::new(Op::Wide, 0, high, 0, 0);
    let prefixed = |prefix, instruction| {
        let mut block = build(|it| {
            it.nop();
            it.nop();
        });
        block.instructions[2..4].copy_from_slice(&[prefix, instruction]);
        verify(&block).err().map(|error| error.defect)
    };
    let invoke = Instruction::new(Op::Invoke, 0, 3, 3, 5);
    assert_eq!(
        prefixed(wide(1), invoke),
        Some(Defect::NoFeedback(0x1_0005))
    );
    assert_eq!(prefixed(wide(0), invoke), Some(Defect::Wide));
    assert_eq!(prefixed(wide(1), wide(1)), Some(Defect::Wide));
    assert_eq!(
        prefixed(wide(1), Instruction::new(Op::Nop, 0, 0, 0, 0)),
        Some(Defect::Wide)
    );
}

#[test]
fn jumps_land_on_instructions() {
    let jump = |distance: i32| {
        let jump = Instruction::new_32(Op::Jump, 0, 0, distance as u32);
        defect_after(|block| block.instructions[0] = jump)
    };
    let length = fibonacci().instructions.len() as i64;
    assert_eq!(jump(length as i32 - 1), Some(Defect::JumpTarget(length)));
    assert_eq!(jump(-2), Some(Defect::JumpTarget(-1)));

    let mut block = build(|it| {
        for _ in 0..=0x1_0000 {
            it.call_feedback();
        }
        it.invoke(A, B, FeedbackIndex(0x1_0000));
    });
    assert_eq!(verify(&block), Ok(()));
    block.instructions[0] = Instruction::new_32(Op::Jump, 0, 0, 2);
    let error = verify(&block).unwrap_err();
    assert_eq!(error.defect, Defect::JumpTarget(3), "behind the prefix");
    assert_eq!(error.position, Some(0));
}

#[test]
fn control_stays_inside() {
    let empty = builder().finish().unwrap();
    assert_eq!(verify(&empty).unwrap_err().defect, Defect::RunsOffTheEnd);
    let mut block = build(|_| {});
    block.instructions.pop();
    assert_eq!(verify(&block).unwrap_err().defect, Defect::RunsOffTheEnd);
}

#[test]
fn registers_are_written_before_they_are_read() {
    let unwritten = defect_of(|it| {
        it.add(A, A, Register(5));
    });
    assert_eq!(unwritten, Some(Defect::Uninitialized(Register(5))));

    let on_one_way_only = defect_of(|it| {
        let end = it.new_label();
        it.jump_if_true(A, end);
        it.negate(Register(5), A);
        it.bind(end);
        it.negate(A, Register(5));
    });
    assert_eq!(on_one_way_only, Some(Defect::Uninitialized(Register(5))));

    let super_not_passed = |uses_super| {
        defect_of(|it| {
            it.uses_super = uses_super;
            it.move_register(A, Register::SUPER);
        })
    };
    assert_eq!(
        super_not_passed(false),
        Some(Defect::Uninitialized(Register::SUPER))
    );
    assert_eq!(super_not_passed(true), None);

    let callee = defect_of(|it| {
        it.move_register(Register::CALLEE, A);
    });
    assert_eq!(callee, Some(Defect::CalleeWritten));
}

#[test]
fn nothing_survives_in_the_window_of_a_call() {
    let window = Register(5);
    let call = |read_later: Register| {
        defect_of(move |it| {
            let feedback = it.call_feedback();
            it.move_register(window, A);
            it.move_register(window.offset(3), A);
            it.call(window, window, feedback, 1);
            it.move_register(A, read_later);
        })
    };
    assert_eq!(call(window), None, "the result may lie in the window");
    assert_eq!(
        call(window.offset(3)),
        Some(Defect::Overwritten(Register(8)))
    );
}

#[test]
fn loops_can_be_interrupted() {
    let mut with_jump = build(|it| {
        let head = it.here();
        it.jump_if_true(A, head);
    });
    let error = verify(&with_jump).unwrap_err();
    assert_eq!(error.defect, Defect::UninterruptibleLoop);
    // The same loop through `loop_back`.
    with_jump = build(|it| {
        let (head, end) = (it.here(), it.new_label());
        let counter = it.add_loop(head, end, 1);
        it.jump_if_false(A, end);
        it.loop_back(counter, head);
        it.bind(end);
    });
    assert_eq!(verify(&with_jump), Ok(()));
    // A conditional form polls where it jumps, and only there.
    let conditional = |goes_on_there: bool| {
        let block = build(|it| {
            let (head, end) = (it.here(), it.new_label());
            let counter = it.add_loop(head, end, 1);
            it.loop_if_less(A, A, head, counter);
            if !goes_on_there {
                it.jump(head);
            }
            it.bind(end);
        });
        verify(&block).map_err(|error| error.defect)
    };
    assert_eq!(conditional(true), Ok(()));
    assert_eq!(conditional(false), Err(Defect::UninterruptibleLoop));
}

#[test]
fn tables_are_in_order() {
    let lines = |lines: &[LineEntry]| defect_after(|block| block.lines = lines.to_vec());
    let entry = |start| LineEntry { start, line: 1 };
    assert_eq!(lines(&[entry(3), entry(3)]), Some(Defect::LineEntry(1)));
    assert_eq!(lines(&[entry(1000)]), Some(Defect::LineEntry(0)));
    let spans = |spans: &[SpanEntry]| defect_after(|block| block.spans = spans.to_vec());
    let span = SourceSpan {
        line: 1,
        column: 1,
        end_line: 1,
        end_column: 2,
    };
    let entry = |start| SpanEntry { start, span };
    assert_eq!(spans(&[entry(3), entry(3)]), Some(Defect::SpanEntry(1)));
    assert_eq!(spans(&[entry(1000)]), Some(Defect::SpanEntry(0)));

    let paths = |paths: &[InvokePath]| defect_after(|it| it.invoke_paths = paths.to_vec());
    let path = |from, to| InvokePath { from, to };
    assert_eq!(
        paths(&[path(2, 3), path(1, 3)]),
        Some(Defect::InvokePath(1))
    );
    assert_eq!(paths(&[path(0, 1000)]), Some(Defect::InvokePath(0)));
    assert_eq!(paths(&[path(1000, 0)]), Some(Defect::InvokePath(0)));

    let mut block = top_level();
    block.loops[1].end = block.loops[1].header;
    assert_eq!(verify(&block).unwrap_err().defect, Defect::LoopExtent(1));

    assert_eq!(
        defect_after(|it| it.globals.push(0)),
        Some(Defect::NotAString(0))
    );
    assert_eq!(
        defect_after(|it| it.variables_register = Some(Register(9))),
        Some(Defect::RegisterOutOfRange(Register(9)))
    );
    assert_eq!(
        defect_after(|it| {
            it.parameters.clear();
            it.self_parameter = true;
        }),
        Some(Defect::NoSelfParameter)
    );
    let forged = f64::from_bits(0xFFFA_0000_1234_5678);
    assert_eq!(
        defect_after(|it| it.constants.push(Constant::Number(forged))),
        Some(Defect::ForeignNan)
    );
}

#[test]
fn nested_functions_are_verified_too() {
    let mut inner = fibonacci();
    inner.instructions[1] = Instruction(0xFF);
    let mut outer = fibonacci();
    outer.functions = vec![Arc::new(fibonacci()), Arc::new(inner)];
    let error = verify(&outer).unwrap_err();
    assert_eq!(error.function, [1]);
    assert_eq!(
        error.to_string(),
        "invalid bytecode in function 1 at 1: there is no instruction with opcode 255"
    );

    let mut nested = fibonacci();
    for _ in 0..MAX_FUNCTION_DEPTH {
        let mut outer = fibonacci();
        outer.functions = vec![Arc::new(nested)];
        nested = outer;
    }
    assert_eq!(verify(&nested), Ok(()));
    let mut outer = fibonacci();
    outer.functions = vec![Arc::new(nested)];
    assert_eq!(verify(&outer).unwrap_err().defect, Defect::NestedTooDeep);
}

/// Changes something at random.
fn mutate(block: &mut CodeBlock, random: &mut Random) {
    let count = block.instructions.len() as u32;
    let at = random.below(count) as usize;
    match random.below(10) {
        0 => block.instructions[at] = Instruction(random.next()),
        1 => block.instructions[at] = block.instructions[random.below(count) as usize],
        2..6 => block.instructions[at].0 ^= 1 << random.below(64),
        6 => block.register_count = random.below(80),
        7 => {
            block.feedback.truncate(random.below(20) as usize);
        }
        8 => {
            let (from, to) = (random.below(count + 5), random.below(count + 5));
            block.invoke_paths.push(InvokePath { from, to });
        }
        _ => {
            block.instructions.truncate(at);
        }
    }
}

#[test]
fn mutated_blocks_never_make_it_panic() {
    let mut random = Random::new(7);
    let (mut accepted, mut rejected) = (0, 0);
    for round in 0..20_000 {
        let mut block = match round % 3 {
            0 => fibonacci(),
            1 => top_level(),
            _ => every_instruction(round),
        };
        for _ in 0..=random.below(3) {
            if !block.instructions.is_empty() {
                mutate(&mut block, &mut random);
            }
        }
        match verify(&block) {
            Ok(()) => accepted += 1,
            Err(error) => {
                error.to_string();
                rejected += 1;
            }
        }
    }
    assert!(accepted > 500, "mutations are not all fatal: {accepted}");
    assert!(rejected > 5_000, "nor harmless: {rejected}");
}

#[test]
fn random_words_never_make_it_panic() {
    let mut random = Random::new(8);
    for _ in 0..20_000 {
        let mut block = top_level();
        for instruction in &mut block.instructions {
            // Valid opcodes and small operands, to get past the first checks.
            let op = Op::ALL[random.below(Op::COUNT as u32) as usize];
            let mut field = || random.below(8) as u16;
            *instruction = Instruction::new(op, 0, field(), field(), 0);
        }
        assert!(verify(&block).is_err());
    }
}

#[test]
fn a_for_loop_whose_jump_has_grown_is_as_good_as_any() {
    let block = build(|it| {
        let (test, body, end) = (it.new_label(), it.new_label(), it.new_label());
        let counter = it.add_loop(body, end, 1);
        let state = Register(5);
        it.move_register(state, A);
        it.move_register(state.offset(1), A);
        it.jump(test);
        it.bind(body);
        for _ in 0..40_000 {
            it.add(A, A, B);
        }
        it.bind(test);
        it.for_loop(B, state, body, counter);
        it.bind(end);
    });
    assert_eq!(verify(&block), Ok(()));
}

/// A top level that reads a global variable in registers 5 and 6 without having written them, after a call.
fn bound_global(window: Register) -> CodeBlock {
    let mut block = build(|builder| {
        let total = builder.global("total");
        builder.bind_global(Register(5), total);
        let function = builder.null();
        builder.load_constant(window, function);
        let feedback = builder.call_feedback();
        builder.call(A, window, feedback, 0);
        builder.add(A, A, Register(5));
    });
    block.is_top_level = true;
    block
}

#[test]
fn registers_of_globals_have_values_and_are_always_live() {
    assert_eq!(verify(&bound_global(Register(7))), Ok(()));
    assert_eq!(
        verify(&bound_global(Register(4))).map_err(|error| error.defect),
        Err(Defect::Overwritten(Register(5)))
    );
}

#[test]
fn registers_of_globals_lie_side_by_side_in_the_frame_of_a_top_level() {
    let defect = |change: fn(&mut CodeBlock)| {
        let mut block = bound_global(Register(7));
        change(&mut block);
        verify(&block).err().map(|error| error.defect)
    };
    let misplaced = |register| Some(Defect::GlobalRegister(Register(register)));
    assert_eq!(defect(|it| it.is_top_level = false), misplaced(5));
    assert_eq!(
        defect(|it| it.global_registers[0].register = Register(2)),
        misplaced(2)
    );
    assert_eq!(
        defect(|it| it.global_registers[0].register = Register(it.register_count as u16 - 1)),
        misplaced(9)
    );
    assert_eq!(
        defect(|it| {
            let overlapping = GlobalRegister {
                register: Register(6),
                global: 0,
            };
            it.global_registers.push(overlapping);
        }),
        misplaced(6)
    );
    assert_eq!(
        defect(|it| it.global_registers[0].global = 1),
        Some(Defect::NoGlobal(1))
    );
}

#[test]
fn registers_of_globals_survive_text_and_files() {
    let block = bound_global(Register(7));
    assert!(block.to_string().contains("  global_register r5 = g0\n"));
    assert_eq!(parse(&block.to_string()), Ok(block.clone()));
    assert_eq!(from_bytes(&to_bytes(&block)).as_ref(), Ok(&block));
}
