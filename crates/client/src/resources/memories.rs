//! Memories.

use reqwest::Method;
use swarm_errors::Result;
use swarm_types::{Page, PageRequest};

use super::paged;
use crate::client::Call;
use crate::{Client, Memory, NewMemory, Search, SearchResults};

impl Client {
    /// Puts a memory; with an id that exists, it is replaced where its content differs.
    ///
    /// # Errors
    /// When the server refuses it or cannot be reached.
    pub async fn put_memory(&self, memory: &NewMemory) -> Result<Memory> {
        self.fetch(Call::post(&["memories"], memory)?).await
    }

    /// The memory.
    ///
    /// # Errors
    /// When there is none or the server cannot be reached.
    pub async fn get_memory(&self, id: &str) -> Result<Memory> {
        self.fetch(Call::get(&["memories", id])).await
    }

    /// The memories of a namespace.
    ///
    /// # Errors
    /// When the server refuses it or cannot be reached.
    pub async fn list_memories(&self, namespace: &str, page: &PageRequest) -> Result<Page<Memory>> {
        self.fetch(paged(
            Call::get(&["memories"]).query("namespace", Some(namespace)),
            page,
        ))
        .await
    }

    /// Forgets the memory.
    ///
    /// # Errors
    /// When there is none or the server cannot be reached.
    pub async fn delete_memory(&self, id: &str) -> Result<()> {
        self.run(Call::new(Method::DELETE, &["memories", id])).await
    }

    /// Searches by words, by meaning or both.
    ///
    /// # Errors
    /// When the server refuses it or cannot be reached.
    pub async fn search_memories(&self, search: &Search) -> Result<SearchResults> {
        self.fetch(Call::post(&["memories", "search"], search)?)
            .await
    }
}
