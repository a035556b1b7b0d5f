//! A model endpoint of the bench's own, which sees from outside which step runs when: the first
//! question of a task is answered at once with a tool call, the second takes its time.
//!
//! It speaks OpenAI's format for our platform, and plain GETs for the steps of Restate.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// How long the second step takes.
const SLOW: Duration = Duration::from_secs(3);

/// What was asked, and when.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `one` or `two`.
    pub step: String,
    /// The task's word for itself.
    pub id: String,
    /// When the question came.
    pub at: Instant,
}

/// The endpoint.
#[derive(Debug, Clone, Default)]
pub struct Model {
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Model {
    /// Starts it on a free port, and returns its address.
    pub async fn start() -> (Self, String) {
        let model = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/v1/chat/completions", post(chat))
            .route("/v1/models", get(|| async { Json(json!({"data": []})) }))
            .route("/{step}/{id}", get(plain))
            .with_state(model.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (model, address)
    }

    /// What was asked until now.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How often each task asked this step.
    #[must_use]
    pub fn counts(&self, step: &str) -> HashMap<String, usize> {
        let mut counts = HashMap::new();
        for asked in self.asked().into_iter().filter(|asked| asked.step == step) {
            *counts.entry(asked.id).or_default() += 1;
        }
        counts
    }

    async fn answer(&self, step: &str, id: String) {
        let step = step.to_owned();
        let is_slow = step == "two";
        let at = Instant::now();
        self.asked.lock().unwrap().push(Asked { step, id, at });
        if is_slow {
            tokio::time::sleep(SLOW).await;
        }
    }
}

async fn plain(
    State(model): State<Model>,
    Path((step, id)): Path<(String, String)>,
) -> impl IntoResponse {
    model.answer(&step, id).await;
    "done"
}

/// The prompt is the task's word for itself; what a tool said comes with the second question.
async fn chat(State(model): State<Model>, Json(body): Json<Value>) -> impl IntoResponse {
    let messages = body["messages"].as_array().cloned().unwrap_or_default();
    let of_role = |role: &str| messages.iter().find(|message| message["role"] == role);
    let prompt = of_role("user").map_or("", |message| message["content"].as_str().unwrap_or(""));
    let is_second = of_role("tool").is_some();
    let step = if is_second { "two" } else { "one" };
    model.answer(step, prompt.to_owned()).await;
    let (delta, finish) = match is_second {
        true => (json!({"content": "done"}), "stop"),
        false => {
            let function =
                json!({"name": "memory_search", "arguments": "{\"query\": \"anything\"}"});
            let call =
                json!({"index": 0, "id": "call_1", "type": "function", "function": function});
            (json!({"tool_calls": [call]}), "tool_calls")
        }
    };
    let chunk = json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1}});
    format!("data: {chunk}\n\ndata: [DONE]\n\n")
}
