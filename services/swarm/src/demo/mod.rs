//! `swarm demo`: a platform of its own, three agents, one question about one document.
//!
//! Everything that could be wrong is looked at before anything starts. What follows goes through
//! the public API alone, as a user's own program would.

mod document;
mod members;
mod model;
mod report;
mod task;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use swarm_cli::console::Screen;
use swarm_cli::{EXIT_INTERRUPTED, End};
use swarm_client::{Client, Task, TaskState};
use swarm_errors::{Code, Error, Result};
use swarm_runtime::CancellationToken;

use crate::platform::Platform;
use crate::signals::Orders;
use crate::{Settings, up};
use document::Document;
use model::Model;

/// The folder of the demo, which it keeps.
pub(crate) const DATA: &str = ".swarm/demo";

/// All that follows the start ends by then.
const LIMIT: Duration = Duration::from_secs(58);
/// A task that was given up is cancelled within this time, or goes on at the next start.
const CANCEL_LIMIT: Duration = Duration::from_secs(2);

/// `demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// The document to read [default: docs/operations.md of this project]
    #[arg(long, value_name = "PATH")]
    doc: Option<PathBuf>,
    /// The question
    #[arg(long, value_name = "TEXT")]
    ask: Option<String>,
}

/// What the demo is about.
#[derive(Debug)]
struct Subject {
    document: Document,
    question: String,
    model: Model,
}

/// What is there once the platform runs.
#[derive(Debug)]
struct Stage<'a> {
    subject: &'a Subject,
    screen: Screen,
    client: Client,
    begun: Instant,
}

/// Runs the demo: 0 when the task completed, 1 when it did not, 130 after Ctrl-C.
pub(crate) async fn demo(arguments: Demo, data: &Path) -> Result<ExitCode> {
    let begun = Instant::now();
    let document = Document::read(arguments.doc.as_deref())?;
    let question = document::question(arguments.ask)?;
    let settings = Settings::new(data, None)?
        .free_ports()
        .default_to("telemetry.log_level", "error");
    let model = Model::of(&settings)?;
    let subject = Subject {
        document,
        question,
        model,
    };
    let guard = swarm_telemetry::init(&up::telemetry(&settings)?, "swarm")?;
    let end = run(&settings, &subject, begun).await;
    guard.shutdown().await;
    end
}

async fn run(settings: &Settings, subject: &Subject, begun: Instant) -> Result<ExitCode> {
    let orders = Orders::listen()?;
    let screen = Screen::of_process();
    show(screen, &report::opening(subject, screen.columns()));
    let platform = tokio::select! {
        started = Platform::start(settings) => started?,
        () = orders.stop.cancelled() => return Ok(interrupted(screen)),
    };
    let limit = tokio::time::sleep(LIMIT);
    let mut given_up = GivenUp::default();
    let end = {
        let play = play(
            &platform,
            subject,
            screen,
            begun,
            &orders.stop,
            &mut given_up,
        );
        tokio::select! {
            end = play => end,
            () = platform.failed() => Err(Error::unavailable("a service has ended; run the demo again, or look for the reason with RUST_LOG=info")),
            () = limit => Err(late()),
        }
    };
    given_up.cancel().await;
    let status = up::stopped(&platform, &orders).await;
    match end? {
        Outcome::Interrupted => Ok(interrupted(screen)),
        Outcome::Failed => Ok(ExitCode::FAILURE),
        Outcome::Done => Ok(status.into()),
    }
}

/// How the play ended.
enum Outcome {
    Done,
    Failed,
    Interrupted,
}

/// The task that nobody will wait for any longer.
#[derive(Default)]
struct GivenUp(Option<(Client, String)>);

impl GivenUp {
    /// Ends it, so that the next start does not take it up again.
    async fn cancel(self) {
        if let Some((client, id)) = self.0 {
            let cancel = client.cancel_task(&id, Some("the demo was ended"));
            // Should it not work, the task goes on at the next start until its deadline.
            tokio::time::timeout(CANCEL_LIMIT, cancel).await.ok();
        }
    }
}

async fn play(
    platform: &Platform,
    subject: &Subject,
    screen: Screen,
    begun: Instant,
    stop: &CancellationToken,
    given_up: &mut GivenUp,
) -> Result<Outcome> {
    let prepare = async {
        let client = platform.administrator().await?;
        let agents = members::ensure(&client, subject.model.has_meaning).await?;
        let stage = Stage {
            subject,
            screen,
            client,
            begun,
        };
        let task = task::submit(&stage, &agents).await?;
        Ok::<_, Error>((stage, agents, task))
    };
    let (stage, agents, task) = tokio::select! {
        prepared = prepare => prepared?,
        () = stop.cancelled() => return Ok(Outcome::Interrupted),
    };
    given_up.0 = Some((stage.client.clone(), task.id.clone()));
    show(
        screen,
        &report::start(platform, &agents, &task, screen.columns()),
    );
    let followed = task::follow(&stage, &agents, &task.id, stop.clone().cancelled_owned()).await?;
    if followed.end == End::Left {
        return Ok(Outcome::Interrupted);
    }
    let tree = stage.client.task_tree(&task.id).await?;
    given_up.0 = None;
    show(
        screen,
        &report::ending(&stage, platform, &agents, &tree, followed.first_token),
    );
    Ok(judged(&tree.task))
}

fn judged(task: &Task) -> Outcome {
    if task.state == TaskState::Completed {
        Outcome::Done
    } else {
        Outcome::Failed
    }
}

fn late() -> Error {
    let words = format!(
        "the demo ends {} s after its start, and the task was not done: this machine is slow or busy; a shorter --doc, or a provider's model, takes less",
        LIMIT.as_secs()
    );
    Error::new(Code::DeadlineExceeded, words)
}

fn interrupted(screen: Screen) -> ExitCode {
    show(screen, &report::interrupted());
    ExitCode::from(EXIT_INTERRUPTED)
}

/// The demo goes on when nobody reads it any more: its exit code still tells.
fn show(screen: Screen, lines: &[swarm_cli::console::Line]) {
    screen.print(lines).ok();
}
