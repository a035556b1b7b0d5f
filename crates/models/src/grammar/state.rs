//! A place in a grammar.

use super::machine::Head;

/// A place in a grammar: what was written so far, in every way in which it can be read.
#[derive(Debug, Clone)]
pub struct State {
    heads: Vec<Head>,
}

impl State {
    pub(super) fn new(heads: Vec<Head>) -> Self {
        Self { heads }
    }

    /// The state after one more byte; none where the grammar does not allow it.
    #[must_use]
    pub fn step(&self, byte: u8) -> Option<Self> {
        let mut heads = Vec::new();
        self.heads
            .iter()
            .for_each(|head| head.step(byte, &mut heads));
        (!heads.is_empty()).then_some(Self { heads })
    }

    /// The state after all of `bytes`; none where the grammar does not allow them.
    #[must_use]
    pub fn walk(&self, bytes: &[u8]) -> Option<Self> {
        let mut state = self.step(*bytes.first()?)?;
        for byte in &bytes[1..] {
            state = state.step(*byte)?;
        }
        Some(state)
    }

    /// Whether what is written is whole.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.heads.iter().any(Head::is_complete)
    }

    /// Whether nothing more can be written.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.heads.iter().all(Head::is_end)
    }

    /// The shortest text that makes it whole.
    #[must_use]
    pub fn shortest(&self) -> Vec<u8> {
        self.heads
            .iter()
            .min_by_key(|head| head.shortest_length())
            .map_or_else(Vec::new, Head::shortest)
    }

    /// The length of [`Self::shortest`].
    #[must_use]
    pub fn shortest_length(&self) -> usize {
        self.heads
            .iter()
            .map(Head::shortest_length)
            .min()
            .unwrap_or(0)
    }

    /// The bytes that must follow, as far as there is no choice.
    #[must_use]
    pub fn forced(&self) -> Vec<u8> {
        let mut forced = Vec::new();
        let mut state = self.clone();
        while let Some(byte) = state.only_byte() {
            let Some(next) = state.step(byte) else { break };
            forced.push(byte);
            state = next;
        }
        forced
    }

    fn only_byte(&self) -> Option<u8> {
        let byte = self.heads.first()?.only_byte()?;
        self.heads
            .iter()
            .all(|head| head.only_byte() == Some(byte))
            .then_some(byte)
    }
}
