//! Kiln: a tiered runtime for dynamic scripting languages.
