//! Model providers behind two traits: [`ChatProvider`] for chat and [`Embedder`] for embeddings.
//!
//! | Adapter | What it speaks to |
//! |---|---|
//! | [`openai`] | any endpoint of OpenAI's format: Qwen's compatible mode, vLLM, Ollama, llama.cpp's server |
//! | [`local`] | any GGUF file, in this process, through llama.cpp |
//! | [`scripted`] | a file of turns, for tests and benchmarks; only when asked for by name |
//! | [`fallback`] | a second provider, where the first fails before its first token |
//!
//! [`chat_provider`] and [`embedder`] choose by configuration. Local models are loaded at their first use.

mod chat;
mod config;
mod factory;
pub mod fallback;
pub mod files;
pub mod grammar;
mod limits;
pub mod local;
pub mod openai;
mod provider;
pub mod scripted;
mod span;
mod stream;
mod vector;

pub use chat::{
    ChatAnswer, ChatRequest, Finish, Message, ResponseFormat, Role, Tool, ToolCall, ToolChoice,
    Usage,
};
pub use config::{Embeddings, LocalConfig, ModelsConfig, OpenAiConfig, Provider, ScriptedConfig};
pub use factory::{chat_provider, embedder};
pub use files::model_path;
pub use limits::Limits;
pub use provider::{ChatProvider, Embedder};
pub use stream::{ChatEvent, ChatStream};
