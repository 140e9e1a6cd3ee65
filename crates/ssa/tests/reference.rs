//! The reference page in `docs` is that of the current instruction table.

#[test]
fn the_reference_page_is_up_to_date() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/ssa-instructions.md"
    );
    let page = kiln_ssa::ir::reference_page();
    if std::env::var_os("KILN_BLESS").is_some() {
        std::fs::write(path, &page).expect("the page can be written");
    }
    let found = std::fs::read_to_string(path).expect("the page exists");
    assert!(found == page, "run this test with KILN_BLESS=1");
}
