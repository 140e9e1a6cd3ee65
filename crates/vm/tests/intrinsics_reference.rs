//! The reference page of the intrinsics is current, and every intrinsic can appear on it.

use std::path::Path;
use std::{env, fs};

use kiln_vm::intrinsics::{families, reference_page};

#[test]
fn the_page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/intrinsics.md");
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
        "docs/intrinsics.md is not current: run with KILN_BLESS=1"
    );
}

#[test]
fn a_row_shows_parameters_and_help() {
    let page = reference_page();
    assert!(
        page.contains("| `range(from=0, to=0, step)` | a list of the numbers from one to another,")
    );
    assert!(page.contains("| `join(self, delimiter=\" \")` |"));
    assert!(page.contains("| `pi` |"));
}

#[test]
fn every_intrinsic_has_its_own_name_and_one_line_of_help() {
    let mut names = Vec::new();
    for intrinsic in families().iter().flat_map(|(_, table)| table.iter()) {
        assert!(
            !intrinsic.help.is_empty() && !intrinsic.help.contains('\n'),
            "{}",
            intrinsic.name
        );
        if !intrinsic.name.is_empty() {
            names.push(intrinsic.name);
        }
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
