//! Machine code for Kiln's compiled tiers: from bytecode to Cranelift's intermediate form to published machine code.
