//! The peer: llama.cpp called directly, with nothing of ours around it.

use std::num::NonZeroU32;
use std::path::Path;

use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use swarm_errors::{Error, Result};
use swarm_models::LocalConfig;
use swarm_models::local::backend;

use crate::clock;
use crate::rates::Rates;

/// Tokens of one decode.
const BATCH: u32 = 512;

fn params(config: &LocalConfig, sequences: u32) -> LlamaContextParams {
    LlamaContextParams::default()
        .with_n_ctx(NonZeroU32::new(config.context))
        .with_n_seq_max(sequences)
        .with_n_batch(BATCH)
        .with_n_threads(config.thread_count())
        .with_n_threads_batch(config.thread_count())
}

pub(crate) fn model(path: &Path) -> Result<LlamaModel> {
    LlamaModel::load_from_file(backend()?, path, &LlamaModelParams::default())
        .map_err(Error::internal)
}

/// Milliseconds to load a model and make a context.
pub(crate) fn load(path: &Path, config: &LocalConfig) -> Result<f64> {
    let begun = clock::now();
    let model = model(path)?;
    let context = model
        .new_context(backend()?, params(config, config.max_sequences))
        .map_err(Error::internal)?;
    let milliseconds = (clock::now() - begun).as_secs_f64() * 1e3;
    drop(context);
    Ok(milliseconds)
}

/// Computes the prompts one after another, then `new` tokens of all of them in step.
pub(crate) fn rates(
    model: &LlamaModel,
    config: &LocalConfig,
    prompts: &[String],
    new: usize,
) -> Result<Rates> {
    let count = i32::try_from(prompts.len()).map_err(Error::internal)?;
    let params = params(config, count.unsigned_abs());
    let mut context = model
        .new_context(backend()?, params)
        .map_err(Error::internal)?;
    let prompts: Vec<Vec<LlamaToken>> = prompts
        .iter()
        .map(|prompt| model.vocab().tokenize(prompt.as_bytes(), true, true))
        .collect();
    let mut batch = LlamaBatch::new(BATCH as usize, 1);
    let mut greedy = LlamaSampler::greedy();
    let mut last = Vec::new();
    let begun = clock::now();
    for (sequence, prompt) in (0..).zip(&prompts) {
        for (at, chunk) in prompt.chunks(BATCH as usize).enumerate() {
            batch.clear();
            for (offset, token) in chunk.iter().enumerate() {
                let position = at * BATCH as usize + offset;
                let position_number = i32::try_from(position).map_err(Error::internal)?;
                batch
                    .add(
                        *token,
                        position_number,
                        &[sequence],
                        position + 1 == prompt.len(),
                    )
                    .map_err(Error::internal)?;
            }
            context.decode(&mut batch).map_err(Error::internal)?;
        }
        last.push(greedy.sample(&context, batch.n_tokens() - 1));
    }
    let prefill = (clock::now() - begun).as_secs_f64();
    for step in 0..new {
        batch.clear();
        for (sequence, token) in (0..).zip(&last) {
            let position =
                i32::try_from(prompts[sequence as usize].len() + step).map_err(Error::internal)?;
            batch
                .add(*token, position, &[sequence], true)
                .map_err(Error::internal)?;
        }
        context.decode(&mut batch).map_err(Error::internal)?;
        for (sequence, token) in (0..).zip(last.iter_mut()) {
            *token = greedy.sample(&context, sequence);
        }
    }
    let decode = (clock::now() - begun).as_secs_f64() - prefill;
    let input: usize = prompts.iter().map(Vec::len).sum();
    let output = new * prompts.len();
    Ok(Rates {
        prefill: input as f64 / prefill,
        decode: output as f64 / decode,
        whole: (input + output) as f64 / (prefill + decode),
    })
}
