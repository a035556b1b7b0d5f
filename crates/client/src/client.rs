//! The client: where the server is, who is calling, and one request.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use swarm_errors::{Code, Error, Result};
use tokio::sync::Mutex;

use crate::answer;
use crate::credentials::Credentials;
use crate::patience::Patience;
use crate::types::sessions::Tokens;

/// Longer than the server takes to give up on an ordinary request.
const LIMIT: Duration = Duration::from_secs(40);
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// A client of the public API. Clones share connections and session.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    websocket: Url,
    credentials: Arc<Mutex<Credentials>>,
    waits_for_room: bool,
}

/// One request, before the address and the credentials are put to it.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    /// Below `/api/v1`.
    pub(crate) path: &'a [&'a str],
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<serde_json::Value>,
    pub(crate) key: Option<String>,
    pub(crate) limit: Duration,
    /// Whether a server that has no room now is asked again.
    pub(crate) is_patient: bool,
}

impl<'a> Call<'a> {
    pub(crate) fn new(method: Method, path: &'a [&'a str]) -> Self {
        Self {
            method,
            path,
            query: Vec::new(),
            body: None,
            key: None,
            limit: LIMIT,
            is_patient: false,
        }
    }

    pub(crate) fn get(path: &'a [&'a str]) -> Self {
        Self::new(Method::GET, path)
    }

    /// A write. Each gets an idempotency key, so that the server can tell a repeat from a second one.
    pub(crate) fn post(path: &'a [&'a str], body: &impl Serialize) -> Result<Self> {
        Self::new(Method::POST, path).with_body(body)
    }

    pub(crate) fn with_body(mut self, body: &impl Serialize) -> Result<Self> {
        self.body = Some(serde_json::to_value(body).map_err(Error::internal)?);
        self.key = Some(uuid::Uuid::now_v7().to_string());
        Ok(self)
    }

    pub(crate) fn with_key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// Asks a server that has no room now again. For calls whose repeat has no second effect.
    pub(crate) fn patient(mut self) -> Self {
        self.is_patient = true;
        self
    }

    pub(crate) fn query(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query
            .extend(value.map(|value| (name, value.to_string())));
        self
    }

    pub(crate) fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

impl Client {
    /// A client of the server at `base_url`, such as `http://127.0.0.1:3000`. Its WebSocket is
    /// taken to be on the next port until [`Client::with_websocket`] says otherwise.
    ///
    /// # Errors
    /// When the address is not one.
    pub fn new(base_url: &str) -> Result<Self> {
        // reqwest is built without a provider of its own, since all of ours use the same one.
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let base = address("base_url", base_url, &["http", "https"])?;
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_LIMIT)
            .build()
            .map_err(answer::transport)?;
        Ok(Self {
            http,
            websocket: next_port(&base),
            base,
            credentials: Arc::default(),
            waits_for_room: true,
        })
    }

    /// The same caller at another gateway of the same platform.
    ///
    /// # Errors
    /// When the address is not one.
    pub fn at(mut self, base_url: &str) -> Result<Self> {
        self.base = address("base_url", base_url, &["http", "https"])?;
        self.websocket = next_port(&self.base);
        Ok(self)
    }

    /// Follows events at this address, such as `ws://127.0.0.1:3001/ws`.
    ///
    /// # Errors
    /// When the address is not one.
    pub fn with_websocket(mut self, url: &str) -> Result<Self> {
        self.websocket = address("websocket", url, &["ws"])?;
        Ok(self)
    }

    /// Calls with this access token.
    #[must_use]
    pub fn with_token(self, token: impl Into<String>) -> Self {
        self.with(Credentials::Token(token.into()))
    }

    /// Calls with this API key.
    #[must_use]
    pub fn with_api_key(self, key: impl Into<String>) -> Self {
        self.with(Credentials::ApiKey(key.into()))
    }

    /// Gives a refusal for want of room back at once, instead of waiting as the server asks.
    #[must_use]
    pub fn without_waiting(mut self) -> Self {
        self.waits_for_room = false;
        self
    }

    /// Logs in, and calls with the session, which renews itself.
    ///
    /// # Errors
    /// When the server refuses the password or cannot be reached.
    pub async fn login(self, username: &str, password: &str) -> Result<Self> {
        let body = serde_json::json!({"username": username, "password": password});
        let tokens: Tokens = self.fetch(Call::post(&["auth", "login"], &body)?).await?;
        Ok(self.with(Credentials::session(tokens)))
    }

    /// The server's address.
    #[must_use]
    pub fn base_url(&self) -> &Url {
        &self.base
    }

    pub(crate) fn websocket(&self) -> &Url {
        &self.websocket
    }

    /// The token of the session, where there is one that can be used elsewhere.
    pub async fn token(&self) -> Option<String> {
        match &*self.credentials.lock().await {
            Credentials::Token(access) | Credentials::Session { access, .. } => {
                Some(access.clone())
            }
            Credentials::None | Credentials::ApiKey(_) => None,
        }
    }

    pub(crate) async fn credentials(&self) -> Credentials {
        self.credentials.lock().await.clone()
    }

    /// The same person with a new session: clones go on with it.
    pub(crate) async fn renew(&self, tokens: Tokens) {
        *self.credentials.lock().await = Credentials::session(tokens);
    }

    /// Other credentials are another client: clones made before keep theirs.
    fn with(mut self, credentials: Credentials) -> Self {
        self.credentials = Arc::new(Mutex::new(credentials));
        self
    }

    /// Makes the call and reads the answer.
    pub(crate) async fn fetch<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T> {
        answer::value(self.send(call).await?).await
    }

    /// Makes the call, whose answer has no body.
    pub(crate) async fn run(&self, call: Call<'_>) -> Result<()> {
        self.send(call).await.map(drop)
    }

    async fn send(&self, call: Call<'_>) -> Result<Response> {
        let mut patience = if call.is_patient && self.waits_for_room {
            Patience::default()
        } else {
            Patience::NONE
        };
        loop {
            match self.send_renewed(&call).await {
                Err(error) => patience.bear(error).await?,
                answer => return answer,
            }
        }
    }

    async fn send_renewed(&self, call: &Call<'_>) -> Result<Response> {
        let credentials = self.credentials().await;
        let response = self.send_once(call, &credentials).await?;
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(renewed) = self.renewed(&credentials).await?
        {
            return checked(self.send_once(call, &renewed).await?).await;
        }
        checked(response).await
    }

    async fn send_once(&self, call: &Call<'_>, credentials: &Credentials) -> Result<Response> {
        let mut url = self.url(call.path)?;
        for (name, value) in &call.query {
            url.query_pairs_mut().append_pair(name, value);
        }
        let mut request = self
            .http
            .request(call.method.clone(), url)
            .timeout(call.limit);
        if let Some((name, value)) = credentials.header() {
            request = request.header(name, value);
        }
        if let Some(key) = &call.key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        request
            .send()
            .await
            .map_err(|error| answer::transport(error).context(&self.base))
    }

    fn url(&self, path: &[&str]) -> Result<Url> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| {
                Error::invalid("base_url", "must be an address such as http://host:port")
            })?
            .pop_if_empty()
            .extend(["api", "v1"])
            .extend(path);
        Ok(url)
    }

    /// The next credentials of a session whose access token was refused.
    pub(crate) async fn renewed(&self, refused: &Credentials) -> Result<Option<Credentials>> {
        let mut current = self.credentials.lock().await;
        let Credentials::Session { access, refresh } = &*current else {
            return Ok(None);
        };
        let stale =
            matches!(refused, Credentials::Session { access: refused, .. } if refused == access);
        if stale {
            let body = serde_json::json!({"refresh_token": refresh});
            let call = Call::post(&["auth", "refresh"], &body)?;
            let response = self.send_once(&call, &Credentials::None).await?;
            if response.status() == StatusCode::UNAUTHORIZED {
                return Ok(None);
            }
            let tokens: Tokens = answer::value(checked(response).await?).await?;
            *current = Credentials::session(tokens);
        }
        Ok(Some(current.clone()))
    }
}

