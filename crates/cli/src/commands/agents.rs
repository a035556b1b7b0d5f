//! `agents`.

use std::path::Path;

use swarm_client::{Agent, NewAgent};
use swarm_errors::Error;

use super::Session;
use crate::agent_file;
use crate::arguments::Agents;
use crate::failure::Failure;
use crate::views;

pub(super) async fn execute(session: &Session, command: Agents) -> Result<(), Failure> {
    let client = &session.connection.client;
    match command {
        Agents::List { pool, state, page } => {
            let agents = session.call(
                client
                    .list_agents(pool.as_deref(), state.as_deref(), &page.into())
                    .await,
            )?;
            session.page(&agents, "agents", views::agents)
        }
        Agents::Show { agent } => {
            let id = session.agent_id("agent", &agent).await?;
            let agent = session.call(client.get_agent(&id).await)?;
            session.show(&agent, |columns| views::agent(&agent, columns))
        }
        Agents::Create { file } => {
            let agent = session.call(client.create_agent(&read(&file)?).await)?;
            session.done(&agent, &format!("{} is there as {}", agent.name, agent.id))
        }
        Agents::Pause { agent } => {
            let id = session.agent_id("agent", &agent).await?;
            changed(session, client.pause_agent(&id).await)
        }
        Agents::Resume { agent } => {
            let id = session.agent_id("agent", &agent).await?;
            changed(session, client.resume_agent(&id).await)
        }
        Agents::Drain { agent } => {
            let id = session.agent_id("agent", &agent).await?;
            changed(session, client.drain_agent(&id).await)
        }
        Agents::Delete { agent } => {
            let id = session.agent_id("agent", &agent).await?;
            session.call(client.delete_agent(&id).await)?;
            session.done(
                &serde_json::json!({ "id": id }),
                &format!("{agent} is gone"),
            )
        }
    }
}

fn changed(session: &Session, answer: Result<Agent, Error>) -> Result<(), Failure> {
    let agent = session.call(answer)?;
    session.done(&agent, &format!("{} is {}", agent.name, agent.state))
}

fn read(path: &Path) -> Result<NewAgent, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::usage(
            "--file",
            format!("{} cannot be read: {error}", path.display()),
        )
    })?;
    agent_file::parse(&text).map_err(|error| Failure::Usage(error.context(path.display())))
}
