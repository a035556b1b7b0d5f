//! Tokens per second in and out, ours through the trait beside the bare loop, with 1, 2 and 4 requests at once.

use std::time::Duration;

use futures::StreamExt;
use futures::future::try_join_all;
use swarm_errors::{Error, Result};
use swarm_models::local::LocalChat;
use swarm_models::{ChatEvent, ChatProvider, ChatRequest, Message};

use crate::report::{Better, Report};
use crate::{Setting, bare, clock, text};

/// Words of a prompt: about 500 tokens.
const WORDS: usize = 330;
const NEW_TOKENS: usize = 128;

/// Tokens per second, over all requests.
pub(crate) struct Rates {
    pub(crate) prefill: f64,
    pub(crate) decode: f64,
    /// In and out, over the whole time.
    pub(crate) whole: f64,
}

pub(crate) async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let ours = LocalChat::new(&setting.config);
    ours.probe().await?;
    let peer = bare::model(&setting.path)?;
    let mut number = 0;
    let mut prompts = |count: usize| -> Vec<String> {
        number += count;
        (number - count..number)
            .map(|seed| text::question(seed, WORDS))
            .collect()
    };
    // Once each beforehand: the first run maps the file.
    bare::rates(
        &peer,
        &setting.config,
        &prompts(1)
            .iter()
            .map(|text| text::framed(text))
            .collect::<Vec<_>>(),
        8,
    )?;
    ask(&ours, prompts(1), 8).await?;
    for sequences in [1, 2, 4] {
        for pair in 0..setting.pairs {
            let (mut mine, mut theirs) = (None, None);
            for side in [pair % 2, 1 - pair % 2] {
                if side == 0 {
                    let prompts: Vec<String> = prompts(sequences)
                        .iter()
                        .map(|text| text::framed(text))
                        .collect();
                    theirs = Some(bare::rates(&peer, &setting.config, &prompts, NEW_TOKENS)?);
                } else {
                    let one = ask(&ours, prompts(sequences), 1).await?;
                    let many = ask(&ours, prompts(sequences), NEW_TOKENS + 1).await?;
                    mine = Some(Rates {
                        prefill: one.prefill,
                        ..many
                    });
                }
            }
            if let (Some(mine), Some(theirs)) = (mine, theirs) {
                // Ours interleaves prompts with answers, the bare loop keeps them apart: the whole is told beside.
                for (name, mine, theirs, better) in [
                    ("prefill_tps", mine.prefill, theirs.prefill, Better::High),
                    ("decode_tps", mine.decode, theirs.decode, Better::High),
                    ("whole_tps", mine.whole, theirs.whole, Better::Told),
                ] {
                    report.pair(name, sequences, mine, theirs, better);
                }
            }
        }
    }
    Ok(())
}

/// When the tokens of one answer came, and how long its prompt was.
struct Timed {
    tokens: Vec<Duration>,
    ended: Duration,
    input: u32,
}

async fn ask(chat: &LocalChat, prompts: Vec<String>, limit: usize) -> Result<Rates> {
    let begun = clock::now();
    let answers =
        try_join_all(prompts.into_iter().map(|prompt| timed(chat, prompt, limit))).await?;
    let first = answers
        .iter()
        .filter_map(|answer| answer.tokens.first())
        .max()
        .copied()
        .unwrap_or(begun);
    let last = answers
        .iter()
        .filter_map(|answer| answer.tokens.last())
        .min()
        .copied()
        .unwrap_or(first);
    if limit > 1 && last <= first {
        return Err(Error::unavailable("an answer was too short to measure"));
    }
    // While all answers grow: from the last one's first token to the first one's last.
    let grown = answers
        .iter()
        .flat_map(|answer| &answer.tokens)
        .filter(|at| **at > first && **at <= last)
        .count();
    let ended = answers
        .iter()
        .map(|answer| answer.ended)
        .max()
        .unwrap_or(first);
    let output: usize = answers.iter().map(|answer| answer.tokens.len()).sum();
    let input: f64 = answers.iter().map(|answer| f64::from(answer.input)).sum();
    Ok(Rates {
        prefill: input / (first - begun).as_secs_f64(),
        decode: grown as f64 / last.saturating_sub(first).as_secs_f64(),
        whole: (input + output as f64) / (ended - begun).as_secs_f64(),
    })
}

async fn timed(chat: &LocalChat, prompt: String, limit: usize) -> Result<Timed> {
    let limit = u32::try_from(limit).map_err(Error::internal)?;
    let request = ChatRequest {
        max_tokens: limit,
        ..ChatRequest::new(vec![Message::user(prompt)])
    };
    let mut events = chat.chat(request).await?;
    let mut timed = Timed {
        tokens: Vec::new(),
        ended: Duration::ZERO,
        input: 0,
    };
    while let Some(event) = events.next().await {
        match event? {
            ChatEvent::Token(_) => timed.tokens.push(clock::now()),
            ChatEvent::Finished(answer) => {
                timed.input = answer.usage.input_tokens;
                timed.ended = clock::now();
            }
        }
    }
    Ok(timed)
}
