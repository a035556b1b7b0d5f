//! One decode over all sequences.

use llama_cpp_2::DecodeError;
use llama_cpp_2::token::LlamaToken;
use swarm_errors::{Code, Error};

use super::sequence::Running;
use super::{Engine, finish, id};
use crate::ChatEvent;
use crate::local::PREFILL_CHUNK;
use crate::local::generation::Step;

impl Engine<'_> {
    /// One decode over all running requests: a token of each answer, and a chunk of the prompt that is begun.
    pub(super) fn step(&mut self) {
        self.batch.clear();
        let mut fed = vec![0; self.sequences.len()];
        // With the chunk the whole step stays a multiple of what the kernels like.
        let growing = self
            .sequences
            .iter()
            .filter(|sequence| sequence.pending() == 1)
            .count();
        let mut room = PREFILL_CHUNK.saturating_sub(growing).max(1);
        let mut ends = Vec::new();
        for (index, sequence) in self.sequences.iter().enumerate() {
            let pending = sequence.pending();
            let count = if pending > 1 {
                pending.min(room)
            } else {
                pending
            };
            room -= if pending > 1 { count } else { 0 };
            for at in sequence.computed..sequence.computed + count {
                let last = at + 1 == sequence.tokens.len();
                let position = i32::try_from(at).unwrap_or(i32::MAX);
                if last {
                    ends.push((index, self.batch.n_tokens()));
                }
                // The batch holds a chunk and one token of each sequence.
                let _ = self
                    .batch
                    .add(sequence.tokens[at], position, &[id(index)], last);
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
        let Some(running) = &mut sequence.running else {
            return;
        };
        let step = running
            .generation
            .advance(self.context.get_logits_ith(output), &self.vocabulary);
        match step {
            Step::Feed(tokens) => {
                sequence
                    .tokens
                    .extend(tokens.into_iter().map(LlamaToken::new));
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
            .filter(|&index| self.sequences[index].is_idle())
            .collect();
        if *error == DecodeError::NoKvCacheSlot && !idle.is_empty() {
            return idle.into_iter().for_each(|index| self.clear(index));
        }
        tracing::error!(error = %error, "local model cannot compute a step");
        for index in 0..self.sequences.len() {
            if let Some(Running { events, .. }) = self.sequences[index].release() {
                let _ = events.send(Err(Error::new(
                    Code::Internal,
                    "the local model cannot compute this",
                )));
            }
            self.clear(index);
        }
    }
}
