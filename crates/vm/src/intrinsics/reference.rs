//! The reference page of the intrinsics, rendered from their tables.

use std::fmt::Write;

use super::families;

const INTRODUCTION: &str = "\
# Intrinsics

This page is generated from the tables in `crates/vm/src/intrinsics`.
`KILN_BLESS=1 cargo test -p kiln-vm --test intrinsics_reference` brings it up to date.

These functions exist without being defined. Those whose first parameter is `self` are also methods:
`len(x)` and `x.len` are the same, as far as the type of `x` lists the method in its type map. A
parameter without a default is null if the call passes nothing. Where a number is expected, anything else
counts as 0.
";

/// The page as Markdown.
pub fn reference_page() -> String {
    let mut page = String::from(INTRODUCTION);
    for (family, table) in families() {
        // Writing to a string cannot fail.
        let _ = write!(
            page,
            "\n## {family}\n\n| Intrinsic | Result or effect |\n|---|---|\n"
        );
        for intrinsic in table.iter().filter(|intrinsic| !intrinsic.name.is_empty()) {
            let _ = writeln!(
                page,
                "| `{}` | {} |",
                intrinsic.signature(),
                intrinsic.help.replace('|', "\\|")
            );
        }
    }
    page
}
