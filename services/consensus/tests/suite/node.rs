//! The service in this process, on a folder that outlives it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use swarm_config::Listen;
use swarm_consensus::{Config, Sockets, build_with};
use swarm_identity::Role;
use swarm_proto::consensus::v1 as wire;
use swarm_proto::consensus::v1::proposal_service_client::ProposalServiceClient;
use swarm_proto::consensus::v1::status_service_client::StatusServiceClient;
use swarm_runtime::Lifecycle;
use swarm_test_support::eventually;
use swarm_test_support::identity::TestIssuer;
use swarm_types::{ManualClock, SystemClock, TenantId};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// A running service, and a client of it for a tenant.
pub(crate) struct Node {
    pub(crate) issuer: TestIssuer,
    pub(crate) tenant: TenantId,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) proposals: ProposalServiceClient<Channel>,
    pub(crate) status: StatusServiceClient<Channel>,
    pub(crate) admin: String,
    lifecycle: Lifecycle,
}

/// Settings for a service on this folder, on free ports.
pub(crate) fn config(data: &Path) -> Config {
    let mut config = Config::default();
    config.consensus.data = data.join("consensus");
    config.consensus.grpc = Listen::loopback(0);
    config.consensus.admin = Listen::loopback(0);
    config
}

impl Node {
    pub(crate) async fn start(data: &Path) -> Self {
        Self::start_with(config(data)).await
    }

    pub(crate) async fn start_with(config: Config) -> Self {
        let now = swarm_types::Clock::now(&SystemClock);
        Self::start_at(config, Arc::new(ManualClock::new(now))).await
    }

    pub(crate) async fn start_at(config: Config, clock: Arc<ManualClock>) -> Self {
        let issuer = TestIssuer::new();
        let sockets = Sockets::bind(&config).await.unwrap();
        let address = format!("http://{}", sockets.grpc.local_addr().unwrap());
        let admin = sockets.admin.local_addr().unwrap().to_string();
        let lifecycle = Lifecycle::new(Duration::from_secs(5));
        let app = build_with(config, sockets, issuer.verifier(), clock.clone());
        app.await.unwrap().spawn(&lifecycle);
        let channel = Endpoint::from_shared(address).unwrap().connect_lazy();
        Self {
            issuer,
            tenant: TenantId::derived(&["ours"]),
            clock,
            proposals: ProposalServiceClient::new(channel.clone()),
            status: StatusServiceClient::new(channel),
            admin,
            lifecycle,
        }
    }

    pub(crate) async fn stop(self) {
        let end = self.lifecycle.stop().await;
        assert!(end.is_clean(), "{end:?}");
    }

    /// Ends it as a crash would: nothing is drained.
    pub(crate) fn kill(self) {
        self.lifecycle.kill();
    }

    /// A call of agent-manager for the tenant.
    pub(crate) fn call<T>(&self, message: T) -> Request<T> {
        self.call_for(self.tenant, message)
    }

    pub(crate) fn call_for<T>(&self, tenant: TenantId, message: T) -> Request<T> {
        self.issuer
            .service_request("agent-manager", Some(tenant), message)
    }

    /// A call of the gateway for a person of the tenant; also the person's id.
    pub(crate) fn call_by_person<T>(
        &self,
        roles: &[Role],
        message: impl FnOnce(&str) -> T,
    ) -> Request<T> {
        let claims = self.issuer.claims(self.tenant, roles);
        let message = message(&claims.sub);
        let mut request = self.issuer.service_request("gateway", None, message);
        let token = self.issuer.sign(&claims).parse().unwrap();
        request.metadata_mut().insert("x-on-behalf-of", token);
        request
    }

    pub(crate) async fn create(
        &self,
        message: wire::CreateProposalRequest,
    ) -> Result<wire::Proposal, Status> {
        let mut client = self.proposals.clone();
        let answer = client.create_proposal(self.call(message));
        Ok(answer.await?.into_inner().proposal.unwrap())
    }

    pub(crate) async fn vote(
        &self,
        id: &str,
        voter: &str,
        votes: Vec<wire::OptionVote>,
    ) -> Result<wire::CastVoteResponse, Status> {
        let message = wire::CastVoteRequest {
            proposal_id: id.to_owned(),
            voter: voter.to_owned(),
            votes,
        };
        let mut client = self.proposals.clone();
        let answer = client.cast_vote(self.call(message));
        Ok(answer.await?.into_inner())
    }

    pub(crate) async fn get(&self, id: &str) -> Result<wire::Proposal, Status> {
        let message = wire::GetProposalRequest { id: id.to_owned() };
        let mut client = self.proposals.clone();
        let answer = client.get_proposal(self.call(message));
        Ok(answer.await?.into_inner().proposal.unwrap())
    }

    pub(crate) async fn list(
        &self,
        message: wire::ListProposalsRequest,
    ) -> Result<wire::ListProposalsResponse, Status> {
        let mut client = self.proposals.clone();
        let answer = client.list_proposals(self.call(message));
        Ok(answer.await?.into_inner())
    }

    pub(crate) async fn state_of(&self, id: &str, state: wire::ProposalState) -> wire::Proposal {
        eventually("the state of a proposal", LIMIT, || async {
            let proposal = self.get(id).await.unwrap();
            if proposal.state() == state {
                Ok(proposal)
            } else {
                Err(proposal.state())
            }
        })
        .await
    }

    /// The metrics that the admin port shows.
    pub(crate) async fn metrics(&self) -> String {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = tokio::net::TcpStream::connect(&self.admin).await.unwrap();
        let request = b"GET /metrics HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }
}
