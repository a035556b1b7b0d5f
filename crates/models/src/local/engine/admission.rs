//! Which request begins, in which sequence, and what has to make room for it.

use llama_cpp_2::token::LlamaToken;
use swarm_errors::{Error, Result};

use super::sequence::{Running, Sequence};
use super::{Engine, id};
use crate::local::prefix::{self, Held};

/// A common beginning of fewer tokens, such as a template's, is none.
const LEAST_SHARED: usize = 16;

impl Engine<'_> {
    /// Begins the next request, one prompt at a time: whoever follows may share what this one computes.
    pub(super) fn admit(&mut self) -> bool {
        let prefilling = self.sequences.iter().any(|sequence| sequence.pending() > 1);
        let Some((prepared, _)) = self.waiting.front().filter(|_| !prefilling) else {
            return false;
        };
        let need = prepared.generation.prompt + prepared.generation.limit;
        let held: Vec<Held<'_, LlamaToken>> = self.sequences.iter().map(Sequence::held).collect();
        let Some(mut place) = prefix::place(&held, &prepared.tokens) else {
            return false;
        };
        if !self.shares {
            place.shared = 0;
        }
        if !self.make_room(need, place.target, place.source) {
            return false;
        }
        self.forget_strangers(&place);
        // Making room, or forgetting, may have taken the source.
        place.shared = place.shared.min(self.sequences[place.source].computed);
        if let Err(error) = self.share(&mut place) {
            tracing::warn!(error = %error, "computed prefix cannot be shared");
            self.clear(place.target);
            place.shared = 0;
        }
        let Some((prepared, events)) = self.waiting.pop_front() else {
            return false;
        };
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

    /// Forgets idle sequences without a key that the new request has nothing in common with: what the context holds
    /// slows every step, also where it is not looked at.
    fn forget_strangers(&mut self, place: &prefix::Placement) {
        for index in 0..self.sequences.len() {
            let sequence = &self.sequences[index];
            let stranger = index != place.source || place.shared < LEAST_SHARED;
            if stranger && index != place.target && sequence.is_idle() && !sequence.keyed {
                self.clear(index);
            }
        }
    }

    /// Forgets what idle sequences hold, the oldest without a key first, until `need` cells are free.
    fn make_room(&mut self, need: usize, target: usize, source: usize) -> bool {
        loop {
            let others = self
                .sequences
                .iter()
                .enumerate()
                .filter(|(index, _)| *index != target);
            let taken: usize = others.map(|(_, sequence)| sequence.cells()).sum();
            if taken + need <= self.cells {
                return true;
            }
            let idle = self
                .sequences
                .iter()
                .enumerate()
                .filter(|(index, sequence)| *index != target && sequence.is_idle());
            let oldest = idle
                .min_by_key(|(index, sequence)| (*index == source, sequence.keyed, sequence.used));
            let Some((oldest, _)) = oldest else {
                return false;
            };
            self.clear(oldest);
        }
    }

    fn share(&mut self, place: &mut prefix::Placement) -> Result<()> {
        let (target, source) = (id(place.target), id(place.source));
        let shared = u32::try_from(place.shared).map_err(Error::internal)?;
        let begin = if place.target == place.source {
            shared
        } else {
            0
        };
        self.context
            .kv_cache_seq_rm(target, Some(begin), None)
            .map_err(Error::internal)?;
        if place.target != place.source && shared > 0 {
            self.context
                .kv_cache_seq_cp(source, target, Some(0), Some(shared))
                .map_err(Error::internal)?;
        }
        Ok(())
    }

    pub(super) fn clear(&mut self, index: usize) {
        // Removing a whole sequence cannot fail.
        let _ = self.context.kv_cache_seq_rm(id(index), None, None);
        self.sequences[index] = Sequence::default();
    }
}
