//! Stands in for the five services: notes every call, and answers as a test says.

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use futures::{Stream, StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use prost::Message;
use swarm_errors::{Code, Error};
use swarm_identity::Role;
use swarm_proto::agents::v1 as agents;
use swarm_proto::auth::v1 as auth;
use swarm_test_support::identity::TestIssuer;
use swarm_types::TenantId;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::Status;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;

/// One call of a service.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Such as `SubmitTask`.
    pub(crate) rpc: String,
    pub(crate) headers: HeaderMap,
    message: Bytes,
}

impl Call {
    pub(crate) fn message<M: Message + Default>(&self) -> M {
        M::decode(self.message.clone()).unwrap()
    }
}

/// The services, as far as the gateway sees them.
#[derive(Clone)]
pub(crate) struct Recorder {
    pub(crate) issuer: TestIssuer,
    pub(crate) tenant: TenantId,
    inner: Arc<Inner>,
}

struct Inner {
    jwks: String,
    calls: Mutex<Vec<Call>>,
    answers: Mutex<HashMap<String, Result<Bytes, Arc<Error>>>>,
    hanging: Mutex<HashSet<String>>,
    log: watch::Sender<Log>,
}

/// The events that a watch tells.
#[derive(Debug, Clone, Default)]
struct Log {
    events: Vec<agents::Event>,
    /// Rises when all watches are to be cut off.
    cuts: u64,
    has_ended: bool,
    /// Watches that are open.
    readers: u64,
}

impl Recorder {
    /// Starts it on a free port, and returns its address.
    pub(crate) async fn start() -> (Self, String) {
        let issuer = TestIssuer::new();
        let jwks = issuer.keys().fetch().await.unwrap();
        let (log, _) = watch::channel(Log::default());
        let inner = Inner {
            jwks,
            calls: Mutex::default(),
            answers: Mutex::default(),
            hanging: Mutex::default(),
            log,
        };
        let recorder = Self {
            issuer,
            tenant: TenantId::new(),
            inner: Arc::new(inner),
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (health, health_service) = tonic_health::server::health_reporter();
        health
            .set_service_status("", tonic_health::ServingStatus::Serving)
            .await;
        let routes = Routes::from(
            axum::Router::new()
                .fallback(serve)
                .with_state(recorder.clone()),
        );
        let server = tonic::transport::Server::builder()
            .add_routes(routes.add_service(health_service))
            .serve_with_incoming(TcpIncoming::from(listener));
        tokio::spawn(server);
        (recorder, address)
    }

    pub(crate) fn token(&self, role: Role) -> String {
        self.issuer.user_token(self.tenant, &[role])
    }

    /// From now on, calls of `rpc` are answered so.
    pub(crate) fn answer(&self, rpc: &str, message: &impl Message) {
        self.inner
            .answers
            .lock()
            .unwrap()
            .insert(rpc.to_owned(), Ok(message.encode_to_vec().into()));
    }

    /// From now on, calls of `rpc` fail so.
    pub(crate) fn fail(&self, rpc: &str, error: Error) {
        self.inner
            .answers
            .lock()
            .unwrap()
            .insert(rpc.to_owned(), Err(Arc::new(error)));
    }

    /// From now on, calls of `rpc` are never answered.
    pub(crate) fn hang(&self, rpc: &str) {
        self.inner.hanging.lock().unwrap().insert(rpc.to_owned());
    }

    /// The calls so far, without those that only serve identity.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let identity = ["IssueServiceToken", "GetKeys"];
        let calls = self.inner.calls.lock().unwrap();
        calls
            .iter()
            .filter(|call| !identity.contains(&call.rpc.as_str()))
            .cloned()
            .collect()
    }

    pub(crate) fn calls_of(&self, rpc: &str) -> Vec<Call> {
        self.calls()
            .into_iter()
            .filter(|call| call.rpc == rpc)
            .collect()
    }

    /// Adds an event; `seq` 0 makes it ephemeral.
    pub(crate) fn tell(&self, event: agents::Event) {
        self.inner.log.send_modify(|log| log.events.push(event));
    }

    /// Cuts all watches off, as the end of a process would.
    pub(crate) fn cut(&self) {
        self.inner.log.send_modify(|log| log.cuts += 1);
    }

    /// The task has ended: watches end by themselves once all is told.
    pub(crate) fn end(&self) {
        self.inner.log.send_modify(|log| log.has_ended = true);
    }

    pub(crate) fn readers(&self) -> u64 {
        self.inner.log.borrow().readers
    }
}

