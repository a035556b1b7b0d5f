//! Embeddings from a GGUF file.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;

use async_trait::async_trait;
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use swarm_errors::{Code, Error, Result};
use tokio::sync::oneshot;
use tracing::Instrument;

use super::worker::Worker;
use super::{backend, resolve};
use crate::files::{self, model_name};
use crate::vector::unit;
use crate::{Embedder, LocalConfig, span};

/// Texts that are computed at once.
const SEQUENCES: u32 = 32;
/// Tokens that are computed at once, and the most that count of one text.
const MAX_TOKENS: u32 = 2048;

/// An embedding model in this process. It is loaded at its first use.
#[derive(Debug)]
pub struct LocalEmbedder {
    model: String,
    dimension: Arc<AtomicUsize>,
    worker: Worker<Job>,
}

struct Job {
    texts: Vec<String>,
    done: oneshot::Sender<Result<Vec<Vec<f32>>>>,
}

impl LocalEmbedder {
    /// A model that is loaded when it is first asked.
    ///
    /// # Errors
    /// Where the file is missing.
    pub fn new(config: &LocalConfig) -> Result<Self> {
        let path = resolve(config.embedding_path.as_ref(), files::EMBEDDING_FILE)?;
        let dimension = Arc::new(AtomicUsize::new(0));
        let (model, known, threads) = (model_name(&path), dimension.clone(), config.thread_count());
        let worker = Worker::new("local-embed", move |jobs| run(&path, threads, &known, jobs));
        Ok(Self {
            model,
            dimension,
            worker,
        })
    }
}

#[async_trait]
impl Embedder for LocalEmbedder {
    fn model(&self) -> &str {
        &self.model
    }

    fn dimension(&self) -> usize {
        self.dimension.load(Ordering::Relaxed)
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let span = span::embeddings("local", &self.model, texts.len());
        let (done, vectors) = oneshot::channel();
        self.worker.send(Job { texts, done })?;
        let outcome = vectors.instrument(span.clone()).await;
        let outcome = outcome
            .map_err(|_| Error::unavailable("the local model's thread ended"))
            .flatten();
        outcome.inspect_err(|error| span::record_error(&span, error))
    }
}

fn run(path: &Path, threads: i32, dimension: &AtomicUsize, jobs: &Receiver<Job>) {
    let outcome = backend::load(path).and_then(|model| {
        let mut engine = Engine::new(&model, threads)?;
        dimension.store(
            usize::try_from(model.n_embd_out()).unwrap_or(0),
            Ordering::Relaxed,
        );
        tracing::info!("local embedding model loaded");
        while let Ok(job) = jobs.recv() {
            // Who has gone needs no answer, nor the work for it.
            if let Some(vectors) = engine
                .embed(&job.texts, || job.done.is_closed())
                .transpose()
            {
                let _ = job.done.send(vectors);
            }
        }
        Ok(())
    });
    if let Err(error) = outcome {
        tracing::warn!(error = %error.chain(), "local embedding model cannot be loaded");
        while let Ok(job) = jobs.try_recv() {
            let _ = job.done.send(Err(error.for_another()));
        }
    }
}

struct Engine<'m> {
    model: &'m LlamaModel,
    context: LlamaContext<'m>,
    batch: LlamaBatch<'static>,
    longest: usize,
}

impl<'m> Engine<'m> {
    fn new(model: &'m LlamaModel, threads: i32) -> Result<Self> {
        let longest = model.n_ctx_train().min(MAX_TOKENS);
        let params = LlamaContextParams::default()
            .with_n_ctx(NonZeroU32::new(longest))
            // An encoder takes a batch in one piece.
            .with_n_batch(longest)
            .with_n_ubatch(longest)
            .with_n_seq_max(SEQUENCES)
            .with_n_threads(threads)
            .with_n_threads_batch(threads)
            .with_kv_unified(true)
            .with_embeddings(true);
        let context = model.new_context(backend()?, params).map_err(|error| {
            Error::new(
                Code::FailedPrecondition,
                "the embedding model's context cannot be made",
            )
            .with_source(error)
        })?;
        let longest = longest as usize;
        Ok(Self {
            model,
            context,
            batch: LlamaBatch::new(longest, 1),
            longest,
        })
    }

    /// Fills batches with as many texts as fit. `None` when nobody wants them any more.
    fn embed(
        &mut self,
        texts: &[String],
        is_in_vain: impl Fn() -> bool,
    ) -> Result<Option<Vec<Vec<f32>>>> {
        let texts: Vec<Vec<LlamaToken>> = texts.iter().map(|text| self.tokens(text)).collect();
        let mut vectors = Vec::with_capacity(texts.len());
        let mut rest = &texts[..];
        while !rest.is_empty() {
            if is_in_vain() {
                return Ok(None);
            }
            let mut count = 0;
            let mut tokens = 0;
            while count < rest.len().min(SEQUENCES as usize)
                && tokens + rest[count].len() <= self.longest
            {
                tokens += rest[count].len();
                count += 1;
            }
            let (now, later) = rest.split_at(count.max(1));
            self.compute(now, &mut vectors)?;
            rest = later;
        }
        Ok(Some(vectors))
    }

    /// The tokens that count: a longer text is cut, with its closing token kept.
    fn tokens(&self, text: &str) -> Vec<LlamaToken> {
        let mut tokens = self.model.vocab().tokenize(text.as_bytes(), true, false);
        if tokens.len() > self.longest {
            let last = tokens[tokens.len() - 1];
            tokens.truncate(self.longest);
            if self.model.vocab().is_eog(last) || self.model.vocab().is_control(last) {
                tokens[self.longest - 1] = last;
            }
        }
        if tokens.is_empty() {
            tokens.push(self.model.vocab().eos());
        }
        tokens
    }

    fn compute(&mut self, texts: &[Vec<LlamaToken>], vectors: &mut Vec<Vec<f32>>) -> Result<()> {
        self.batch.clear();
        for (id, tokens) in (0..).zip(texts) {
            for (position, token) in (0..).zip(tokens) {
                self.batch
                    .add(*token, position, &[id], true)
                    .map_err(Error::internal)?;
            }
        }
        self.context.clear_kv_cache();
        // An encoder without a cache is encoded by the same call.
        self.context
            .decode(&mut self.batch)
            .map_err(Error::internal)?;
        for (id, _) in (0..).zip(texts) {
            let vector = self.context.embeddings_seq_ith(id).map_err(|error| {
                Error::new(
                    Code::FailedPrecondition,
                    "the file at models.local.embedding_path is no embedding model",
                )
                .with_source(error)
            })?;
            vectors.push(unit(vector));
        }
        Ok(())
    }
}
