//! The endpoint adapter against a small HTTP server that speaks the format, with its failures.
#![allow(clippy::unwrap_used)]

mod server;

use std::time::Duration;

use futures::StreamExt;
use serde_json::{Value, json};
use swarm_errors::Code;
use swarm_models::openai::{OpenAiChat, OpenAiEmbedder};
use swarm_models::{
    ChatEvent, ChatProvider, ChatRequest, Embedder, Finish, Message, OpenAiConfig, ResponseFormat,
    Tool, ToolCall, ToolChoice, Usage,
};
use tokio::sync::oneshot;

use server::{Reply, delta, serve};

fn stop(reason: &str) -> Value {
    json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
}

fn hello() -> Vec<Value> {
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}});
    vec![delta("Hello"), delta(" there"), stop("stop"), usage]
}

fn ask() -> ChatRequest {
    ChatRequest::new(vec![Message::user("Hi")])
}

async fn chat(config: &OpenAiConfig) -> swarm_errors::Result<swarm_models::ChatAnswer> {
    OpenAiChat::new(config)
        .unwrap()
        .chat(ask())
        .await
        .unwrap()
        .answer()
        .await
}

#[tokio::test]
async fn text_is_streamed_with_its_usage() {
    let (server, config) = serve(vec![Reply::Events(hello())]).await;
    let provider = OpenAiChat::new(&config).unwrap();
    provider.probe().await.unwrap();
    let request = ChatRequest {
        response: ResponseFormat::Json(json!({"type": "object"})),
        seed: Some(7),
        temperature: 0.5,
        ..ask()
    };
    let events: Vec<_> = provider
        .chat(request)
        .await
        .unwrap()
        .map(Result::unwrap)
        .collect()
        .await;
    assert_eq!(
        events[..2],
        [
            ChatEvent::Token("Hello".into()),
            ChatEvent::Token(" there".into())
        ]
    );
    let ChatEvent::Finished(answer) = &events[2] else {
        panic!("{events:?}")
    };
    assert_eq!(
        (answer.text.as_str(), answer.finish),
        ("Hello there", Finish::Stop)
    );
    assert_eq!(
        answer.usage,
        Usage {
            input_tokens: 9,
            output_tokens: 2,
            cached_tokens: 4
        }
    );
    let (body, key) = server.bodies.lock().unwrap().remove(0);
    assert_eq!(key.as_deref(), Some("Bearer the-key"));
    assert_eq!(
        (&body["model"], &body["seed"], &body["stream"]),
        (&json!("tiny"), &json!(7), &json!(true))
    );
    assert_eq!(
        body["response_format"]["json_schema"]["schema"],
        json!({"type": "object"})
    );
}

#[tokio::test]
async fn calls_arrive_in_pieces_and_results_go_back() {
    let piece = |id: Option<&str>, name: Option<&str>, arguments: &str| {
        let call =
            json!({"index": 0, "id": id, "function": {"name": name, "arguments": arguments}});
        json!({"choices": [{"delta": {"tool_calls": [call]}}]})
    };
    let events = vec![
        piece(Some("c1"), Some("search"), ""),
        piece(None, None, "{\"que"),
        piece(None, None, "ry\":\"é\"}"),
        stop("tool_calls"),
    ];
    let (server, config) = serve(vec![Reply::Events(events), Reply::Events(hello())]).await;
    let provider = OpenAiChat::new(&config).unwrap();
    let mut request = ask();
    request.tools = vec![Tool::new(
        "search",
        "Finds.",
        json!({"type": "object", "properties": {"query": {"type": "string"}}}),
    )];
    request.tool_choice = ToolChoice::Required;
    let answer = provider
        .chat(request.clone())
        .await
        .unwrap()
        .answer()
        .await
        .unwrap();
    let call = ToolCall {
        id: "c1".into(),
        name: "search".into(),
        arguments: json!({"query": "é"}),
    };
    assert_eq!(
        (answer.finish, &answer.tool_calls[..]),
        (Finish::ToolCalls, &[call.clone()][..])
    );
    request.messages.extend([
        Message::assistant_calls("", vec![call]),
        Message::tool("c1", "found"),
    ]);
    provider
        .chat(request)
        .await
        .unwrap()
        .answer()
        .await
        .unwrap();
    let bodies = server.bodies.lock().unwrap();
    assert_eq!(bodies[0].0["tool_choice"], "required");
    assert_eq!(bodies[0].0["tools"][0]["function"]["name"], "search");
    assert_eq!(
        bodies[1].0["messages"][1]["tool_calls"][0]["function"]["arguments"],
        "{\"query\":\"é\"}"
    );
    assert_eq!(
        bodies[1].0["messages"][2],
        json!({"role": "tool", "content": "found", "tool_call_id": "c1"})
    );
}

#[tokio::test]
async fn malformed_arguments_are_an_error_that_names_the_tool() {
    let call =
        json!({"index": 0, "id": "c", "function": {"name": "search", "arguments": "{\"query\": "}});
    let events = vec![
        delta("I look"),
        json!({"choices": [{"delta": {"tool_calls": [call]}}]}),
        stop("tool_calls"),
    ];
    let (_, config) = serve(vec![Reply::Events(events)]).await;
    let error = chat(&config).await.unwrap_err();
    assert!(
        error.detail().contains("search") && error.detail().contains("JSON object"),
        "{error}"
    );
}

