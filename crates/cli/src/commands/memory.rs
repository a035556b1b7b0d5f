//! `memory`.

use std::io::Read;

use swarm_client::{NewMemory, Search};

use super::Session;
use crate::arguments::Memory;
use crate::console::{Line, Style};
use crate::failure::Failure;
use crate::views;

pub(super) async fn execute(session: &Session, command: Memory) -> Result<(), Failure> {
    let client = &session.connection.client;
    match command {
        Memory::Put {
            content,
            namespace,
            id,
            tags,
            source,
        } => {
            let content = if content == "-" {
                standard_input()?
            } else {
                content
            };
            let memory = NewMemory {
                id,
                namespace,
                content,
                tags,
                source,
                ..NewMemory::default()
            };
            let memory = session.call(client.put_memory(&memory).await)?;
            session.done(
                &memory,
                &format!("{} is remembered in {}", memory.id, memory.namespace),
            )
        }
        Memory::Search {
            query,
            namespaces,
            mode,
            limit,
        } => {
            let search = Search {
                namespaces,
                query,
                limit: Some(limit),
                mode: Some(mode.as_str().to_owned()),
                filter: None,
            };
            let found = session.call(client.search_memories(&search).await)?;
            session.show(&found, |columns| match found.results.as_slice() {
                [] => vec![Line::new().with(Style::Dim, "nothing is remembered about it")],
                hits => views::memories(hits, columns),
            })
        }
    }
}

fn standard_input() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .read_to_string(&mut text)
        .map_err(|error| {
            Failure::usage(
                "content",
                format!("standard input cannot be read as text: {error}"),
            )
        })?;
    Ok(text)
}
