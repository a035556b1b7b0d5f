//! A small HTTP server that speaks the format, with its failures.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use swarm_config::Secret;
use swarm_models::OpenAiConfig;
use tokio::sync::oneshot;

/// What the server does with one call.
pub(crate) enum Reply {
    Events(Vec<Value>),
    /// The connection breaks at once, or an event is read first.
    Cut,
    CutAfter(Value, oneshot::Receiver<()>),
    /// Events, then silence.
    Silence(Vec<Value>),
    Status(u16, Option<&'static str>),
    Json(Value),
    /// One event, then silence; the sender falls when the caller has gone.
    Watched(oneshot::Sender<()>),
}

#[derive(Default)]
pub(crate) struct Server {
    pub(crate) replies: Mutex<Vec<Reply>>,
    pub(crate) bodies: Mutex<Vec<(Value, Option<String>)>>,
}

pub(crate) async fn serve(replies: Vec<Reply>) -> (Arc<Server>, OpenAiConfig) {
    let server = Arc::new(Server {
        replies: Mutex::new(replies),
        ..Server::default()
    });
    let router = Router::new()
        .route("/v1/chat/completions", post(answer))
        .route("/v1/embeddings", post(answer))
        .route("/v1/models", get(|| async { Json(json!({"data": []})) }))
        .with_state(server.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let config = OpenAiConfig {
        base_url,
        api_key: Secret::new("the-key"),
        model: "tiny".into(),
        embedding_model: Some("tiny-embed".into()),
        ..OpenAiConfig::default()
    };
    (server, config)
}

async fn answer(State(server): State<Arc<Server>>, headers: HeaderMap, body: Bytes) -> Response {
    let key = headers
        .get("authorization")
        .map(|value| value.to_str().unwrap().to_owned());
    server
        .bodies
        .lock()
        .unwrap()
        .push((serde_json::from_slice(&body).unwrap(), key));
    let reply = server.replies.lock().unwrap().remove(0);
    let text = |events: Vec<Value>| {
        events
            .iter()
            .map(|event| format!("data: {event}\n\n"))
            .collect::<String>()
    };
    match reply {
        Reply::Events(events) => (text(events) + "data: [DONE]\n\n").into_response(),
        Reply::Cut => Body::from_stream(stream::iter([Err::<String, _>(std::io::Error::other(
            "cut",
        ))]))
        .into_response(),
        Reply::CutAfter(event, read) => {
            let cut = stream::once(async move {
                read.await.unwrap();
                Err(std::io::Error::other("cut"))
            });
            Body::from_stream(stream::iter([Ok(text(vec![event]))]).chain(cut)).into_response()
        }
        Reply::Silence(events) => {
            let first = stream::iter([Ok::<_, Infallible>(text(events))]);
            Body::from_stream(first.chain(stream::pending())).into_response()
        }
        Reply::Watched(gone) => {
            let first = stream::iter([Ok::<_, Infallible>(text(vec![delta("a")]))]);
            let rest = stream::once(async move {
                let _gone = gone;
                std::future::pending().await
            });
            Body::from_stream(first.chain(rest)).into_response()
        }
        Reply::Status(status, retry_after) => {
            let body = Json(json!({"error": {"message": "not now"}}));
            let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
            if let Some(seconds) = retry_after {
                response
                    .headers_mut()
                    .insert("retry-after", seconds.parse().unwrap());
            }
            response
        }
        Reply::Json(value) => Json(value).into_response(),
    }
}

pub(crate) fn delta(text: &str) -> Value {
    json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]})
}
