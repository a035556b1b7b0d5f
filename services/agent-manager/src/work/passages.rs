//! Cuts documents into passages, each with its place: pure.
//!
//! A passage is one paragraph, list or table under its heading, or several short ones that follow
//! each other, so that a reader can check a quotation at a glance and a small model can take it in.

use serde::{Deserialize, Serialize};

use crate::tasks::Document;

/// A passage grows to about this many bytes before the next one begins.
const TARGET_BYTES: usize = 480;
/// A passage never has more; longer paragraphs are cut between sentences, or words.
const MAX_BYTES: usize = 900;

/// A part of a document that can be quoted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    /// The document's name.
    pub document: String,
    /// From 0, in the order of the document.
    pub position: usize,
    /// The heading above it; empty where there is none.
    pub heading: String,
    /// The first line, from 1.
    pub first_line: usize,
    /// The last line.
    pub last_line: usize,
    /// The words themselves.
    pub text: String,
}

impl Passage {
    /// Where it stands, for people: `operations.md, lines 40-44, "Stopping"`.
    #[must_use]
    pub fn place(&self) -> String {
        let lines = if self.first_line == self.last_line {
            format!("line {}", self.first_line)
        } else {
            format!("lines {}-{}", self.first_line, self.last_line)
        };
        match self.heading.as_str() {
            "" => format!("{}, {lines}", self.document),
            heading => format!("{}, {lines}, \"{heading}\"", self.document),
        }
    }
}

/// The passages of a document, in order.
#[must_use]
pub fn cut(document: &Document) -> Vec<Passage> {
    let mut cutter = Cutter {
        document,
        heading: String::new(),
        pending: None,
        passages: Vec::new(),
    };
    for block in blocks(&document.text) {
        cutter.take(block);
    }
    cutter.flush();
    cutter.passages
}

/// Lines between two blank lines.
#[derive(Debug, Clone)]
struct Block {
    first_line: usize,
    last_line: usize,
    text: String,
}

struct Cutter<'a> {
    document: &'a Document,
    heading: String,
    pending: Option<Block>,
    passages: Vec<Passage>,
}

impl Cutter<'_> {
    fn take(&mut self, block: Block) {
        if let Some(heading) = heading_of(&block.text) {
            self.flush();
            heading.clone_into(&mut self.heading);
            return;
        }
        match &mut self.pending {
            Some(pending) if pending.text.len() + block.text.len() <= TARGET_BYTES => {
                pending.text.push('\n');
                pending.text.push_str(&block.text);
                pending.last_line = block.last_line;
            }
            _ => {
                self.flush();
                self.pending = Some(block);
            }
        }
    }

    fn flush(&mut self) {
        let Some(block) = self.pending.take() else {
            return;
        };
        for piece in pieces(&block) {
            self.passages.push(Passage {
                document: self.document.name.clone(),
                position: self.passages.len(),
                heading: self.heading.clone(),
                first_line: piece.first_line,
                last_line: piece.last_line,
                text: piece.text,
            });
        }
    }
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let line = line.trim_end();
        let starts_alone = heading_of(line).is_some();
        if line.trim().is_empty() {
            open = false;
        } else if open && !starts_alone {
            if let Some(block) = blocks.last_mut() {
                block.text.push('\n');
                block.text.push_str(line);
                block.last_line = number;
            }
        } else {
            blocks.push(Block {
                first_line: number,
                last_line: number,
                text: line.to_owned(),
            });
            open = !starts_alone;
        }
    }
    blocks
}

fn heading_of(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches('#');
    let level = line.len() - rest.len();
    ((1..=6).contains(&level) && rest.starts_with(' ') && !rest.contains('\n')).then(|| rest.trim())
}

/// A block that is too long, cut at its lines, and a line that is too long, between sentences or words.
fn pieces(block: &Block) -> Vec<Block> {
    if block.text.len() <= MAX_BYTES {
        return vec![block.clone()];
    }
    let mut pieces: Vec<Block> = Vec::new();
    for (offset, line) in block.text.lines().enumerate() {
        let number = block.first_line + offset;
        for part in split_line(line) {
            match pieces.last_mut() {
                Some(last) if last.text.len() + part.len() < TARGET_BYTES => {
                    last.text
                        .push(if last.last_line == number { ' ' } else { '\n' });
                    last.text.push_str(part);
                    last.last_line = number;
                }
                _ => pieces.push(Block {
                    first_line: number,
                    last_line: number,
                    text: part.to_owned(),
                }),
            }
        }
    }
    pieces
}

fn split_line(line: &str) -> Vec<&str> {
    let mut rest = line.trim();
    let mut parts = Vec::new();
    while rest.len() > MAX_BYTES {
        let mut end = MAX_BYTES;
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let window = &rest[..end];
        let at = window
            .rfind(". ")
            .map(|at| at + 1)
            .filter(|at| *at > MAX_BYTES / 4)
            .or_else(|| window.rfind(' ').filter(|at| *at > 0))
            .unwrap_or(end);
        let (part, tail) = rest.split_at(at);
        parts.push(part.trim_end());
        rest = tail.trim_start();
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document {
            name: "guide.md".into(),
            text: text.into(),
        }
    }

    #[test]
    fn passages_know_their_heading_and_lines() {
        let text = "# Guide\n\nIntro.\n\n## Stopping\n\nSend SIGTERM.\nThen wait.\n";
        let passages = cut(&document(text));
        assert_eq!(passages.len(), 2);
        assert_eq!(passages[1].place(), "guide.md, lines 7-8, \"Stopping\"");
        assert_eq!(passages[1].text, "Send SIGTERM.\nThen wait.");
        assert_eq!(passages[0].place(), "guide.md, line 3, \"Guide\"");
    }

    #[test]
    fn no_word_is_lost_and_none_is_longer_than_the_limit() {
        let sentence = "Every word of this text should be found again in some passage. ";
        let text = format!(
            "{}\n\n{}\n{}",
            sentence.repeat(40),
            "x".repeat(2000),
            "ünïcödé ".repeat(300)
        );
        let passages = cut(&document(&text));
        assert!(
            passages
                .iter()
                .all(|passage| passage.text.len() <= MAX_BYTES)
        );
        let words = |text: &str| text.split_whitespace().collect::<String>();
        let joined: String = passages
            .iter()
            .map(|passage| words(&passage.text))
            .collect();
        assert_eq!(joined, words(&text));
    }

    #[test]
    fn short_neighbours_share_a_passage_but_not_across_a_heading() {
        let passages = cut(&document("One.\n\nTwo.\n\n# Next\n\nThree."));
        let texts: Vec<&str> = passages
            .iter()
            .map(|passage| passage.text.as_str())
            .collect();
        assert_eq!(texts, ["One.\nTwo.", "Three."]);
    }

    #[test]
    fn an_empty_document_has_none() {
        assert!(cut(&document(" \n\n")).is_empty());
    }
}
