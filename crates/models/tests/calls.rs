//! Calls and JSON answers of the local model, with the real file.
#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;

use futures::StreamExt;
use serde_json::{Value, json};
use swarm_errors::Code;
use swarm_models::grammar::validate;
use swarm_models::local::LocalChat;
use swarm_models::{
    ChatEvent, ChatProvider, ChatRequest, Finish, LocalConfig, Message, ResponseFormat, Tool,
    ToolCall, ToolChoice, files, model_path,
};

fn config() -> LocalConfig {
    let path = model_path(files::CHAT_FILE).expect("run `make models`");
    LocalConfig {
        chat_path: Some(path),
        context: 2048,
        ..LocalConfig::default()
    }
}

static CHAT: LazyLock<LocalChat> = LazyLock::new(|| LocalChat::new(&config()));

fn ask(text: &str, max_tokens: u32) -> ChatRequest {
    ChatRequest {
        max_tokens,
        ..ChatRequest::new(vec![Message::user(text)])
    }
}

fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "memory_search",
            "Finds what is known about something.",
            json!({
            "type": "object", "required": ["query"], "additionalProperties": false,
            "properties": {"query": {"type": "string", "minLength": 1}, "limit": {"type": "integer", "minimum": 1, "maximum": 20}}}),
        ),
        Tool::new(
            "memory_put",
            "Keeps a fact.",
            json!({
            "type": "object", "required": ["text", "importance"], "additionalProperties": false,
            "properties": {"text": {"type": "string"}, "importance": {"type": "number", "minimum": 0, "maximum": 1},
                "tags": {"type": "array", "maxItems": 4, "items": {"type": "string", "maxLength": 20}}}}),
        ),
        Tool::new(
            "send_message",
            "Tells another agent something.",
            json!({
            "type": "object", "required": ["to", "text"], "additionalProperties": false,
            "properties": {"to": {"enum": ["reader", "writer", "critic"]}, "text": {"type": "string", "maxLength": 200}}}),
        ),
    ]
}

fn check_call(tools: &[Tool], call: &ToolCall) {
    let tool = tools.iter().find(|tool| tool.name == call.name).unwrap();
    assert_eq!(
        validate(&tool.parameters, &call.arguments),
        Ok(()),
        "{call:?}"
    );
}

#[tokio::test]
async fn fifty_calls_under_all_kinds_of_limits_are_well_formed() {
    let tools = tools();
    let mut calls = 0;
    for round in 0..13_u32 {
        let requests = (0..4_u32).map(|seed| {
            let mut request = ask(
                &format!("Remember that machine {round} has {seed} disks, then tell the writer."),
                0,
            );
            request.tools = if seed == 3 {
                tools[1..2].to_vec()
            } else {
                tools.clone()
            };
            request.tool_choice = ToolChoice::Required;
            request.temperature = if seed == 0 { 0.0 } else { 1.2 };
            request.seed = Some(u64::from(round * 4 + seed));
            request.max_tokens = 22 + (round * 4 + seed) * 2 + if seed == 3 { 10 } else { 0 };
            request
        });
        let answers = requests.map(|request| async {
            let limit = request.max_tokens;
            (
                limit,
                CHAT.chat(request).await.unwrap().answer().await.unwrap(),
            )
        });
        for (limit, answer) in futures::future::join_all(answers).await {
            assert_eq!(
                (answer.finish, answer.tool_calls.len()),
                (Finish::ToolCalls, 1),
                "{answer:?}"
            );
            assert!(answer.usage.output_tokens <= limit, "{limit} {answer:?}");
            check_call(&tools, &answer.tool_calls[0]);
            calls += 1;
        }
    }
    assert!(calls >= 50);
}

#[tokio::test]
async fn the_model_may_choose_between_text_and_a_call() {
    let tools = tools();
    for (number, limit) in [4, 12, 30, 60, 120].into_iter().enumerate() {
        let mut request = ask(
            "Search the memory for the weather in Rome. Use memory_search.",
            limit,
        );
        request.tools = tools.clone();
        request.seed = Some(number as u64);
        request.temperature = 0.8;
        let answer = CHAT.chat(request).await.unwrap().answer().await.unwrap();
        answer
            .tool_calls
            .iter()
            .for_each(|call| check_call(&tools, call));
        assert!(!answer.text.contains("<tool_call>"), "{answer:?}");
        assert_eq!(
            answer.finish == Finish::ToolCalls,
            !answer.tool_calls.is_empty()
        );
        assert!(answer.usage.output_tokens <= limit);
    }
}

#[tokio::test]
async fn a_result_of_a_call_is_taken_up() {
    let tools = tools();
    let call = ToolCall {
        id: "call_1".into(),
        name: "memory_search".into(),
        arguments: json!({"query": "capital"}),
    };
    let mut request = ask("", 30);
    request.messages = vec![
        Message::system("Answer from the results of your tools."),
        Message::user("What is the capital of Italy?"),
        Message::assistant_calls("", vec![call]),
        Message::tool("call_1", "The capital of Italy is Rome."),
    ];
    request.tools = tools;
    request.tool_choice = ToolChoice::None;
    let answer = CHAT.chat(request).await.unwrap().answer().await.unwrap();
    assert!(answer.text.contains("Rome"), "{answer:?}");
}

#[tokio::test]
async fn a_json_answer_is_of_its_schema_under_every_limit() {
    let schema = json!({"type": "object", "required": ["approve", "reason"], "additionalProperties": false,
        "properties": {"approve": {"type": "boolean"}, "reason": {"type": "string"},
            "score": {"type": "integer", "minimum": 0, "maximum": 10}}});
    for limit in [16, 20, 33, 64] {
        let mut request = ask("Is the sky blue? Say whether you approve, and why.", limit);
        request.response = ResponseFormat::Json(schema.clone());
        let mut stream = CHAT.chat(request).await.unwrap();
        let mut text = String::new();
        while let Some(event) = stream.next().await {
            match event.unwrap() {
                ChatEvent::Token(piece) => text += &piece,
                ChatEvent::Finished(answer) => {
                    assert_eq!(answer.text, text, "what is streamed is what is answered");
                    let value: Value = serde_json::from_str(&answer.text).unwrap();
                    assert_eq!(validate(&schema, &value), Ok(()), "{value}");
                    assert!(answer.usage.output_tokens <= limit);
                }
            }
        }
    }
}

#[tokio::test]
async fn a_limit_below_the_shortest_call_is_refused_by_name() {
    let mut request = ask("Search for rain.", 3);
    request.tools = tools();
    request.tool_choice = ToolChoice::Required;
    let error = CHAT
        .chat(request)
        .await
        .unwrap()
        .answer()
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.fields()[0].field.as_str()),
        (Code::InvalidArgument, "max_tokens"),
        "{error}"
    );
}
