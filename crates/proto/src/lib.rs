//! The generated messages, clients and servers of the contracts in `proto/`, one module a package,
//! and the conversions that every service needs.

pub mod convert;

macro_rules! packages {
    ($($area:ident = $package:literal;)*) => {$(
        #[doc = concat!("The package `", $package, "`.")]
        #[allow(
            clippy::all,
            clippy::pedantic,
            clippy::needless_pass_by_value,
            missing_debug_implementations,
            missing_docs,
            unreachable_pub,
            unused_qualifications,
            reason = "generated"
        )]
        pub mod $area {
            #[doc = concat!("Version 1 of `", $package, "`.")]
            pub mod v1 {
                tonic::include_proto!($package);
            }
        }
    )*};
}

packages! {
    common = "swarm.common.v1";
    agents = "swarm.agents.v1";
    consensus = "swarm.consensus.v1";
    memory = "swarm.memory.v1";
    learning = "swarm.learning.v1";
    auth = "swarm.auth.v1";
}

/// The descriptors of all packages, for server reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
