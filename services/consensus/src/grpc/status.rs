//! `StatusService`.

use swarm_identity::Permission;
use swarm_proto::consensus::v1 as wire;
use swarm_proto::consensus::v1::status_service_server::StatusService;
use swarm_transport::caller;
use tonic::{Request, Response, Status};

use crate::raft::Group;

#[derive(Debug)]
pub(super) struct GroupStatus {
    pub(super) group: Group,
}

#[tonic::async_trait]
impl StatusService for GroupStatus {
    /// The group belongs to no tenant, so none is asked for.
    async fn get_status(
        &self,
        request: Request<wire::GetStatusRequest>,
    ) -> Result<Response<wire::GetStatusResponse>, Status> {
        caller(&request)?
            .principal
            .require(Permission::SystemRead)?;
        let status = self.group.status();
        Ok(Response::new(wire::GetStatusResponse {
            node_id: status.node_id,
            leader_id: status.leader_id.unwrap_or(0),
            term: status.term,
            last_applied: status.last_applied,
            last_log: status.last_log,
            voters: status.voters,
        }))
    }
}
