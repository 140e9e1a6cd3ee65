//! Code blocks as text, and back.

mod common;

use std::sync::Arc;

use common::{Random, builder, every_instruction, fibonacci, top_level};
use kiln_bytecode::{
    CodeBlock, Constant, FeedbackIndex, Instruction, Op, Problem, Register, parse, verify,
};

const FIBONACCI: &str = r#"function "fib"
  language miniscript1
  origin "test.ms"
  line 1
  registers 9
  parameter "n" = 10.0
  variable r3 = "n"
  constant c0 = 1.0
  constant c1 = 2.0
  constant c2 = "fib"
  global g0 = c2  ; "fib"
  feedback f0 = call
  feedback f1 = call
  feedback f2 = call
  feedback f3 = call
  invoke_path @0 -> @11
  code
    line 2
     0  jump_if_not_less_constant r3, c1, @3  ; c1 = 2.0
     1  invoke r4, r3, f0
     2  return_value r4
    line 3
     3  subtract_constant r8, r3, c0  ; c0 = 1.0
     4  get_global r5, g0  ; g0 = "fib"
     5  call r4, r5(1), f1
     6  subtract_constant r8, r3, c1  ; c1 = 2.0
     7  get_global r5, g0  ; g0 = "fib"
     8  call r5, r5(1), f2
     9  add r4, r4, r5
    10  return_value r4
    line 2
    11  invoke r4, r3, f3
    12  jump_if_not_less_constant r4, c1, @3  ; c1 = 2.0
    13  return_value r4
end
"#;

#[test]
fn a_function_reads_like_this() {
    assert_eq!(fibonacci().to_string(), FIBONACCI);
    assert_eq!(parse(FIBONACCI), Ok(fibonacci()));
}

#[test]
fn loops_modes_and_nested_functions_read_like_this() {
    let text = top_level().to_string();
    for line in [
        "  top_level",
        "  loop l0 = @11..@17 line 2",
        "     5  make_range r4, r6(2), @7",
        "    12  get_global.invoke.warn r3, g0  ; g0 = \"total\"",
        "    16  for_loop_global r3, r4, @11, l0",
        "    22  loop_back l1, @17",
        "    23  new_closure r3, r1, fn0  ; fn0 = \"f\"",
        "  function \"f\"",
        "    origin \"test.ms\" module \"module.ms\"",
        "    constant c0 = \"a \\\"string\\\" with ; and\\ttabs\"",
    ] {
        assert!(
            text.lines().any(|it| it == line),
            "{line}\nis not in\n{text}"
        );
    }
}

#[test]
fn text_gives_the_same_block_again() {
    let mut blocks = vec![fibonacci(), top_level()];
    blocks.extend((0..50).map(every_instruction));
    let mut nested = fibonacci();
    nested.functions = vec![Arc::new(top_level()), Arc::new(fibonacci())];
    blocks.push(nested);
    for block in blocks {
        assert_eq!(parse(&block.to_string()), Ok(block));
    }
}

#[test]
fn strings_and_numbers_survive() {
    let mut builder = builder();
    for text in [
        "",
        "\"\\",
        "line\nbreak\r\n\t",
        "\0\u{7f}\u{85}\u{2028}",
        "żółw 🐢",
        "; no comment",
    ] {
        builder.string(text);
        builder.add_parameter(text, text);
    }
    let third = 1.0 / 3.0;
    let numbers = [
        0.0,
        -0.0,
        third,
        1e300,
        5e-324,
        f64::MAX,
        f64::INFINITY,
        -f64::INFINITY,
    ];
    for number in numbers {
        builder.number(number);
    }
    builder.number(f64::NAN);
    let mut block = builder.finish().unwrap();
    let mut read = parse(&block.to_string()).unwrap();
    let bits = |constant: Option<Constant>| match constant {
        Some(Constant::Number(number)) => number.to_bits(),
        other => panic!("{other:?} is no number"),
    };
    assert_eq!(
        bits(read.constants.pop()),
        bits(block.constants.pop()),
        "NaN"
    );
    let zeros = |block: &CodeBlock| [6, 7].map(|index| bits(Some(block.constants[index].clone())));
    assert_eq!(zeros(&read), zeros(&block), "the sign of zero");
    assert_eq!(read, block);
}

