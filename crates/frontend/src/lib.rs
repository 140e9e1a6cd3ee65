//! Source text to bytecode.
//!
//! The path of a program through this crate: bytes become a [`Source`](source::Source), the front end of its
//! language reads it ([`miniscript::parse`]), and what is wrong with it comes back as
//! [`Diagnostic`](diagnostic::Diagnostic)s.
//!
//! ```
//! use kiln_frontend::{miniscript, source::Source};
//!
//! let source = Source::new("hello.ms", "print \"Hello\"")?;
//! let program = miniscript::parse(&source).expect("the program is correct");
//! assert_eq!(program.main().body.len(), 1);
//!
//! let source = Source::new("oops.ms", "print [1, 2")?;
//! let errors = miniscript::parse(&source).unwrap_err();
//! assert_eq!(
//!     errors[0].to_string(),
//!     "Compiler Error: got EOL where Comma or RSquare is required [line 1]",
//! );
//! # Ok::<(), kiln_frontend::source::SourceError>(())
//! ```
#![forbid(unsafe_code)]

pub mod diagnostic;
pub mod miniscript;
pub mod source;
