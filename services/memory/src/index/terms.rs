//! From a text to the terms that words are found by: pure.
//!
//! Words are cut at everything that is neither letter nor digit, lower-cased, and reduced to their
//! stem where they are of Latin letters (English rules); the commonest English words are left out.
//! Chinese, Japanese and Korean, written without spaces, become pairs of neighbours.

use rust_stemmers::{Algorithm, Stemmer};

/// Longer words, such as encoded bytes, are cut: nobody asks for their end.
const LONGEST: usize = 64;

const COMMON: &[&str] = &[
    "a", "about", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could",
    "did", "do", "does", "for", "from", "had", "has", "have", "he", "her", "his", "how", "i", "if",
    "in", "into", "is", "it", "its", "me", "my", "no", "not", "of", "on", "or", "our", "she",
    "should", "so", "such", "than", "that", "the", "their", "them", "then", "there", "these",
    "they", "this", "those", "to", "was", "we", "were", "what", "when", "where", "which", "who",
    "whom", "why", "will", "with", "would", "you", "your",
];

/// Stems of words that ask and do not describe: a question is not about them, unless it has no others.
const ASKING: &[&str] = &[
    "get", "give", "happen", "know", "mean", "need", "pleas", "say", "tell", "use", "want",
];

/// Cuts texts into terms.
pub(crate) struct Terms {
    stemmer: Stemmer,
}

impl std::fmt::Debug for Terms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terms").finish_non_exhaustive()
    }
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            stemmer: Stemmer::create(Algorithm::English),
        }
    }
}

impl Terms {
    /// The terms of a text, in order, repeats included.
    pub(crate) fn of(&self, text: &str) -> Vec<String> {
        let mut terms = Vec::new();
        for word in text
            .split(|letter: char| !letter.is_alphanumeric())
            .filter(|word| !word.is_empty())
        {
            self.add(word, &mut terms);
        }
        terms
    }

    /// The different terms of a question.
    pub(crate) fn of_question(&self, text: &str) -> Vec<String> {
        let mut terms = self.of(text);
        terms.sort_unstable();
        terms.dedup();
        let is_about = |term: &String| ASKING.binary_search(&term.as_str()).is_err();
        if terms.iter().any(is_about) {
            terms.retain(is_about);
        }
        terms
    }

    fn add(&self, word: &str, terms: &mut Vec<String>) {
        if word.is_ascii() {
            self.add_plain(&word.to_ascii_lowercase(), terms);
            return;
        }
        let letters: Vec<char> = word.chars().flat_map(char::to_lowercase).collect();
        for run in letters.chunk_by(|a, b| is_dense(*a) == is_dense(*b)) {
            if is_dense(run[0]) {
                let pairs = run.windows(2).map(|pair| pair.iter().collect());
                terms.extend(pairs.chain((run.len() == 1).then(|| run[0].to_string())));
            } else {
                self.add_plain(&run.iter().collect::<String>(), terms);
            }
        }
    }

    fn add_plain(&self, word: &str, terms: &mut Vec<String>) {
        if COMMON.binary_search(&word).is_ok() {
            return;
        }
        if word.is_ascii() && word.len() <= LONGEST {
            terms.push(self.stemmer.stem(word).into_owned());
        } else {
            terms.push(word.chars().take(LONGEST).collect());
        }
    }
}

/// Written without spaces between words.
fn is_dense(letter: char) -> bool {
    matches!(letter, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{2fa1f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_meet_at_their_stem() {
        let terms = Terms::default();
        assert!(
            COMMON.is_sorted() && ASKING.is_sorted(),
            "they are searched by halves"
        );
        assert_eq!(
            terms.of("The services are STOPPED, stopping; stops!"),
            ["servic", "stop", "stop", "stop"]
        );
        assert_eq!(
            terms.of("runtime.grace_seconds=20"),
            ["runtim", "grace", "second", "20"]
        );
        assert_eq!(terms.of_question("port port Ports"), ["port"]);
        assert_eq!(
            terms.of_question("What ports are needed, please?"),
            ["port"]
        );
        assert_eq!(terms.of_question("What is needed?"), ["need"]);
        assert!(terms.of("the of and ... --- \u{0}").is_empty());
    }

    #[test]
    fn other_scripts_are_found_too() {
        let terms = Terms::default();
        assert_eq!(
            terms.of("通义千问2模型"),
            ["通义", "义千", "千问", "2", "模型"]
        );
        assert_eq!(terms.of("Größe É 京"), ["größe", "é", "京"]);
        assert_eq!(terms.of(&"x".repeat(500))[0].len(), LONGEST);
        assert_eq!(terms.of(&"ж".repeat(500))[0].chars().count(), LONGEST);
    }
}
