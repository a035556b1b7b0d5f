//! An answer's body that ends with an error when its replica is given up.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

use super::group::Held;

/// The body of an answer from a replica.
pub(super) struct HeldBody {
    body: Body,
    given_up: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// The call counts as running until its body was read.
    _held: Held,
}

impl HeldBody {
    pub(super) fn new(body: Body, held: Held) -> Self {
        Self {
            body,
            given_up: Box::pin(held.given_up.clone().cancelled_owned()),
            _held: held,
        }
    }
}

/// What a caller is told whose replica does not answer.
pub(super) fn gone() -> Status {
    Status::unavailable("the replica does not answer")
}

impl http_body::Body for HeldBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let ready @ Poll::Ready(_) = Pin::new(&mut self.body).poll_frame(context) {
            return ready;
        }
        self.given_up
            .as_mut()
            .poll(context)
            .map(|()| Some(Err(gone())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
