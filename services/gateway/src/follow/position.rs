//! Where a reader of events is: pure.

use std::sync::Arc;

use swarm_errors::Error;
use swarm_proto::agents::v1::WatchEventsResponse;
use swarm_proto::agents::v1::watch_events_request::Scope as WireScope;
use swarm_types::TaskId;

use crate::shapes::tasks::Event;

/// What is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// One task; positions are its own sequence.
    Task(TaskId),
    /// A task and all below it; positions are the tenant's sequence.
    Tree(TaskId),
    /// Every task of the tenant; positions are the tenant's sequence.
    Tenant,
}

impl Scope {
    pub(super) fn to_wire(self) -> WireScope {
        match self {
            Self::Task(id) => WireScope::TaskId(id.to_string()),
            Self::Tree(id) => WireScope::TreeRootId(id.to_string()),
            Self::Tenant => WireScope::Tenant(true),
        }
    }

    pub(super) const fn task(self) -> Option<TaskId> {
        match self {
            Self::Task(id) | Self::Tree(id) => Some(id),
            Self::Tenant => None,
        }
    }

    const fn of(self, event: &Event) -> Option<u64> {
        match self {
            Self::Task(_) => event.seq,
            Self::Tree(_) | Self::Tenant => event.tenant_seq,
        }
    }
}

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// Behind this position; 0 is the beginning.
    After(u64),
    /// With what happens from now on.
    Now,
}

/// What a reader is told.
#[derive(Debug)]
pub(crate) enum Update {
    /// An event; an ephemeral one has no cursor.
    Event {
        /// Where to resume behind it.
        cursor: Option<u64>,
        /// The event.
        event: Arc<Event>,
    },
    /// What lies before this position is no longer kept.
    Gap(u64),
    /// Nothing more will come.
    Ended,
    /// Nothing more can be had.
    Failed(Error),
}

/// Where a reader is.
#[derive(Debug)]
pub(crate) struct Position {
    scope: Scope,
    at: Option<u64>,
}

impl Position {
    pub(crate) const fn new(scope: Scope, start: Start) -> Self {
        let at = match start {
            Start::After(position) => Some(position),
            Start::Now => None,
        };
        Self { scope, at }
    }

    /// Where a new stream starts, and whether it skips what is stored.
    pub(crate) fn resume(&self) -> (u64, bool) {
        (self.at.unwrap_or_default(), self.at.is_none())
    }

    /// Whether the newest event of a single task was read.
    pub(crate) fn has_reached(&self, last_seq: u64) -> bool {
        matches!(self.scope, Scope::Task(_)) && self.at.is_some_and(|at| at >= last_seq)
    }

    /// What the reader of a task is told at its end: whether the newest events are no longer kept.
    pub(crate) fn end(&self, last_seq: u64) -> Option<Update> {
        let is_short = matches!(self.scope, Scope::Task(_)) && !self.has_reached(last_seq);
        is_short.then_some(Update::Gap(last_seq))
    }

    /// Moves on, and says what the reader is to be told.
    pub(crate) fn take(&mut self, answer: WatchEventsResponse) -> Vec<Update> {
        let Some(event) = answer.event.map(Event::from) else {
            self.at = Some(self.at.unwrap_or_default().max(answer.cursor));
            return Vec::new();
        };
        let Some(place) = self.scope.of(&event).filter(|_| !event.ephemeral) else {
            return vec![Update::Event {
                cursor: None,
                event: Arc::new(event),
            }];
        };
        let before = self.at;
        if before.is_some_and(|at| place <= at) {
            return Vec::new();
        }
        self.at = Some(place);
        let mut updates = Vec::new();
        // The events of a tree are some of its tenant's, whose numbers show nothing.
        if let (Scope::Task(_) | Scope::Tenant, Some(at)) = (self.scope, before)
            && place > at + 1
        {
            updates.push(Update::Gap(place - 1));
        }
        updates.push(Update::Event {
            cursor: Some(place),
            event: Arc::new(event),
        });
        updates
    }
}

#[cfg(test)]
mod tests {
    use swarm_proto::agents::v1 as wire;

    use super::*;

    fn answer(seq: u64, tenant_seq: u64) -> WatchEventsResponse {
        let event = wire::Event {
            seq,
            tenant_seq,
            ephemeral: seq == 0,
            ..wire::Event::default()
        };
        WatchEventsResponse {
            event: Some(event),
            cursor: tenant_seq,
        }
    }

    fn told(position: &mut Position, answers: &[(u64, u64)]) -> Vec<String> {
        let updates = answers
            .iter()
            .flat_map(|(seq, tenant_seq)| position.take(answer(*seq, *tenant_seq)));
        updates
            .map(|update| match update {
                Update::Event {
                    cursor: Some(cursor),
                    ..
                } => cursor.to_string(),
                Update::Event { cursor: None, .. } => "token".to_owned(),
                Update::Gap(cursor) => format!("gap {cursor}"),
                Update::Ended | Update::Failed(_) => "end".to_owned(),
            })
            .collect()
    }

    #[test]
    fn what_comes_twice_is_told_once() {
        let mut position = Position::new(Scope::Task(TaskId::new()), Start::After(0));
        assert_eq!(
            told(
                &mut position,
                &[(1, 7), (2, 9), (0, 0), (2, 9), (1, 7), (3, 11)]
            ),
            ["1", "2", "token", "3"]
        );
        assert_eq!(position.resume(), (3, false));
        assert!(position.has_reached(3) && !position.has_reached(4));
    }

    #[test]
    fn what_is_no_longer_kept_shows_as_a_gap() {
        let task = TaskId::new();
        let mut position = Position::new(Scope::Task(task), Start::After(2));
        assert_eq!(
            told(&mut position, &[(5, 50), (6, 51)]),
            ["gap 4", "5", "6"]
        );
        assert!(position.end(6).is_none());
        assert!(matches!(position.end(7), Some(Update::Gap(7))));
        let mut position = Position::new(Scope::Tenant, Start::After(2));
        assert_eq!(
            told(&mut position, &[(5, 50), (1, 51)]),
            ["gap 49", "50", "51"]
        );
        let mut position = Position::new(Scope::Tree(task), Start::After(2));
        assert_eq!(told(&mut position, &[(1, 50), (1, 60)]), ["50", "60"]);
        assert!(position.end(7).is_none());
    }

    #[test]
    fn a_reader_from_now_on_keeps_its_place_once_it_has_one() {
        let mut position = Position::new(Scope::Tenant, Start::Now);
        assert_eq!(position.resume(), (0, true));
        position.take(WatchEventsResponse {
            event: None,
            cursor: 40,
        });
        assert_eq!(position.resume(), (40, false));
        assert_eq!(told(&mut position, &[(1, 40), (1, 41)]), ["41"]);
    }
}