#[test]
fn a_wide_prefix_shows_in_the_index() {
    let mut builder = builder();
    for _ in 0..=0x1_0001 {
        builder.call_feedback();
    }
    builder.nop();
    builder.set_line(7);
    builder.invoke(Register(3), Register(1), FeedbackIndex(0x1_0001));
    builder.return_value(Register(3));
    let block = builder.finish().unwrap();
    assert_eq!(verify(&block), Ok(()));
    assert_eq!(block.disassemble(1).to_string(), "invoke r3, r1, f65537");
    assert_eq!(block.disassemble(3).to_string(), "return_value r3");
    assert_eq!(block.disassemble(4).to_string(), "");
    assert_eq!(parse(&block.to_string()), Ok(block));
}

#[test]
fn any_words_can_be_printed_and_read() {
    let mut random = Random::new(3);
    for round in 0..3_000 {
        let mut block = fibonacci();
        block.lines.clear();
        for instruction in &mut block.instructions {
            let op = Op::ALL[random.below(Op::COUNT as u32) as usize];
            let mut field = || (random.next() >> random.below(64)) as u16;
            *instruction = match round % 3 {
                0 => Instruction(random.next()),
                1 => Instruction::new(op, 0, field(), field(), field()),
                _ => Instruction::new(op, field() as u8 % 8, field() % 3, 0, 0),
            };
        }
        let text = block.to_string();
        assert_eq!(parse(&text).as_ref(), Ok(&block), "{text}");
    }
}

#[test]
fn damaged_text_never_makes_the_parser_panic() {
    let mut random = Random::new(4);
    let text = top_level().to_string();
    let mut accepted = 0;
    for _ in 0..20_000 {
        let mut bytes = text.clone().into_bytes();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len() as u32) as usize;
            match random.below(3) {
                0 => bytes[at] = random.next() as u8,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, b" 0\"-\n@;"[random.below(7) as usize]),
            }
        }
        accepted += u32::from(parse(&String::from_utf8_lossy(&bytes)).is_ok());
    }
    assert!(accepted > 100, "some damage is harmless: {accepted}");
}

#[test]
fn errors_name_the_line() {
    let problem = |lines: &str| {
        let text = format!("function \"\"\n  registers 5\n  code\n{lines}\nend");
        let error = parse(&text).unwrap_err();
        (error.line, error.problem)
    };
    let unknown = |name: &str| Problem::Unknown(name.into());
    assert_eq!(problem("  ad r1, r2, r3"), (4, unknown("ad")));
    assert_eq!(problem("  add r1, r2"), (4, Problem::Expected(",")));
    assert_eq!(problem("  add r1, r2, 3"), (4, Problem::Expected("r")));
    assert_eq!(
        problem("  add r1, r2, r65536"),
        (4, Problem::Expected("a number"))
    );
    assert_eq!(
        problem("  negate r1, r2 r3"),
        (4, Problem::Expected("the end of the line"))
    );
    assert_eq!(
        problem("  get_global.incoke r1, g0"),
        (4, unknown("incoke"))
    );
    assert_eq!(problem("  nop\n  5 nop"), (5, Problem::OutOfOrder(1)));
    assert_eq!(
        problem("  jump @nowhere"),
        (5, Problem::NoLabel("nowhere".into()))
    );
    assert_eq!(
        problem("  jump_if_equal r3, r3, @40000"),
        (4, Problem::JumpTooFar)
    );
    assert_eq!(problem("  a:\n  a:"), (5, Problem::LabelTwice("a".into())));
    assert_eq!(parse("").unwrap_err().problem, Problem::Expected("`end`"));
    let table = parse("function \"\"\n  constant c1 = 0.0").unwrap_err();
    assert_eq!(table.to_string(), "line 2: the number here should be 0");
}
