//! A model's tokens.

use std::cell::OnceCell;
use std::fmt;

use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::vocab::LlamaVocab;

use crate::grammar::Tokens;

/// The vocabulary of a model, with the bytes of all tokens once a grammar asks for them.
pub(super) struct Vocabulary<'m> {
    vocab: LlamaVocab<'m>,
    pieces: OnceCell<Vec<Box<[u8]>>>,
}

impl<'m> Vocabulary<'m> {
    pub(super) fn new(model: &'m LlamaModel) -> Self {
        Self {
            vocab: model.vocab(),
            pieces: OnceCell::new(),
        }
    }

    /// Tokens of a text that comes from outside: special tokens in it stay text.
    pub(super) fn of_content(&self, text: &str) -> Vec<LlamaToken> {
        self.vocab.tokenize(text.as_bytes(), false, false)
    }

    /// Tokens of a template's own text.
    pub(super) fn of_template(&self, text: &str, first: bool) -> Vec<LlamaToken> {
        self.vocab.tokenize(text.as_bytes(), first, true)
    }

    /// Whether the token ends an answer.
    pub(super) fn ends_answer(&self, token: i32) -> bool {
        self.vocab.is_eog(LlamaToken::new(token))
    }

    /// The bytes of one token; control tokens have none.
    pub(super) fn bytes(&self, token: i32) -> Vec<u8> {
        self.vocab
            .token_to_piece(LlamaToken::new(token), false, None)
    }
}

impl Tokens for Vocabulary<'_> {
    fn piece(&self, token: i32) -> &[u8] {
        let pieces = self.pieces.get_or_init(|| {
            (0..self.vocab.n_tokens())
                .map(|token| self.bytes(token).into_boxed_slice())
                .collect()
        });
        usize::try_from(token)
            .ok()
            .and_then(|token| pieces.get(token))
            .map_or(&[], |piece| piece)
    }

    fn tokenize(&self, text: &[u8]) -> Vec<i32> {
        self.vocab
            .tokenize(text, false, false)
            .into_iter()
            .map(|token| token.0)
            .collect()
    }
}

impl fmt::Debug for Vocabulary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vocabulary").finish_non_exhaustive()
    }
}
