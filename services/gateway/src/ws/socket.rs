//! A WebSocket whose reader may be slow.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use futures::SinkExt;
use tokio::time::timeout;

use super::frames::Say;

/// How long the other side may take to close, once it was told.
const CLOSE_LIMIT: Duration = Duration::from_millis(500);

/// Why nothing more can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stuck {
    /// The reader does not keep up; this frame was not taken.
    Before,
    /// The reader does not keep up; this frame is on its way.
    Behind,
    /// The connection is gone.
    Gone,
}

/// Why a connection ends, as its close frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Farewell {
    /// The gateway is about to stop.
    Stopping,
    /// A rule was broken, or a proof does not hold.
    Refused,
    /// The reader does not keep up.
    TooSlow,
    /// A frame was larger than allowed.
    TooLarge,
}

impl Farewell {
    const fn row(self) -> (u16, &'static str) {
        match self {
            Self::Stopping => (
                close_code::RESTART,
                "the gateway is about to stop: come back with your cursor",
            ),
            Self::Refused => (close_code::POLICY, "refused"),
            Self::TooSlow => (close_code::AGAIN, "too slow: come back with your cursor"),
            Self::TooLarge => (close_code::SIZE, "the frame is too large"),
        }
    }
}

/// A socket on which no frame waits longer than `limit` for its reader.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) inner: WebSocket,
    pub(super) limit: Duration,
}

impl Socket {
    pub(super) async fn say(&mut self, say: &Say<'_>) -> Result<(), Stuck> {
        self.send(Message::text(say.text())).await
    }

    pub(super) async fn send(&mut self, message: Message) -> Result<(), Stuck> {
        // In two steps, to know on which side of a frame a reader stopped.
        match timeout(self.limit, self.inner.feed(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(Stuck::Gone),
            Err(_) => return Err(Stuck::Before),
        }
        match timeout(self.limit, self.inner.flush()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Stuck::Gone),
            Err(_) => Err(Stuck::Behind),
        }
    }

    /// Says what there is to say at last and closes. A reader that has stopped gets a while to come
    /// back and hear it, and a moment to close its side.
    pub(super) async fn close(mut self, last: &[Say<'_>], farewell: Farewell) {
        let (code, reason) = farewell.row();
        let words = async {
            for say in last {
                self.inner.feed(Message::text(say.text())).await.ok()?;
            }
            let frame = CloseFrame {
                code,
                reason: reason.into(),
            };
            self.inner.send(Message::Close(Some(frame))).await.ok()
        };
        if let Ok(Some(())) = timeout(self.limit.saturating_mul(2), words).await {
            let closed = async { while let Some(Ok(_)) = self.inner.recv().await {} };
            timeout(CLOSE_LIMIT, closed).await.ok();
        }
    }
}
