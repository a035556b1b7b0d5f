//! All of Qwen Swarm in one program: the six services in one process, the demo, and the commands
//! that speak the public API.
//!
//! | module | what |
//! |---|---|
//! | `data` | the data folder: stores, secrets, the first credential |
//! | `platform` | the six services in one process, from settings to a clean stop |
//! | `up` | keeps a platform running |
//! | `demo` | a platform, three agents, one question |
//! | `migrate` | brings PostgreSQL up to date |
//! | `program` | the command line |

mod data;
mod demo;
mod migrate;
mod platform;
mod program;
mod signals;
mod up;

pub use data::{Credential, DEFAULT as DEFAULT_DATA, DataFolder};
pub use platform::{Platform, Settings};
pub use program::main;
