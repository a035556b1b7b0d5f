//! How a member judges by evidence: pure.
//!
//! A small model's verdict is worth little, its search is worth much. So a member that thinks with
//! a small model approves a finding when the finding is among the first of the member's own
//! search, and approves an answer when the accepted passages carry its words and numbers.

use std::collections::BTreeSet;

use crate::work::passages::Passage;

/// A finding among this many first hits of a member's own search is one that the member stands by.
pub const STANDS_BY: usize = 3;
/// The share of an answer's telling words that accepted passages must carry.
const SUPPORT: f64 = 0.6;

/// A member's verdict, with its reason in words for people.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Verdict {
    /// Whether the member approves.
    pub approve: bool,
    /// Why.
    pub reason: String,
}

/// What a member's own search says of a finding; `rank` is from 1, `None` where it did not turn up.
#[must_use]
pub fn finding(rank: Option<usize>, how: &str) -> Verdict {
    match rank {
        Some(rank) if rank <= STANDS_BY => Verdict {
            approve: true,
            reason: format!("{} of my search {how}", ordinal(rank)),
        },
        Some(rank) => Verdict {
            approve: false,
            reason: format!("only {} of my search {how}", ordinal(rank)),
        },
        None => Verdict {
            approve: false,
            reason: format!("not found by my search {how}"),
        },
    }
}

/// Whether the accepted passages carry an answer.
#[must_use]
pub fn answer(answer: &str, passages: &[Passage]) -> Verdict {
    let said = telling_words(answer);
    if said.is_empty() {
        return Verdict {
            approve: false,
            reason: "it says nothing".to_owned(),
        };
    }
    let known: BTreeSet<String> = passages
        .iter()
        .flat_map(|passage| telling_words(&format!("{} {}", passage.heading, passage.text)))
        .collect();
    let invented: Vec<&String> = said
        .iter()
        .filter(|word| word.chars().any(|c| c.is_ascii_digit()) && !known.contains(*word))
        .collect();
    if let Some(number) = invented.first() {
        return Verdict {
            approve: false,
            reason: format!("it says {number}, which no accepted passage says"),
        };
    }
    let carried = said.iter().filter(|word| known.contains(*word)).count();
    #[expect(clippy::cast_precision_loss, reason = "words of one answer")]
    let share = carried as f64 / said.len() as f64;
    let percent = share * 100.0;
    if share >= SUPPORT {
        Verdict {
            approve: true,
            reason: format!("the passages carry {percent:.0} % of its words"),
        }
    } else {
        Verdict {
            approve: false,
            reason: format!("the passages carry only {percent:.0} % of its words"),
        }
    }
}

/// The words that tell something: longer than three letters or with a digit, lower case, without endings.
fn telling_words(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .map(str::to_lowercase)
        .filter(|word| word.chars().count() > 3 || word.chars().any(|c| c.is_ascii_digit()))
        .map(|word| stem(&word).to_owned())
        .collect()
}

/// Enough to match plural and tense; both sides are treated alike.
fn stem(word: &str) -> &str {
    for ending in ["ing", "ed", "es", "s"] {
        if let Some(stem) = word.strip_suffix(ending)
            && stem.chars().count() > 3
        {
            return stem;
        }
    }
    word
}

fn ordinal(rank: usize) -> String {
    match rank {
        1 => "first".to_owned(),
        2 => "second".to_owned(),
        3 => "third".to_owned(),
        rank => format!("number {rank}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(text: &str) -> Passage {
        Passage {
            document: "d".into(),
            position: 0,
            heading: "Stopping".into(),
            first_line: 1,
            last_line: 1,
            text: text.into(),
        }
    }

    #[test]
    fn a_finding_stands_by_its_rank() {
        assert!(finding(Some(1), "by words").approve);
        assert!(finding(Some(STANDS_BY), "by words").approve);
        assert!(!finding(Some(STANDS_BY + 1), "by words").approve);
        assert_eq!(
            finding(None, "by meaning").reason,
            "not found by my search by meaning"
        );
    }

    #[test]
    fn an_invented_number_is_named() {
        let passages = [passage(
            "Running work has a grace time of 20 seconds to finish.",
        )];
        let verdict = answer(
            "Running work has a grace time of 45 seconds to finish.",
            &passages,
        );
        assert!(
            !verdict.approve && verdict.reason.contains("45"),
            "{verdict:?}"
        );
        assert!(answer("The grace time for running work is 20 seconds.", &passages).approve);
    }

    #[test]
    fn words_of_its_own_are_not_carried() {
        let passages = [passage("Send SIGTERM, or press Ctrl-C.")];
        assert!(
            !answer(
                "Elephants usually wander through Tanzania before breakfast.",
                &passages
            )
            .approve
        );
        assert!(!answer("...", &passages).approve);
    }
}
