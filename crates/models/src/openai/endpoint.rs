//! One endpoint: its client, its faults as our errors, and when to try again.

use std::future::Future;
use std::time::Duration;

use rand::RngExt;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode};
use swarm_config::Secret;
use swarm_errors::{Code, Error, Result};
use tokio::time::{Instant, timeout_at};

use crate::OpenAiConfig;

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// What of an error's body goes into our message.
const SHOWN: usize = 300;

/// An endpoint, cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    client: Client,
    address: String,
    key: Secret,
    timeout: Duration,
    idle: Duration,
    max_retries: u32,
}

impl Endpoint {
    pub(super) fn new(config: &OpenAiConfig) -> Result<Self> {
        // Another part of the process may have installed it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let address = config.address().to_owned();
        reqwest::Url::parse(&address)
            .map_err(|error| Error::invalid("models.openai.base_url", error.to_string()))?;
        let client = Client::builder()
            .connect_timeout(config.connect_timeout())
            .build()
            .map_err(Error::internal)?;
        Ok(Self {
            client,
            address,
            key: config.api_key.clone(),
            timeout: config.timeout(),
            idle: config.idle_timeout(),
            max_retries: config.max_retries,
        })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn idle(&self) -> Duration {
        self.idle
    }

    /// When a call that begins now must be over.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    pub(super) async fn post(
        &self,
        path: &str,
        body: String,
        deadline: Instant,
    ) -> Result<Response> {
        let request = self
            .client
            .post(format!("{}{path}", self.address))
            .header(CONTENT_TYPE, "application/json");
        self.send(request.body(body), deadline).await
    }

    /// Whether the endpoint answers and takes the key. Not every endpoint lists its models, so other answers will do.
    pub(super) async fn probe(&self) -> Result<()> {
        let request = self.client.get(format!("{}/models", self.address));
        match self
            .send(
                request,
                Instant::now() + self.timeout.min(Duration::from_secs(10)),
            )
            .await
        {
            Err(error)
                if error.code() != Code::NotFound && error.code() != Code::InvalidArgument =>
            {
                Err(error)
            }
            _ => Ok(()),
        }
    }

    async fn send(
        &self,
        mut request: reqwest::RequestBuilder,
        deadline: Instant,
    ) -> Result<Response> {
        if !self.key.is_empty() {
            request = request.bearer_auth(self.key.expose());
        }
        let limit = deadline.min(Instant::now() + self.idle);
        let response = timeout_at(limit, request.send())
            .await
            .map_err(|_| self.too_slow())?;
        let response = response.map_err(|error| self.unreachable(error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let body = timeout_at(limit, response.text()).await;
        Err(self.refused(
            status,
            &headers,
            body.ok()
                .and_then(std::result::Result::ok)
                .as_deref()
                .unwrap_or(""),
        ))
    }

    fn too_slow(&self) -> Error {
        Error::new(
            Code::DeadlineExceeded,
            format!("the model endpoint {} did not answer in time", self.address),
        )
    }

    fn unreachable(&self, error: reqwest::Error) -> Error {
        Error::unavailable(format!(
            "the model endpoint {} cannot be reached",
            self.address
        ))
        .with_source(error)
    }

    fn refused(&self, status: StatusCode, headers: &HeaderMap, body: &str) -> Error {
        let code = match status.as_u16() {
            // The key is ours, not the caller's.
            401 | 403 => Code::FailedPrecondition,
            404 | 405 => Code::NotFound,
            408 | 504 => Code::DeadlineExceeded,
            413 => Code::TooLarge,
            429 => Code::ResourceExhausted,
            400..=499 => Code::InvalidArgument,
            _ => Code::Unavailable,
        };
        let error = Error::new(
            code,
            format!(
                "the model endpoint {} answered {status}: {}",
                self.address,
                message(body)
            ),
        );
        let seconds = headers
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.parse().ok());
        match seconds {
            Some(seconds) => error.with_retry_after(Duration::from_secs(seconds)),
            None => error,
        }
    }

    /// Tries until it goes well, the error is none that passes, or there is no time or try left.
    /// An endpoint that is too busy is waited for here for as long as `patience` at a time.
    pub(super) async fn retrying<T, F>(
        &self,
        deadline: Instant,
        patience: Duration,
        attempt: impl Fn() -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let mut tries = 0;
        loop {
            let error = match attempt().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let passes = matches!(error.code(), Code::ResourceExhausted | Code::Unavailable);
            let pause = error.retry_after().unwrap_or_else(|| pause(tries));
            let busy = error.code() == Code::ResourceExhausted && pause > patience;
            if busy || !passes || tries >= self.max_retries || Instant::now() + pause >= deadline {
                return Err(error);
            }
            tries += 1;
            tracing::warn!(error = %error, retry = tries, retry.pause_ms = pause.as_millis(), "model endpoint failed, trying again");
            tokio::time::sleep(pause).await;
        }
    }
}

/// Twice as long each time, and somewhere in the upper half of that, so that many callers do not return at once.
fn pause(tries: u32) -> Duration {
    let longest = FIRST_PAUSE
        .saturating_mul(1 << tries.min(8))
        .min(LONGEST_PAUSE);
    longest.mul_f64(rand::rng().random_range(0.5..=1.0))
}

/// What an error's body says: OpenAI's form, or its beginning.
fn message(body: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let text = value["error"]["message"]
        .as_str()
        .or_else(|| value["message"].as_str())
        .unwrap_or(body);
    text.chars().take(SHOWN).collect()
}
