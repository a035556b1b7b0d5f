//! Asks each service over its admin port whether it is ready, as an operator's probe does.

use std::net::SocketAddr;
use std::time::Duration;

use swarm_errors::{Error, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::AdminAddress;

const PAUSE: Duration = Duration::from_millis(5);
const LIMIT: Duration = Duration::from_secs(30);
const ANSWER_LIMIT: Duration = Duration::from_secs(3);

/// Waits until all say yes.
pub(super) async fn wait(services: &[AdminAddress]) -> Result<()> {
    let deadline = Instant::now() + LIMIT;
    futures::future::try_join_all(services.iter().map(|service| one(service, deadline)))
        .await
        .map(drop)
}

async fn one((name, address): &AdminAddress, deadline: Instant) -> Result<()> {
    loop {
        let answer = timeout(ANSWER_LIMIT, ask(*address)).await;
        let why = match answer {
            Ok(Ok((true, _))) => return Ok(()),
            Ok(Ok((false, body))) => body,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer".to_owned(),
        };
        if Instant::now() >= deadline {
            let words = format!("{name} was not ready within {} s: {why}", LIMIT.as_secs());
            return Err(Error::unavailable(words));
        }
        sleep(PAUSE).await;
    }
}

/// One request of HTTP/1.0: whether the status is 200, and the body.
async fn ask(address: SocketAddr) -> std::io::Result<(bool, String)> {
    let mut stream = TcpStream::connect(address).await?;
    stream
        .write_all(b"GET /ready HTTP/1.0\r\nHost: localhost\r\n\r\n")
        .await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let is_ready = answer
        .lines()
        .next()
        .is_some_and(|line| line.split(' ').nth(1) == Some("200"));
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Ok((is_ready, body.to_owned()))
}
