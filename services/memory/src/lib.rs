//! What agents remember, found again by words and by meaning.
//!
//! | Module | What it holds |
//! |---|---|
//! | `memory`, `validate`, `put` | a memory, what may be stored, and what a put changes: pure |
//! | `search` | a question, its ranking and the fusion of two rankings: pure |
//! | `index` | the indexes in RAM: pure ones of words and vectors, and the cache that keeps them fresh |
//! | `embeddings` | vectors, made once for each content |
//! | `store` | the tables |
//! | `service` | puts, gets, lists, deletes, searches, sweeps |
//! | `grpc` | decodes, authorizes, calls the service, encodes |

mod app;
mod config;
mod embeddings;
mod grpc;
mod index;
mod memory;
mod put;
mod search;
mod service;
mod store;
mod validate;

pub use app::{App, Parts, Program, Sockets, build, build_with};
pub use config::{Config, MemoryConfig};
pub use memory::{Content, ContentHash, Draft, Kind, Memory};
pub use put::{PutAnswer, Repeat};
pub use search::{Hit, Mode, Place, Question, Why};
pub use service::{Memories, Swept};
pub use store::{SCHEMA, TEXTS};
