//! Which task goes before which: pure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use swarm_types::TaskId;

use super::{TaskState, words};

words! {
    /// Where a dependency stands.
    DependencyState {
        /// Its predecessor has not ended.
        Open = "open",
        /// Its predecessor has completed.
        Completed = "completed",
        /// Its predecessor has ended otherwise.
        Lost = "lost",
    }
}

impl From<TaskState> for DependencyState {
    fn from(predecessor: TaskState) -> Self {
        match predecessor {
            TaskState::Completed => Self::Completed,
            state if state.is_terminal() => Self::Lost,
            _ => Self::Open,
        }
    }
}

/// What goes before an item of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Predecessor {
    /// A task that was submitted before.
    Task(TaskId),
    /// The item at this place of the same batch.
    Item(usize),
}

/// Items that wait for each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle {
    /// Their places: each depends on the next one, and the last on the first.
    pub places: Vec<usize>,
}

impl Cycle {
    /// The cycle for people: `a -> b -> a`.
    pub fn words<'a>(&'a self, names: impl Fn(usize) -> &'a str) -> String {
        let mut words: Vec<&str> = self.places.iter().map(|place| names(*place)).collect();
        words.extend(words.first().copied());
        words.join(" -> ")
    }
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.places)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Unseen,
    /// On the path that is being followed.
    Open,
    /// Leads to no cycle.
    Closed,
}

/// Looks for items that wait for each other; `depends_on` has for each item the places before it.
///
/// # Errors
/// The first cycle that is found. Places outside of the list are taken for tasks that exist.
pub fn check(depends_on: &[Vec<usize>]) -> Result<(), Cycle> {
    let mut marks = vec![Mark::Unseen; depends_on.len()];
    for start in 0..depends_on.len() {
        if marks[start] == Mark::Unseen {
            follow(depends_on, start, &mut marks)?;
        }
    }
    Ok(())
}

/// Without recursion: a batch may be one long chain.
fn follow(depends_on: &[Vec<usize>], start: usize, marks: &mut [Mark]) -> Result<(), Cycle> {
    // Each item on the path, with how many of its predecessors were looked at.
    let mut path = vec![(start, 0)];
    marks[start] = Mark::Open;
    while let Some((place, looked_at)) = path.last_mut() {
        let Some(next) = depends_on[*place].get(*looked_at).copied() else {
            marks[*place] = Mark::Closed;
            path.pop();
            continue;
        };
        *looked_at += 1;
        match marks.get(next) {
            Some(Mark::Unseen) => {
                marks[next] = Mark::Open;
                path.push((next, 0));
            }
            Some(Mark::Open) => {
                let places = path
                    .iter()
                    .map(|(place, _)| *place)
                    .skip_while(|place| *place != next)
                    .collect();
                return Err(Cycle { places });
            }
            Some(Mark::Closed) | None => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn words(depends_on: &[&[usize]]) -> Option<String> {
        let names = ["a", "b", "c", "d", "e"];
        let lists: Vec<Vec<usize>> = depends_on.iter().map(|list| list.to_vec()).collect();
        let cycle = check(&lists).err()?;
        Some(cycle.words(|place| names[place]))
    }

    #[test]
    fn a_cycle_is_found_and_named() {
        assert_eq!(words(&[&[0]]).unwrap(), "a -> a");
        assert_eq!(words(&[&[1], &[0]]).unwrap(), "a -> b -> a");
        assert_eq!(
            words(&[&[1], &[2, 3], &[], &[4], &[1]]).unwrap(),
            "b -> d -> e -> b",
            "without the way that leads to it"
        );
    }

    #[test]
    fn what_meets_again_is_no_cycle() {
        assert_eq!(words(&[]), None);
        assert_eq!(words(&[&[1, 2], &[3], &[3], &[]]), None);
        assert_eq!(words(&[&[], &[0], &[0, 1], &[0, 1, 2]]), None);
        assert_eq!(words(&[&[7]]), None, "a task that exists");
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let mut chain: Vec<Vec<usize>> = (1..=1_000_000).map(|next| vec![next]).collect();
        chain.push(Vec::new());
        assert_eq!(check(&chain), Ok(()));
        *chain.last_mut().unwrap() = vec![0];
        assert_eq!(check(&chain).unwrap_err().places.len(), 1_000_001);
    }
}