async fn serve(State(recorder): State<Recorder>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let rpc = parts.uri.path().rsplit('/').next().unwrap().to_owned();
    // A message is preceded by its compression flag and its length.
    let message = body.collect().await.unwrap().to_bytes().slice(5..);
    let call = Call {
        rpc: rpc.clone(),
        headers: parts.headers,
        message,
    };
    recorder.inner.calls.lock().unwrap().push(call.clone());
    let is_hanging = recorder.inner.hanging.lock().unwrap().contains(&rpc);
    if is_hanging {
        std::future::pending::<()>().await;
    }
    if let Some(answer) = recorder.inner.answers.lock().unwrap().get(&rpc) {
        return match answer {
            Ok(message) => frames(stream::iter([Ok(message.clone())])),
            Err(error) => failed(copy(error).into()),
        };
    }
    match rpc.as_str() {
        "IssueServiceToken" => said(&auth::IssueServiceTokenResponse {
            tokens: tokens(recorder.issuer.service_token("gateway")),
        }),
        "GetKeys" => said(&auth::GetKeysResponse {
            jwks_json: recorder.inner.jwks.clone(),
            refresh_after: None,
        }),
        "ExchangeApiKey" => exchange(&recorder, &call),
        "WatchEvents" => frames(told(recorder, call.message())),
        _ => failed(Error::internal(format!("the recorder has no answer for {rpc}")).into()),
    }
}

fn exchange(recorder: &Recorder, call: &Call) -> Response {
    if call.message::<auth::ExchangeApiKeyRequest>().api_key != "good-key" {
        return failed(Error::new(Code::Unauthenticated, "the API key is refused").into());
    }
    said(&auth::ExchangeApiKeyResponse {
        tokens: tokens(recorder.token(Role::Developer)),
    })
}

fn tokens(access_token: String) -> Option<auth::Tokens> {
    Some(auth::Tokens {
        access_token,
        expires_in: 900,
        refresh_token: String::new(),
    })
}

/// Counts a reader while its stream is held.
struct Reader(Recorder);

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.inner.log.send_modify(|log| log.readers -= 1);
    }
}

/// Events from the log: those after the cursor, then each as it comes.
fn told(
    recorder: Recorder,
    request: agents::WatchEventsRequest,
) -> impl Stream<Item = Result<Bytes, Status>> + Send {
    async_stream::stream! {
        let mut log = recorder.inner.log.subscribe();
        recorder.inner.log.send_modify(|log| log.readers += 1);
        let _reader = Reader(recorder.clone());
        let cuts = log.borrow().cuts;
        let is_task = matches!(request.scope, Some(agents::watch_events_request::Scope::TaskId(_)));
        let place = |event: &agents::Event| if is_task { event.seq } else { event.tenant_seq };
        let mut after = request.after;
        let mut at = 0;
        // Tokens are told live or never.
        let live = log.borrow().events.len();
        if request.from_now {
            at = log.borrow().events.len();
            after = log.borrow().events.iter().map(place).max().unwrap_or_default();
            yield Ok(agents::WatchEventsResponse { event: None, cursor: after }.encode_to_vec().into());
        }
        loop {
            let now = log.borrow_and_update().clone();
            if now.cuts > cuts {
                yield Err(Status::unavailable("cut off"));
                return;
            }
            for (number, event) in now.events.iter().enumerate().skip(at) {
                let wanted = if event.ephemeral { request.ephemeral && number >= live } else { place(event) > after };
                if wanted {
                    after = after.max(place(event));
                    yield Ok(agents::WatchEventsResponse { event: Some(event.clone()), cursor: after }.encode_to_vec().into());
                }
            }
            at = now.events.len();
            if now.has_ended || log.changed().await.is_err() {
                return;
            }
        }
    }
}

fn said(message: &impl Message) -> Response {
    let message: Bytes = message.encode_to_vec().into();
    frames(stream::iter([Ok(message)]))
}

fn failed(status: Status) -> Response {
    status.into_http()
}

/// Messages as gRPC frames, and the status behind them.
fn frames(messages: impl Stream<Item = Result<Bytes, Status>> + Send + 'static) -> Response {
    let messages = messages.map(|message| match message {
        Ok(message) => {
            let mut frame = vec![0];
            frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
            frame.extend(&message);
            Ok::<_, Status>(hyper::body::Frame::data(Bytes::from(frame)))
        }
        Err(status) => Ok(trailers(i32::from(status.code()))),
    });
    let body = StreamBody::new(messages.chain(stream::iter([Ok(trailers(0))])));
    let mut response = Response::new(Body::new(body));
    response
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("application/grpc"));
    response
}

fn trailers(code: i32) -> hyper::body::Frame<Bytes> {
    hyper::body::Frame::trailers(HeaderMap::from_iter([(
        "grpc-status".parse().unwrap(),
        HeaderValue::from(code),
    )]))
}

fn copy(error: &Error) -> Error {
    let mut copy = Error::new(error.code(), error.detail());
    for field in error.fields() {
        copy = copy.with_field(&field.field, &field.message);
    }
    match error.retry_after() {
        Some(after) => copy.with_retry_after(after),
        None => copy,
    }
}
