//! What sharing a prompt's beginning saves.

use std::time::Instant;

use futures::future::try_join_all;
use swarm_errors::Result;
use swarm_models::local::LocalChat;
use swarm_models::{ChatAnswer, ChatProvider, ChatRequest, Message};

use crate::report::Report;
use crate::{Setting, text};

const REQUESTS: usize = 4;
/// Words that the requests share: about 400 tokens.
const SHARED: usize = 260;

pub(crate) async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let chat = LocalChat::new(&setting.config);
    chat.probe().await?;
    let rules = text::question(90_001, SHARED);
    let (apart, _) = ask(&chat, |number| text::question(91_000 + number, SHARED)).await?;
    let (together, answers) = ask(&chat, |_| rules.clone()).await?;
    let cached: u32 = answers
        .iter()
        .map(|answer| answer.usage.cached_tokens)
        .sum();
    let input: u32 = answers.iter().map(|answer| answer.usage.input_tokens).sum();
    report.note(format!(
        "prefix: {REQUESTS} requests at once that begin alike take {together:.2} s in place of {apart:.2} s \
         ({:.0} % less); {cached} of {input} prompt tokens were not computed again",
        100.0 * (1.0 - together / apart)
    ));
    Ok(())
}

async fn ask(chat: &LocalChat, rules: impl Fn(usize) -> String) -> Result<(f64, Vec<ChatAnswer>)> {
    let begun = Instant::now();
    let answers = (0..REQUESTS).map(|number| {
        let messages = vec![
            Message::system(rules(number)),
            Message::user(format!("What is {number} plus one?")),
        ];
        async {
            chat.chat(ChatRequest {
                max_tokens: 8,
                ..ChatRequest::new(messages)
            })
            .await?
            .answer()
            .await
        }
    });
    let answers = try_join_all(answers).await?;
    Ok((begun.elapsed().as_secs_f64(), answers))
}
