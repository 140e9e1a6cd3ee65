//! Code blocks to test with.
#![allow(dead_code, reason = "every test file uses a part of these")]

use std::sync::Arc;

use kiln_bytecode::{
    CodeBlock, CodeBlockBuilder, Constant, Effects, FeedbackInfo, FlagUse, Instruction, Language,
    LineEntry, LoopInfo, Op, Origin, ReadMode, Register, Role,
};

pub fn builder() -> CodeBlockBuilder {
    let origin = Origin {
        file: "test.ms".into(),
        module: None,
    };
    CodeBlockBuilder::start(Language::MiniScript1, Arc::new(origin))
}

/// ```text
/// fib = function(n=10)
///     if n < 2 then return n
///     return fib(n-1) + fib(n-2)
/// end function
/// ```
pub fn fibonacci() -> CodeBlock {
    let mut builder = builder();
    builder.name = "fib".into();
    builder.line = 1;
    let n = builder.add_parameter("n", 10.0);
    builder.name_register(n, "n");
    let (left, window) = (Register(4), Register(5));
    let (one, two) = (builder.number(1.0), builder.number(2.0));
    let (fib, recurse) = (builder.global("fib"), builder.new_label());
    let slow = builder.new_label();

    builder.set_line(2);
    let test = builder.jump_if_not_less_constant(n, two, recurse);
    builder.add_invoke_path(test, slow);
    let result = builder.call_feedback();
    builder.invoke(left, n, result);
    builder.return_value(left);
    builder.set_line(3);
    builder.bind(recurse);
    for (argument, dst) in [(one, left), (two, window)] {
        builder.subtract_constant(window.offset(3), n, argument);
        builder.get_global(window, fib, ReadMode::PLAIN);
        let feedback = builder.call_feedback();
        builder.call(dst, window, feedback, 1);
    }
    builder.add(left, left, window);
    builder.return_value(left);
    // The condition again, for an `n` that is a function.
    builder.set_line(2);
    builder.bind(slow);
    let feedback = builder.call_feedback();
    builder.invoke(left, n, feedback);
    builder.jump_if_not_less_constant(left, two, recurse);
    builder.return_value(left);
    builder.finish().unwrap()
}

/// ```text
/// total = 0
/// for i in range(1, 100)
///     total = total + i
/// end for
/// while total > 0.5
///     total = total - 1
/// end while
/// f = function; return "a ""string"" with ; and\ttabs"; end function
/// ```
pub fn top_level() -> CodeBlock {
    let mut builder = builder();
    builder.is_top_level = true;
    let mut inner = CodeBlockBuilder::start(Language::MiniScript1, origin_of(&builder));
    inner.name = "f".into();
    inner.line = 8;
    inner.set_line(8);
    let text = inner.string("a \"string\" with ; and\ttabs");
    inner.load_constant(Register(3), text);
    inner.return_value(Register(3));
    let inner = builder.add_function(Arc::new(inner.finish().unwrap()));

    let (value, sequence, window) = (Register(3), Register(4), Register(6));
    let index = sequence.offset(1);
    let total = builder.global("total");
    let (i, hidden) = (builder.global("i"), builder.global("__i_idx"));
    let range = builder.global("range");
    let zero = builder.number(0.0);

    builder.set_line(1);
    builder.load_constant(value, zero);
    builder.set_global(value, total);

    builder.set_line(2);
    let (test, body, end) = (
        builder.new_label(),
        builder.new_label(),
        builder.new_label(),
    );
    let counter = builder.add_loop(body, end, 2);
    for (argument, number) in [(3, 1.0), (4, 100.0)] {
        let number = builder.number(number);
        builder.load_constant(window.offset(argument), number);
    }
    builder.get_global(window, range, ReadMode::PLAIN);
    let made = builder.new_label();
    builder.make_range(sequence, window, made, 2);
    let feedback = builder.call_feedback();
    builder.call(sequence, window, feedback, 2);
    builder.bind(made);
    let minus_one = builder.number(-1.0);
    builder.load_constant(index, minus_one);
    builder.set_global(index, hidden);
    let number = builder.number(f64::from(hidden.0));
    builder.load_constant(index, number);
    builder.jump(test);
    builder.bind(body);
    builder.set_global(value, i);
    builder.set_line(3);
    builder.get_global(value, total, ReadMode::INVOKE.with(ReadMode::WARN));
    builder.get_global(window, i, ReadMode::INVOKE);
    builder.add(value, value, window);
    builder.set_global(value, total);
    builder.set_line(2);
    builder.bind(test);
    builder.for_loop_global(value, sequence, body, counter);
    builder.bind(end);

    builder.set_line(5);
    let (head, end) = (builder.here(), builder.new_label());
    let counter = builder.add_loop(head, end, 5);
    let (half, one) = (builder.number(0.5), builder.number(1.0));
    builder.get_global(value, total, ReadMode::INVOKE);
    builder.jump_if_not_greater_constant(value, half, end);
    builder.set_line(6);
    builder.get_global(value, total, ReadMode::INVOKE);
    builder.subtract_constant(value, value, one);
    builder.set_global(value, total);
    builder.set_line(5);
    builder.loop_back(counter, head);
    builder.bind(end);

    builder.set_line(8);
    let f = builder.global("f");
    builder.new_closure(value, Register::SELF, inner);
    builder.set_global(value, f);
    let null = builder.null();
    builder.load_constant(value, null);
    builder.return_value(value);
    builder.finish().unwrap()
}

