//! What is said to a model: pure.
//!
//! Texts are short, and bounded: the small local model reads about 200 tokens a second on a laptop
//! core, and the first prompt of a task stays below 400 tokens.

use crate::work::passages::Passage;

/// Bytes of passages in one prompt; about 4 bytes make a token.
const PASSAGES_BUDGET: usize = 1_000;
/// Bytes of a member's instructions in one prompt.
const INSTRUCTIONS_BUDGET: usize = 2_000;

/// The first words of every prompt of a task, the same for all members, so that they are computed once.
pub const COMMON: &str = "You work in a team that answers questions about documents. Use only the passages you are given. Be brief and exact.";

/// The system prompt of a member.
#[must_use]
pub fn system(instructions: &str) -> String {
    match instructions.trim() {
        "" => COMMON.to_owned(),
        own => format!("{COMMON} {}", shortened(own, INSTRUCTIONS_BUDGET)),
    }
}

/// What a reader is asked about the passages of its part.
#[must_use]
pub fn read(question: &str, passages: &[Passage]) -> String {
    format!(
        "{}Question: {question}\nIn one sentence, what do these passages say about the question?",
        quoted(passages)
    )
}

/// What the writer is asked, once the findings are chosen.
#[must_use]
pub fn join(question: &str, passages: &[Passage]) -> String {
    format!(
        "{}Question: {question}\nAnswer in one or two sentences with the words of the passages.",
        quoted(passages)
    )
}

/// What the writer is asked after a rejection.
#[must_use]
pub fn revise(question: &str, passages: &[Passage], rejected: &str, reasons: &[String]) -> String {
    format!(
        "{}Question: {question}\nThis answer was rejected: {}\nBecause: {}\nAnswer again, in one sentence, with the words of the passages.",
        quoted(passages),
        shortened(rejected, 300),
        shortened(&reasons.join("; "), 300)
    )
}

/// What a member that judges by its model is asked about findings.
#[must_use]
pub fn judge(question: &str, options: &[(String, String)]) -> String {
    let mut text = format!("Question: {question}\nThe team found these passages:\n");
    for (id, option) in options {
        text.push_str(&format!("[{id}] {}\n", shortened(option, 700)));
    }
    text.push_str("For each, approve it if it helps to answer the question, else reject it. Give a short reason.");
    text
}

/// Passages as a prompt shows them, as many as fit; at least the first, shortened where it must be.
fn quoted(passages: &[Passage]) -> String {
    let mut text = String::from("Passages:\n");
    let mut left = PASSAGES_BUDGET;
    for (index, passage) in passages.iter().enumerate() {
        if left < 80 {
            break;
        }
        let words = shortened(&passage.text, left);
        left = left.saturating_sub(words.len());
        text.push_str(&format!(
            "[{}] {}: {}\n",
            index + 1,
            passage.heading,
            words.replace('\n', " ")
        ));
    }
    text
}

/// The start of a text, cut between words.
#[must_use]
pub fn shortened(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let mut end = bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let cut = text[..end]
        .rfind(char::is_whitespace)
        .filter(|at| *at > 0)
        .unwrap_or(end);
    format!("{} ...", text[..cut].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(length: usize) -> Passage {
        Passage {
            document: "d".into(),
            position: 0,
            heading: "H".into(),
            first_line: 1,
            last_line: 1,
            text: "word ".repeat(length / 5),
        }
    }

    #[test]
    fn the_first_prompt_stays_below_400_tokens() {
        let passages = vec![passage(900), passage(900), passage(900)];
        let question = "How long may running work go on after SIGTERM?";
        let prompt = format!(
            "{}{}",
            system("You look for the exact place."),
            read(question, &passages)
        );
        // "word " is a token and five bytes; ordinary English has about 4.3 bytes a token.
        assert!(prompt.len() < 1_600, "{} bytes", prompt.len());
    }

    #[test]
    fn texts_are_cut_between_words() {
        assert_eq!(shortened("one two three", 9), "one two ...");
        assert_eq!(shortened("one", 9), "one");
        assert_eq!(shortened("ääääää", 5), "ää ...");
    }

    #[test]
    fn every_prompt_begins_alike() {
        assert!(system("").starts_with(COMMON) && system("You write.").starts_with(COMMON));
    }
}
