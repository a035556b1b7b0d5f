//! The thread that owns a chat model: continuous batching over the sequences of one context.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::mpsc::Receiver;

use llama_cpp_2::DecodeError;
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use swarm_errors::{Code, Error, Result};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use super::generation::{Generation, Step};
use super::prefix::{self, Held};
use super::prepare::{Prepared, prepare};
use super::vocabulary::Vocabulary;
use super::{PREFILL_CHUNK, backend, resolve};
use crate::{ChatEvent, ChatRequest, Finish, LocalConfig, files};

type Events = UnboundedSender<Result<ChatEvent>>;

/// What the thread is asked.
#[derive(Debug)]
pub(super) enum Job {
    /// An answer.
    Chat { request: Box<ChatRequest>, events: Events },
    /// To be loaded.
    Warm(oneshot::Sender<Result<()>>),
}

/// Loads the model and serves jobs until their senders are gone.
pub(super) fn run(config: &LocalConfig, jobs: &Receiver<Job>) {
    let begun = std::time::Instant::now();
    let loaded = resolve(config.chat_path.as_ref(), files::CHAT_FILE).and_then(|path| backend::load(&path));
    let outcome = loaded.and_then(|model| {
        let mut engine = Engine::new(config, &model)?;
        tracing::info!(model.load_ms = begun.elapsed().as_millis(), model.context = engine.cells, "local chat model loaded");
        engine.serve(jobs);
        Ok(())
    });
    if let Err(error) = outcome {
        tracing::warn!(error = %error.chain(), "local chat model cannot be loaded");
        refuse(jobs, &error);
    }
}

fn refuse(jobs: &Receiver<Job>, error: &Error) {
    let copy = || Error::new(error.code(), error.detail());
    while let Ok(job) = jobs.try_recv() {
        // Who has gone needs no answer.
        match job {
            Job::Chat { events, .. } => drop(events.send(Err(copy()))),
            Job::Warm(done) => drop(done.send(Err(copy()))),
        }
    }
}

/// A sequence of the context: what it holds, and the request that runs in it.
#[derive(Debug, Default)]
struct Sequence {
    /// Computed tokens, then those to compute.
    tokens: Vec<LlamaToken>,
    computed: usize,
    running: Option<Running>,
    used: u64,
    keyed: bool,
}

#[derive(Debug)]
struct Running {
    generation: Generation,
    events: Events,
}

impl Sequence {
    fn pending(&self) -> usize {
        if self.running.is_some() { self.tokens.len() - self.computed } else { 0 }
    }

    /// Cells of the context that it holds or may come to need.
    fn cells(&self) -> usize {
        match &self.running {
            Some(Running { generation, .. }) => generation.prompt + generation.limit,
            None => self.computed,
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
            Error::new(Code::FailedPrecondition, "the model's context cannot be made: lower models.local.context")
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
            let idle = self.waiting.is_empty() && self.sequences.iter().all(|sequence| sequence.running.is_none());
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
            Job::Chat { request, events } => match prepare(self.model, &self.vocabulary, self.longest, &request) {
                Ok(prepared) if prepared.generation.is_settled() => finish(prepared.generation, Finish::ToolCalls, &events),
                Ok(prepared) => self.waiting.push_back((prepared, events)),
                Err(error) => drop(events.send(Err(error))),
            },
        }
    }

    fn drop_cancelled(&mut self) {
        self.waiting.retain(|(_, events)| !events.is_closed());
        for sequence in &mut self.sequences {
            if sequence.running.as_ref().is_some_and(|running| running.events.is_closed()) {
                sequence.release();
            }
        }
    }

    /// Begins the next request, one prompt at a time: whoever follows may share what this one computes.
    fn admit(&mut self) -> bool {
        let prefilling = self.sequences.iter().any(|sequence| sequence.pending() > 1);
        let Some((prepared, _)) = self.waiting.front().filter(|_| !prefilling) else { return false };
        let need = prepared.generation.prompt + prepared.generation.limit;
        let held: Vec<Held<'_, LlamaToken>> = self.sequences.iter().map(Sequence::held).collect();
        let Some(mut place) = prefix::place(&held, &prepared.tokens) else { return false };
        if !self.shares {
            place.shared = 0;
        }
        if !self.make_room(need, place.target, place.source) {
            return false;
        }
        // Making room may have taken the source.
        place.shared = place.shared.min(self.sequences[place.source].computed);
        if let Err(error) = self.share(&mut place) {
            tracing::warn!(error = %error, "computed prefix cannot be shared");
            self.clear(place.target);
            place.shared = 0;
        }
        let Some((prepared, events)) = self.waiting.pop_front() else { return false };
        self.clock += 1;
        let mut generation = prepared.generation;
        generation.cached = place.shared.min(generation.prompt);
        self.sequences[place.target] = Sequence {
            tokens: prepared.tokens,
            computed: place.shared,
            running: Some(Running { generation, events }),
            used: self.clock,
            keyed: prepared.keyed,
        };
        true
    }

