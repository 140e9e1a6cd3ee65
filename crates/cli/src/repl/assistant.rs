//! What helps while a line is edited: completion of names, and hints at the parameters of functions.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use kiln::intrinsics::{Intrinsic, families, members};
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hint, Hinter};
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use crate::run::World;

/// Words of the language.
const KEYWORDS: &[&str] = &[
    "and", "break", "continue", "else", "end", "false", "for", "function", "globals", "if", "in",
    "isa", "locals", "new", "not", "null", "or", "outer", "repeat", "return", "self", "super",
    "then", "true", "while",
];

/// The editor's helper.
pub struct Assistant {
    world: Rc<RefCell<World>>,
    colour: bool,
}

impl Assistant {
    /// A helper that knows the variables of this world.
    pub fn new(world: Rc<RefCell<World>>, colour: bool) -> Assistant {
        Assistant { world, colour }
    }
}

/// The word that ends at the end of a text, and the name before its dot, if it has one.
fn word(text: &str) -> (&str, Option<&str>) {
    let start = |text: &str| {
        text.rfind(|character: char| !character.is_alphanumeric() && character != '_')
            .map_or(0, |at| {
                at + text[at..].chars().next().map_or(1, char::len_utf8)
            })
    };
    let (before, word) = text.split_at(start(text));
    let owner = before.strip_suffix('.').map(|owner| &owner[start(owner)..]);
    (word, owner.filter(|owner| !owner.is_empty()))
}

/// The built-in functions that may stand behind a name and a dot, or alone.
fn known(owner: Option<&str>) -> impl Iterator<Item = &'static Intrinsic> {
    let families = families().iter().filter(move |_| owner.is_none());
    let members = members().iter().filter(move |(map, _)| owner == Some(map));
    families
        .chain(members)
        .flat_map(|(_, table)| table.iter())
        .filter(|intrinsic| !intrinsic.name.is_empty())
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = &line[..position];
        let (word, owner) = word(before);
        let interpreter = &mut self.world.borrow_mut().interpreter;
        let names = match owner {
            None => interpreter.global_names(),
            Some(owner) => interpreter.member_names(owner),
        };
        let mut pairs: Vec<Pair> = names
            .into_iter()
            .map(|name| Pair {
                display: name.clone(),
                replacement: name,
            })
            .collect();
        pairs.extend(known(owner).map(|intrinsic| Pair {
            display: format!("{:<24} {}", intrinsic.signature(), intrinsic.help),
            replacement: intrinsic.name.to_owned(),
        }));
        if owner.is_none() {
            pairs.extend(KEYWORDS.iter().map(|keyword| Pair {
                display: (*keyword).to_owned(),
                replacement: (*keyword).to_owned(),
            }));
        }
        pairs.retain(|pair| pair.replacement.starts_with(word));
        pairs.sort_by(|a, b| a.replacement.cmp(&b.replacement));
        pairs.dedup_by(|a, b| a.replacement == b.replacement);
        Ok((position - word.len(), pairs))
    }
}

/// The parameters of the function whose name was just typed. They are shown, not inserted.
pub struct Parameters(String);

impl Hint for Parameters {
    fn display(&self) -> &str {
        &self.0
    }

    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Hinter for Assistant {
    type Hint = Parameters;

    fn hint(&self, line: &str, position: usize, _context: &Context<'_>) -> Option<Parameters> {
        if position < line.len() {
            return None;
        }
        let (word, owner) = word(line);
        let intrinsic = known(owner).find(|intrinsic| intrinsic.name == word)?;
        let parameters = intrinsic.signature().split_off(intrinsic.name.len());
        Some(Parameters(format!("{parameters}  {}", intrinsic.help)))
    }
}

impl Highlighter for Assistant {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if self.colour {
            Cow::Owned(format!("\x1b[2m{hint}\x1b[0m"))
        } else {
            Cow::Borrowed(hint)
        }
    }
}

impl Validator for Assistant {}

impl Helper for Assistant {}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn a_word_may_have_an_owner() {
        assert_eq!(word("print ra"), ("ra", None));
        assert_eq!(word("x = file.op"), ("op", Some("file")));
        assert_eq!(word("a.b.c"), ("c", Some("b")));
        assert_eq!(word("\"text\".le"), ("le", None));
        assert_eq!(word("größe+é"), ("é", None));
        assert_eq!(word(""), ("", None));
    }
}
