//! The verifier: checks what the collector relies on.

use std::collections::HashSet;

use thiserror::Error;

use super::collect::Phase;
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
        let black = self.black;
        let cells: Vec<Gc<Header>> = self.marker.space.live_cells().collect();
        // While a full collection marks, what waits to be followed is as good as marked.
        let waiting: HashSet<usize> = self.marker.waiting().map(Gc::address).collect();
        debug_assert!(self.phase != Phase::Idle || waiting.is_empty());
        let mut verdict = Ok(());
        for cell in cells {
            let header = cell.header();
            let owner = Owner::Cell {
                kind: header.kind(),
                address: cell.address(),
            };
            let done = header.state.get() == black && !waiting.contains(&cell.address());
            let tracer = self.tracer;
            self.marker.inspect(
                |marker| tracer(cell, marker),
                |space, target| {
                    let address = target.address();
                    if space.find(address) != Some(target) {
                        verdict = Err(Defect::Dangling {
                            owner,
                            target: address,
                        });
                    } else if done
                        && !target.header().has_colour(black)
                        && !waiting.contains(&address)
                    {
                        verdict = Err(Defect::NotRemembered {
                            owner,
                            target: address,
                        });
                    }
                },
            );
            verdict.clone()?;
        }
        self.marker.inspect(
            |marker| roots.trace(marker),
            |space, target| {
                let address = target.address();
                if space.find(address) != Some(target) {
                    verdict = Err(Defect::Dangling {
                        owner: Owner::Root,
                        target: address,
                    });
                }
            },
        );
        verdict
    }
}
