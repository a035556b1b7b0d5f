//! The servers do what other tests rely on.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use swarm_test_support::postgres::{Durability, Server};
use swarm_test_support::{eventually, redis};

const LIMIT: Duration = Duration::from_secs(20);
const HOLDER: &str = "HOLDS_A_SERVER";
const FOLDER: &str = "the server's folder is ";

async fn run(url: &str, text: &'static str) -> Result<u64, sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    let done = sqlx::query(text).execute(&mut connection).await?;
    connection.close().await?;
    Ok(done.rows_affected())
}

#[tokio::test]
async fn each_database_is_empty() {
    let server = Server::shared().await;
    for _ in 0..2 {
        run(&server.database().await, "CREATE TABLE a (id int)")
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_server_keeps_its_data_over_a_stop_and_a_kill() {
    let server = Server::start(Durability::Full).await;
    let url = server.database().await;
    run(&url, "CREATE TABLE a (id int)").await.unwrap();
    for end in [Server::stop, Server::kill] {
        run(&url, "INSERT INTO a VALUES (1)").await.unwrap();
        end(&server);
        assert!(run(&url, "SELECT 1").await.is_err());
        server.start_again().await;
    }
    assert_eq!(run(&url, "DELETE FROM a").await.unwrap(), 2);
}

#[tokio::test]
async fn a_dropped_server_leaves_nothing() {
    let server = Server::start(Durability::None).await;
    let folder = server.folder().to_owned();
    assert!(folder.exists());
    drop(server);
    assert!(!folder.exists());
}

/// Not a test of its own: the process that the next one kills.
#[tokio::test]
async fn holds_a_server_when_asked() {
    if std::env::var_os(HOLDER).is_some() {
        let server = Server::start(Durability::None).await;
        tell(&format!("{FOLDER}{}\n", server.folder().display()));
        std::future::pending::<()>().await;
    }
}

fn tell(words: &str) {
    use std::io::Write as _;
    std::io::stdout().write_all(words.as_bytes()).unwrap();
}

#[tokio::test]
async fn a_killed_process_leaves_nothing() {
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "holds_a_server_when_asked", "--nocapture"])
        .env(HOLDER, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(holder.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let folder = lines
        .filter_map(|line| {
            line.split_once(FOLDER)
                .map(|(_, folder)| PathBuf::from(folder))
        })
        .next()
        .unwrap();
    let socket = folder.join(".s.PGSQL.5432");
    assert!(socket.exists());
    // SIGKILL: nothing of the process's own can clean up.
    holder.kill().unwrap();
    holder.wait().unwrap();
    eventually("the server and its files to be gone", LIMIT, || async {
        !folder.exists()
    })
    .await;
}

#[tokio::test]
async fn redis_answers_and_starts_again() {
    let server = redis::Server::start().await;
    let address = server.url().trim_start_matches("redis://").to_owned();
    server.stop();
    assert!(tokio::net::TcpStream::connect(&address).await.is_err());
    server.start_again().await;
    tokio::net::TcpStream::connect(&address).await.unwrap();
}
