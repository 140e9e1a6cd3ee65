//! What is in the heap: kinds, shapes, strings that are there twice.

use std::collections::HashMap;

use crate::heap::{CellType, Gc, Kind, Population};
use crate::object::map::MapCell;
use crate::object::map::shape::ShapeId;
use crate::object::string::StringCell;
use crate::vm::Vm;

/// The maps of one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapePopulation {
    /// The names of the members, in the order of their slots; none for a map that is a table.
    pub members: Option<Box<[Box<str>]>>,
    /// How many maps there are, and their bytes without members kept elsewhere.
    pub maps: Population,
}

/// A text that several strings hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// The beginning of the text.
    pub text: Box<str>,
    /// The strings.
    pub strings: Population,
}

/// How much strings repeat each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Duplication {
    /// All strings whose text is in one piece.
    pub strings: Population,
    /// The strings that would be left if no text were there twice.
    pub distinct: Population,
    /// The texts whose copies take the most bytes.
    pub worst: Vec<Duplicate>,
}

/// What is alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryCensus {
    /// The cells by kind, indexed by [`Kind`].
    pub kinds: [Population; Kind::COUNT],
    /// The maps by shape, those with the most bytes first.
    pub shapes: Vec<ShapePopulation>,
    /// The strings.
    pub duplication: Duplication,
}

/// The most texts that are listed as duplicates.
const LISTED: usize = 20;

/// The most characters of a text that are kept.
const EXCERPT: usize = 60;

impl Vm {
    /// Collects all garbage and looks at what is left. Must run on the script stack.
    pub fn memory_census(&mut self) -> MemoryCensus {
        self.collect_garbage();
        let kinds = self.heap.census();
        let mut shapes = HashMap::<ShapeId, Population>::new();
        let mut texts = HashMap::<&str, Population>::new();
        let mut duplication = Duplication::default();
        self.heap.for_each_cell(|cell, bytes| {
            // SAFETY: the cell is live, and of the kind that its header names. Nothing is collected while texts are looked at, so
            // they stay where they are.
            unsafe {
                match cell.header().kind() {
                    MapCell::KIND => {
                        let map = Gc::<MapCell>::from_address(cell.address());
                        shapes.entry(map.shape()).or_default().add(bytes);
                    }
                    StringCell::KIND => {
                        let string = Gc::<StringCell>::from_address(cell.address());
                        if let Some(text) = string.if_flat().map(|text| &*std::ptr::from_ref(text))
                        {
                            duplication.strings.add(bytes);
                            texts.entry(text).or_default().add(bytes);
                        }
                    }
                    _ => {}
                }
            }
        });
        for strings in texts.values() {
            duplication.distinct.add(strings.bytes / strings.cells);
        }
        let mut worst: Vec<(&str, Population)> = texts
            .into_iter()
            .filter(|(_, strings)| strings.cells > 1)
            .collect();
        worst.sort_unstable_by_key(|(text, strings)| (std::cmp::Reverse(strings.bytes), *text));
        duplication.worst = worst
            .into_iter()
            .take(LISTED)
            .map(|(text, strings)| Duplicate {
                text: text.chars().take(EXCERPT).collect(),
                strings,
            })
            .collect();
        let mut shapes: Vec<ShapePopulation> = shapes
            .into_iter()
            .map(|(shape, maps)| ShapePopulation {
                members: self.shapes.key_names(shape),
                maps,
            })
            .collect();
        shapes.sort_by(|a, b| (b.maps.bytes, &a.members).cmp(&(a.maps.bytes, &b.members)));
        MemoryCensus {
            kinds,
            shapes,
            duplication,
        }
    }
}
