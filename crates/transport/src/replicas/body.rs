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
    /// Made when the body is first waited for: mostly it is there with its head.
    given_up: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// The call counts as running until its body was read.
    held: Held,
}

impl HeldBody {
    pub(super) const fn new(body: Body, held: Held) -> Self {
        Self {
            body,
            given_up: None,
            held,
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
        let Self { given_up, held, .. } = &mut *self;
        given_up
            .get_or_insert_with(|| Box::pin(held.given_up_owned()))
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