fn origin_of(_: &CodeBlockBuilder) -> Arc<Origin> {
    Arc::new(Origin {
        file: "test.ms".into(),
        module: Some("module.ms".into()),
    })
}

/// A block with every instruction of the table, operands and flags drawn at random, that verifies.
pub fn every_instruction(seed: u64) -> CodeBlock {
    let mut random = Random::new(seed);
    let mut block = top_level();
    block.parameters = vec![];
    block.uses_super = true;
    block.is_top_level = false;
    block.variables_register = Some(Register(9));
    block.constants = vec![
        Constant::Number(f64::from_bits(random.next())),
        Constant::from("key"),
        Constant::Null,
        Constant::Number(-0.0),
    ];
    if let Constant::Number(number) = &mut block.constants[0]
        && number.is_nan()
    {
        *number = f64::INFINITY;
    }
    block.globals = vec![1, 1];
    block.feedback = Op::ALL
        .iter()
        .filter_map(|op| op.feedback_kind())
        .map(|kind| FeedbackInfo {
            kind,
            key: u32::from(kind != kiln_bytecode::FeedbackKind::Call),
        })
        .collect();

    let mut instructions = Vec::new();
    let load = |register| Instruction::new_32(Op::LoadConstant, 0, register, 2);
    instructions.extend((3..48).map(load));
    let body = instructions.len();
    let mut feedback = 0;
    for &op in Op::ALL {
        if matches!(op, Op::Wide) {
            continue;
        }
        let row = op.info();
        let arguments = random.below(4) as u8;
        let flags = match row.flags {
            FlagUse::none | FlagUse::observed => 0,
            FlagUse::read_mode => random.below(8) as u8,
            FlagUse::argument_count => arguments,
            FlagUse::loop_counter => random.below(2) as u8,
        };
        let (mut fields, mut long) = ([0; 3], None);
        for operand in row.operands {
            let value = match operand.role {
                Role::Out | Role::In | Role::InPair | Role::InOutPair => 3 + random.below(28),
                Role::Window => {
                    let window = 32 + random.below(8);
                    let slots = window..window + 3 + u32::from(arguments);
                    instructions.extend(slots.map(|slot| load(slot as u16)));
                    window
                }
                Role::Immediate => random.below(1 << 16),
                Role::Unused => 0,
                Role::Constant => 3 * random.below(2),
                Role::Constant32 if op == Op::Throw => 1,
                Role::Constant32 => random.below(4),
                Role::Global | Role::Loop => random.below(2),
                Role::Feedback => {
                    feedback += 1;
                    feedback - 1
                }
                Role::Function => 0,
                // Jumping to the instruction after the jump is always possible.
                Role::Jump | Role::Jump32 => 0,
            };
            if operand.role.is_32_bit() {
                long = Some(value);
            } else {
                fields[usize::from(operand.field)] = value as u16;
            }
        }
        if matches!(op, Op::Return | Op::Throw) {
            let past = Instruction::new_32(Op::JumpIfTrue, 0, 3, 1);
            instructions.push(past);
        }
        let [a, b, c] = fields;
        instructions.push(match long {
            Some(long) => Instruction::new_32(op, flags, a, long),
            None => Instruction::new(op, flags, a, b, c),
        });
    }
    instructions.push(Instruction::new(Op::Return, 0, 3, 0, 0));
    let length = instructions.len() as u32;
    block.instructions = instructions;
    block.register_count = 48;
    let extent = |header| LoopInfo {
        header,
        end: length,
        line: 4,
    };
    block.loops = vec![extent(body as u32), extent(0)];
    block.lines = [0, 7, 100]
        .map(|start| LineEntry {
            start,
            line: random.below(50),
        })
        .to_vec();
    block
}

/// Whether executing the instruction may run other code.
pub fn may_call(op: Op) -> bool {
    op.info().effects.contains(Effects::calls)
}

/// Reproducible pseudo-random numbers (xorshift64*, Vigna 2016).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, limit: u32) -> u32 {
        (((self.next() >> 32) * u64::from(limit)) >> 32) as u32
    }
}
