//! The local chat model, with the real file.
#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use futures::StreamExt;
use swarm_errors::Code;
use swarm_models::local::LocalChat;
use swarm_models::{
    ChatEvent, ChatProvider, ChatRequest, Finish, LocalConfig, Message, files, model_path,
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

#[tokio::test]
async fn an_answer_is_streamed_and_counted() {
    let mut stream = CHAT
        .chat(ask("What is the capital of France?", 40))
        .await
        .unwrap();
    let (mut text, mut pieces, mut answer) = (String::new(), 0, None);
    while let Some(event) = stream.next().await {
        match event.unwrap() {
            ChatEvent::Token(piece) => {
                pieces += 1;
                text += &piece;
            }
            ChatEvent::Finished(whole) => answer = Some(whole),
        }
    }
    let answer = answer.unwrap();
    assert_eq!(answer.text, text);
    assert!(text.contains("Paris"), "{text}");
    assert!(pieces > 3, "{pieces} pieces");
    assert!(
        answer.usage.input_tokens > 5 && answer.usage.output_tokens > 3,
        "{:?}",
        answer.usage
    );
    assert_eq!(answer.finish, Finish::Stop);
}

#[tokio::test]
async fn a_token_limit_ends_the_answer() {
    let answer = CHAT
        .chat(ask("Count from one to one hundred.", 9))
        .await
        .unwrap()
        .answer()
        .await
        .unwrap();
    assert_eq!(
        (answer.finish, answer.usage.output_tokens),
        (Finish::Length, 9)
    );
}

#[tokio::test]
async fn four_requests_are_answered_at_once() {
    let questions = [
        "Name a colour.",
        "Name a fruit.",
        "Name a river.",
        "Name an animal.",
        "Name a metal.",
    ];
    let answers = questions
        .map(|question| async move { CHAT.chat(ask(question, 24)).await.unwrap().answer().await });
    for answer in futures::future::join_all(answers).await {
        assert!(!answer.unwrap().text.is_empty());
    }
}

#[tokio::test]
async fn a_prompt_longer_than_the_context_is_refused_with_both_numbers() {
    let long = "The quick brown fox. ".repeat(600);
    let error = CHAT
        .chat(ask(&long, 8))
        .await
        .unwrap()
        .answer()
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.fields()[0].field.as_str()),
        (Code::InvalidArgument, "messages")
    );
    assert!(
        error.detail().contains("2048") && error.detail().contains("hold 3"),
        "{error}"
    );
}

#[tokio::test]
async fn a_shared_beginning_is_computed_once_and_still_read() {
    let chat = LocalChat::new(&config());
    let rules =
        "The capital of Atlantis is Heronia, a city of towers. Answer in one short sentence. "
            .repeat(12);
    let request = |question: &str| ChatRequest {
        prefix_key: Some("swarm".into()),
        ..ChatRequest {
            max_tokens: 24,
            ..ChatRequest::new(vec![Message::system(&rules), Message::user(question)])
        }
    };
    let questions = [
        "Name a tree.",
        "What is the capital of Atlantis?",
        "Which city is the capital of Atlantis?",
    ];
    let first = chat
        .chat(request(questions[0]))
        .await
        .unwrap()
        .answer()
        .await
        .unwrap();
    assert_eq!(first.usage.cached_tokens, 0);
    let [second, third] = [questions[1], questions[2]].map(|question| chat.chat(request(question)));
    let (second, third) = futures::future::join(second, third).await;
    let (second, third) =
        futures::future::join(second.unwrap().answer(), third.unwrap().answer()).await;
    for answer in [second.unwrap(), third.unwrap()] {
        assert!(answer.usage.cached_tokens > 150, "{:?}", answer.usage);
        assert!(answer.usage.cached_tokens < answer.usage.input_tokens);
        assert!(answer.text.contains("Heronia"), "{answer:?}");
    }
}

#[tokio::test]
async fn special_tokens_in_a_message_stay_text() {
    let count = |text: &'static str| async move {
        CHAT.chat(ask(text, 1))
            .await
            .unwrap()
            .answer()
            .await
            .unwrap()
            .usage
            .input_tokens
    };
    let (plain, marked) = (count("a").await, count("a<|im_end|>").await);
    assert!(
        marked > plain + 2,
        "{plain} {marked}: the mark must not be one token"
    );
}

#[tokio::test]
async fn dropping_the_stream_frees_the_model() {
    let one = LocalConfig {
        max_sequences: 1,
        ..config()
    };
    let chat = LocalChat::new(&one);
    chat.warm().await.unwrap();
    let mut long = chat
        .chat(ask(
            "Write a very long story about the sea, with many chapters.",
            1900,
        ))
        .await
        .unwrap();
    assert!(matches!(long.next().await, Some(Ok(ChatEvent::Token(_)))));
    let long_prompt = chat
        .chat(ask(&"A story of the sea. ".repeat(300), 400))
        .await
        .unwrap();
    drop((long, long_prompt));
    let begun = Instant::now();
    let answer = chat
        .chat(ask("Say hello.", 4))
        .await
        .unwrap()
        .answer()
        .await
        .unwrap();
    assert!(!answer.text.is_empty());
    // The story alone would take twenty seconds and more.
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn a_missing_or_damaged_file_names_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("damaged.gguf");
    let whole = std::fs::read(model_path(files::CHAT_FILE).expect("run `make models`")).unwrap();
    std::fs::write(&damaged, &whole[..whole.len() / 2]).unwrap();
    let other = folder.path().join("other.gguf");
    std::fs::write(&other, "not a model").unwrap();
    for path in [folder.path().join("missing.gguf"), damaged.clone(), other] {
        let chat = LocalChat::new(&LocalConfig {
            chat_path: Some(path),
            ..config()
        });
        let error = chat.probe().await.unwrap_err();
        assert_eq!(error.code(), Code::FailedPrecondition);
        assert!(error.detail().contains("make models"), "{error}");
        let error = chat
            .chat(ask("Hello?", 4))
            .await
            .unwrap()
            .answer()
            .await
            .unwrap_err();
        assert!(error.detail().contains("make models"), "{error}");
    }
    // Once the file is there, the same provider works.
    let chat = LocalChat::new(&LocalConfig {
        chat_path: Some(damaged.clone()),
        ..config()
    });
    chat.probe().await.unwrap_err();
    std::fs::write(&damaged, whole).unwrap();
    chat.probe().await.unwrap();
}
