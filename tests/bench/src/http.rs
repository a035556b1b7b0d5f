//! One connection that is kept alive; its requests go one after another.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::Failure;

/// A connection, made at its first request and again after it broke.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    token: Option<String>,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    /// A connection to this address that shows this token with every request.
    #[must_use]
    pub fn new(address: SocketAddr, token: Option<&str>) -> Self {
        Self {
            address,
            token: token.map(|token| format!("Bearer {token}")),
            sender: None,
        }
    }

    /// Posts a JSON text, and returns status and body.
    ///
    /// # Errors
    /// When the connection breaks; the next request makes a new one.
    pub async fn post(
        &mut self,
        path: &str,
        key: Option<&str>,
        body: String,
    ) -> Result<(u16, Bytes), Failure> {
        let mut request = Request::builder()
            .method(Method::POST)
            .header(CONTENT_TYPE, "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.send(request.uri(path), body.into()).await
    }

    /// Gets what is at a path.
    ///
    /// # Errors
    /// When the connection breaks; the next request makes a new one.
    pub async fn get(&mut self, path: &str) -> Result<(u16, Bytes), Failure> {
        self.send(Request::builder().uri(path), Bytes::new()).await
    }

    async fn send(
        &mut self,
        mut request: hyper::http::request::Builder,
        body: Bytes,
    ) -> Result<(u16, Bytes), Failure> {
        request = request.header(HOST, self.address.to_string());
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token);
        }
        let request = request.body(Full::new(body))?;
        let answer = async {
            let sender = self.sender().await?;
            let answer = sender.send_request(request).await?;
            let status = answer.status().as_u16();
            Ok::<_, Failure>((status, answer.into_body().collect().await?.to_bytes()))
        };
        let answer = answer.await;
        if answer.is_err() {
            self.sender = None;
        }
        answer
    }

    async fn sender(&mut self) -> Result<&mut SendRequest<Full<Bytes>>, Failure> {
        let mut sender = match self.sender.take().filter(|sender| !sender.is_closed()) {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        sender.ready().await?;
        Ok(self.sender.insert(sender))
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, Failure> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

/// A body that must be JSON after a status that must be a success.
///
/// # Errors
/// When either is not so.
pub fn json((status, body): (u16, Bytes)) -> Result<Value, Failure> {
    if !(200..300).contains(&status) {
        return Err(format!("status {status}: {}", String::from_utf8_lossy(&body)).into());
    }
    Ok(serde_json::from_slice(&body)?)
}

/// Whether a body holds a text.
#[must_use]
pub fn holds(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|part| part == text.as_bytes())
}