async fn checked(response: Response) -> Result<Response> {
    if response.status().is_success() {
        Ok(response)
    } else {
        Err(answer::failure(response).await)
    }
}

fn address(field: &str, text: &str, schemes: &[&str]) -> Result<Url> {
    let url = Url::parse(text).map_err(|error| Error::invalid(field, error.to_string()))?;
    if schemes.contains(&url.scheme()) && url.has_host() {
        return Ok(url);
    }
    Err(Error::new(
        Code::InvalidArgument,
        format!("{field}: must begin with {}://", schemes.join(":// or ")),
    )
    .with_field(field, "is not an address that this client can use"))
}

fn next_port(base: &Url) -> Url {
    let mut url = base.clone();
    let port = base
        .port_or_known_default()
        .and_then(|port| port.checked_add(1));
    // Neither can fail for an address with a host; if it did, connecting would say so.
    url.set_scheme("ws").ok();
    url.set_port(port).ok();
    url.set_path("/ws");
    url
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_are_checked_and_the_websocket_is_on_the_next_port() {
        let client = Client::new("http://127.0.0.1:3000").unwrap();
        assert_eq!(client.websocket().as_str(), "ws://127.0.0.1:3001/ws");
        for text in ["127.0.0.1:3000", "ftp://x", "http://", ""] {
            assert_eq!(
                Client::new(text).unwrap_err().fields()[0].field,
                "base_url",
                "{text}"
            );
        }
        assert!(client.with_websocket("http://x/ws").is_err());
    }

    #[test]
    fn ids_cannot_leave_their_place_in_the_path() {
        let client = Client::new("http://h:1/prefix/").unwrap();
        let url = client.url(&["tasks", "../users?x=1#y", "steps"]).unwrap();
        assert_eq!(
            url.as_str(),
            "http://h:1/prefix/api/v1/tasks/..%2Fusers%3Fx=1%23y/steps"
        );
    }

    #[tokio::test]
    async fn nobody_at_the_address_is_unavailable() {
        // A port that was free a moment ago, and on which nobody listens.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = Client::new(&format!("http://{address}"))
            .unwrap()
            .get_task("task_1")
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::Unavailable, "{error}");
        assert!(error.detail().contains(&address.to_string()), "{error}");
    }

    #[test]
    fn secrets_do_not_print() {
        let client = Client::new("http://h:1").unwrap().with_api_key("hunter2");
        assert!(!format!("{client:?}").contains("hunter2"));
    }
}
