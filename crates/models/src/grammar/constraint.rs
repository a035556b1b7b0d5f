//! Walks a grammar token by token, within a token limit.

use super::State;
use super::machine::Grammar;

/// What a constraint must know of a model's tokens.
pub trait Tokens {
    /// The bytes of a token; none for control tokens, which no grammar allows.
    fn piece(&self, token: i32) -> &[u8];
    /// The tokens of a text.
    fn tokenize(&self, text: &[u8]) -> Vec<i32>;
}

/// A grammar being written, with the promise that its shortest ending fits into the tokens that are left.
#[derive(Debug, Clone)]
pub struct Constraint {
    state: State,
    text: Vec<u8>,
}

impl Constraint {
    /// Nothing is written yet.
    #[must_use]
    pub fn new(grammar: &Grammar) -> Self {
        Self {
            state: grammar.start(),
            text: Vec::new(),
        }
    }

    /// The tokens that the shortest whole text takes from here.
    #[must_use]
    pub fn shortest(&self, tokens: &impl Tokens) -> usize {
        tokens.tokenize(&self.state.shortest()).len()
    }

    /// What is written so far.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether the text is whole and nothing can follow.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.state.is_final()
    }

    /// Writes what must follow, as far as there is no choice and the ending still fits into `left` tokens.
    pub fn force(&mut self, tokens: &impl Tokens, left: usize) -> Vec<i32> {
        let bytes = self.state.forced();
        if bytes.is_empty() {
            return Vec::new();
        }
        let forced = tokens.tokenize(&bytes);
        let Some(next) = self.state.walk(&bytes) else {
            return Vec::new();
        };
        // Taken apart, a text can need a token more than as a whole.
        if forced.len() > left || !ending_fits(&next, tokens, left - forced.len()) {
            return Vec::new();
        }
        self.state = next;
        self.text.extend_from_slice(&bytes);
        forced
    }

    /// Takes the first of `candidates` that the grammar allows; none where the text must end now, or no token fits.
    ///
    /// `left` counts the tokens that may still be written, with this one.
    pub fn choose(
        &mut self,
        tokens: &impl Tokens,
        left: usize,
        candidates: impl IntoIterator<Item = i32>,
    ) -> Option<i32> {
        if left == 0 {
            return None;
        }
        let first_bytes: [bool; 256] =
            std::array::from_fn(|byte| self.state.step(byte as u8).is_some());
        for token in candidates {
            let piece = tokens.piece(token);
            if !piece
                .first()
                .is_some_and(|byte| first_bytes[usize::from(*byte)])
            {
                continue;
            }
            let Some(next) = self.state.walk(piece) else {
                continue;
            };
            if !ending_fits(&next, tokens, left - 1) {
                return None;
            }
            self.state = next;
            self.text.extend_from_slice(piece);
            return Some(token);
        }
        None
    }

    /// Ends the text in the shortest way; returns the tokens that it took.
    pub fn close(&mut self, tokens: &impl Tokens) -> usize {
        let ending = self.state.shortest();
        if let Some(next) = self.state.walk(&ending) {
            self.state = next;
        }
        self.text.extend_from_slice(&ending);
        tokens.tokenize(&ending).len()
    }
}

fn ending_fits(state: &State, tokens: &impl Tokens, left: usize) -> bool {
    // A token holds at least a byte: most of the time the length alone answers.
    state.shortest_length() <= left || tokens.tokenize(&state.shortest()).len() <= left
}

#[cfg(test)]
#[path = "constraint_test.rs"]
mod tests;
