//! A question, what answers it, and why: pure.

mod fusion;

pub(crate) use fusion::{Found, List, Scored, fuse, rank, ranked_by};

use crate::{Kind, Memory};

/// By what memories are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// By words and by meaning.
    Hybrid,
    /// By words.
    Lexical,
    /// By meaning.
    Semantic,
}

impl Mode {
    /// The name in `why`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hybrid => "hybrid",
            Self::Lexical => "lexical",
            Self::Semantic => "semantic",
        }
    }
}

/// What is searched for.
#[derive(Debug, Clone)]
pub struct Question {
    /// Where.
    pub namespaces: Vec<String>,
    /// In words.
    pub text: String,
    /// At most so many.
    pub limit: usize,
    /// By what.
    pub mode: Mode,
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only those that bear all of these.
    pub tags: Vec<String>,
}

/// A place in a ranking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// From 1.
    pub rank: u32,
    /// What it was ranked by.
    pub score: f64,
}

/// Why a memory was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Why {
    /// What was used.
    pub mode: Mode,
    /// Its place by words.
    pub lexical: Option<Place>,
    /// Its place by meaning.
    pub semantic: Option<Place>,
    /// The embedder, or what is missing to have one.
    pub note: String,
}

/// A memory that was found.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The memory.
    pub memory: Memory,
    /// What the answer is sorted by.
    pub score: f64,
    /// Why it was found.
    pub why: Why,
}
