//! The scripted provider, the fallback and the choice by configuration.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use futures::StreamExt;
use serde_json::json;
use swarm_errors::Code;
use swarm_models::fallback::FallbackChat;
use swarm_models::scripted::{Script, ScriptedChat, ScriptedError, Turn};
use swarm_models::{
    ChatEvent, ChatProvider, ChatRequest, Finish, Message, ModelsConfig, Provider, Tool,
    ToolChoice, chat_provider,
};

fn ask(text: &str) -> ChatRequest {
    ChatRequest::new(vec![Message::user(text)])
}

async fn text_of(provider: &dyn ChatProvider, question: &str) -> swarm_errors::Result<String> {
    Ok(provider.chat(ask(question)).await?.answer().await?.text)
}

#[tokio::test]
async fn turns_are_taken_in_order_and_by_what_was_said() {
    let provider = ScriptedChat::from_turns(vec![
        Turn::text("one"),
        Turn::text("rain").when("weather").repeated(),
        Turn::text("two"),
    ]);
    let mut heard = Vec::new();
    for question in ["a", "the weather", "the weather again", "b"] {
        heard.push(text_of(&provider, question).await.unwrap());
    }
    assert_eq!(heard, ["one", "rain", "rain", "two"]);
    assert_eq!(
        text_of(&provider, "c").await.unwrap_err().code(),
        Code::FailedPrecondition
    );
}

#[tokio::test]
async fn a_turn_streams_its_words_and_calls() {
    let provider = ScriptedChat::from_turns(vec![Turn {
        text: "I look it up.".into(),
        ..Turn::call("search", json!({"query": "x"}))
    }]);
    let events: Vec<_> = provider
        .chat(ask("a"))
        .await
        .unwrap()
        .map(Result::unwrap)
        .collect()
        .await;
    assert_eq!(events[0], ChatEvent::Token("I ".into()));
    let Some(ChatEvent::Finished(answer)) = events.last() else {
        panic!("{events:?}")
    };
    assert_eq!(
        (answer.text.as_str(), answer.finish),
        ("I look it up.", Finish::ToolCalls)
    );
    assert_eq!(answer.tool_calls[0].arguments, json!({"query": "x"}));
}

#[tokio::test]
async fn a_script_is_read_from_json_and_toml_and_its_faults_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let json = write(
        "a.json",
        r#"{"turns": [{"error": {"code": "unavailable", "detail": "down"}}, {"tokens": ["a", "b"]}]}"#,
    );
    let toml = write("a.toml", "model = 'tiny'\n[[turns]]\ntext = 'hello'\n");
    let provider = ScriptedChat::from_file(&json).unwrap();
    assert_eq!(
        text_of(&provider, "x").await.unwrap_err().code(),
        Code::Unavailable
    );
    assert_eq!(text_of(&provider, "x").await.unwrap(), "ab");
    let provider = ScriptedChat::from_file(&toml).unwrap();
    assert_eq!(
        (
            provider.model(),
            text_of(&provider, "x").await.unwrap().as_str()
        ),
        ("tiny", "hello")
    );
    for text in [
        r#"{"turns": [{"txt": "a"}]}"#,
        r#"{"turns": [{"error": {"code": "broken", "detail": ""}}]}"#,
        "{",
    ] {
        let error = ScriptedChat::from_file(&write("b.json", text)).unwrap_err();
        assert_eq!(error.fields()[0].field, "models.scripted.path", "{text}");
    }
}

#[tokio::test]
async fn an_echo_repeats_what_was_said_as_often_as_it_is_asked() {
    let provider = ScriptedChat::from_turns(vec![Turn {
        echo: true,
        repeat: true,
        ..Turn::default()
    }]);
    for said in ["hello there", "again"] {
        assert_eq!(text_of(&provider, said).await.unwrap(), said);
    }
}

fn failing(code: &str, text: &str) -> Arc<ScriptedChat> {
    let error = ScriptedError {
        retry_after_ms: None,
        code: code.into(),
        detail: "down".into(),
    };
    let turn = Turn {
        text: text.into(),
        error: Some(error),
        ..Turn::default()
    };
    Arc::new(ScriptedChat::new(Script {
        model: Some("first".into()),
        turns: vec![turn],
    }))
}

#[tokio::test]
async fn the_fallback_answers_where_the_first_fails_before_its_first_token() {
    for code in ["unavailable", "deadline_exceeded", "resource_exhausted"] {
        let second = Arc::new(ScriptedChat::from_turns(vec![Turn::text(
            "from the second",
        )]));
        let provider = FallbackChat::new(failing(code, ""), second);
        assert_eq!(
            text_of(&provider, "x").await.unwrap(),
            "from the second",
            "{code}"
        );
    }
}

