//! The replicated log: the one module that knows openraft and raft-log.
//!
//! [`Store`] opens what is on disk, [`Group`] runs this node of the group on it.

mod data_folder;
mod group;
mod log_codec;
mod log_store;
mod network;
mod settings;
mod snapshot;
mod state_machine;
mod store;
mod stored;
#[cfg(test)]
mod suite_test;
mod types;

pub(crate) use group::Group;
pub(crate) use settings::Settings;
pub(crate) use store::Store;
