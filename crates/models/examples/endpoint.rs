//! Drives an endpoint of OpenAI's format through our adapter: streamed chat, a structured answer, a
//! tool call whose result goes back, and embeddings. For trying a server that is not ours.
//!
//! `cargo run -p swarm-models --example endpoint -- http://127.0.0.1:8080/v1 MODEL [EMBEDDING_URL]`
#![allow(clippy::print_stdout)]

use std::process::ExitCode;
use std::time::Instant;

use futures::StreamExt;
use serde_json::json;
use swarm_errors::{Error, Result};
use swarm_models::openai::{OpenAiChat, OpenAiEmbedder};
use swarm_models::{
    ChatEvent, ChatProvider, ChatRequest, Embedder, Message, OpenAiConfig, ResponseFormat, Tool,
    ToolChoice,
};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, model, rest @ ..] = &arguments[..] else {
        println!("usage: endpoint URL MODEL [EMBEDDING_URL]");
        return ExitCode::from(2);
    };
    let embeddings = rest.first().unwrap_or(url);
    match drive(&config(url, model), &config(embeddings, model)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("failed: {}", error.chain());
            ExitCode::FAILURE
        }
    }
}

fn config(url: &str, model: &str) -> OpenAiConfig {
    OpenAiConfig {
        base_url: url.to_owned(),
        model: model.to_owned(),
        embedding_model: Some(model.to_owned()),
        ..OpenAiConfig::default()
    }
}

async fn drive(chat: &OpenAiConfig, embeddings: &OpenAiConfig) -> Result<()> {
    let provider = OpenAiChat::new(chat)?;
    provider.probe().await?;
    println!("probe: it answers");
    stream(&provider).await?;
    structure(&provider).await?;
    tools(&provider).await?;
    let texts = ["the lamp burns", "a lamp is lit", "the door is red"];
    let embedder = OpenAiEmbedder::new(embeddings)?;
    let vectors = embedder.embed(texts.map(str::to_owned).to_vec()).await?;
    let like = |a: usize, b: usize| -> f32 {
        vectors[a].iter().zip(&vectors[b]).map(|(x, y)| x * y).sum()
    };
    println!(
        "embeddings: {} numbers, lamp and lamp {:.2}, lamp and door {:.2}",
        embedder.dimension(),
        like(0, 1),
        like(0, 2)
    );
    Ok(())
}

async fn stream(provider: &OpenAiChat) -> Result<()> {
    let (begun, mut first, mut pieces) = (Instant::now(), None, 0);
    let mut request = ChatRequest::new(vec![Message::user("Say hello in five words.")]);
    request.max_tokens = 24;
    let mut events = provider.chat(request).await?;
    while let Some(event) = events.next().await {
        match event? {
            ChatEvent::Token(_) => {
                pieces += 1;
                first.get_or_insert(begun.elapsed());
            }
            ChatEvent::Finished(answer) => println!(
                "chat: {pieces} pieces, first after {first:?}, {:?}, {:?}: {:?}",
                answer.finish, answer.usage, answer.text
            ),
        }
    }
    Ok(())
}

async fn structure(provider: &OpenAiChat) -> Result<()> {
    let schema = json!({"type": "object", "required": ["choice"], "additionalProperties": false,
        "properties": {"choice": {"type": "string", "enum": ["approve", "reject"]}}});
    let mut request = ChatRequest::new(vec![Message::user("Is water wet? Choose.")]);
    request.response = ResponseFormat::Json(schema);
    request.max_tokens = 64;
    let answer = provider.chat(request).await?.answer().await?;
    let value: serde_json::Value = serde_json::from_str(&answer.text).map_err(Error::internal)?;
    println!("structured answer: {value}");
    Ok(())
}

async fn tools(provider: &OpenAiChat) -> Result<()> {
    let schema = json!({"type": "object", "required": ["query"],
        "properties": {"query": {"type": "string"}}});
    let question = Message::user("Search for what a quorum is.");
    let mut request = ChatRequest::new(vec![question]);
    request.tools = vec![Tool::new("search", "Finds passages.", schema)];
    request.tool_choice = ToolChoice::Required;
    request.max_tokens = 96;
    let answer = provider.chat(request.clone()).await?.answer().await?;
    println!("tool calls: {:?}", answer.tool_calls);
    let Some(call) = answer.tool_calls.first().cloned() else {
        // Some servers leave tools out where the model's template does not know them.
        println!("no tool was called, though one was required");
        return Ok(());
    };
    let id = call.id.clone();
    request.messages.extend([
        Message::assistant_calls("", vec![call]),
        Message::tool(id, "A quorum is more than half of the members."),
    ]);
    request.tool_choice = ToolChoice::Auto;
    request.max_tokens = 32;
    let answer = provider.chat(request).await?.answer().await?;
    println!("after the result: {:?}, {:?}", answer.finish, answer.text);
    Ok(())
}