#[tokio::test]
async fn what_passes_is_tried_again_before_the_first_token() {
    let replies = vec![
        Reply::Status(429, Some("0")),
        Reply::Status(500, Some("0")),
        Reply::Cut,
        Reply::Events(hello()),
    ];
    let (server, config) = serve(replies).await;
    assert_eq!(chat(&config).await.unwrap().text, "Hello there");
    assert_eq!(server.bodies.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_stream_that_is_cut_after_a_token_is_not_tried_again() {
    let (read, when_read) = oneshot::channel();
    let (server, config) = serve(vec![
        Reply::CutAfter(delta("Hel"), when_read),
        Reply::Events(hello()),
    ])
    .await;
    let mut stream = OpenAiChat::new(&config).unwrap().chat(ask()).await.unwrap();
    assert_eq!(
        stream.next().await.unwrap().unwrap(),
        ChatEvent::Token("Hel".into())
    );
    read.send(()).unwrap();
    assert_eq!(
        stream.next().await.unwrap().unwrap_err().code(),
        Code::Unavailable
    );
    assert!(stream.next().await.is_none());
    assert_eq!(server.bodies.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_does_not_pass_is_not_tried_again() {
    for (status, code) in [
        (400, Code::InvalidArgument),
        (401, Code::FailedPrecondition),
        (404, Code::NotFound),
        (413, Code::TooLarge),
        (504, Code::DeadlineExceeded),
    ] {
        let (server, config) = serve(vec![Reply::Status(status, None)]).await;
        let error = chat(&config).await.unwrap_err();
        assert_eq!(error.code(), code, "{status}");
        assert!(
            error.detail().contains("not now") && !format!("{error:?}").contains("the-key"),
            "{error:?}"
        );
        assert_eq!(server.bodies.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_long_wait_that_the_endpoint_asks_for_goes_to_the_caller() {
    let (_, config) = serve(vec![Reply::Status(429, Some("3600"))]).await;
    let error = chat(&config).await.unwrap_err();
    assert_eq!(
        (error.code(), error.retry_after()),
        (Code::ResourceExhausted, Some(Duration::from_secs(3600)))
    );
}

#[tokio::test]
async fn silence_ends_the_call() {
    for events in [vec![], vec![delta("Hel")]] {
        let (_, config) = serve(vec![Reply::Silence(events)]).await;
        let config = OpenAiConfig {
            idle_timeout_ms: 100,
            ..config
        };
        assert_eq!(
            chat(&config).await.unwrap_err().code(),
            Code::DeadlineExceeded
        );
    }
}

#[tokio::test]
async fn the_whole_call_has_a_limit_too() {
    let (_, config) = serve(vec![Reply::Silence(vec![delta("Hel")])]).await;
    let config = OpenAiConfig {
        timeout_ms: 100,
        ..config
    };
    assert_eq!(
        chat(&config).await.unwrap_err().code(),
        Code::DeadlineExceeded
    );
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_unavailable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let config = OpenAiConfig {
        base_url,
        model: "tiny".into(),
        max_retries: 1,
        ..OpenAiConfig::default()
    };
    assert_eq!(chat(&config).await.unwrap_err().code(), Code::Unavailable);
    let probe = OpenAiChat::new(&config).unwrap().probe().await;
    assert_eq!(probe.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn dropping_the_stream_hangs_up() {
    let (sender, gone) = oneshot::channel();
    let (_, config) = serve(vec![Reply::Watched(sender)]).await;
    let mut stream = OpenAiChat::new(&config).unwrap().chat(ask()).await.unwrap();
    stream.next().await.unwrap().unwrap();
    drop(stream);
    assert!(
        gone.await.is_err(),
        "the server sees that the caller has gone"
    );
}

#[tokio::test]
async fn an_error_inside_the_stream_is_an_error() {
    let (_, config) = serve(vec![Reply::Events(vec![
        delta("a"),
        json!({"error": {"message": "overloaded"}}),
    ])])
    .await;
    let error = chat(&config).await.unwrap_err();
    assert!(
        error.code() == Code::Unavailable && error.detail().contains("overloaded"),
        "{error}"
    );
}

#[tokio::test]
async fn embeddings_come_in_order_and_of_unit_length() {
    let data = json!({"data": [{"index": 1, "embedding": [0.0, 3.0]}, {"index": 0, "embedding": [3.0, 4.0]}]});
    let (server, config) = serve(vec![Reply::Status(503, Some("0")), Reply::Json(data)]).await;
    let embedder = OpenAiEmbedder::new(&config).unwrap();
    let vectors = embedder.embed(vec!["a".into(), "b".into()]).await.unwrap();
    assert_eq!(vectors, [[0.6, 0.8], [0.0, 1.0]]);
    assert_eq!((embedder.dimension(), embedder.model()), (2, "tiny-embed"));
    assert_eq!(
        server.bodies.lock().unwrap()[1].0["input"],
        json!(["a", "b"])
    );
}

#[tokio::test]
async fn missing_embeddings_are_an_error() {
    let data = json!({"data": [{"index": 0, "embedding": [3.0, 4.0]}]});
    let (_, config) = serve(vec![Reply::Json(data)]).await;
    let error = OpenAiEmbedder::new(&config)
        .unwrap()
        .embed(vec!["a".into(), "b".into()])
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
}
