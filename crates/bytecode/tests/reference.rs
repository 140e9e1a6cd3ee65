//! The reference page is the instruction table's, and current.

use std::path::Path;
use std::{env, fs};

use kiln_bytecode::{Op, reference_page};

#[test]
fn the_page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/bytecode.md");
    let page = reference_page();
    if env::var_os("KILN_BLESS").is_some_and(|value| value == "1") {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &page).unwrap();
    }
    let stored = fs::read_to_string(&path)
        .unwrap_or_default()
        .replace("\r\n", "\n");
    assert!(
        stored == page,
        "docs/bytecode.md is not current: run with KILN_BLESS=1"
    );
}

#[test]
fn the_page_has_a_row_for_every_instruction() {
    let page = reference_page();
    for op in Op::ALL {
        assert!(page.contains(&format!("| `{}` |", op.info().name)));
    }
    let add =
        "| `add` | dst: out, lhs: in, rhs: in | observed | allocate, throw | `dst = lhs + rhs`. |";
    assert!(page.contains(add));
}