    /// Forgets what idle sequences hold, the oldest without a key first, until `need` cells are free.
    fn make_room(&mut self, need: usize, target: usize, source: usize) -> bool {
        loop {
            let others = self.sequences.iter().enumerate().filter(|(index, _)| *index != target);
            let taken: usize = others.map(|(_, sequence)| sequence.cells()).sum();
            if taken + need <= self.cells {
                return true;
            }
            let idle = self.sequences.iter().enumerate().filter(|(index, sequence)| {
                *index != target && sequence.running.is_none() && sequence.computed > 0
            });
            let oldest = idle.min_by_key(|(index, sequence)| (*index == source, sequence.keyed, sequence.used));
            let Some((oldest, _)) = oldest else { return false };
            self.clear(oldest);
        }
    }

    fn share(&mut self, place: &mut prefix::Placement) -> Result<()> {
        let (target, source) = (id(place.target), id(place.source));
        let shared = u32::try_from(place.shared).map_err(Error::internal)?;
        let begin = if place.target == place.source { shared } else { 0 };
        self.context.kv_cache_seq_rm(target, Some(begin), None).map_err(Error::internal)?;
        if place.target != place.source && shared > 0 {
            self.context.kv_cache_seq_cp(source, target, Some(0), Some(shared)).map_err(Error::internal)?;
        }
        Ok(())
    }

    fn clear(&mut self, index: usize) {
        // Removing a whole sequence cannot fail.
        let _ = self.context.kv_cache_seq_rm(id(index), None, None);
        self.sequences[index] = Sequence::default();
    }

    /// One decode over all running requests: a token of each answer, and a chunk of the prompt that is begun.
    fn step(&mut self) {
        self.batch.clear();
        let mut fed = vec![0; self.sequences.len()];
        let mut room = PREFILL_CHUNK;
        let mut ends = Vec::new();
        for (index, sequence) in self.sequences.iter().enumerate() {
            let pending = sequence.pending();
            let count = if pending > 1 { pending.min(room) } else { pending };
            room -= if pending > 1 { count } else { 0 };
            for at in sequence.computed..sequence.computed + count {
                let last = at + 1 == sequence.tokens.len();
                let position = i32::try_from(at).unwrap_or(i32::MAX);
                if last {
                    ends.push((index, self.batch.n_tokens()));
                }
                // The batch holds a chunk and one token of each sequence.
                let _ = self.batch.add(sequence.tokens[at], position, &[id(index)], last);
            }
            fed[index] = count;
        }
        if self.batch.n_tokens() == 0 {
            return;
        }
        match self.context.decode(&mut self.batch) {
            Ok(()) => {}
            Err(error) => return self.recover(&error),
        }
        for (sequence, count) in self.sequences.iter_mut().zip(&fed) {
            sequence.computed += count;
        }
        for (index, output) in ends {
            self.advance(index, output);
        }
    }

    fn advance(&mut self, index: usize, output: i32) {
        let sequence = &mut self.sequences[index];
        let Some(running) = &mut sequence.running else { return };
        let step = running.generation.advance(self.context.get_logits_ith(output), &self.vocabulary);
        match step {
            Step::Feed(tokens) => {
                sequence.tokens.extend(tokens.into_iter().map(LlamaToken::new));
                if let Some(text) = running.generation.unsent() {
                    // A closed channel is seen before the next step.
                    let _ = running.events.send(Ok(ChatEvent::Token(text)));
                }
            }
            Step::Done(how) => {
                if let Some(Running { generation, events }) = sequence.release() {
                    finish(generation, how, &events);
                }
            }
        }
    }

    /// Frees what idle sequences hold, or gives up on the running requests.
    fn recover(&mut self, error: &DecodeError) {
        let idle: Vec<usize> = (0..self.sequences.len())
            .filter(|&index| self.sequences[index].running.is_none() && self.sequences[index].computed > 0)
            .collect();
        if *error == DecodeError::NoKvCacheSlot && !idle.is_empty() {
            return idle.into_iter().for_each(|index| self.clear(index));
        }
        tracing::error!(error = %error, "local model cannot compute a step");
        for index in 0..self.sequences.len() {
            if let Some(Running { events, .. }) = self.sequences[index].release() {
                let _ = events.send(Err(Error::new(Code::Internal, "the local model cannot compute this")));
            }
            self.clear(index);
        }
    }
}

impl Sequence {
    fn held(&self) -> Held<'_, LlamaToken> {
        Held { tokens: &self.tokens[..self.computed], busy: self.running.is_some(), used: self.used }
    }

    /// Ends the request; what it computed stays, for others to share.
    fn release(&mut self) -> Option<Running> {
        self.tokens.truncate(self.computed);
        self.running.take()
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
