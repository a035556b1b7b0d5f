//! What can be subscribed to: pure.

use std::fmt;
use std::str::FromStr;

use swarm_identity::Permission;
use swarm_types::{AgentId, TaskId};

use crate::follow::{Scope, Start};
use crate::shapes::tasks::Event;

/// A topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Topic {
    /// `tasks`: every task of the tenant.
    Tasks,
    /// `tasks/{id}`: one task, with its tokens.
    Task(TaskId),
    /// `tasks/{id}/tree`: a task and all below it, with their tokens.
    Tree(TaskId),
    /// `agents`: what happens in tasks and names an agent.
    Agents,
    /// `agents/{id}`: the same for one agent.
    Agent(AgentId),
    /// `proposals`: ballots of tasks.
    Proposals,
}

/// Fields of an event's data that name an agent.
const AGENT_FIELDS: [&str; 4] = ["agent_id", "from_agent_id", "to_agent_id", "voter"];

impl Topic {
    /// What a reader must be allowed to do.
    pub(crate) const fn permissions(self) -> &'static [Permission] {
        match self {
            Self::Tasks | Self::Task(_) | Self::Tree(_) => &[Permission::TasksRead],
            Self::Agents | Self::Agent(_) => &[Permission::TasksRead, Permission::AgentsRead],
            Self::Proposals => &[Permission::TasksRead, Permission::ProposalsRead],
        }
    }

    /// The stream that it is cut out of.
    pub(crate) const fn scope(self) -> Scope {
        match self {
            Self::Task(id) => Scope::Task(id),
            Self::Tree(id) => Scope::Tree(id),
            Self::Tasks | Self::Agents | Self::Agent(_) | Self::Proposals => Scope::Tenant,
        }
    }

    /// Where a reader without a cursor begins: a task is told from its start, a tenant from now on.
    pub(crate) const fn start(self) -> Start {
        match self.scope() {
            Scope::Task(_) | Scope::Tree(_) => Start::After(0),
            Scope::Tenant => Start::Now,
        }
    }

    /// Whether it has tokens.
    pub(crate) const fn has_tokens(self) -> bool {
        matches!(self, Self::Task(_) | Self::Tree(_))
    }

    /// Whether an event of the stream belongs to it.
    pub(crate) fn admits(self, event: &Event) -> bool {
        let named = || {
            AGENT_FIELDS
                .iter()
                .filter_map(|field| event.data.get(*field)?.as_str())
        };
        match self {
            Self::Tasks | Self::Task(_) | Self::Tree(_) => true,
            Self::Agents => named().any(|id| id.starts_with("agent_")),
            Self::Agent(agent) => {
                let agent = agent.to_string();
                named().any(|id| id == agent)
            }
            Self::Proposals => {
                event.kind.starts_with("ballot.") || event.kind.starts_with("proposal.")
            }
        }
    }
}

impl FromStr for Topic {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let id_error = |error: swarm_types::IdError| format!("its id {error}");
        match *text.split('/').collect::<Vec<_>>().as_slice() {
            ["tasks"] => Ok(Self::Tasks),
            ["tasks", id] => id.parse().map(Self::Task).map_err(id_error),
            ["tasks", id, "tree"] => id.parse().map(Self::Tree).map_err(id_error),
            ["agents"] => Ok(Self::Agents),
            ["agents", id] => id.parse().map(Self::Agent).map_err(id_error),
            ["proposals"] => Ok(Self::Proposals),
            ["system"] => Err("the topic system is not offered yet".to_owned()),
            _ => Err(
                "must be tasks, tasks/{id}, tasks/{id}/tree, agents, agents/{id} or proposals"
                    .to_owned(),
            ),
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tasks => f.write_str("tasks"),
            Self::Task(id) => write!(f, "tasks/{id}"),
            Self::Tree(id) => write!(f, "tasks/{id}/tree"),
            Self::Agents => f.write_str("agents"),
            Self::Agent(id) => write!(f, "agents/{id}"),
            Self::Proposals => f.write_str("proposals"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;
    use swarm_proto::agents::v1 as wire;

    use super::*;

    #[test]
    fn topics_come_back_from_their_text() {
        let (task, agent) = (TaskId::new(), AgentId::new());
        let topics = [
            Topic::Tasks,
            Topic::Task(task),
            Topic::Tree(task),
            Topic::Agents,
            Topic::Agent(agent),
            Topic::Proposals,
        ];
        for topic in topics {
            assert_eq!(topic.to_string().parse::<Topic>().unwrap(), topic);
        }
        for text in [
            "",
            "task",
            "tasks/",
            "tasks/x",
            "tasks/x/y",
            "tasks//tree",
            "agents/task_1",
            "system",
            "Tasks",
        ] {
            assert!(text.parse::<Topic>().is_err(), "{text}");
        }
    }

    #[test]
    fn events_go_to_the_topics_that_they_concern() {
        let agent = AgentId::new();
        let event = |kind: &str, data: serde_json::Value| {
            Event::from(wire::Event {
                r#type: kind.to_owned(),
                data_json: data.to_string(),
                ..wire::Event::default()
            })
        };
        let assigned = event("task.assigned", json!({"agent_id": agent}));
        let sent = event(
            "message.sent",
            json!({"from_agent_id": AgentId::new(), "to_agent_id": agent}),
        );
        let vote = event("ballot.vote", json!({"voter": "reader-1"}));
        let other = event("task.submitted", json!({}));
        let of = |topic: Topic| [&assigned, &sent, &vote, &other].map(|event| topic.admits(event));
        assert_eq!(of(Topic::Agent(agent)), [true, true, false, false]);
        assert_eq!(of(Topic::Agent(AgentId::new())), [false; 4]);
        assert_eq!(of(Topic::Agents), [true, true, false, false]);
        assert_eq!(of(Topic::Proposals), [false, false, true, false]);
        assert_eq!(of(Topic::Tasks), [true; 4]);
    }
}
