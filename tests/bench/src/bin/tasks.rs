//! `make bench-tasks`: echo tasks beside Restate, DBOS and PostgreSQL alone, in turn in one run.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use serde_json::json;
use swarm_bench::dbos::Dbos;
use swarm_bench::floor::Floor;
use swarm_bench::history;
use swarm_bench::load::{Measured, Subject, Window, measure};
use swarm_bench::options::{Peers, window};
use swarm_bench::ours::Ours;
use swarm_bench::report::{Goal, Report};
use swarm_bench::restate::Restate;
use swarm_bench::statistics::ratios;
use swarm_bench::usage;

/// Clients of the runs under load.
const MANY: usize = 64;

/// Measures echo tasks: ours beside the peers, on SQLite, and with long histories.
#[derive(Debug, Parser)]
struct Options {
    /// The folder of the peers, and of the results.
    #[arg(long, default_value = ".swarm/bench")]
    folder: PathBuf,
    /// Pairs of runs.
    #[arg(long, env = "PAIRS", default_value_t = 3)]
    pairs: usize,
    /// Seconds of each run.
    #[arg(long, env = "BENCH_SECONDS", default_value_t = 5.0)]
    seconds: f64,
    /// Only these parts: restate, dbos, floor, services, sqlite, replicas, history.
    #[arg(long, env = "ONLY", value_delimiter = ',')]
    only: Vec<String>,
    /// Rows of history to measure with, rising.
    #[arg(
        long,
        env = "HISTORY",
        value_delimiter = ',',
        default_value = "1000,100000,1000000"
    )]
    history: Vec<i64>,
    /// Exit with 1 below a goal.
    #[arg(long, env = "CHECK", num_args = 0..=1, default_missing_value = "1", default_value = "0")]
    check: String,
}

