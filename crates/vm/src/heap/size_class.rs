//! Size classes: the cell sizes that blocks are divided into.

use super::block::BLOCK_BYTES;

/// Cell sizes are multiples of this, and cells of blocks lie at such addresses.
pub(super) const GRANULE: usize = 16;

/// The largest cell that lies in a block; larger ones get memory of their own.
pub(super) const LARGEST: usize = 8192;

/// The number of size classes.
pub(super) const COUNT: usize = 27;

/// Tables indexed by size class have this length, a power of two, so that masking an index keeps it
/// in bounds.
pub(super) const TABLE: usize = 32;

/// The cell sizes. At most a fifth of a cell is lost to rounding (but for the smallest classes), and
/// at most 2.5 % of a block to cells that do not fill it.
const SIZES: [usize; COUNT] = [
    16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 1024, 1360,
    1632, 2048, 2720, 3264, 4096, 5456, 8192,
];

/// What the collector wants to know of a size class.
#[derive(Clone, Copy)]
pub(super) struct SizeClass {
    /// The size of a cell in bytes.
    pub(super) bytes: u32,
    /// The number of cells in a block.
    pub(super) capacity: u16,
    /// 2³² divided by `bytes`, rounded up.
    reciprocal: u32,
}

impl SizeClass {
    /// The index of the cell that contains the byte `offset` of a block.
    ///
    /// The reciprocal is too large by less than one, so the product by less than
    /// `offset < BLOCK_BYTES`, times `bytes ≤ LARGEST` still far below 2³²: the quotient is exact.
    #[inline(always)]
    pub(super) fn index(self, offset: usize) -> usize {
        debug_assert!(offset < BLOCK_BYTES);
        ((offset as u64 * u64::from(self.reciprocal)) >> 32) as usize
    }
}

/// The size classes, padded.
static CLASSES: [SizeClass; TABLE] = {
    let mut classes = [SizeClass {
        bytes: 0,
        capacity: 0,
        reciprocal: 0,
    }; TABLE];
    let mut class = 0;
    while class < COUNT {
        let bytes = SIZES[class];
        classes[class] = SizeClass {
            bytes: bytes as u32,
            capacity: (BLOCK_BYTES / bytes) as u16,
            reciprocal: ((1u64 << 32).div_ceil(bytes as u64)) as u32,
        };
        class += 1;
    }
    classes
};

/// The size class of a cell of n granules.
const CLASS_OF_GRANULES: [u8; LARGEST / GRANULE + 1] = {
    let mut table = [0; LARGEST / GRANULE + 1];
    let mut granules = 0;
    let mut class = 0;
    while granules < table.len() {
        if granules * GRANULE > SIZES[class] {
            class += 1;
        }
        table[granules] = class as u8;
        granules += 1;
    }
    table
};

/// The size class for a cell of `bytes ≤ LARGEST` bytes.
#[inline(always)]
pub(super) const fn class_of(bytes: usize) -> usize {
    CLASS_OF_GRANULES[bytes.div_ceil(GRANULE)] as usize
}

/// The cell size of a size class.
#[inline(always)]
pub(super) const fn bytes_of(class: usize) -> usize {
    SIZES[class]
}

/// The description of a size class.
#[inline(always)]
pub(super) fn describe(class: usize) -> SizeClass {
    CLASSES[class % TABLE]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_fits_its_class_and_no_smaller_one() {
        for bytes in 0..=LARGEST {
            let class = class_of(bytes);
            assert!(bytes <= bytes_of(class));
            assert!(class == 0 || bytes > bytes_of(class - 1));
        }
    }

    #[test]
    fn sizes_are_whole_granules_and_waste_little_of_a_block() {
        for class in 0..COUNT {
            let bytes = bytes_of(class);
            assert_eq!(bytes % GRANULE, 0);
            assert!(
                BLOCK_BYTES % bytes <= BLOCK_BYTES / 40,
                "class of {bytes} bytes"
            );
        }
    }

    #[test]
    fn index_divides_exactly() {
        for class in 0..COUNT {
            for offset in 0..BLOCK_BYTES {
                assert_eq!(describe(class).index(offset), offset / bytes_of(class));
            }
        }
    }
}
