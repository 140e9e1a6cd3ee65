//! The verifier: checks what the collector relies on.

use std::collections::HashSet;

use thiserror::Error;

use super::collect::Phase;
use super::space::Space;
use super::{Gc, Header, Heap, Kind, Roots};

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

/// What a marker does with references while the heap is verified.
pub(super) struct Inspector {
    black: u8,
    owner: Owner,
    /// Whether everything the owner refers to must be marked.
    owner_is_done: bool,
    defect: Option<Defect>,
}

impl Inspector {
    fn new(black: u8) -> Box<Inspector> {
        Box::new(Inspector {
            black,
            owner: Owner::Root,
            owner_is_done: false,
            defect: None,
        })
    }

    /// Checks a reference of the owner.
    #[cold]
    pub(super) fn reference(&mut self, space: &Space, target: Gc<Header>) {
        if self.defect.is_some() {
            return;
        }
        let owner = self.owner;
        if space.find(target.address()) != Some(target) {
            self.defect = Some(Defect::Dangling {
                owner,
                target: target.address(),
            });
        } else if self.owner_is_done && !target.header().has_colour(self.black) {
            self.defect = Some(Defect::NotRemembered {
                owner,
                target: target.address(),
            });
        }
    }
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
        let grey: HashSet<usize> = self.marker.grey_cells().map(Gc::address).collect();
        debug_assert!(self.phase != Phase::Idle || grey.is_empty());
        self.marker.black = !0;
        self.marker.inspector = Some(Inspector::new(self.black));
        for cell in cells {
            if let Some(inspector) = &mut self.marker.inspector {
                let header = cell.header();
                inspector.owner = Owner::Cell {
                    kind: header.kind(),
                    address: cell.address(),
                };
                inspector.owner_is_done =
                    header.state.get() == self.black && !grey.contains(&cell.address());
            }
            (self.tracer)(cell, &mut self.marker);
        }
        if let Some(inspector) = &mut self.marker.inspector {
            inspector.owner = Owner::Root;
            inspector.owner_is_done = false;
        }
        roots.trace(&mut self.marker);
        self.marker.black = self.black;
        let defect = self
            .marker
            .inspector
            .take()
            .and_then(|inspector| inspector.defect);
        defect.map_or(Ok(()), Err)
    }
}
