//! The verifier: checks what the collector relies on.

use std::collections::HashSet;

use thiserror::Error;

use super::cards::{CARD_BYTES, Cards};
use super::collect::Phase;
use super::{Gc, Header, Heap, Kind, Marker, Roots, space};

/// A broken rule of the heap.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Defect {
    /// The header of a cell does not hold a kind.
    #[error("the cell at {cell:#x} has no valid kind")]
    NoKind {
        /// The address of the cell.
        cell: usize,
    },
    /// A cell refers to memory that holds no live cell.
    #[error("{owner} refers to {target:#x}, where no live cell starts")]
    Dangling {
        /// Who holds the reference.
        owner: Owner,
        /// The address.
        target: usize,
    },
    /// A write barrier is missing.
    #[error("the marked cell {owner} refers to the unmarked {target:#x} and is not remembered")]
    NotRemembered {
        /// Who holds the reference.
        owner: Owner,
        /// The address of the unmarked cell.
        target: usize,
    },
    /// The count of marked cells of a block is wrong.
    #[error("the block at {block:#x} has {marked} marked cells and counts {counted}")]
    WrongCount {
        /// The address of the block's first cell.
        block: usize,
        /// The marked cells.
        marked: usize,
        /// The count.
        counted: usize,
    },
}

/// The holder of a reference.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Owner {
    /// A cell.
    #[error("{kind:?} at {address:#x}")]
    Cell {
        /// Its kind.
        kind: Kind,
        /// Its address.
        address: usize,
    },
    /// A root.
    #[error("a root")]
    Root,
}

impl Heap {
    /// Checks the whole heap. Every live cell must be initialised.
    ///
    /// # Errors
    /// The first defect found.
    pub fn verify(&mut self, roots: &mut dyn Roots) -> Result<(), Defect> {
        self.note_use_of_runs();
        self.marker.space.large.sort();
        self.verify_blocks()?;
        self.verify_references(roots)
    }

    fn verify_blocks(&self) -> Result<(), Defect> {
        let space = &self.marker.space;
        for cell in space.live_cells() {
            if !cell.header().has_valid_kind() {
                return Err(Defect::NoKind {
                    cell: cell.address(),
                });
            }
        }
        for block in space.blocks() {
            let cells = block.live_cells(space.live_colour);
            let marked = cells
                .filter(|cell| cell.header().has_colour(self.black))
                .count();
            let counted = usize::from(block.info().marked.get());
            if marked != counted {
                return Err(Defect::WrongCount {
                    block: block.address(),
                    marked,
                    counted,
                });
            }
        }
        Ok(())
    }

    fn verify_references(&mut self, roots: &mut dyn Roots) -> Result<(), Defect> {
        let cells: Vec<Gc<Header>> = self.marker.space.live_cells().collect();
        let waiting = Waiting {
            cells: self.marker.waiting().map(Gc::address).collect(),
            cards: self.marker.waiting_cards().collect(),
        };
        debug_assert!(
            self.phase != Phase::Idle || waiting.cells.is_empty() && waiting.cards.is_empty()
        );
        let tracer = self.tracer;
        for cell in cells {
            let header = cell.header();
            let owner = Owner::Cell {
                kind: header.kind(),
                address: cell.address(),
            };
            // A cell waiting to be marked may have been marked since by another way.
            let is_black = header.state.get() == self.black;
            let Some(cards) = Cards::of(cell) else {
                self.verify_holder(owner, is_black, &waiting, |marker| {
                    (tracer.whole)(cell, marker);
                })?;
                continue;
            };
            // SAFETY: the cell is live.
            let bytes = unsafe { space::bytes_of(cell) };
            for start in (0..bytes).step_by(CARD_BYTES) {
                let done = is_black
                    && !cards.is_dirty(start)
                    && !waiting.cards.contains(&(cell.address() + start));
                self.verify_holder(owner, done, &waiting, |marker| {
                    (tracer.part)(cell, start..bytes.min(start + CARD_BYTES), marker);
                })?;
            }
        }
        self.verify_holder(Owner::Root, false, &waiting, |marker| roots.trace(marker))
    }

    /// Checks the references that `trace` reports. If their holder is `done`, will not be traced again in this collection, they must
    /// refer to marked cells or to such that wait to be.
    fn verify_holder(
        &mut self,
        owner: Owner,
        done: bool,
        waiting: &Waiting,
        trace: impl FnOnce(&mut Marker),
    ) -> Result<(), Defect> {
        let black = self.black;
        let mut verdict = Ok(());
        self.marker.inspect(trace, |space, cell| {
            let target = cell.address();
            if space.find(target) != Some(cell) {
                verdict = Err(Defect::Dangling { owner, target });
            } else if done && !cell.header().has_colour(black) && !waiting.cells.contains(&target) {
                verdict = Err(Defect::NotRemembered { owner, target });
            }
        });
        verdict
    }
}

/// What a collection under way will still trace.
struct Waiting {
    /// The addresses of cells.
    cells: HashSet<usize>,
    /// The addresses of cards of large rows.
    cards: HashSet<usize>,
}
