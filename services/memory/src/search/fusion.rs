//! Joining two rankings into one, by reciprocal rank fusion: pure.
//!
//! A memory at rank r of a list counts `1 / (60 + r)`, added up over the lists: ranks compare where
//! scores of different kinds do not. 60 is the constant of the method's authors (Cormack, Clarke and
//! Buettcher, 2009). Ties go to the better single rank, then to
//! meaning, then to the smaller id.

use std::cmp::Ordering;
use std::collections::HashMap;

use swarm_types::MemoryId;

use super::Place;

const K: f64 = 60.0;

/// A memory with its score in one list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scored {
    pub(crate) id: MemoryId,
    pub(crate) score: f64,
}

/// A memory with its places.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) id: MemoryId,
    pub(crate) score: f64,
    pub(crate) lexical: Option<Place>,
    pub(crate) semantic: Option<Place>,
}

/// Which list a memory is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Lexical,
    Semantic,
}

/// Sorts a list, best first, and cuts it.
pub(crate) fn rank(mut list: Vec<Scored>, limit: usize) -> Vec<Scored> {
    list.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
    list.truncate(limit);
    list
}

/// One ranking alone, in its own order and with its own scores.
pub(crate) fn ranked_by(list: &[Scored], which: List) -> Vec<Found> {
    places(list)
        .map(|(id, place)| {
            let mut found = Found {
                id,
                score: place.score,
                lexical: None,
                semantic: None,
            };
            set(&mut found, which, place);
            found
        })
        .collect()
}

/// Two rankings as one.
pub(crate) fn fuse(lexical: &[Scored], semantic: &[Scored]) -> Vec<Found> {
    let mut all: HashMap<MemoryId, Found> = HashMap::new();
    for (list, which) in [(lexical, List::Lexical), (semantic, List::Semantic)] {
        for (id, place) in places(list) {
            let found = all.entry(id).or_insert(Found {
                id,
                score: 0.0,
                lexical: None,
                semantic: None,
            });
            found.score += 1.0 / (K + f64::from(place.rank));
            set(found, which, place);
        }
    }
    let mut fused: Vec<Found> = all.into_values().collect();
    fused.sort_unstable_by(better);
    fused
}

fn places(list: &[Scored]) -> impl Iterator<Item = (MemoryId, Place)> {
    (1..).zip(list).map(|(rank, scored)| {
        (
            scored.id,
            Place {
                rank,
                score: scored.score,
            },
        )
    })
}

fn set(found: &mut Found, which: List, place: Place) {
    match which {
        List::Lexical => found.lexical = Some(place),
        List::Semantic => found.semantic = Some(place),
    }
}

fn better(a: &Found, b: &Found) -> Ordering {
    let best = |found: &Found| {
        [found.lexical, found.semantic]
            .into_iter()
            .flatten()
            .map(|place| place.rank)
            .min()
    };
    let by_meaning = |found: &Found| found.semantic.map_or(u32::MAX, |place| place.rank);
    let ties = best(a)
        .cmp(&best(b))
        .then(by_meaning(a).cmp(&by_meaning(b)))
        .then(a.id.cmp(&b.id));
    b.score.total_cmp(&a.score).then(ties)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> MemoryId {
        MemoryId::derived(&[name])
    }

    fn list(names: &[&str]) -> Vec<Scored> {
        let scores = (1..=names.len()).rev().map(|score| score as f64);
        names
            .iter()
            .zip(scores)
            .map(|(name, score)| Scored {
                id: id(name),
                score,
            })
            .collect()
    }

    #[test]
    fn ranks_are_added_up() {
        let fused = fuse(&list(&["a", "b", "c"]), &list(&["b", "d"]));
        assert_eq!(
            fused.iter().map(|found| found.id).collect::<Vec<_>>(),
            [id("b"), id("a"), id("d"), id("c")]
        );
        assert!((fused[0].score - (1.0 / 62.0 + 1.0 / 61.0)).abs() < 1e-12);
        assert!((fused[3].score - 1.0 / 63.0).abs() < 1e-12);
        assert_eq!(
            fused[0].lexical,
            Some(Place {
                rank: 2,
                score: 2.0
            })
        );
        assert_eq!(
            (fused[2].lexical, fused[2].semantic),
            (
                None,
                Some(Place {
                    rank: 2,
                    score: 1.0
                })
            )
        );
    }

    #[test]
    fn ties_go_to_the_better_rank_then_to_meaning_then_to_the_id() {
        for (words, meaning) in [("x", "y"), ("y", "x")] {
            let fused = fuse(&list(&[words]), &list(&[meaning]));
            assert_eq!(
                fused.iter().map(|found| found.id).collect::<Vec<_>>(),
                [id(meaning), id(words)]
            );
        }
        let fused = fuse(&list(&["a", "b", "c"]), &list(&["c", "b", "a"]));
        assert_eq!(
            fused.iter().map(|found| found.id).collect::<Vec<_>>(),
            [id("c"), id("a"), id("b")]
        );
        let mut pair = [id("x"), id("y")];
        pair.sort();
        let equal = rank(
            vec![
                Scored {
                    id: pair[1],
                    score: 1.0,
                },
                Scored {
                    id: pair[0],
                    score: 1.0,
                },
            ],
            9,
        );
        assert_eq!(
            equal.iter().map(|scored| scored.id).collect::<Vec<_>>(),
            pair
        );
        assert_eq!(rank(list(&["a", "b", "c"]), 2).len(), 2);
    }

    #[test]
    fn one_list_alone_keeps_its_scores() {
        let found = ranked_by(&list(&["a", "b"]), List::Semantic);
        assert_eq!((found[1].score, found[1].lexical), (1.0, None));
        assert_eq!(
            found[1].semantic,
            Some(Place {
                rank: 2,
                score: 1.0
            })
        );
        assert!(fuse(&[], &[]).is_empty());
    }
}
