//! What agents are called: pure.

use swarm_client::Agent;

use crate::console::{Style, width};

/// Ids and names of agents, in an order that gives each its colour.
#[derive(Debug, Clone, Default)]
pub struct Names(Vec<(String, String)>);

impl Names {
    /// The names of these agents.
    #[must_use]
    pub fn of<'a>(agents: impl IntoIterator<Item = &'a Agent>) -> Self {
        Self(
            agents
                .into_iter()
                .map(|agent| (agent.id.clone(), agent.name.clone()))
                .collect(),
        )
    }

    /// Adds an agent.
    pub fn add(&mut self, id: impl Into<String>, name: impl Into<String>) {
        self.0.push((id.into(), name.into()));
    }

    /// What the agent with this id is called; who is not known is called by the end of the id.
    #[must_use]
    pub fn name(&self, id: &str) -> String {
        match self.0.iter().find(|(known, _)| known == id) {
            Some((_, name)) => name.clone(),
            None => short(id),
        }
    }

    /// The id of the agent with this name.
    #[must_use]
    pub(crate) fn id(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(_, known)| known == name)
            .map(|(id, _)| id.as_str())
    }

    /// The style of the agent with this id.
    #[must_use]
    pub(crate) fn style(&self, id: &str) -> Style {
        self.0
            .iter()
            .position(|(known, _)| known == id)
            .map_or(Style::Plain, Style::Agent)
    }

    /// The style of the agent with this name.
    #[must_use]
    pub(crate) fn style_of_name(&self, name: &str) -> Style {
        self.id(name).map_or(Style::Plain, |id| self.style(id))
    }

    /// Columns for the longest name, within reason.
    #[must_use]
    pub(crate) fn columns(&self) -> usize {
        self.0
            .iter()
            .map(|(_, name)| width(name))
            .max()
            .unwrap_or(0)
            .clamp(6, 14)
    }
}

/// The end of an id, which differs where the start is the time.
#[must_use]
pub(crate) fn short(id: &str) -> String {
    let skip = id.chars().count().saturating_sub(6);
    id.chars().skip(skip).collect()
}
