//! The reference page of the bytecode, rendered from the instruction table.

use std::fmt::Write;

use crate::opcodes::{Effects, FlagUse, Op, OpInfo, OperandInfo, Role};

const INTRODUCTION: &str = "\
# Kiln bytecode

This page is generated from the instruction table, `crates/bytecode/src/opcodes.rs`.
`KILN_BLESS=1 cargo test -p kiln-bytecode --test reference` brings it up to date.

An instruction is one 64-bit word, lowest bits first: the opcode (8 bits), flags (8), and the fields `a`, `b`
and `c` (16 each). Operands fill the fields in the order of the table; a 32-bit operand takes `b` and `c`.
A `wide` prefix supplies the upper 16 bits of a feedback or function index, which always stands in `c`.

A register is an index into the frame's window: 0 holds the callee, 1 `self`, 2 `super`, then come
the parameters.
";

/// The page as Markdown.
pub fn reference_page() -> String {
    let mut page = String::from(INTRODUCTION);
    page.push_str("\n## Operands\n\n| Role | Field | Meaning |\n|---|---|---|\n");
    for &role in Role::ALL {
        let bits = if role.is_32_bit() { 32 } else { 16 };
        push_row(
            &mut page,
            &[role_name(role), &format!("{bits} bits"), role_meaning(role)],
        );
    }
    page.push_str("\n## Flags\n\n| Flags | Meaning |\n|---|---|\n");
    for flags in [
        FlagUse::read_mode,
        FlagUse::argument_count,
        FlagUse::loop_counter,
        FlagUse::observed,
    ] {
        push_row(
            &mut page,
            &[
                &format!("{flags:?}").replace('_', " "),
                flags_meaning(flags),
            ],
        );
    }
    page.push_str(
        "\nOf other instructions the flag byte is zero.\n\n## Instructions\n\n\
         | | Instruction | Operands | Flags | May | Meaning |\n|---|---|---|---|---|---|\n",
    );
    for (op, number) in Op::ALL.iter().zip(0..) {
        push_instruction(&mut page, number, op.info());
    }
    page
}

fn push_instruction(page: &mut String, number: u32, row: &OpInfo) {
    let show = |operand: &OperandInfo| match operand.role {
        Role::Unused => "–".to_owned(),
        role => format!("{}: {}", operand.name, role_name(role)),
    };
    let operands: Vec<String> = row.operands.iter().map(show).collect();
    let flags = match row.flags {
        FlagUse::none => String::new(),
        flags => format!("{flags:?}").replace('_', " "),
    };
    let effects = [
        (Effects::allocates, "allocate"),
        (Effects::calls, "call"),
        (Effects::throws, "throw"),
        (Effects::writes, "write"),
    ];
    let effects = effects
        .into_iter()
        .filter(|(effect, _)| row.effects.contains(*effect));
    let effects: Vec<&str> = effects.map(|(_, name)| name).collect();
    push_row(
        page,
        &[
            &number.to_string(),
            &format!("`{}`", row.name),
            &operands.join(", "),
            &flags,
            &effects.join(", "),
            row.documentation.trim(),
        ],
    );
}

fn push_row(page: &mut String, cells: &[&str]) {
    for cell in cells {
        // Writing to a string cannot fail.
        let _ = write!(page, "| {cell} ");
    }
    page.push_str("|\n");
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Out => "out",
        Role::In => "in",
        Role::InPair => "in pair",
        Role::InOutPair => "in-out pair",
        Role::Window => "window",
        Role::Immediate => "immediate",
        Role::Unused => "–",
        Role::Constant => "constant",
        Role::Constant32 => "constant (32)",
        Role::Global => "global",
        Role::Feedback => "feedback",
        Role::Function => "function",
        Role::Loop => "loop",
        Role::Jump => "jump",
        Role::Jump32 => "jump (32)",
    }
}

fn role_meaning(role: Role) -> &'static str {
    match role {
        Role::Out => "a register that is written",
        Role::In => "a register that is read",
        Role::InPair => "two neighbouring registers that are read",
        Role::InOutPair => "two neighbouring registers that are read and written",
        Role::Window => {
            "the first register of the callee's window; after a call all registers from here on are lost"
        }
        Role::Immediate => "a number",
        Role::Unused => "zero",
        Role::Constant => "the index of a constant, a number",
        Role::Constant32 => "the index of a constant",
        Role::Global => "an index into the code block's table of global variables",
        Role::Feedback => "the index of a feedback cell",
        Role::Function => "the index of a nested function",
        Role::Loop => "the index of a loop",
        Role::Jump | Role::Jump32 => {
            "a signed distance in instructions, counted from the next instruction"
        }
    }
}

fn flags_meaning(flags: FlagUse) -> &'static str {
    match flags {
        FlagUse::none => "zero",
        FlagUse::read_mode => {
            "bit 0: a function found is called; bit 1: warn if the variable is no local; bit 2: an error unless it is a local"
        }
        FlagUse::argument_count => "the number of arguments in the window",
        FlagUse::loop_counter => "the index of the loop, 255 standing for all beyond",
        FlagUse::observed => {
            "zero in a code block; in an interpreter's copy the operand kinds that were seen"
        }
    }
}
