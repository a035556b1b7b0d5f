//! A channel to whichever replica is fit for a call.

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
use super::group::{Group, Replica};

/// Takes a healthy replica for each call. Clones share connections; another one of the same
/// service shares only what is known of its replicas.
#[derive(Clone)]
pub struct BalancedChannel {
    group: Arc<Group>,
    /// A handful at most, so they are looked through.
    channels: Arc<Mutex<Vec<Line>>>,
}

/// The connection to a replica.
struct Line {
    replica: Arc<Replica>,
    channel: Channel,
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

    fn channel(&self, replica: &Arc<Replica>) -> Channel {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = channels
            .iter()
            .find(|line| Arc::ptr_eq(&line.replica, replica))
        {
            return line.channel.clone();
        }
        let known = self.group.known();
        channels.retain(|line| known.iter().any(|one| Arc::ptr_eq(one, &line.replica)));
        let channel = replica.endpoint.connect_lazy();
        channels.push(Line {
            replica: replica.clone(),
            channel: channel.clone(),
        });
        channel
    }

    /// Makes a call at the replica that is fit for it.
    pub(crate) async fn send(&self, request: Request<Body>) -> Result<Response<Body>, Status> {
        let held = self.group.take().ok_or_else(gone)?;
        let channel = self.channel(&held.replica);
        let answer = tokio::select! {
            answer = channel.oneshot(request) => answer,
            () = held.given_up() => return Err(gone()),
        };
        match answer {
            Ok(answer) => Ok(answer.map(|body| Body::new(HeldBody::new(body, held)))),
            Err(error) => {
                // The next call goes elsewhere; a probe finds out when it is back.
                held.replica.found(Health::Down);
                Err(Status::from_error(Box::new(error)))
            }
        }
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
        let channel = self.clone();
        Box::pin(async move { channel.send(request).await })
    }
}
