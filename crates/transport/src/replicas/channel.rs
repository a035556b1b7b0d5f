//! A channel to whichever replica is fit for a call.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tonic::transport::Channel;
use tower::{Service, ServiceExt as _};

use super::body::{HeldBody, gone};
use super::choice::Health;
use super::group::{Group, Held};

/// Takes a healthy replica for each call. Clones share connections; another one of the same
/// service shares only what is known of its replicas.
#[derive(Clone)]
pub struct BalancedChannel {
    group: Arc<Group>,
    channels: Arc<Mutex<HashMap<String, Channel>>>,
}

impl fmt::Debug for BalancedChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BalancedChannel").finish_non_exhaustive()
    }
}

impl BalancedChannel {
    pub(crate) fn new(group: Arc<Group>) -> Self {
        Self {
            group,
            channels: Arc::default(),
        }
    }

    fn channel(&self, held: &Held) -> Channel {
        let endpoint = &held.replica.endpoint;
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.group.known();
        if channels.len() > known.len() {
            channels.retain(|uri, _| known.iter().any(|one| one.endpoint.uri() == uri.as_str()));
        }
        channels
            .entry(endpoint.uri().to_string())
            .or_insert_with(|| endpoint.connect_lazy())
            .clone()
    }
}

impl Service<Request<Body>> for BalancedChannel {
    type Response = Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        // The chosen channel is asked for room within the call.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Some(held) = self.group.take() else {
            return Box::pin(async { Err(gone()) });
        };
        let channel = self.channel(&held);
        Box::pin(async move {
            let answer = tokio::select! {
                answer = channel.oneshot(request) => answer,
                () = held.given_up.cancelled() => return Err(gone()),
            };
            match answer {
                Ok(answer) => Ok(answer.map(|body| Body::new(HeldBody::new(body, held)))),
                Err(error) => {
                    // The next call goes elsewhere; a probe finds out when it is back.
                    held.replica.found(Health::Down);
                    Err(Status::from_error(Box::new(error)))
                }
            }
        })
    }
}
