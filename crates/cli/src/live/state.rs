//! What is known from the events so far: pure.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use swarm_client::Event;
use swarm_types::Timestamp;

use super::ballot::Ballot;
use super::names::Names;
use super::said::{is_end, list, number, text, texts};

/// A text that is being written grows to this at most: the view shows its end alone.
const KEPT: usize = 2_000;

/// What is known.
#[derive(Debug)]
pub(super) struct State {
    pub(super) root: String,
    pub(super) names: Names,
    pub(super) begun: Option<Timestamp>,
    pub(super) tasks: BTreeMap<String, Task>,
    pub(super) steps: BTreeMap<String, Step>,
    /// In the order in which they came up.
    pub(super) agents: Vec<Agent>,
    pub(super) ballot: Option<Ballot>,
    /// Who sent a message, by its id.
    pub(super) senders: BTreeMap<String, String>,
}

#[derive(Debug, Default)]
pub(super) struct Task {
    pub(super) role: String,
    pub(super) agent: Option<String>,
    /// The epoch in which work was last begun.
    pub(super) started_in: Option<u64>,
}

#[derive(Debug, Default)]
pub(super) struct Step {
    pub(super) key: String,
    pub(super) kind: String,
    pub(super) name: String,
    /// What was streamed of it so far.
    pub(super) text: String,
    pub(super) started_at: Option<Timestamp>,
}

/// What an agent does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Doing {
    Idle,
    /// Is between two steps.
    Working,
    /// Waits, with the reason.
    Waiting(String),
    /// Is at this step.
    Step(String),
}

#[derive(Debug)]
pub(super) struct Agent {
    pub(super) id: String,
    pub(super) doing: Doing,
}

impl State {
    pub(super) fn new(root: &str, names: Names) -> Self {
        Self {
            root: root.to_owned(),
            names,
            begun: None,
            tasks: BTreeMap::new(),
            steps: BTreeMap::new(),
            agents: Vec::new(),
            ballot: None,
            senders: BTreeMap::new(),
        }
    }

    /// Time since the first event.
    pub(super) fn since(&self, event: &Event) -> Option<Duration> {
        let at = event.at?;
        (at - self.begun.unwrap_or(at)).to_std().ok()
    }

    /// The agent that an event is about: the one whose ballot a step's key names, or its task's.
    pub(super) fn agent_of(&self, event: &Event) -> Option<String> {
        let key = match self.steps.get(&step_id(event)) {
            Some(step) => step.key.as_str(),
            None => text(&event.data, "key"),
        };
        let last = key
            .rsplit('/')
            .next()
            .filter(|last| last.starts_with("agent_"));
        let named = text(&event.data, "agent_id");
        match last.or(Some(named).filter(|id| !id.is_empty())) {
            Some(id) => Some(id.to_owned()),
            None => self.tasks.get(&event.task_id)?.agent.clone(),
        }
    }

    pub(super) fn take(&mut self, event: &Event) {
        self.begun = self.begun.or(event.at);
        let agent = self.agent_of(event);
        match event.kind.as_str() {
            "task.submitted" | "task.started" | "task.resumed" | "task.assigned" => {
                self.task(event);
            }
            "task.waiting" => self.does(
                agent,
                Doing::Waiting(text(&event.data, "reason").to_owned()),
            ),
            "step.started" => {
                self.step(event);
                let agent = self.agent_of(event);
                self.does(agent, Doing::Step(step_id(event)));
            }
            "token" => self.token(event, agent),
            "step.finished" | "step.failed" | "step.outcome_unknown" => {
                self.steps.remove(&step_id(event));
                // Members judge and vote within the task of the swarm, which is not theirs.
                let own = self
                    .tasks
                    .get(&event.task_id)
                    .and_then(|task| task.agent.as_ref());
                let doing = if own == agent.as_ref() {
                    Doing::Working
                } else {
                    Doing::Idle
                };
                self.does(agent, doing);
            }
            "message.sent" => {
                let (id, from) = (
                    text(&event.data, "message_id"),
                    text(&event.data, "from_agent_id"),
                );
                self.senders.insert(id.to_owned(), from.to_owned());
            }
            "ballot.opened" => {
                self.ballot = Some(Ballot::opened(&event.data));
                for name in texts(&event.data, "electorate") {
                    if let Some(id) = self.names.id(name).map(str::to_owned) {
                        self.row(&id);
                    }
                }
            }
            "ballot.vote" => self.vote(&event.data),
            "ballot.closed" => self.ballot = None,
            kind if is_end(kind) => self.does(agent, Doing::Idle),
            _ => {}
        }
    }

    fn task(&mut self, event: &Event) {
        let task = self.tasks.entry(event.task_id.clone()).or_default();
        let (role, agent) = (text(&event.data, "role"), text(&event.data, "agent_id"));
        if !role.is_empty() {
            role.clone_into(&mut task.role);
        }
        let runs = matches!(event.kind.as_str(), "task.started" | "task.resumed");
        if runs {
            task.started_in = Some(number(&event.data, "epoch"));
        }
        if agent.is_empty() {
            return;
        }
        task.agent = Some(agent.to_owned());
        let doing = if event.kind == "task.submitted" {
            Doing::Waiting(String::new())
        } else {
            Doing::Working
        };
        self.does(Some(agent.to_owned()), doing);
    }

    fn step(&mut self, event: &Event) {
        let data = &event.data;
        let step = Step {
            key: text(data, "key").to_owned(),
            kind: text(data, "kind").to_owned(),
            name: text(data, "name").to_owned(),
            text: String::new(),
            started_at: event.at,
        };
        self.steps.insert(step_id(event), step);
    }

    fn token(&mut self, event: &Event, agent: Option<String>) {
        let id = step_id(event);
        let step = self.steps.entry(id.clone()).or_default();
        step.text.push_str(text(&event.data, "text"));
        if step.text.len() > KEPT {
            let cut = step.text.len() - KEPT / 2;
            let cut = (cut..step.text.len())
                .find(|at| step.text.is_char_boundary(*at))
                .unwrap_or(0);
            step.text.drain(..cut);
        }
        self.does(agent, Doing::Step(id));
    }

    fn vote(&mut self, data: &Value) {
        if let Some(ballot) = &mut self.ballot
            && ballot.id == text(data, "proposal_id")
        {
            ballot.vote(list(data, "votes"));
        }
    }

    fn does(&mut self, agent: Option<String>, doing: Doing) {
        if let Some(id) = agent {
            self.row(&id).doing = doing;
        }
    }

    fn row(&mut self, id: &str) -> &mut Agent {
        let place = match self.agents.iter().position(|agent| agent.id == id) {
            Some(place) => place,
            None => {
                self.agents.push(Agent {
                    id: id.to_owned(),
                    doing: Doing::Idle,
                });
                self.agents.len() - 1
            }
        };
        &mut self.agents[place]
    }
}

/// The step of an event.
pub(super) fn step_id(event: &Event) -> String {
    text(&event.data, "step").to_owned()
}
