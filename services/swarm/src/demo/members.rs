//! The three agents of the demo: made at the first start, found again at the next ones.

use std::collections::BTreeMap;

use swarm_client::{Agent, AgentPatch, Client, NewAgent};
use swarm_errors::Result;
use swarm_types::{MAX_LIMIT, PageRequest};

struct Member {
    name: &'static str,
    role: &'static str,
    /// How it searches.
    search: &'static str,
    instructions: &'static str,
}

const MEMBERS: [Member; 3] = [
    Member {
        name: "scout",
        role: "reader",
        search: "words",
        instructions: "You look for exact terms and numbers.",
    },
    Member {
        name: "analyst",
        role: "reader",
        search: "meaning",
        instructions: "You look for what is meant, whatever the words.",
    },
    Member {
        name: "writer",
        role: "writer",
        search: "both",
        instructions: "You write the answer.",
    },
];

/// The three agents, idle and as this version wants them. Without embeddings nobody can search by
/// meaning alone.
pub(super) async fn ensure(client: &Client, has_meaning: bool) -> Result<Vec<Agent>> {
    let page = PageRequest {
        limit: MAX_LIMIT,
        cursor: String::new(),
    };
    let known = client.list_agents(None, None, &page).await?.items;
    let mut agents = Vec::with_capacity(MEMBERS.len());
    for member in &MEMBERS {
        let agent = match known.iter().find(|agent| agent.name == member.name) {
            Some(agent) => mend(client, agent, &member.wanted(has_meaning)).await?,
            None => client.create_agent(&member.wanted(has_meaning)).await?,
        };
        agents.push(agent);
    }
    Ok(agents)
}

/// An agent that somebody has paused or changed takes part again, as the demo tells of it.
async fn mend(client: &Client, agent: &Agent, wanted: &NewAgent) -> Result<Agent> {
    let (role, instructions) = (wanted.role.as_deref(), wanted.instructions.as_deref());
    let is_same = role == Some(&agent.role)
        && instructions == Some(&agent.instructions)
        && wanted.labels == agent.labels;
    let agent = if is_same {
        agent.clone()
    } else {
        let patch = AgentPatch {
            role: wanted.role.clone(),
            instructions: wanted.instructions.clone(),
            labels: Some(wanted.labels.clone()),
            ..AgentPatch::default()
        };
        client.update_agent(&agent.id, &patch).await?
    };
    if agent.state == "paused" {
        client.resume_agent(&agent.id).await
    } else {
        Ok(agent)
    }
}

impl Member {
    fn wanted(&self, has_meaning: bool) -> NewAgent {
        let search = if self.search == "meaning" && !has_meaning {
            "both"
        } else {
            self.search
        };
        NewAgent {
            name: self.name.to_owned(),
            kind: Some("worker".to_owned()),
            role: Some(self.role.to_owned()),
            instructions: Some(self.instructions.to_owned()),
            labels: BTreeMap::from([("search".to_owned(), search.to_owned())]),
            ..NewAgent::default()
        }
    }
}

/// What an agent does in the demo, for people.
pub(super) fn part(agent: &Agent) -> String {
    let search = agent.labels.get("search").map_or("", String::as_str);
    match (agent.role.as_str(), search) {
        ("writer", _) => "writes".to_owned(),
        (_, "words") => "reads, searching by words".to_owned(),
        (_, "meaning") => "reads, searching by meaning".to_owned(),
        _ => "reads".to_owned(),
    }
}
