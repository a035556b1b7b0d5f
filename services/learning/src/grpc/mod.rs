//! The rpcs: decode, authorize, call, encode.

mod decode;
mod last_update;
mod rpcs;

pub(crate) use last_update::LastUpdate;
pub(crate) use rpcs::LearningRpcs;
