//! The clients of the five services behind the gateway.

use std::time::Duration;

use futures::future::join_all;
use swarm_errors::{Code, Error, Result};
use swarm_proto::agents::v1::agent_service_client::AgentServiceClient;
use swarm_proto::agents::v1::dead_letter_service_client::DeadLetterServiceClient;
use swarm_proto::agents::v1::message_service_client::MessageServiceClient;
use swarm_proto::agents::v1::overview_service_client::OverviewServiceClient;
use swarm_proto::agents::v1::schedule_service_client::ScheduleServiceClient;
use swarm_proto::agents::v1::task_service_client::TaskServiceClient;
use swarm_proto::auth::v1::api_key_service_client::ApiKeyServiceClient;
use swarm_proto::auth::v1::session_service_client::SessionServiceClient;
use swarm_proto::auth::v1::tenant_service_client::TenantServiceClient;
use swarm_proto::auth::v1::user_service_client::UserServiceClient;
use swarm_proto::consensus::v1::proposal_service_client::ProposalServiceClient;
use swarm_proto::consensus::v1::status_service_client::StatusServiceClient;
use swarm_proto::learning::v1::learning_service_client::LearningServiceClient;
use swarm_proto::memory::v1::memory_service_client::MemoryServiceClient;
use swarm_runtime::Readiness;
use swarm_transport::{BalancedChannel, Dialer, Peer, PeersConfig};
use tonic::Status;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::waiting::Waiting;

/// A whole tree of a task, or a page of long texts, is larger than the 4 MiB that tonic takes.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;
const HEALTH_LIMIT: Duration = Duration::from_millis(900);

/// Calls a peer for a caller; again while it is unavailable, since its owner deduplicates.
macro_rules! ask {
    (@ $retry:expr, $gateway:expr, $caller:expr, $client:ident.$rpc:ident($message:expr)) => {{
        let (acting, message, deadline) = (swarm_transport::Acting::from($caller), $message, $gateway.deadline());
        swarm_transport::call($retry, deadline, || async {
            let request = swarm_transport::request(&acting, deadline, message.clone())?;
            $gateway.peers.$client.clone().$rpc(request).await
        })
        .await
        .map_err(|error| crate::peers::name_of_absent(stringify!($client), error))
    }};
    (once $gateway:expr, $caller:expr, $client:ident.$rpc:ident($message:expr)) => {
        crate::peers::ask!(@ swarm_transport::Retry::Never, $gateway, $caller, $client.$rpc($message))
    };
    ($gateway:expr, $caller:expr, $client:ident.$rpc:ident($message:expr)) => {
        crate::peers::ask!(@ swarm_transport::Retry::Safe, $gateway, $caller, $client.$rpc($message))
    };
}
pub(crate) use ask;

/// Says which service is away, where nobody answered: an answer's own words are better than ours.
pub(crate) fn name_of_absent(client: &str, error: Error) -> Error {
    let status =
        std::error::Error::source(&error).and_then(|source| source.downcast_ref::<Status>());
    let is_from_transport =
        status.is_some_and(|status| std::error::Error::source(status).is_some());
    if error.code() != Code::Unavailable || !is_from_transport {
        return error;
    }
    let service = match client {
        "agents" | "tasks" | "schedules" | "messages" | "overviews" | "dead_letters" => {
            "agent-manager"
        }
        "proposals" | "consensus" => "consensus",
        "memories" => "memory",
        "learning" => "learning",
        _ => "auth",
    };
    Error::unavailable(format!("{service} cannot be reached")).with_source(error)
}

/// The clients of the five services.
#[derive(Debug)]
pub(crate) struct Peers {
    dialer: Dialer,
    addresses: PeersConfig,
    pub(crate) waiting: Waiting,
    services: Vec<Service>,
    pub(crate) agents: AgentServiceClient<Peer>,
    pub(crate) tasks: TaskServiceClient<Peer>,
    pub(crate) messages: MessageServiceClient<Peer>,
    pub(crate) dead_letters: DeadLetterServiceClient<Peer>,
    pub(crate) schedules: ScheduleServiceClient<Peer>,
    pub(crate) overviews: OverviewServiceClient<Peer>,
    pub(crate) proposals: ProposalServiceClient<Peer>,
    pub(crate) consensus: StatusServiceClient<Peer>,
    pub(crate) memories: MemoryServiceClient<Peer>,
    pub(crate) learning: LearningServiceClient<Peer>,
    pub(crate) sessions: SessionServiceClient<BalancedChannel>,
    pub(crate) users: UserServiceClient<Peer>,
    pub(crate) tenants: TenantServiceClient<Peer>,
    pub(crate) keys: ApiKeyServiceClient<Peer>,
}

