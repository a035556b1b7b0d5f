//! Breaks a whole platform on purpose while it works, and checks what it promised.
//!
//! For tests only, so a failure of the harness itself is a panic that says what is wrong.
#![allow(clippy::unwrap_used)]

mod check;
mod load;
mod plan;
mod readers;
mod report;
mod world;

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use swarm_client::{Client, NewTask};
use tokio::task::JoinSet;
use tokio::time::Instant;

use check::Evidence;
use load::{Accepted, Outcome};
pub use plan::{Blow, Door, Job, Options, Plan, Strike};
use readers::Seen;
pub use report::Report;
use world::World;

/// How long tasks may take to end once nothing is broken any more.
const CALM: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(500);
const READS_AT_ONCE: usize = 8;

/// A finished run.
#[derive(Debug)]
pub struct Run {
    /// What it has shown.
    pub report: Report,
    /// What the programs have said.
    pub logs: String,
}

/// Carries out the plan of these options.
pub async fn run(options: Options) -> Run {
    let plan = Plan::draw(options);
    let mut world = World::start().await;
    let clients = Arc::new(world.clients());
    let until = Instant::now() + Duration::from_secs(options.seconds) + CALM;
    let mut jobs = JoinSet::new();
    for (number, job) in plan.jobs.iter().copied().enumerate() {
        let client = Work {
            clients: clients.clone(),
            doors: world.doors(),
            task: task_of(&world, job),
            key: format!("chaos-{}-{number}", options.seed),
            until,
        };
        jobs.spawn(client.run(job));
    }
    let mut report = Report {
        options: Some(options),
        ..Report::default()
    };
    for strike in plan.strikes {
        let name = match strike.blow {
            Blow::Kill(node) => format!("kill {node}"),
            Blow::Pause(node) => format!("pause {node}"),
            Blow::Postgres => "restart postgres".to_owned(),
            Blow::Redis => "restart redis".to_owned(),
        };
        *report.strikes.entry(name).or_default() += 1;
        world.strike(strike).await;
    }
    let (accepted, seen) = collect(&mut world, jobs, &mut report, until).await;
    judge(&mut world, &clients, &accepted, &seen, &mut report, until).await;
    for name in &world.revived {
        *report.revived.entry(name.clone()).or_default() += 1;
    }
    Run {
        report,
        logs: world.logs(),
    }
}

fn task_of(world: &World, job: Job) -> NewTask {
    if job.is_swarm {
        return world.swarm.question();
    }
    NewTask {
        agent_id: Some(world.clerk.clone()),
        ..NewTask::question("Please use the ledger.")
    }
}

/// One client's work.
struct Work {
    clients: Arc<Vec<Client>>,
    doors: Vec<String>,
    task: NewTask,
    key: String,
    until: Instant,
}

impl Work {
    async fn run(self, job: Job) -> (Outcome, Option<Seen>) {
        tokio::time::sleep(job.at).await;
        let mut accepted = match load::submit(&self.clients, job, &self.key, &self.task).await {
            Ok(accepted) => accepted,
            Err(error) => return (Outcome::Refused(error), None),
        };
        let reader = async {
            let (door, most) = job.reader?;
            let (clients, id) = (self.clients.to_vec(), accepted.id.clone());
            Some(readers::read(clients, self.doors.clone(), door, most, id, self.until).await)
        };
        let mut by_cancel = Accepted {
            id: accepted.id.clone(),
            ..accepted
        };
        let cancel = async {
            if let Some(after) = job.cancel_after {
                load::cancel(&self.clients, job, after, &mut by_cancel).await;
            }
        };
        let (seen, ()) = tokio::join!(reader, cancel);
        accepted.cancelled = by_cancel.cancelled;
        (Outcome::Accepted(accepted), seen)
    }
}

async fn collect(
    world: &mut World,
    mut jobs: JoinSet<(Outcome, Option<Seen>)>,
    report: &mut Report,
    until: Instant,
) -> (Vec<Accepted>, Vec<Seen>) {
    let (mut accepted, mut seen) = (Vec::new(), Vec::new());
    while !jobs.is_empty() {
        world.revive();
        match tokio::time::timeout(LOOK_EVERY, jobs.join_next()).await {
            Ok(Some(done)) => {
                let (outcome, reader) = done.unwrap();
                seen.extend(reader);
                match outcome {
                    Outcome::Accepted(one) => accepted.push(one),
                    Outcome::Refused(error) => report.refused.push(error.to_string()),
                }
            }
            Ok(None) => break,
            Err(_) => assert!(
                Instant::now() < until + CALM,
                "a client never came to its end"
            ),
        }
    }
    report.accepted = accepted.len();
    (accepted, seen)
}

async fn judge(
    world: &mut World,
    clients: &[Client],
    accepted: &[Accepted],
    seen: &[Seen],
    report: &mut Report,
    until: Instant,
) {
    loop {
        world.revive();
        let open = futures::stream::iter(accepted)
            .map(async |one| match clients[0].get_task(&one.id).await {
                Ok(task) => !task.state.has_ended(),
                Err(_) => true,
            })
            .buffer_unordered(READS_AT_ONCE)
            .filter(|is_open| std::future::ready(*is_open))
            .count()
            .await;
        if open == 0 || Instant::now() > until {
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let ledger = world.ledger.by_token();
    let losses = world.losses.lock().unwrap().clone();
    for one in accepted {
        let evidence = match Evidence::of(&clients[0], &one.id).await {
            Ok(evidence) => evidence,
            Err(error) => {
                report.lost.push(format!("{}: {error}", one.id));
                continue;
            }
        };
        check::task(report, one, &evidence, &ledger);
        check::takeovers(report, &losses, &evidence.events);
        for reader in seen.iter().filter(|reader| reader.task == one.id) {
            check::reader(report, reader, &evidence.events);
        }
    }
}
