//! A whole language system without a compiler.
