//! Interned texts: identifiers and string literals of one program.

use std::collections::HashMap;
use std::sync::Arc;

/// An identifier or string literal, by its number in a [`NameTable`]. Equal texts have equal numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(u32);

impl Name {
    /// Position in the table: names are numbered from 0 in order of first appearance.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The texts of a program's [`Name`]s.
#[derive(Clone, Debug, Default)]
pub struct NameTable {
    texts: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, Name>,
}

impl NameTable {
    /// The name for a text, made on first use.
    pub fn intern(&mut self, text: &str) -> Name {
        if let Some(&name) = self.numbers.get(text) {
            return name;
        }
        // A source holds fewer than 2^32 bytes, hence fewer names.
        let name = Name(self.texts.len() as u32);
        let text: Arc<str> = text.into();
        self.texts.push(text.clone());
        self.numbers.insert(text, name);
        name
    }

    /// The name for a text, if the program contains it.
    pub fn find(&self, text: &str) -> Option<Name> {
        self.numbers.get(text).copied()
    }

    /// The text of a name.
    ///
    /// # Panics
    /// If the name comes from another table.
    pub fn text(&self, name: Name) -> &Arc<str> {
        &self.texts[name.index()]
    }

    /// Number of names.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_share_a_number() {
        let mut names = NameTable::default();
        let (a, b) = (names.intern("a"), names.intern("b"));
        assert_ne!(a, b);
        assert_eq!(names.intern("a"), a);
        assert_eq!(names.find("b"), Some(b));
        assert_eq!(names.find("c"), None);
        assert_eq!(&**names.text(b), "b");
        assert_eq!(names.len(), 2);
    }
}
