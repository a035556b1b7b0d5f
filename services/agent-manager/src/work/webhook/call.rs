//! One call of a webhook, with the repeats that its safety allows.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode};
use serde_json::Value;
use swarm_errors::{Error, Result};
use swarm_telemetry::propagate;
use tracing::Span;

use super::{Webhook, body_of};
use crate::engine::{StepHandle, outcome_unknown};
use crate::journal::Safety;
use crate::work::prompts;

/// The same after a take-over, another one after a recorded failure: what to deduplicate by.
const TOKEN: &str = "idempotency-key";
/// Rises with each hold of the task: what is lower than one seen before comes from a worker that
/// has lost the task.
const FENCE: &str = "x-swarm-epoch";
const TRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// What is read of an answer; the rest is left on the line.
const MOST_READ: usize = 64 * 1024;
/// What a model is told of an answer.
const MOST_TOLD: usize = 4_000;

/// Why a try brought no answer.
enum Lost {
    /// Nothing was sent: no connection could be made.
    BeforeSending(reqwest::Error),
    /// The other side may have acted.
    Afterwards(reqwest::Error),
}

impl Webhook {
    /// Posts the arguments, and gives back what the model is told.
    ///
    /// A refusal (4xx) is the model's to read. A service that is away is tried again under the same
    /// token where that cannot double an effect, then the step fails.
    pub(super) async fn call(&self, handle: &StepHandle, arguments: &Value) -> Result<String> {
        let Some(body) = body_of(arguments) else {
            return Ok("The arguments are wrong: they must be an object.".to_owned());
        };
        let headers = self.headers_for(handle)?;
        let may_repeat = self.config.safety() == Safety::Idempotent;
        let mut tries = 0;
        loop {
            tries += 1;
            let failure = match self.post(&headers, body.clone()).await {
                Ok(answer) if may_repeat && is_passing(answer.status()) => {
                    format!("answered {}", answer.status())
                }
                Ok(answer) => match told(answer).await {
                    Ok(text) => return Ok(text),
                    Err(error) if may_repeat => error.to_string(),
                    Err(error) => return Err(self.unknown(handle, &error)),
                },
                Err(Lost::BeforeSending(error)) => error.to_string(),
                Err(Lost::Afterwards(error)) if may_repeat => error.to_string(),
                Err(Lost::Afterwards(error)) => return Err(self.unknown(handle, &error)),
            };
            tracing::debug!(
                tool = self.config.name,
                tries,
                failure,
                "a tool's call failed"
            );
            if tries == TRIES {
                let name = &self.config.name;
                return Err(Error::unavailable(format!("the tool {name} {failure}")));
            }
            let pause = FIRST_PAUSE.saturating_mul(1 << tries);
            tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..1.0))).await;
        }
    }

    /// The journal records it as an end, so that no attempt makes the call again.
    fn unknown(&self, handle: &StepHandle, error: &reqwest::Error) -> Error {
        tracing::warn!(
            tool = self.config.name,
            token = handle.token(),
            error = %error,
            "nobody knows whether a call took effect"
        );
        outcome_unknown(handle.key())
    }

    fn headers_for(&self, handle: &StepHandle) -> Result<HeaderMap> {
        let mut headers = self.headers.clone();
        propagate::inject_span(&Span::current(), &mut headers);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let token = HeaderValue::try_from(handle.token()).map_err(Error::internal)?;
        headers.insert(TOKEN, token);
        headers.insert(FENCE, HeaderValue::from(handle.epoch()));
        Ok(headers)
    }

    async fn post(&self, headers: &HeaderMap, body: String) -> Result<Response, Lost> {
        self.client
            .post(&self.config.url)
            .headers(headers.clone())
            .timeout(self.config.timeout())
            .body(body)
            .send()
            .await
            .map_err(|error| {
                // The address is the operator's business, and may hold a key.
                let was_sent = !error.is_connect();
                let error = error.without_url();
                if was_sent {
                    Lost::Afterwards(error)
                } else {
                    Lost::BeforeSending(error)
                }
            })
    }
}

/// Whether the same call may fare better soon.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

async fn told(mut answer: Response) -> Result<String, reqwest::Error> {
    let status = answer.status();
    let mut bytes = Vec::new();
    while bytes.len() < MOST_READ {
        match answer.chunk().await.map_err(reqwest::Error::without_url)? {
            Some(chunk) => bytes.extend_from_slice(&chunk),
            None => break,
        }
    }
    bytes.truncate(MOST_READ);
    // The journal cannot keep this character, and no model needs it.
    let text = String::from_utf8_lossy(&bytes).replace('\0', "");
    let text = prompts::shortened(&text, MOST_TOLD);
    Ok(match status.is_success() {
        true if text.trim().is_empty() => "Done.".to_owned(),
        true => text,
        false => format!("The tool answered {}: {text}", status.as_u16()),
    })
}
