//! The program `swarm` beside a cluster, as somebody at a terminal or a script has it.

use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use swarm_test_cluster::{Cluster, path_of};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

const LONG: Duration = Duration::from_secs(60);

pub(crate) async fn program(cluster: &Cluster, arguments: &[&str]) -> Command {
    let token = cluster.client().token().await.unwrap();
    let mut command = Command::new(path_of("swarm"));
    command
        .args(arguments)
        .current_dir(cluster.folder())
        .env("QWEN_SWARM_SERVER", cluster.rest())
        .env("QWEN_SWARM_WEBSOCKET", cluster.websocket())
        .env("QWEN_SWARM_TOKEN", token)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs a command to its end.
pub async fn run(cluster: &Cluster, arguments: &[&str]) -> Output {
    let mut command = program(cluster, arguments).await;
    tokio::time::timeout(LONG, command.output())
        .await
        .unwrap_or_else(|_| panic!("{arguments:?} does not end"))
        .unwrap()
}

/// Runs a command that must go well, and returns what it printed.
pub async fn printed(cluster: &Cluster, arguments: &[&str]) -> String {
    let output = run(cluster, arguments).await;
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A command that goes on until it is told to stop.
#[derive(Debug)]
pub struct Going {
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
    err: Lines<BufReader<ChildStderr>>,
}

impl Going {
    /// Starts it.
    pub async fn start(cluster: &Cluster, arguments: &[&str]) -> Self {
        let mut child = program(cluster, arguments).await.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap()).lines();
        let err = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, out, err }
    }

    /// The next line that it prints.
    pub async fn line(&mut self) -> String {
        next(self.out.next_line()).await
    }

    /// The next line of its standard error.
    pub async fn complaint(&mut self) -> String {
        next(self.err.next_line()).await
    }

    /// Sends it a signal, such as `INT`, and waits for its end.
    pub async fn end(mut self, signal: &str) -> ExitStatus {
        let id = self.child.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(sent.await.unwrap().success());
        tokio::time::timeout(LONG, self.child.wait())
            .await
            .expect("it ends")
            .unwrap()
    }
}

async fn next(line: impl Future<Output = std::io::Result<Option<String>>>) -> String {
    tokio::time::timeout(LONG, line)
        .await
        .expect("it says something")
        .unwrap()
        .expect("it goes on")
}
