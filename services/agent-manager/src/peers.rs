//! The courier to learning and memory.

use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use swarm_errors::{Error, Result};
use swarm_proto::convert::to_wire_time;
use swarm_proto::learning::v1::learning_service_client::LearningServiceClient;
use swarm_proto::learning::v1::{Observation, RecordObservationsRequest};
use swarm_proto::memory::v1::memory_service_client::MemoryServiceClient;
use swarm_proto::memory::v1::{Memory, MemoryKind, PutMemoriesRequest};
use swarm_transport::{Acting, Deadline, Dialer, Peer, PeersConfig, Retry, call, request};
use swarm_types::{TenantId, Timestamp};

use crate::engine::{Courier, LEARNING, Letter, MEMORY};

const LIMIT: Duration = Duration::from_secs(30);
/// Episodes lie apart from what people and agents put on purpose.
const NAMESPACE: &str = "episodes";

/// Carries letters over gRPC. Both receivers leave what they know alone.
#[derive(Debug)]
pub(crate) struct PeerCourier {
    learning: LearningServiceClient<Peer>,
    memory: MemoryServiceClient<Peer>,
}

impl PeerCourier {
    pub(crate) fn new(dialer: &Dialer, peers: &PeersConfig) -> Result<Self> {
        Ok(Self {
            learning: LearningServiceClient::new(dialer.peer("peers.learning", &peers.learning)?),
            memory: MemoryServiceClient::new(dialer.peer("peers.memory", &peers.memory)?),
        })
    }
}

#[derive(Debug, Deserialize)]
struct ObservationLetter {
    id: String,
    task_id: String,
    agent_id: String,
    model: String,
    kind: String,
    latency_ms: u64,
    input_tokens: u64,
    output_tokens: u64,
    success: bool,
    at: Timestamp,
}

#[derive(Debug, Deserialize)]
struct EpisodeLetter {
    id: String,
    task_id: String,
    agent_id: Option<String>,
    content: String,
}

#[async_trait]
impl Courier for PeerCourier {
    async fn carry(&self, target: &str, tenant: TenantId, letters: &[Letter]) -> Result<()> {
        let deadline = Deadline::after(LIMIT);
        match target {
            LEARNING => {
                let observations: Vec<Observation> =
                    read(letters)?.into_iter().map(observation).collect();
                call(Retry::Safe, deadline, || async {
                    let message = RecordObservationsRequest {
                        observations: observations.clone(),
                    };
                    let request = request(&Acting::Tenant(tenant), deadline, message)?;
                    self.learning.clone().record_observations(request).await
                })
                .await
                .map(drop)
            }
            MEMORY => {
                let memories: Vec<Memory> = read(letters)?.into_iter().map(episode).collect();
                call(Retry::Safe, deadline, || async {
                    let message = PutMemoriesRequest {
                        request: None,
                        memories: memories.clone(),
                    };
                    let request = request(&Acting::Tenant(tenant), deadline, message)?;
                    self.memory.clone().put_memories(request).await
                })
                .await
                .map(drop)
            }
            other => Err(Error::internal(format!(
                "a letter for {other}, whom nobody knows"
            ))),
        }
    }
}

fn read<T: DeserializeOwned>(letters: &[Letter]) -> Result<Vec<T>> {
    letters
        .iter()
        .map(|letter| serde_json::from_value(letter.payload.clone()).map_err(Error::internal))
        .collect()
}

fn observation(letter: ObservationLetter) -> Observation {
    Observation {
        id: letter.id,
        task_id: letter.task_id,
        agent_id: letter.agent_id,
        model: letter.model,
        kind: letter.kind,
        latency_ms: letter.latency_ms,
        input_tokens: letter.input_tokens,
        output_tokens: letter.output_tokens,
        success: letter.success,
        at: Some(to_wire_time(letter.at)),
    }
}

fn episode(letter: EpisodeLetter) -> Memory {
    Memory {
        id: letter.id,
        namespace: NAMESPACE.to_owned(),
        kind: MemoryKind::Episodic.into(),
        content: letter.content,
        source: format!("task {}", letter.task_id),
        task_id: letter.task_id,
        agent_id: letter.agent_id.unwrap_or_default(),
        ..Memory::default()
    }
}
