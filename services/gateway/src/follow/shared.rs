//! One stream of a tenant's events for all who read it here: thousands of readers cost
//! agent-manager one watch and its database one read.
//!
//! A reader from now on hears the shared stream at once. A reader with a cursor first has a stream
//! of its own, until that one has told what the shared stream had told when the reader began to
//! listen to it: cursors of a tenant only rise, so nothing can be missed or come twice. A reader
//! that falls behind the shared stream goes back to a stream of its own.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures::{Stream, StreamExt as _};
use swarm_transport::Acting;
use swarm_types::TenantId;
use tokio::sync::broadcast::{self, Receiver, Sender};
use tokio::task::AbortHandle;

use super::{Scope, Start, Update, Watch, follow};
use crate::gateway::Gateway;
use crate::shapes::tasks::Event;

/// Events that a reader may be behind by before it gets a stream of its own again.
const BACKLOG: usize = 1024;

/// The streams that are shared now, by tenant.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    tenants: Mutex<HashMap<TenantId, Weak<Channel>>>,
}

/// An event of the shared stream; `None` when the stream is over.
type Told = Option<(u64, Arc<Event>)>;

/// The shared stream of a tenant. It ends with its last reader.
#[derive(Debug)]
struct Channel {
    sender: Sender<Told>,
    /// The cursors of the first and the newest event that it has told; 0 before there was one.
    first: Arc<AtomicU64>,
    newest: Arc<AtomicU64>,
    reading: AbortHandle,
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

impl Channel {
    fn open(gateway: Arc<Gateway>, tenant: TenantId) -> Self {
        let (sender, _) = broadcast::channel(BACKLOG);
        let (first, newest) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let (to_all, first_told, newest_told) = (sender.clone(), first.clone(), newest.clone());
        let reading = tokio::spawn(async move {
            let mut updates =
                std::pin::pin!(follow(gateway, Acting::Tenant(tenant), watch(Start::Now)));
            while let Some(Update::Event {
                cursor: Some(cursor),
                event,
            }) = updates.next().await
            {
                let first = first_told.load(Ordering::SeqCst);
                if first == 0 {
                    first_told.store(cursor, Ordering::SeqCst);
                }
                // Before it is sent: who listens and then reads this misses nothing that follows.
                newest_told.store(cursor, Ordering::SeqCst);
                // Nobody may listen at this moment.
                to_all.send(Some((cursor, event))).ok();
            }
            to_all.send(None).ok();
        });
        Self {
            sender,
            first,
            newest,
            reading: reading.abort_handle(),
        }
    }

    fn newest(&self) -> Option<u64> {
        Some(self.newest.load(Ordering::SeqCst)).filter(|cursor| *cursor > 0)
    }

    /// Where a reader begins again that was here from the start and has heard nothing.
    fn beginning(&self) -> Start {
        match self.first.load(Ordering::SeqCst) {
            0 => Start::Now,
            first => Start::After(first - 1),
        }
    }
}

impl Shared {
    fn channel(&self, gateway: &Arc<Gateway>, tenant: TenantId) -> Arc<Channel> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let running = tenants.get(&tenant).and_then(Weak::upgrade);
        if let Some(channel) = running.filter(|channel| !channel.reading.is_finished()) {
            return channel;
        }
        tenants.retain(|_, channel| channel.strong_count() > 0);
        let channel = Arc::new(Channel::open(gateway.clone(), tenant));
        tenants.insert(tenant, Arc::downgrade(&channel));
        channel
    }
}

const fn watch(start: Start) -> Watch {
    Watch {
        scope: Scope::Tenant,
        start,
        ephemeral: false,
    }
}

/// The events of a tenant, as [`follow`] tells them, from a stream that is shared where it can be.
pub(crate) fn follow_tenant(
    gateway: Arc<Gateway>,
    tenant: TenantId,
    start: Start,
) -> impl Stream<Item = Update> + Send {
    async_stream::stream! {
        let channel = gateway.shared.channel(&gateway, tenant);
        let mut listener = Listener { live: Some(channel.sender.subscribe()), at: None, seen: None };
        listener.seen = channel.newest();
        let mut from = start;
        match start {
            Start::After(cursor) => listener.at = Some(cursor),
            Start::Now => listener.at = listener.seen,
        }
        // From now on is what the shared stream tells from now on.
        let mut is_live = start == Start::Now || listener.has_caught_up();
        loop {
            while is_live {
                match listener.next_live().await {
                    Heard::Event(cursor, event) => yield Update::Event { cursor: Some(cursor), event },
                    Heard::Known => {}
                    Heard::Lost => {
                        is_live = false;
                        from = listener.at.map_or_else(|| channel.beginning(), Start::After);
                    }
                }
            }
            let mut own = std::pin::pin!(follow(gateway.clone(), Acting::Tenant(tenant), watch(from)));
            while !listener.has_caught_up() {
                let update = tokio::select! {
                    update = own.next() => update,
                    () = listener.overhear() => continue,
                };
                match update {
                    Some(Update::Event { cursor: Some(cursor), event }) => {
                        listener.at = Some(cursor);
                        yield Update::Event { cursor: Some(cursor), event };
                    }
                    Some(update @ (Update::Event { .. } | Update::Gap(_))) => yield update,
                    Some(last) => {
                        yield last;
                        return;
                    }
                    None => return,
                }
            }
            is_live = true;
        }
    }
}

/// What the shared stream told a reader.
enum Heard {
    Event(u64, Arc<Event>),
    /// Something that the reader knew.
    Known,
    /// Something was missed, or the stream is over.
    Lost,
}

/// A reader of the shared stream.
struct Listener {
    /// `None` when that stream is over.
    live: Option<Receiver<Told>>,
    /// The cursor of what the reader has last told.
    at: Option<u64>,
    /// All behind this cursor will still be heard; `None` while it is not known which.
    seen: Option<u64>,
}

impl Listener {
    fn has_caught_up(&self) -> bool {
        self.live.is_some() && self.seen.is_some_and(|seen| self.at >= Some(seen))
    }

    async fn next_live(&mut self) -> Heard {
        match self.receive().await {
            Some((cursor, event)) if self.at < Some(cursor) => {
                self.at = Some(cursor);
                Heard::Event(cursor, event)
            }
            Some(_) => Heard::Known,
            None => Heard::Lost,
        }
    }

    /// Listens while a stream of the reader's own tells it the same.
    async fn overhear(&mut self) {
        if let Some((cursor, _)) = self.receive().await {
            self.seen = Some(cursor);
        }
    }

    async fn receive(&mut self) -> Told {
        let Some(live) = &mut self.live else {
            // The stream is over: the reader's own is all there is.
            return std::future::pending().await;
        };
        match live.recv().await {
            Ok(Some(told)) => Some(told),
            Ok(None) | Err(broadcast::error::RecvError::Closed) => {
                self.live = None;
                None
            }
            Err(broadcast::error::RecvError::Lagged(_)) => {
                self.seen = None;
                None
            }
        }
    }
}
