//! The list of built-in functions.

use std::fmt::Write;

use kiln::intrinsics::{Intrinsic, families, members};

use crate::{Error, inspect};

/// Prints the table of all intrinsics, or what is known of one.
pub fn print(name: Option<&str>) -> Result<u8, Error> {
    let mut out = String::new();
    match name {
        None => list(&mut out),
        Some(name) => describe(name, &mut out)?,
    }
    inspect::print(out.as_bytes())
}

fn list(out: &mut String) {
    for (title, table) in families() {
        section(title, table, out);
    }
    for (owner, table) in members() {
        section(&format!("Members of {owner}"), table, out);
    }
}

fn section(title: &str, table: &[Intrinsic], out: &mut String) {
    let _ = writeln!(out, "{title}");
    for intrinsic in table.iter().filter(|intrinsic| !intrinsic.name.is_empty()) {
        let _ = writeln!(out, "  {:<34} {}", intrinsic.signature(), intrinsic.help);
    }
    out.push('\n');
}

fn describe(name: &str, out: &mut String) -> Result<(), Error> {
    let (owner, own) = name
        .rsplit_once('.')
        .map_or((None, name), |(owner, own)| (Some(owner), own));
    let in_families = families()
        .iter()
        .filter(|_| owner.is_none())
        .flat_map(|(_, table)| table.iter());
    for intrinsic in in_families.filter(|intrinsic| intrinsic.name == own) {
        let _ = writeln!(out, "{}\n  {}", intrinsic.signature(), intrinsic.help);
    }
    for (map, table) in members()
        .iter()
        .filter(|(map, _)| owner.is_none_or(|owner| owner == *map))
    {
        for intrinsic in table.iter().filter(|intrinsic| intrinsic.name == own) {
            let _ = writeln!(out, "{map}.{}\n  {}", intrinsic.signature(), intrinsic.help);
        }
    }
    if out.is_empty() {
        Err(Error::NoIntrinsic(name.to_owned()))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_described_with_their_owner() {
        let mut out = String::new();
        describe("file.open", &mut out).unwrap();
        assert!(out.starts_with("file.open(path, mode=\"r+\")\n"), "{out}");
        describe("exec", &mut out).unwrap();
        assert!(out.contains("\nexec(cmd, timeout=30)\n"), "{out}");
        assert!(describe("nosuch", &mut String::new()).is_err());
        assert!(describe("file.nosuch", &mut String::new()).is_err());
    }
}
