//! The replicas of one service, and a channel that takes a healthy one for each call.
//!
//! An address list, or a name that stands for several addresses, makes a [`Group`]. A probe asks
//! each replica after its health; a call goes to the replica with the fewest running calls among
//! the healthiest. A replica that does not answer its probes loses its calls and streams, so that
//! their callers go on elsewhere and do not wait for a process that is stopped.

mod body;
mod channel;
mod choice;
mod group;
mod probe;

pub use channel::BalancedChannel;
pub(crate) use group::Group;
