//! What happens when, drawn from a seed before anything starts: pure.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use swarm_test_cluster::{Node, Service};

/// How large a run is.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Tasks to submit.
    pub tasks: usize,
    /// For how long they are submitted and things are broken.
    pub seconds: u64,
    /// Repeats the plan.
    pub seed: u64,
}

/// Something that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blow {
    /// SIGKILL, and a start a while later.
    Kill(Node),
    /// SIGSTOP, and SIGCONT a while later.
    Pause(Node),
    /// PostgreSQL ends as in a crash, and starts again.
    Postgres,
    /// Redis ends, and starts again, empty.
    Redis,
}

/// When what is broken, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Strike {
    /// After the strike before it has been mended.
    pub after: Duration,
    /// What.
    pub blow: Blow,
    /// Until it is mended.
    pub lasts: Duration,
}

/// By which door a task is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// A WebSocket.
    WebSocket,
    /// Server-sent events.
    ServerSent,
}

/// One task of the load.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    /// When it is submitted.
    pub at: Duration,
    /// A swarm, or one agent with tools.
    pub is_swarm: bool,
    /// Cancelled this long after it was accepted.
    pub cancel_after: Option<Duration>,
    /// Watched by a reader that drops its stream after this many events, again and again.
    pub reader: Option<(Door, usize)>,
    /// The gateway that it is submitted at.
    pub gateway: usize,
}

/// The whole plan.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What is broken, in order.
    pub strikes: Vec<Strike>,
    /// What is done meanwhile.
    pub jobs: Vec<Job>,
}

/// The replicas of gateway and agent-manager.
pub(crate) const GATEWAYS: usize = 2;
/// The replicas of agent-manager.
pub(crate) const AGENT_MANAGERS: usize = 3;
/// The lease of the run; a pause lasts longer.
pub(crate) const LEASE: Duration = Duration::from_millis(1_500);

impl Plan {
    /// The plan of these options: the same for the same seed.
    #[must_use]
    pub fn draw(options: Options) -> Self {
        let mut random = StdRng::seed_from_u64(options.seed);
        let whole = Duration::from_secs(options.seconds);
        let mut strikes = Vec::new();
        let mut used = Duration::ZERO;
        while used < whole {
            let strike = strike(&mut random);
            used += strike.after + strike.lasts;
            strikes.push(strike);
        }
        let count = u32::try_from(options.tasks.max(1)).unwrap_or(u32::MAX);
        let jobs = (0..options.tasks).map(|number| {
            let place = u32::try_from(number).unwrap_or(u32::MAX);
            job(&mut random, number, whole / count * place)
        });
        Self {
            jobs: jobs.collect(),
            strikes,
        }
    }
}

fn strike(random: &mut StdRng) -> Strike {
    let agent_manager = Service::AgentManager.replica(random.random_range(0..AGENT_MANAGERS));
    let gateway = Service::Gateway.replica(random.random_range(0..GATEWAYS));
    let others = [
        Service::Consensus,
        Service::Memory,
        Service::Learning,
        Service::Auth,
    ];
    let other = others.choose(random).copied().unwrap_or(Service::Memory);
    let blow = match random.random_range(0..100) {
        0..40 => Blow::Kill(agent_manager),
        40..60 => Blow::Pause(agent_manager),
        60..72 => Blow::Kill(gateway),
        72..84 => Blow::Kill(other.replica(0)),
        84..93 => Blow::Postgres,
        _ => Blow::Redis,
    };
    let milliseconds = match blow {
        Blow::Pause(_) => {
            let lease = u64::try_from(LEASE.as_millis()).unwrap_or(u64::MAX);
            random.random_range(lease + 500..lease * 3)
        }
        Blow::Kill(_) => random.random_range(200..3_000),
        Blow::Postgres | Blow::Redis => random.random_range(200..1_500),
    };
    Strike {
        after: Duration::from_millis(random.random_range(500..2_500)),
        blow,
        lasts: Duration::from_millis(milliseconds),
    }
}

fn job(random: &mut StdRng, number: usize, at: Duration) -> Job {
    let cancel_after = (random.random_range(0..12) == 0)
        .then(|| Duration::from_millis(random.random_range(20..1_500)));
    let door = if random.random() {
        Door::WebSocket
    } else {
        Door::ServerSent
    };
    let reader = (random.random_range(0..5) == 0).then(|| (door, random.random_range(1..8)));
    Job {
        at,
        is_swarm: number % 10 == 9,
        cancel_after,
        reader,
        gateway: random.random_range(0..GATEWAYS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_plan() {
        let draw = |seed| {
            let options = Options {
                tasks: 50,
                seconds: 60,
                seed,
            };
            format!("{:?}", Plan::draw(options))
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn a_tenth_are_swarms_and_a_pause_outlasts_the_lease() {
        let plan = Plan::draw(Options {
            tasks: 200,
            seconds: 600,
            seed: 1,
        });
        assert_eq!(plan.jobs.iter().filter(|job| job.is_swarm).count(), 20);
        let mut pauses = plan
            .strikes
            .iter()
            .filter(|one| matches!(one.blow, Blow::Pause(_)));
        assert!(pauses.clone().count() > 5 && pauses.all(|pause| pause.lasts > LEASE));
    }
}