impl Options {
    fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == part)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let mut report = Report::to_file(&options.folder.join("tasks.jsonl"));
    let run = async {
        run_all(&options, &mut report).await;
        report.finish()
    };
    let is_good = tokio::select! {
        is_good = run => is_good,
        // Dropping the run ends every server it has started.
        _ = tokio::signal::ctrl_c() => return ExitCode::from(130),
    };
    match is_good || options.check != "1" {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

async fn run_all(options: &Options, report: &mut Report) {
    let window = window(options.seconds);
    let pairs = ["restate", "dbos", "floor"];
    let has_pairs = pairs.iter().any(|part| options.wants(part));
    if has_pairs || options.wants("services") || options.wants("history") {
        let mut ours = Ours::on_postgres().await;
        if has_pairs {
            beside_peers(options, report, &mut ours, window).await;
        }
        if options.wants("services") {
            by_service(report, &mut ours, window).await;
        }
        if options.wants("history") {
            with_history(options, report, &mut ours, window).await;
        }
    }
    if options.wants("replicas") {
        println!("\nwith several agent-managers");
        for count in [1, 2, 4] {
            let ours = Ours::with_replicas(count).await;
            report.load("replicas", "", &measure(&ours, MANY, window).await);
        }
    }
    if options.wants("sqlite") {
        println!("\nembedded, in one process");
        let ours = Ours::embedded().await;
        for clients in [1, MANY] {
            report.load("sqlite", "", &measure(&ours, clients, window).await);
        }
    }
}

/// What one pair has measured of a subject: at one client and at many.
#[derive(Debug, Default)]
struct Pairs {
    one: Vec<Measured>,
    many: Vec<Measured>,
}

impl Pairs {
    async fn measure(
        &mut self,
        report: &mut Report,
        subject: Option<&dyn Subject>,
        window: Window,
    ) {
        let Some(subject) = subject else { return };
        for (clients, kept) in [(MANY, &mut self.many), (1, &mut self.one)] {
            let measured = measure(subject, clients, window).await;
            report.load("pair", "", &measured);
            kept.push(measured);
        }
    }
}

async fn beside_peers(options: &Options, report: &mut Report, ours: &mut Ours, window: Window) {
    let peers = Peers::in_folder(&options.folder);
    let restate = match options.wants("restate") {
        true => present("Restate", Restate::start(&peers, "").await),
        false => None,
    };
    let dbos = match options.wants("dbos") {
        true => present("DBOS", Dbos::start(&peers).await),
        false => None,
    };
    let floor = match options.wants("floor") {
        true => Some(Floor::start().await),
        false => None,
    };
    let mut ours_pairs = Pairs::default();
    let [mut restate_pairs, mut dbos_pairs, mut floor_pairs] =
        [Pairs::default(), Pairs::default(), Pairs::default()];
    for pair in 1..=options.pairs {
        println!("\npair {pair} of {}", options.pairs);
        ours.renew().await;
        let ours: Option<&dyn Subject> = Some(ours);
        // In turn, and each side first in every other pair.
        if pair % 2 == 1 {
            ours_pairs.measure(report, ours, window).await;
        }
        let restate = restate.as_ref().map(|it| it as &dyn Subject);
        restate_pairs.measure(report, restate, window).await;
        let dbos = dbos.as_ref().map(|it| it as &dyn Subject);
        dbos_pairs.measure(report, dbos, window).await;
        let floor = floor.as_ref().map(|it| it as &dyn Subject);
        floor_pairs.measure(report, floor, window).await;
        if pair % 2 == 0 {
            ours_pairs.measure(report, ours, window).await;
        }
    }
    let each =
        |runs: &[Measured], of: fn(&Measured) -> f64| runs.iter().map(of).collect::<Vec<_>>();
    let many = |peer: &Pairs, of: fn(&Measured) -> f64| {
        ratios(&each(&ours_pairs.many, of), &each(&peer.many, of))
    };
    let one = |peer: &Pairs, of: fn(&Measured) -> f64| {
        ratios(&each(&ours_pairs.one, of), &each(&peer.one, of))
    };
    let rate = |run: &Measured| run.per_second;
    let lines = [
        (
            "tasks/s at 64 clients, over Restate",
            many(&restate_pairs, rate),
            Goal::AtLeast(7.0),
        ),
        (
            "tasks/s at 64 clients, over DBOS",
            many(&dbos_pairs, rate),
            Goal::AtLeast(40.0),
        ),
        (
            "tasks/s at 64 clients, over PostgreSQL with 3 commits a task",
            many(&floor_pairs, rate),
            Goal::AtLeast(1.5),
        ),
        (
            "server CPU a task at 64 clients, of Restate's",
            many(&restate_pairs, |run| run.cpu_ms),
            Goal::AtMost(0.12),
        ),
        (
            "p50 at 1 client, of Restate's",
            one(&restate_pairs, |run| run.p50_ms),
            Goal::AtMost(0.4),
        ),
        (
            "memory (PSS) after 64 clients, of Restate's",
            many(&restate_pairs, |run| run.pss_mib),
            Goal::AtMost(0.6),
        ),
    ];
    for (what, ratios, goal) in lines {
        report.ratios(what, ratios, goal);
    }
}

fn present<T>(name: &str, peer: Option<T>) -> Option<T> {
    if peer.is_none() {
        println!("{name} is not installed (scripts/bench/peers.sh) and is left out");
    }
    peer
}

/// Where the processor time goes, and what the database does for a task.
async fn by_service(report: &mut Report, ours: &mut Ours, window: Window) {
    println!("\nwhat a task costs, at {MANY} clients");
    ours.renew().await;
    let services = ours.services();
    let before: Vec<f64> = services
        .iter()
        .map(|(_, id)| usage::cpu_seconds(&[*id]))
        .collect();
    let (postgres, database) = ours.postgres.as_ref().unwrap();
    let counted = postgres.counted(database).await;
    let measured = measure(ours, MANY, window).await;
    // Counters are written down once a second, when a connection has nothing to do.
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    report.load("services", "", &measured);
    #[expect(clippy::cast_precision_loss, reason = "a count of seconds of tasks")]
    let tasks = measured.all as f64;
    for ((name, id), before) in services.iter().zip(before) {
        let used = usage::of(&[*id]);
        let cpu = (used.cpu_seconds - before) * 1e3 / tasks.max(1.0);
        println!(
            "  {name:<14} {cpu:>7.3} CPU s per 1,000 tasks   PSS {:>5.1} MiB  RSS {:>5.1} MiB",
            used.pss_mib, used.rss_mib
        );
        let line = json!({"service": name, "cpu_seconds_per_1000": cpu, "pss_mib": used.pss_mib, "rss_mib": used.rss_mib});
        report.line("service", &line);
    }
    let after = postgres.counted(database).await;
    #[expect(clippy::cast_precision_loss, reason = "counts of some seconds")]
    let per_task = |of: fn(&swarm_bench::postgres::Counted) -> i64| {
        (of(&after) - of(&counted)) as f64 / tasks.max(1.0)
    };
    let line = json!({
        "commits_per_task": per_task(|it| it.commits),
        "rows_written_per_task": per_task(|it| it.rows),
        "log_syncs_per_task": per_task(|it| it.log_syncs),
        "log_bytes_per_task": per_task(|it| it.log_bytes),
    });
    println!("  database: {line}");
    report.line("database", &line);
}

/// Throughput must not fall as the tables grow.
async fn with_history(options: &Options, report: &mut Report, ours: &mut Ours, window: Window) {
    println!("\nwith rows of history");
    let (postgres, database) = ours.postgres.as_ref().unwrap();
    let url = postgres.url(database);
    let mut already = 0;
    let mut rates = Vec::new();
    for &rows in &options.history {
        history::fill(&url, already, rows).await;
        already = rows;
        ours.renew().await;
        let mut of_rows = Vec::new();
        for _ in 0..options.pairs {
            let measured = measure(ours, MANY, window).await;
            report.load("history", &format!(", {rows} rows"), &measured);
            of_rows.push(measured.per_second);
        }
        rates.push(of_rows);
    }
    if let (Some(first), Some(last)) = (rates.first(), rates.last()) {
        report.ratios(
            "tasks/s with the longest history, of those with the shortest",
            ratios(last, first),
            Goal::AtLeast(0.85),
        );
    }
}
