//! A reader that does not keep up is let go, with a last word.

use std::time::Duration;

use futures::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::task::JoinSet;

/// Items that may wait for the reader, beside those in the buffers of the connection.
const WAITING: usize = 16;

/// The items, for a reader that takes them. When one has waited for `limit`, nothing more is read
/// for this reader, and behind what waits comes `last`.
pub(crate) fn paced<T: Send + 'static>(
    items: impl Stream<Item = T> + Send + 'static,
    limit: Duration,
    last: T,
) -> impl Stream<Item = T> + Send {
    let (sender, mut receiver) = mpsc::channel(WAITING + 1);
    let mut work = JoinSet::new();
    work.spawn(async move {
        // Room for the last word is kept from the start.
        let Ok(farewell) = sender.clone().reserve_owned().await else {
            return;
        };
        let mut items = std::pin::pin!(items);
        while let Some(item) = items.next().await {
            match sender.send_timeout(item, limit).await {
                Ok(()) => {}
                Err(SendTimeoutError::Closed(_)) => return,
                Err(SendTimeoutError::Timeout(_)) => {
                    farewell.send(last);
                    return;
                }
            }
        }
    });
    async_stream::stream! {
        // Dropped with the reader, it ends the work.
        let _work = work;
        while let Some(item) = receiver.recv().await {
            yield item;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_reader_that_stops_gets_what_waited_and_a_last_word() {
        let limit = Duration::from_millis(20);
        let mut paced = Box::pin(paced(futures::stream::iter(1..), limit, 0));
        assert_eq!(paced.next().await, Some(1));
        // Whoever reads to see whether the time is over is no slow reader.
        tokio::time::sleep(limit * 10).await;
        let rest: Vec<u32> = paced.collect().await;
        let (last, waited) = rest.split_last().unwrap_or((&1, &[]));
        assert_eq!(*last, 0);
        assert!(waited.iter().copied().eq(2..2 + 16), "{waited:?}");
    }

    #[tokio::test]
    async fn a_reader_that_keeps_up_gets_all() {
        let paced = paced(futures::stream::iter(1..=100), Duration::from_secs(5), 0);
        assert!(paced.collect::<Vec<u32>>().await.into_iter().eq(1..=100));
    }
}
