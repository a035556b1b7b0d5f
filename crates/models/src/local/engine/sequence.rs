//! A sequence of the context.

use llama_cpp_2::token::LlamaToken;

use super::Events;
use crate::local::generation::Generation;
use crate::local::prefix::Held;

/// A sequence of the context: what it holds, and the request that runs in it.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    /// Computed tokens, then those to compute.
    pub(super) tokens: Vec<LlamaToken>,
    pub(super) computed: usize,
    pub(super) running: Option<Running>,
    pub(super) used: u64,
    pub(super) keyed: bool,
}

/// A request at work.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) generation: Generation,
    pub(super) events: Events,
}

impl Sequence {
    /// Whether it only keeps what may be shared.
    pub(super) fn is_idle(&self) -> bool {
        self.running.is_none() && self.computed > 0
    }

    /// Tokens that are still to be computed.
    pub(super) fn pending(&self) -> usize {
        if self.running.is_some() {
            self.tokens.len() - self.computed
        } else {
            0
        }
    }

    /// Cells of the context that it holds or may come to need.
    pub(super) fn cells(&self) -> usize {
        match &self.running {
            Some(Running { generation, .. }) => generation.prompt + generation.limit,
            None => self.computed,
        }
    }

    /// As the choice of a sequence sees it.
    pub(super) fn held(&self) -> Held<'_, LlamaToken> {
        Held {
            tokens: &self.tokens[..self.computed],
            busy: self.running.is_some(),
            used: self.used,
        }
    }

    /// Ends the request; what it computed stays, for others to share.
    pub(super) fn release(&mut self) -> Option<Running> {
        self.tokens.truncate(self.computed);
        self.running.take()
    }
}
