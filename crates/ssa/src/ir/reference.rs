//! The reference page of the instructions, made from the table.

use std::fmt::Write;

use super::{FieldRole, Node};

const INTRODUCTION: &str = "\
# The optimizer's instructions

This page is generated from the instruction table, `crates/ssa/src/ir/nodes.rs`.
`KILN_BLESS=1 cargo test -p kiln-ssa --test reference` brings it up to date. What the parts mean is described in `docs/ssa.md`.

Operands are written with the representation they need; *values* is a list of tagged ones. What stands without a
representation is no value but part of the instruction. The effects of `runtime` instructions follow from the bytecode.

| Instruction | Operands | Result | May | Meaning |
|---|---|---|---|---|
";

/// The page in Markdown.
pub fn reference_page() -> String {
    let mut page = String::from(INTRODUCTION);
    for row in Node::TABLE {
        let fields: Vec<String> = row
            .fields
            .iter()
            .map(|(name, role)| match role {
                FieldRole::Operand(representation) => {
                    format!("{name}: {}", representation.name())
                }
                FieldRole::Operands => format!("{name}: values"),
                FieldRole::Target => format!("{name}: block"),
                FieldRole::Frame => "frame".to_owned(),
                FieldRole::Attribute => (*name).to_owned(),
            })
            .collect();
        let result = row.result.map_or(String::new(), |ty| ty.to_string());
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {} |",
            row.name,
            fields.join(", "),
            result,
            row.effects.describe(),
            row.documentation.trim(),
        );
    }
    page
}
