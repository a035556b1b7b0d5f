//! Settings: defaults, then a file, then the environment, then flags; each later source wins.
//!
//! Every service declares its own settings beside the code that uses them, as a struct with
//! `#[serde(deny_unknown_fields, default)]`; this crate loads them. Errors name the key.

mod listen;
mod load;
mod secret;
mod sections;
mod well_known;

pub use listen::Listen;
pub use load::{Loader, Validate};
pub use secret::Secret;
pub use sections::SECTIONS;
