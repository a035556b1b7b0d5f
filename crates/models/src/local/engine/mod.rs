//! The thread that owns a chat model: continuous batching over the sequences of one context.

mod admission;
mod sequence;
mod step;

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::mpsc::Receiver;

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use swarm_errors::{Code, Error, Result};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use super::generation::Generation;
use super::prepare::{Prepared, prepare};
use super::vocabulary::Vocabulary;
use super::{PREFILL_CHUNK, backend, resolve};
use crate::{ChatEvent, ChatRequest, Finish, LocalConfig, files};
use sequence::Sequence;

type Events = UnboundedSender<Result<ChatEvent>>;

/// What the thread is asked.
#[derive(Debug)]
pub(super) enum Job {
    /// An answer.
    Chat {
        request: Box<ChatRequest>,
        events: Events,
    },
    /// To be loaded.
    Warm(oneshot::Sender<Result<()>>),
}

/// Loads the model and serves jobs until their senders are gone.
pub(super) fn run(config: &LocalConfig, jobs: &Receiver<Job>) {
    let begun = std::time::Instant::now();
    let loaded =
        resolve(config.chat_path.as_ref(), files::CHAT_FILE).and_then(|path| backend::load(&path));
    let outcome = loaded.and_then(|model| {
        let mut engine = Engine::new(config, &model)?;
        tracing::info!(
            model.load_ms = begun.elapsed().as_millis(),
            model.context = engine.cells,
            "local chat model loaded"
        );
        engine.serve(jobs);
        Ok(())
    });
    if let Err(error) = outcome {
        tracing::warn!(error = %error.chain(), "local chat model cannot be loaded");
        refuse(jobs, &error);
    }
}

fn refuse(jobs: &Receiver<Job>, error: &Error) {
    let copy = || error.for_another();
    while let Ok(job) = jobs.try_recv() {
        // Who has gone needs no answer.
        match job {
            Job::Chat { events, .. } => drop(events.send(Err(copy()))),
            Job::Warm(done) => drop(done.send(Err(copy()))),
        }
    }
}

struct Engine<'m> {
    model: &'m LlamaModel,
    vocabulary: Vocabulary<'m>,
    context: LlamaContext<'m>,
    batch: LlamaBatch<'static>,
    sequences: Vec<Sequence>,
    waiting: VecDeque<(Prepared, Events)>,
    /// Tokens that the context holds over all sequences.
    cells: usize,
    /// Tokens that one request may take.
    longest: usize,
    shares: bool,
    clock: u64,
}

impl<'m> Engine<'m> {
    fn new(config: &LocalConfig, model: &'m LlamaModel) -> Result<Self> {
        let sequences = config.max_sequences as usize;
        let capacity = PREFILL_CHUNK + sequences;
        let width = u32::try_from(capacity).map_err(Error::internal)?;
        let params = LlamaContextParams::default()
            .with_n_ctx(NonZeroU32::new(config.context.next_multiple_of(256)))
            .with_n_seq_max(config.max_sequences)
            .with_n_batch(width)
            .with_n_ubatch(width)
            .with_n_threads(config.thread_count())
            .with_n_threads_batch(config.thread_count())
            // Only a unified cache lets sequences share a part of what they hold.
            .with_kv_unified(true);
        let context = model.new_context(backend()?, params).map_err(|error| {
            Error::new(
                Code::FailedPrecondition,
                "the model's context cannot be made: lower models.local.context",
            )
            .with_source(error)
        })?;
        let cells = context.n_ctx() as usize;
        Ok(Self {
            model,
            vocabulary: Vocabulary::new(model),
            batch: LlamaBatch::new(capacity, 1),
            sequences: (0..sequences).map(|_| Sequence::default()).collect(),
            waiting: VecDeque::new(),
            cells,
            longest: cells.min(model.n_ctx_train() as usize),
            // A recurrent state cannot be cut at a token.
            shares: !model.is_recurrent() && !model.is_hybrid(),
            clock: 0,
            context,
        })
    }

    fn serve(&mut self, jobs: &Receiver<Job>) {
        loop {
            let idle = self.waiting.is_empty()
                && self
                    .sequences
                    .iter()
                    .all(|sequence| sequence.running.is_none());
            if idle {
                match jobs.recv() {
                    Ok(job) => self.take(job),
                    Err(_) => return,
                }
            }
            while let Ok(job) = jobs.try_recv() {
                self.take(job);
            }
            self.drop_cancelled();
            while self.admit() {}
            self.step();
        }
    }

    fn take(&mut self, job: Job) {
        match job {
            Job::Warm(done) => drop(done.send(Ok(()))),
            Job::Chat { request, events } => {
                match prepare(self.model, &self.vocabulary, self.longest, &request) {
                    Ok(prepared) if prepared.generation.is_settled() => {
                        finish(prepared.generation, Finish::Stop, &events);
                    }
                    Ok(prepared) => self.waiting.push_back((prepared, events)),
                    Err(error) => drop(events.send(Err(error))),
                }
            }
        }
    }

    fn drop_cancelled(&mut self) {
        self.waiting.retain(|(_, events)| !events.is_closed());
        for sequence in &mut self.sequences {
            if sequence
                .running
                .as_ref()
                .is_some_and(|running| running.events.is_closed())
            {
                sequence.release();
            }
        }
    }
}

fn finish(generation: Generation, how: Finish, events: &Events) {
    let outcome = generation.finish(how);
    // Who has gone needs no answer.
    let _ = match outcome {
        Ok((last, answer)) => {
            let last = last.map_or(Ok(()), |text| events.send(Ok(ChatEvent::Token(text))));
            last.and_then(|()| events.send(Ok(ChatEvent::Finished(answer))))
        }
        Err(error) => events.send(Err(error)),
    };
}

fn id(index: usize) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}
