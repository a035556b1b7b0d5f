//! A closed loop: each client makes one request after another and none is sent ahead.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::statistics::quantile;
use crate::{Failure, usage};

/// A request that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(30);
/// After a failure, so that a server that is gone is not asked in a busy loop.
const PAUSE: Duration = Duration::from_millis(20);

/// One client of a server under load.
#[async_trait]
pub trait Client: Send {
    /// Makes a task, and returns when its result was read. No two calls have the same number.
    async fn run_one(&mut self, number: u64) -> Result<(), Failure>;
}

/// A server under load.
pub trait Subject {
    /// What it is called in the report.
    fn name(&self) -> &str;
    /// The processes that do its work.
    fn processes(&self) -> Vec<u32>;
    /// A client with a connection of its own.
    fn client(&self) -> Box<dyn Client>;
}

/// How a load is measured.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Runs before anything counts.
    pub warm_up: Duration,
    /// Counts.
    pub length: Duration,
}

/// What was measured.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// Who was measured.
    pub subject: String,
    /// How many clients there were.
    pub clients: usize,
    /// Tasks that ended well within the window, in a second.
    pub per_second: f64,
    /// The median time from request to result.
    pub p50_ms: f64,
    /// 99 of 100 took no longer.
    pub p99_ms: f64,
    /// Processor time of all its processes for a task.
    pub cpu_ms: f64,
    /// Memory of all its processes at the end of the window, shared pages divided.
    pub pss_mib: f64,
    /// The same, shared pages counted for each.
    pub rss_mib: f64,
    /// All tasks that ended well, those outside the window too.
    pub all: u64,
    /// Requests that failed or had a wrong answer.
    pub failures: u64,
    /// The first failure's words.
    pub failure: Option<String>,
}

static NUMBERS: AtomicU64 = AtomicU64::new(0);

/// A number that no other task of this process has.
#[must_use]
pub fn next_number() -> u64 {
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

#[derive(Debug, Default)]
struct Tally {
    /// In microseconds.
    times: Vec<u32>,
    all: u64,
    failures: u64,
    failure: Option<String>,
}

/// Puts `clients` clients on a subject and measures.
pub async fn measure(subject: &dyn Subject, clients: usize, window: Window) -> Measured {
    let begin = Instant::now() + window.warm_up;
    let end = begin + window.length;
    let mut running = JoinSet::new();
    for _ in 0..clients {
        running.spawn(drive(subject.client(), begin, end));
    }
    sleep_until(begin).await;
    let before = usage::cpu_seconds(&subject.processes());
    sleep_until(end).await;
    let used = usage::of(&subject.processes());
    let mut all = Tally::default();
    for tally in running.join_all().await {
        all.times.extend(tally.times);
        all.all += tally.all;
        all.failures += tally.failures;
        all.failure = all.failure.or(tally.failure);
    }
    all.times.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "a count of seconds of requests")]
    let done = all.times.len() as f64;
    let milliseconds = |share| f64::from(quantile(&all.times, share)) / 1e3;
    Measured {
        subject: subject.name().to_owned(),
        clients,
        per_second: done / window.length.as_secs_f64(),
        p50_ms: milliseconds(0.5),
        p99_ms: milliseconds(0.99),
        cpu_ms: (used.cpu_seconds - before) * 1e3 / done.max(1.0),
        pss_mib: used.pss_mib,
        rss_mib: used.rss_mib,
        all: all.all,
        failures: all.failures,
        failure: all.failure,
    }
}

async fn drive(mut client: Box<dyn Client>, begin: Instant, end: Instant) -> Tally {
    let mut tally = Tally::default();
    while Instant::now() < end {
        let sent = Instant::now();
        let answer = match timeout(LIMIT, client.run_one(next_number())).await {
            Ok(answer) => answer,
            Err(_) => Err("no answer in time".into()),
        };
        let read = Instant::now();
        match answer {
            Ok(()) => {
                tally.all += 1;
                // What crosses an edge of the window counts where it ends: at a steady rate as many
                // come in over one edge as are left out by the other.
                if read > begin && read <= end {
                    let time = (read - sent).as_micros();
                    tally.times.push(u32::try_from(time).unwrap_or(u32::MAX));
                }
            }
            Err(failure) => {
                tally.failures += 1;
                tally.failure.get_or_insert(failure.to_string());
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    tally
}
