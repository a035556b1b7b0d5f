//! Indexes in RAM: a cache of what the database holds.

mod bm25;
mod cache;
mod namespace;
mod terms;
mod vectors;

pub(crate) use bm25::Statistics;
pub(crate) use cache::{Indexes, Key, Loaded};
pub(crate) use namespace::{Entry, Filter};
