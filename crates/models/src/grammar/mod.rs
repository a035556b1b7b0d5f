//! Grammars from JSON schemas: what a local model may say next, and how to end well within a token limit.
//!
//! Pure: no model, no I/O. A schema becomes a [`Grammar`] of compact JSON with bounded strings, numbers and lists;
//! a [`State`] walks it byte by byte; a [`Constraint`] walks it token by token and keeps the promise that at any
//! moment the shortest ending still fits into the tokens that are left. So an answer is well-formed under every limit,
//! which a grammar that looks only forward (such as GBNF) cannot promise.

mod constraint;
mod machine;
mod number;
mod schema;
mod state;
mod text;
mod validate;

pub use constraint::{Constraint, Tokens};
pub use machine::Grammar;
pub use schema::{CallSchema, call_grammar, either_grammar, value_grammar};
pub use state::State;
pub use validate::validate;
