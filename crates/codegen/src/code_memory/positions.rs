//! From addresses in machine code back to the bytecode it was made from.

use cranelift_codegen::{CompiledCode, ir::SourceLoc};

/// A run of machine code that belongs to one position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PositionRange {
    /// The offset of its first byte.
    pub start: u32,
    /// The number that the compiler gave as source location: for baseline code the index of the bytecode instruction.
    /// None for code that belongs to no instruction, such as a prologue.
    pub position: Option<u32>,
}

/// Offsets in a code object to positions: sorted by start, each range holds up to the next.
///
/// One table serves return addresses (stack traces, the lines of errors), samples of a profiler and listings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PositionTable {
    ranges: Box<[PositionRange]>,
}

impl PositionTable {
    /// The table of a function that Cranelift compiled, from the source locations its instructions were given.
    pub fn of(code: &CompiledCode) -> PositionTable {
        let mut ranges: Vec<PositionRange> = Vec::new();
        let mut add = |start, position| match ranges.last_mut() {
            Some(last) if last.start == start => last.position = position,
            _ => ranges.push(PositionRange { start, position }),
        };
        add(0, None);
        for location in code.buffer.get_srclocs_sorted() {
            let known = location.loc != SourceLoc::default();
            add(location.start, known.then(|| location.loc.bits()));
            add(location.end, None);
        }
        ranges.dedup_by_key(|range| range.position);
        PositionTable {
            ranges: ranges.into(),
        }
    }

    /// The ranges in order.
    pub fn ranges(&self) -> &[PositionRange] {
        &self.ranges
    }

    /// The position that the instruction containing the byte at `offset` belongs to.
    pub fn at(&self, offset: u32) -> Option<u32> {
        let after = self.ranges.partition_point(|range| range.start <= offset);
        self.ranges.get(after.checked_sub(1)?)?.position
    }

    /// The position of the call that returns to `offset`. The instruction there may belong to another position already: the
    /// call's own last byte lies before it.
    pub fn at_return_address(&self, offset: u32) -> Option<u32> {
        self.at(offset.checked_sub(1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> PositionTable {
        let range = |start, position| PositionRange { start, position };
        PositionTable {
            ranges: [range(0, None), range(4, Some(0)), range(9, Some(7))].into(),
        }
    }

    #[test]
    fn every_byte_belongs_to_the_range_before_it() {
        let at = |offset| table().at(offset);
        assert_eq!([at(0), at(3), at(4), at(8)], [None, None, Some(0), Some(0)]);
        assert_eq!([at(9), at(1000)], [Some(7), Some(7)]);
        assert_eq!(PositionTable::default().at(0), None);
    }

    #[test]
    fn a_return_address_belongs_to_the_call_before_it() {
        assert_eq!(table().at_return_address(9), Some(0));
        assert_eq!(table().at_return_address(10), Some(7));
        assert_eq!(table().at_return_address(0), None);
    }
}
