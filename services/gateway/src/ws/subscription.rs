//! The topics of one connection: their streams, and how far each was told.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use futures::Stream;
use swarm_errors::{Error, Result};
use swarm_identity::Caller;
use swarm_transport::Acting;
use swarm_types::TenantId;
use tokio_stream::{StreamExt, StreamMap};

use super::topics::Topic;
use crate::follow::{Scope, Start, Update, Watch, follow, follow_tenant};
use crate::gateway::Gateway;

/// The most topics of one connection.
const MOST_TOPICS: usize = 64;

type Updates = Pin<Box<dyn Stream<Item = Update> + Send>>;

/// What a topic is told from.
fn updates(gateway: Arc<Gateway>, tenant: TenantId, topic: Topic, start: Start) -> Updates {
    match topic.scope() {
        Scope::Tenant => Box::pin(follow_tenant(gateway, tenant, start)),
        scope => {
            let ephemeral = topic.has_tokens();
            let watch = Watch {
                scope,
                start,
                ephemeral,
            };
            Box::pin(follow(gateway, Acting::Tenant(tenant), watch))
        }
    }
}

/// The topics of one connection.
#[derive(Default)]
pub(super) struct Subscriptions {
    streams: StreamMap<Topic, Updates>,
    told: HashMap<Topic, Told>,
}

/// How far a topic was told.
#[derive(Debug, Default, Clone)]
struct Told {
    sent: Option<String>,
    acknowledged: Option<String>,
}

impl Subscriptions {
    /// Reads the topics of a frame; all hold, or none does.
    pub(super) fn read(caller: &Caller, topics: &[String]) -> Result<Vec<Topic>> {
        if topics.is_empty() {
            return Err(Error::invalid("topics", "must name at least one topic"));
        }
        let read = |(at, text): (usize, &String)| {
            let topic: Topic = text
                .parse()
                .map_err(|why: String| Error::invalid(format!("topics[{at}]"), why))?;
            for permission in topic.permissions() {
                caller.principal.require(*permission)?;
            }
            Ok(topic)
        };
        topics.iter().enumerate().map(read).collect()
    }

    /// Begins, or begins again, with these topics.
    pub(super) fn begin(
        &mut self,
        gateway: &Arc<Gateway>,
        caller: &Caller,
        topics: &[Topic],
        cursor: Option<&str>,
    ) -> Result<()> {
        let start = cursor
            .map(|text| text.parse().map(Start::After))
            .transpose();
        let start =
            start.map_err(|_| Error::invalid("cursor", "must be the cursor of an event"))?;
        let more = topics
            .iter()
            .filter(|topic| !self.streams.contains_key(topic))
            .count();
        if self.streams.len() + more > MOST_TOPICS {
            return Err(Error::invalid(
                "topics",
                format!("must be at most {MOST_TOPICS} of one connection"),
            ));
        }
        let tenant = caller
            .principal
            .tenant
            .ok_or_else(|| Error::internal("a caller of no tenant"))?;
        for topic in topics {
            let start = start.unwrap_or_else(|| topic.start());
            self.streams
                .insert(*topic, updates(gateway.clone(), tenant, *topic, start));
            self.told.insert(
                *topic,
                Told {
                    sent: cursor.map(str::to_owned),
                    acknowledged: None,
                },
            );
        }
        Ok(())
    }

    /// Ends these topics.
    pub(super) fn end(&mut self, topics: &[Topic]) {
        for topic in topics {
            self.streams.remove(topic);
            self.told.remove(topic);
        }
    }

    /// Ends all topics, and says where each is to be resumed.
    pub(super) fn end_all(&mut self) -> Vec<(String, Option<String>)> {
        self.streams.clear();
        let mut left: Vec<_> = self
            .told
            .drain()
            .map(|(topic, told)| (topic.to_string(), told.acknowledged.or(told.sent)))
            .collect();
        left.sort();
        left
    }

    /// The next update that belongs to its topic; pending while there is no topic.
    pub(super) async fn next(&mut self) -> (Topic, Update) {
        loop {
            match self.streams.next().await {
                Some((topic, Update::Event { event, .. })) if !topic.admits(&event) => {}
                Some(found) => return found,
                None => std::future::pending().await,
            }
        }
    }

    /// Notes that a reader was sent everything up to this cursor.
    pub(super) fn sent(&mut self, topic: Topic, cursor: String) {
        self.told.entry(topic).or_default().sent = Some(cursor);
    }

    /// Notes that a reader has dealt with everything up to this cursor.
    pub(super) fn acknowledged(&mut self, topic: Topic, cursor: String) -> Result<()> {
        let told = self
            .told
            .get_mut(&topic)
            .ok_or_else(|| Error::invalid("topic", "is not subscribed to"))?;
        told.acknowledged = Some(cursor);
        Ok(())
    }

    /// Forgets a topic that has ended by itself, and says where it was.
    pub(super) fn ended(&mut self, topic: Topic) -> Option<String> {
        self.streams.remove(&topic);
        self.told.remove(&topic).and_then(|told| told.sent)
    }
}