#[tokio::test]
async fn the_fallback_is_silent_after_a_token_and_for_a_bad_request() {
    for (code, text) in [("unavailable", "Hel"), ("invalid_argument", "")] {
        let second = Arc::new(ScriptedChat::from_turns(vec![Turn::text(
            "from the second",
        )]));
        let provider = FallbackChat::new(failing(code, text), second.clone());
        assert_eq!(
            text_of(&provider, "x").await.unwrap_err().code().as_str(),
            code
        );
        assert_eq!(
            text_of(&*second, "x").await.unwrap(),
            "from the second",
            "its turn is left"
        );
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_asked_names_its_field() {
    let provider = ScriptedChat::from_turns(vec![Turn::text("x").repeated()]);
    let tool = |name: &str, schema| Tool::new(name, "", schema);
    for (request, field) in [
        (ChatRequest::new(vec![]), "messages"),
        (
            ChatRequest {
                max_tokens: 0,
                ..ask("a")
            },
            "max_tokens",
        ),
        (
            ChatRequest {
                temperature: f32::NAN,
                ..ask("a")
            },
            "temperature",
        ),
        (
            ChatRequest {
                tool_choice: ToolChoice::Required,
                ..ask("a")
            },
            "tools",
        ),
        (
            ChatRequest {
                tools: vec![tool("a b", json!({}))],
                ..ask("a")
            },
            "tools[0].name",
        ),
        (
            ChatRequest {
                tools: vec![tool("a", json!(1))],
                ..ask("a")
            },
            "tools[0].parameters",
        ),
    ] {
        assert_eq!(
            provider.chat(request).await.unwrap_err().fields()[0].field,
            field
        );
    }
}

fn config(text: &str) -> ModelsConfig {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_configuration_chooses_and_names_what_is_wrong() {
    let provider = |text: &str| {
        chat_provider(&config(text))
            .map(|provider| (provider.name().to_owned(), provider.model().to_owned()))
    };
    let local = ("local".to_owned(), "SmolLM2-135M-Instruct.Q4_1".to_owned());
    assert_eq!(provider("{}").unwrap(), local);
    let remote = ("openai".to_owned(), "gpt-4.1-mini".to_owned());
    assert_eq!(provider(r#"{"openai": {"api_key": "k"}}"#).unwrap(), remote);
    let qwen = r#"{"openai": {"api_key": "k", "base_url": "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"}}"#;
    assert_eq!(provider(qwen).unwrap().1, "qwen-plus");
    assert_eq!(
        provider(r#"{"openai": {"api_key": "k"}, "fallback": {"provider": "local"}}"#).unwrap(),
        remote
    );
    for (text, field) in [
        (r#"{"provider": "scripted"}"#, "models.scripted.path"),
        (
            r#"{"openai": {"base_url": "http://localhost:1/v1"}}"#,
            "models.openai.model",
        ),
        (
            r#"{"openai": {"base_url": "nonsense", "model": "m"}}"#,
            "models.openai.base_url",
        ),
        (
            r#"{"local": {"max_sequences": 0}}"#,
            "models.local.max_sequences",
        ),
        (r#"{"local": {"context": 1}}"#, "models.local.context"),
        (r#"{"local": {"threads": 0}}"#, "models.local.threads"),
        (
            r#"{"openai": {"timeout_ms": 0}}"#,
            "models.openai.timeout_ms",
        ),
        (
            r#"{"fallback": {"fallback": {}}}"#,
            "models.fallback.fallback",
        ),
        (
            r#"{"embeddings": "openai"}"#,
            "models.openai.embedding_model",
        ),
    ] {
        let chat = chat_provider(&config(text)).map(drop);
        let outcome = chat.and_then(|()| swarm_models::embedder(&config(text)).map(drop));
        assert_eq!(outcome.unwrap_err().fields()[0].field, field, "{text}");
    }
    assert!(serde_json::from_str::<ModelsConfig>(r#"{"openai": {"modell": "x"}}"#).is_err());
    assert_eq!(config("{}").chosen_provider(), Provider::Local);
}

#[test]
fn only_calls_that_leave_nothing_behind_are_free() {
    let endless = || Arc::new(ScriptedChat::from_turns(vec![Turn::text("x").repeated()]));
    let once = || Arc::new(ScriptedChat::from_turns(vec![Turn::text("x")]));
    assert!(endless().is_free());
    assert!(!once().is_free(), "a call takes its turn away");
    assert!(FallbackChat::new(endless(), endless()).is_free());
    assert!(!FallbackChat::new(endless(), once()).is_free());
    let mut config = ModelsConfig {
        provider: Provider::Openai,
        ..ModelsConfig::default()
    };
    config.openai.base_url = "http://127.0.0.1:9".to_owned();
    config.openai.model = "m".to_owned();
    assert!(!chat_provider(&config).unwrap().is_free(), "it is paid for");
}
