//! A web service outside the platform, on which tools have their effects.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use tokio::sync::watch;

/// One call of a tool, as it came in.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The last part of the path: which tool it was.
    pub tool: String,
    /// The `Idempotency-Key`.
    pub token: String,
    /// The fencing epoch.
    pub epoch: i64,
    /// The body.
    pub arguments: Value,
    /// All headers.
    pub headers: HeaderMap,
    /// When.
    pub at: Instant,
}

/// A ledger of effects: a token that it has seen has no second effect. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Ledger {
    address: SocketAddr,
    books: Arc<Books>,
}

#[derive(Debug)]
struct Books {
    invocations: Mutex<Vec<Invocation>>,
    /// Tools whose answers are held back.
    held: watch::Sender<Vec<String>>,
    pause: Mutex<Duration>,
}

impl Ledger {
    /// An empty ledger on a free port.
    pub async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let books = Arc::new(Books {
            invocations: Mutex::default(),
            held: watch::channel(Vec::new()).0,
            pause: Mutex::default(),
        });
        let routes = Router::new()
            .route("/{tool}", post(record))
            .with_state(books.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { address, books }
    }

    /// Where a tool is called.
    #[must_use]
    pub fn url(&self, tool: &str) -> String {
        format!("http://{}/{tool}", self.address)
    }

    /// From now on every answer takes this long.
    pub fn slow_down(&self, pause: Duration) {
        *self.books.pause.lock().unwrap() = pause;
    }

    /// From now on calls of this tool are recorded and not answered.
    pub fn hold(&self, tool: &str) {
        self.books
            .held
            .send_modify(|held| held.push(tool.to_owned()));
    }

    /// Answers everything again, also what was held.
    pub fn release(&self) {
        self.books.held.send_modify(Vec::clear);
    }

    /// Every call so far, in order.
    #[must_use]
    pub fn invocations(&self) -> Vec<Invocation> {
        self.books.invocations.lock().unwrap().clone()
    }

    /// How often each token has called.
    #[must_use]
    pub fn by_token(&self) -> BTreeMap<String, Vec<Invocation>> {
        let mut tokens: BTreeMap<String, Vec<Invocation>> = BTreeMap::new();
        for invocation in self.invocations() {
            tokens
                .entry(invocation.token.clone())
                .or_default()
                .push(invocation);
        }
        tokens
    }
}

async fn record(
    State(books): State<Arc<Books>>,
    Path(tool): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(token), Some(epoch)) = (
        text("idempotency-key").map(str::to_owned),
        text("x-swarm-epoch").and_then(|epoch| epoch.parse().ok()),
    ) else {
        return (StatusCode::BAD_REQUEST, "no token, or no epoch".to_owned());
    };
    let invocation = Invocation {
        tool: tool.clone(),
        token: token.clone(),
        epoch,
        arguments: serde_json::from_slice(&body).unwrap_or_default(),
        headers: headers.clone(),
        at: Instant::now(),
    };
    let calls = {
        let mut invocations = books.invocations.lock().unwrap();
        invocations.push(invocation);
        let same = invocations.iter().filter(|one| one.token == token);
        same.count()
    };
    let pause = *books.pause.lock().unwrap();
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
    let mut held = books.held.subscribe();
    // The sender is in the books, so it outlives this wait.
    let _released = held.wait_for(|held| !held.contains(&tool)).await;
    let before = if calls == 1 { "" } else { " before" };
    (
        StatusCode::OK,
        format!("The ledger has noted {tool}{before}."),
    )
}
