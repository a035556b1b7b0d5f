//! Asks each replica after its health, and names after their addresses.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use http::Uri;
use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::choice::Health;
use super::group::{Group, Replica, is_name};

const PROBE_EVERY: Duration = Duration::from_millis(500);
const PROBE_LIMIT: Duration = Duration::from_millis(1500);
const RESOLVE_EVERY: Duration = Duration::from_secs(5);
/// One late answer may be a busy machine's.
const MOST_MISSES: u32 = 2;

/// What a probe remembers of a replica.
#[derive(Debug)]
struct Line {
    health: HealthClient<Channel>,
    misses: u32,
}

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Is(Health),
    /// Nothing in time: the process may be stopped, or only slow.
    Late,
}

/// Probes until the group is gone.
pub(super) async fn run(group: Weak<Group>) {
    let mut lines: HashMap<String, Line> = HashMap::new();
    let mut resolve_at = Instant::now();
    loop {
        {
            let Some(group) = group.upgrade() else { return };
            let mut replicas = group.known().to_vec();
            if Instant::now() >= resolve_at {
                resolve_at = Instant::now() + RESOLVE_EVERY;
                replicas = resolved(&group).await.unwrap_or(replicas);
            }
            lines.retain(|uri, _| replicas.iter().any(|one| name(one) == *uri));
            round(&replicas, &mut lines).await;
            // Only now: a new replica gets calls once it is known how it is.
            group.learn(replicas);
        }
        tokio::time::sleep(PROBE_EVERY).await;
    }
}

fn name(replica: &Replica) -> String {
    replica.endpoint.uri().to_string()
}

async fn round(replicas: &[Arc<Replica>], lines: &mut HashMap<String, Line>) {
    for replica in replicas {
        lines.entry(name(replica)).or_insert_with(|| Line {
            health: HealthClient::new(replica.endpoint.connect_lazy()),
            misses: 0,
        });
    }
    let asked = replicas
        .iter()
        .map(|replica| ask(lines[&name(replica)].health.clone()));
    let answers = futures::future::join_all(asked).await;
    for (replica, answer) in replicas.iter().zip(answers) {
        let Some(line) = lines.get_mut(&name(replica)) else {
            continue;
        };
        match answer {
            Answer::Is(health) => {
                line.misses = 0;
                replica.found(health);
            }
            Answer::Late => {
                line.misses += 1;
                if line.misses >= MOST_MISSES {
                    replica.give_up();
                }
            }
        }
    }
}

async fn ask(mut health: HealthClient<Channel>) -> Answer {
    let asked = health.check(HealthCheckRequest::default());
    match tokio::time::timeout(PROBE_LIMIT, asked).await {
        Err(_) => Answer::Late,
        // A connection that ended takes its calls with it: nothing is left to give up.
        Ok(Err(_)) => Answer::Is(Health::Down),
        Ok(Ok(answer)) if answer.get_ref().status() == ServingStatus::Serving => {
            Answer::Is(Health::Up)
        }
        Ok(Ok(_)) => Answer::Is(Health::Draining),
    }
}

/// The replicas behind the configured addresses; `None` where no name can be resolved now.
async fn resolved(group: &Group) -> Option<Vec<Arc<Replica>>> {
    let mut replicas = Vec::new();
    for configured in group.configured() {
        let uri = configured.uri();
        if !is_name(uri) {
            replicas.push(group.replica(configured.clone()));
            continue;
        }
        let (host, port) = (uri.host()?, uri.port_u16().unwrap_or(80));
        let Ok(addresses) = tokio::net::lookup_host((host, port)).await else {
            tracing::debug!(host, "a name of replicas cannot be resolved now");
            continue;
        };
        let found = addresses.filter_map(|address| at(configured, &address.to_string()));
        replicas.extend(found.map(|endpoint| group.replica(endpoint)));
    }
    replicas.sort_by_key(|replica| name(replica));
    replicas.dedup_by_key(|replica| name(replica));
    (!replicas.is_empty()).then_some(replicas)
}

/// The endpoint of one address behind a name: it is called by the address, and hears the name.
fn at(configured: &Endpoint, authority: &str) -> Option<Endpoint> {
    let address = Uri::builder()
        .scheme(configured.uri().scheme_str().unwrap_or("http"))
        .authority(authority)
        .path_and_query("/")
        .build()
        .ok()?;
    let origin = configured.uri().clone();
    let endpoint = super::group::endpoint("peers", &address.to_string()).ok()?;
    Some(endpoint.origin(origin))
}
