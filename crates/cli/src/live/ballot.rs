//! A ballot as it fills: pure.

use serde_json::Value;

use super::said::{flag, list, text, texts};
use crate::console::{Line, Style};

/// For, against, not yet.
pub(super) const FOR: &str = "✓";
pub(super) const AGAINST: &str = "✗";
const NOT_YET: &str = "·";

/// An open ballot.
#[derive(Debug)]
pub(super) struct Ballot {
    pub(super) id: String,
    voters: usize,
    /// Each option with what was said of it so far.
    options: Vec<(String, Vec<bool>)>,
}

impl Ballot {
    pub(super) fn opened(data: &Value) -> Self {
        let options = options(data)
            .into_iter()
            .map(|(id, _)| (id.to_owned(), Vec::new()))
            .collect();
        Self {
            id: text(data, "proposal_id").to_owned(),
            voters: texts(data, "electorate").len(),
            options,
        }
    }

    pub(super) fn vote(&mut self, votes: &[Value]) {
        for vote in votes {
            let option = self
                .options
                .iter_mut()
                .find(|(id, _)| id == text(vote, "option"));
            if let Some((_, said)) = option {
                said.push(flag(vote, "approve"));
            }
        }
    }

    /// Each option as one piece, such as `f1 ✓✓·`.
    pub(super) fn pieces(&self) -> Vec<Line> {
        let piece = |(id, said): &(String, Vec<bool>)| {
            let open = self.voters.saturating_sub(said.len());
            let line = Line::new().plain(format!("{id} "));
            said.iter()
                .fold(line, |line, approve| line.then(mark(*approve)))
                .with(Style::Dim, NOT_YET.repeat(open))
        };
        self.options.iter().map(piece).collect()
    }
}

/// Ids and texts of what is voted on.
pub(super) fn options(data: &Value) -> Vec<(&str, &str)> {
    list(data, "options")
        .iter()
        .filter_map(|option| Some((option.get(0)?.as_str()?, option.get(1)?.as_str()?)))
        .collect()
}

/// The mark of a vote.
pub(super) fn mark(approve: bool) -> Line {
    if approve {
        Line::new().with(Style::Good, FOR)
    } else {
        Line::new().with(Style::Bad, AGAINST)
    }
}
