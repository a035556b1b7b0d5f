//! The doors: decode, authorize, ask the group, encode.

mod decode;
mod encode;
mod proposals;
mod status;

use std::sync::Arc;

use swarm_proto::consensus::v1::proposal_service_server::ProposalServiceServer;
use swarm_proto::consensus::v1::status_service_server::StatusServiceServer;
use swarm_types::Clock;
use tonic::service::Routes;

use crate::raft::Group;

/// Longer than any request within the bounds.
const MAX_REQUEST_BYTES: usize = 8 << 20;

/// All services on this group.
pub(crate) fn routes(group: &Group, clock: &Arc<dyn Clock>) -> Routes {
    let proposals = proposals::Proposals {
        group: group.clone(),
        clock: clock.clone(),
    };
    let status = status::GroupStatus {
        group: group.clone(),
    };
    let proposals =
        ProposalServiceServer::new(proposals).max_decoding_message_size(MAX_REQUEST_BYTES);
    Routes::new(proposals).add_service(StatusServiceServer::new(status))
}
