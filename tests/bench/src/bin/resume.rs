//! `make bench-resume`: how long after `kill -9` of the worker's process its tasks run again, beside
//! Restate, and whether a finished step is repeated.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use serde_json::json;
use swarm_bench::http::{Connection, json as read_json};
use swarm_bench::load::next_number;
use swarm_bench::model::Model;
use swarm_bench::options::Peers;
use swarm_bench::ours::{echo_task, log_in};
use swarm_bench::postgres::Postgres;
use swarm_bench::report::{Goal, Report};
use swarm_bench::restate::Restate;
use swarm_bench::statistics::{median, ratios};
use swarm_test_cluster::{Cluster, Service, Shape};
use swarm_test_support::eventually;

const LIMIT: Duration = Duration::from_secs(90);

/// Measures how soon tasks run again after their worker was killed.
#[derive(Debug, Parser)]
struct Options {
    /// The folder of the peers, and of the results.
    #[arg(long, default_value = ".swarm/bench")]
    folder: PathBuf,
    /// Pairs of runs.
    #[arg(long, env = "PAIRS", default_value_t = 3)]
    pairs: usize,
    /// Tasks at work when the process is killed.
    #[arg(long, env = "TASKS", default_value_t = 10)]
    tasks: usize,
    /// Exit with 1 below a goal.
    #[arg(long, env = "CHECK", default_value = "0")]
    check: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let mut report = Report::to_file(&options.folder.join("resume.jsonl"));
    tokio::select! {
        () = run(&options, &mut report) => {}
        // Dropping the run ends every server it has started.
        _ = tokio::signal::ctrl_c() => return ExitCode::from(130),
    }
    match report.finish() || options.check != "1" {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// What one kill has shown.
#[derive(Debug)]
struct Resumed {
    /// Until the first task ran again.
    seconds: f64,
    /// Finished steps that ran again.
    repeated: usize,
}

async fn run(options: &Options, report: &mut Report) {
    let (model, address) = Model::start().await;
    let peers = Peers::in_folder(&options.folder);
    let mut restate = Restate::start(&peers, &address).await;
    if restate.is_none() {
        println!("Restate is not installed (scripts/bench/peers.sh) and is left out");
    }
    let (mut ours, _postgres) = platform(&address).await;
    let (mut our_times, mut their_times, mut repeated) = (Vec::new(), Vec::new(), 0);
    for _ in 0..options.pairs {
        let resumed = kill_ours(&mut ours, &model, options.tasks).await;
        say(report, "swarm", &resumed);
        our_times.push(resumed.seconds);
        repeated += resumed.repeated;
        if let Some(restate) = &mut restate {
            let resumed = kill_restate(restate, &model, options.tasks).await;
            say(report, "restate", &resumed);
            their_times.push(resumed.seconds);
        }
    }
    println!("median {:.2} s", median(&our_times));
    let what = "time until a task runs again after kill -9, of Restate's";
    report.ratios(what, ratios(&our_times, &their_times), Goal::AtMost(1.0));
    #[expect(clippy::cast_precision_loss, reason = "a small count")]
    let repeated = repeated as f64;
    report.ratios("finished steps repeated", vec![repeated], Goal::AtMost(0.0));
}

fn say(report: &mut Report, who: &str, resumed: &Resumed) {
    println!(
        "{who:<8} runs again after {:.2} s, finished steps repeated {}",
        resumed.seconds, resumed.repeated
    );
    let line = json!({"subject": who, "seconds": resumed.seconds, "repeated": resumed.repeated});
    report.line("resume", &line);
}

/// Six processes on PostgreSQL, whose model is the bench's own.
async fn platform(model: &str) -> (Cluster, Postgres) {
    let postgres = Postgres::start().await;
    let database = postgres.database().await;
    let cluster = Cluster::builder(Shape::SixProcesses)
        .set("models.provider", "openai")
        .set("models.openai.base_url", &format!("{model}/v1/"))
        .set("models.openai.model", "bench")
        .set("models.openai.api_key", "none")
        .postgres(&postgres.url(&database))
        .await
        .start()
        .await;
    (cluster, postgres)
}

async fn kill_ours(cluster: &mut Cluster, model: &Model, tasks: usize) -> Resumed {
    let rest = cluster
        .rest()
        .trim_start_matches("http://")
        .parse()
        .unwrap();
    let token = log_in(rest, &cluster.data()).await;
    let mut connection = Connection::new(rest, Some(&token));
    let mut known = Vec::new();
    let names = names(tasks);
    for name in &names {
        let answer = connection
            .post("/api/v1/tasks", Some(name), echo_task(name))
            .await
            .and_then(read_json)
            .unwrap();
        known.push(answer["id"].as_str().unwrap().to_owned());
    }
    all_in_second_step(model, &names).await;
    let killed = Instant::now();
    cluster.kill(Service::AgentManager).await;
    cluster.start(Service::AgentManager).await;
    let seconds = again_after(model, &names, killed).await;
    for id in known {
        eventually("the task to end", LIMIT, || async {
            let path = format!("/api/v1/tasks/{id}/result?wait=5s");
            let mut connection = Connection::new(rest, Some(&token));
            let task = read_json(connection.get(&path).await?)?;
            match task["state"] == "completed" {
                true => Ok::<_, swarm_bench::Failure>(()),
                false => Err(task.to_string().into()),
            }
        })
        .await;
    }
    Resumed {
        seconds,
        repeated: repeated(model, &names),
    }
}

async fn kill_restate(restate: &mut Restate, model: &Model, tasks: usize) -> Resumed {
    let names = names(tasks);
    for name in &names {
        restate.send_two_steps(name).await.unwrap();
    }
    all_in_second_step(model, &names).await;
    let killed = Instant::now();
    restate.restart_handlers().await;
    let seconds = again_after(model, &names, killed).await;
    for name in &names {
        eventually("the workflow to end", LIMIT, || {
            restate.result_of_two_steps(name)
        })
        .await;
    }
    Resumed {
        seconds,
        repeated: repeated(model, &names),
    }
}

fn names(tasks: usize) -> Vec<String> {
    let run = std::process::id();
    (0..tasks)
        .map(|_| format!("resume-{run}-{}", next_number()))
        .collect()
}

async fn all_in_second_step(model: &Model, names: &[String]) {
    eventually("all tasks to be in their second step", LIMIT, || async {
        let counts = model.counts("two");
        names
            .iter()
            .all(|name| counts.contains_key(name))
            .then_some(())
    })
    .await;
}

/// Seconds from the kill until the first of these tasks asked the model again.
async fn again_after(model: &Model, names: &[String], killed: Instant) -> f64 {
    eventually("a task to run again", LIMIT, || async {
        let asked = model.asked();
        let again = asked
            .iter()
            .filter(|asked| asked.at > killed && names.contains(&asked.id));
        again
            .map(|asked| (asked.at - killed).as_secs_f64())
            .min_by(f64::total_cmp)
    })
    .await
}

/// How often the first step, which had ended, was run once more.
fn repeated(model: &Model, names: &[String]) -> usize {
    let counts = model.counts("one");
    names
        .iter()
        .filter_map(|name| counts.get(name))
        .map(|count| count - 1)
        .sum()
}