/// One service, to ask after its health.
#[derive(Debug, Clone)]
struct Service {
    name: &'static str,
    health: HealthClient<BalancedChannel>,
}

/// How a service is.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) name: &'static str,
    pub(crate) result: Result<()>,
}

impl Peers {
    /// Clients that connect at first use.
    pub(crate) fn new(dialer: Dialer, addresses: PeersConfig) -> Result<Self> {
        let agent_manager = dialer.peer("peers.agent_manager", &addresses.agent_manager)?;
        let consensus = dialer.peer("peers.consensus", &addresses.consensus)?;
        let memory = dialer.peer("peers.memory", &addresses.memory)?;
        let learning = dialer.peer("peers.learning", &addresses.learning)?;
        let auth = dialer.peer("peers.auth", &addresses.auth)?;
        let waiting =
            Waiting::new(|| dialer.peer("peers.agent_manager", &addresses.agent_manager))?;
        Ok(Self {
            waiting,
            services: services(&dialer, &addresses)?,
            agents: AgentServiceClient::new(agent_manager.clone())
                .max_decoding_message_size(LARGEST_ANSWER),
            tasks: TaskServiceClient::new(agent_manager.clone())
                .max_decoding_message_size(LARGEST_ANSWER),
            dead_letters: DeadLetterServiceClient::new(agent_manager.clone())
                .max_decoding_message_size(LARGEST_ANSWER),
            overviews: OverviewServiceClient::new(agent_manager.clone()),
            schedules: ScheduleServiceClient::new(agent_manager.clone())
                .max_decoding_message_size(LARGEST_ANSWER),
            messages: MessageServiceClient::new(agent_manager)
                .max_decoding_message_size(LARGEST_ANSWER),
            proposals: ProposalServiceClient::new(consensus.clone())
                .max_decoding_message_size(LARGEST_ANSWER),
            consensus: StatusServiceClient::new(consensus),
            memories: MemoryServiceClient::new(memory).max_decoding_message_size(LARGEST_ANSWER),
            learning: LearningServiceClient::new(learning)
                .max_decoding_message_size(LARGEST_ANSWER),
            sessions: SessionServiceClient::new(dialer.auth()),
            users: UserServiceClient::new(auth.clone()),
            tenants: TenantServiceClient::new(auth.clone()),
            keys: ApiKeyServiceClient::new(auth),
            dialer,
            addresses,
        })
    }

    /// A client on a connection of its own: a reader that stalls its stream stalls nobody else's.
    pub(crate) fn watching(&self) -> Result<TaskServiceClient<Peer>> {
        let peer = self
            .dialer
            .peer("peers.agent_manager", &self.addresses.agent_manager)?;
        Ok(TaskServiceClient::new(peer).max_decoding_message_size(LARGEST_ANSWER))
    }

    /// Asks every service how it is.
    pub(crate) async fn health(&self) -> Vec<Found> {
        let ask = |service: &Service| {
            let service = service.clone();
            async move {
                Found {
                    name: service.name,
                    result: service.check().await,
                }
            }
        };
        join_all(self.services.iter().map(ask)).await
    }

    /// Shows the services among the gateway's dependencies. None is required: the gateway stays
    /// ready without them, so that callers get the owner's 503 and not a refused connection.
    pub(crate) fn register(&self, readiness: &Readiness) {
        for service in &self.services {
            let service = service.clone();
            readiness.register_optional(service.name, move || {
                let service = service.clone();
                async move { service.check().await }
            });
        }
    }
}

impl Service {
    async fn check(&self) -> Result<()> {
        let mut client = self.health.clone();
        let asked = client.check(HealthCheckRequest {
            service: String::new(),
        });
        let answer = tokio::time::timeout(HEALTH_LIMIT, asked)
            .await
            .map_err(|_| Error::unavailable("it does not answer"))?
            .map_err(|status| Error::unavailable("it cannot be reached").with_source(status))?;
        if answer.into_inner().status() == ServingStatus::Serving {
            return Ok(());
        }
        Err(Error::unavailable("it takes no calls"))
    }
}

fn services(dialer: &Dialer, addresses: &PeersConfig) -> Result<Vec<Service>> {
    [
        (
            "agent-manager",
            "peers.agent_manager",
            &addresses.agent_manager,
        ),
        ("consensus", "peers.consensus", &addresses.consensus),
        ("memory", "peers.memory", &addresses.memory),
        ("learning", "peers.learning", &addresses.learning),
        ("auth", "peers.auth", &addresses.auth),
    ]
    .into_iter()
    .map(|(name, key, addresses)| {
        Ok(Service {
            name,
            health: HealthClient::new(dialer.plain(key, addresses)?),
        })
    })
    .collect()
}
