//! Programs beside the text they lead to: `trees/*.ms` beside their syntax trees, `diagnostics/*.ms` beside their
//! rendered errors. Run with `KILN_BLESS=1` to write the texts anew, then read the difference.

use std::fs;
use std::path::Path;

use kiln_frontend::diagnostic::Colour;
use kiln_frontend::miniscript::{self, dump};
use kiln_frontend::source::Source;

/// Compares each program of a folder with the text file beside it.
fn check(folder: &str, describe: fn(&Source) -> String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/miniscript")
        .join(folder);
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "ms") {
            continue;
        }
        count += 1;
        let name = path.file_name().unwrap().to_string_lossy();
        let source = Source::from_file(name.clone(), &fs::read(&path).unwrap()).unwrap();
        let found = describe(&source);
        let expected_path = path.with_extension("txt");
        if std::env::var_os("KILN_BLESS").is_some() {
            fs::write(&expected_path, &found).unwrap();
        }
        let expected = fs::read_to_string(&expected_path).unwrap_or_default();
        assert_eq!(found, expected, "{name} leads to another text");
    }
    assert!(count > 0, "no programs in {}", folder.display());
}

#[test]
fn trees() {
    check("trees", |source| match miniscript::parse(source) {
        Ok(program) => dump::program(&program),
        Err(diagnostics) => panic!("{}", diagnostics[0].render(source, Colour::Never)),
    });
}

#[test]
fn diagnostics() {
    check("diagnostics", |source| {
        let diagnostics = miniscript::parse(source).unwrap_err();
        diagnostics
            .iter()
            .map(|diagnostic| diagnostic.render(source, Colour::Never) + "\n\n")
            .collect()
    });
}

#[test]
fn tokens() {
    let source = Source::new("t.ms", "if x.y then // \"é\"\n  print \"a\"\"b\"\nend   if").unwrap();
    let expected = "   1  0..2         Keyword(if)
   1  3..4         Identifier(x)
   1  4..5         Dot
   1  5..6         Identifier(y)
   1  7..11        Keyword(then)
   1  19..20       EOL(\\n)
   2  22..27       Identifier(print)
   2  28..34       String(a\\\"b)
   2  34..35       EOL(\\n)
   3  35..43       Keyword(end if)
";
    assert_eq!(dump::tokens(&source), expected);
}
