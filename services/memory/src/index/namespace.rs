//! The index of one namespace, by words and by meaning: pure.

use std::collections::{HashMap, HashSet};

use swarm_types::{MemoryId, Timestamp};

use super::bm25::{Bm25, Slot, Statistics};
use super::vectors::{Flat, VectorIndex};
use crate::search::Scored;
use crate::{ContentHash, Kind};

/// What an index keeps of a memory beside its terms and its vector.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: MemoryId,
    pub(crate) kind: Kind,
    pub(crate) tags: Vec<String>,
    pub(crate) hash: ContentHash,
    pub(crate) expires_at: Option<Timestamp>,
}

/// A memory as it enters an index.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) entry: Entry,
    pub(crate) terms: Vec<String>,
    /// None where it is not embedded yet.
    pub(crate) vector: Option<Vec<f32>>,
}

/// Which memories a question is about.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    pub(crate) kind: Option<Kind>,
    pub(crate) tags: Vec<String>,
    pub(crate) now: Timestamp,
}

impl Filter {
    fn accepts(&self, entry: &Entry) -> bool {
        self.kind.is_none_or(|kind| kind == entry.kind)
            && self.tags.iter().all(|tag| entry.tags.contains(tag))
            && entry.expires_at.is_none_or(|at| at > self.now)
    }
}

/// The index of one namespace.
#[derive(Debug)]
pub(crate) struct NamespaceIndex {
    entries: Vec<Option<Entry>>,
    free: Vec<Slot>,
    slots: HashMap<MemoryId, Slot>,
    words: Bm25,
    vectors: Box<dyn VectorIndex>,
    /// The places of contents that have no vector yet.
    unembedded: HashMap<ContentHash, Vec<Slot>>,
    entry_bytes: usize,
}

impl Default for NamespaceIndex {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
            slots: HashMap::new(),
            words: Bm25::default(),
            vectors: Box::new(Flat::default()),
            unembedded: HashMap::new(),
            entry_bytes: 0,
        }
    }
}

impl NamespaceIndex {
    /// How many memories it holds.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// How many of its contents have no vector yet.
    pub(crate) fn unembedded(&self) -> usize {
        self.unembedded.len()
    }

    /// Some of the contents that have no vector yet.
    pub(crate) fn some_unembedded(&self, limit: usize) -> Vec<ContentHash> {
        self.unembedded.keys().take(limit).copied().collect()
    }

    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.entry_bytes + self.words.bytes() + self.vectors.bytes()
    }

    /// Puts a memory in, in place of what was under its id.
    pub(crate) fn put(&mut self, record: Record) {
        let Record {
            entry,
            terms,
            vector,
        } = record;
        self.remove(entry.id);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            Slot::try_from(self.entries.len() - 1).unwrap_or(Slot::MAX)
        });
        self.slots.insert(entry.id, slot);
        self.words.put(slot, &terms);
        match vector {
            Some(vector) => drop(self.vectors.put(slot, &vector)),
            None => self.unembedded.entry(entry.hash).or_default().push(slot),
        }
        self.entry_bytes += entry_bytes(&entry);
        self.entries[slot as usize] = Some(entry);
    }

    /// Takes a memory out.
    pub(crate) fn remove(&mut self, id: MemoryId) {
        let Some(slot) = self.slots.remove(&id) else {
            return;
        };
        let Some(entry) = self.entries[slot as usize].take() else {
            return;
        };
        self.words.remove(slot);
        self.vectors.remove(slot);
        if let Some(slots) = self.unembedded.get_mut(&entry.hash) {
            slots.retain(|known| *known != slot);
            if slots.is_empty() {
                self.unembedded.remove(&entry.hash);
            }
        }
        self.entry_bytes -= entry_bytes(&entry);
        self.free.push(slot);
    }

    /// Takes all out but these.
    pub(crate) fn retain(&mut self, keep: &HashSet<MemoryId>) {
        let gone: Vec<MemoryId> = self
            .slots
            .keys()
            .filter(|id| !keep.contains(id))
            .copied()
            .collect();
        gone.into_iter().for_each(|id| self.remove(id));
    }

    /// Gives a content that had none its vector.
    pub(crate) fn embed(&mut self, hash: ContentHash, vector: &[f32]) {
        for slot in self.unembedded.remove(&hash).unwrap_or_default() {
            self.vectors.put(slot, vector);
        }
    }

    /// Adds what this index knows of a question's terms to what others know.
    pub(crate) fn add_statistics(&self, terms: &[String], sum: &mut Statistics) {
        self.words.add_statistics(terms, sum);
    }

    /// The memories that hold a term, unsorted.
    pub(crate) fn by_words(
        &self,
        terms: &[String],
        of: &Statistics,
        filter: &Filter,
    ) -> Vec<Scored> {
        let scores = self
            .words
            .scores(terms, of, &|slot| self.is_accepted(slot, filter));
        scores
            .into_iter()
            .filter_map(|(slot, score)| self.scored(slot, score))
            .collect()
    }

    /// The memories nearest in meaning, at most `limit`.
    pub(crate) fn by_meaning(&self, vector: &[f32], limit: usize, filter: &Filter) -> Vec<Scored> {
        let nearest = self
            .vectors
            .nearest(vector, limit, &|slot| self.is_accepted(slot, filter));
        nearest
            .into_iter()
            .filter_map(|(slot, score)| self.scored(slot, f64::from(score)))
            .collect()
    }

    fn is_accepted(&self, slot: Slot, filter: &Filter) -> bool {
        self.entry(slot).is_some_and(|entry| filter.accepts(entry))
    }

    fn scored(&self, slot: Slot, score: f64) -> Option<Scored> {
        self.entry(slot).map(|entry| Scored {
            id: entry.id,
            score,
        })
    }

    fn entry(&self, slot: Slot) -> Option<&Entry> {
        self.entries.get(slot as usize).and_then(Option::as_ref)
    }
}

/// The entry, its tags, and its places in the maps.
fn entry_bytes(entry: &Entry) -> usize {
    size_of::<Entry>()
        + entry
            .tags
            .iter()
            .map(|tag| tag.len() + size_of::<String>())
            .sum::<usize>()
        + 64
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use swarm_types::{Clock, SystemClock};

    use super::*;

    fn record(name: &str, tags: &[&str], vector: Option<Vec<f32>>) -> Record {
        let entry = Entry {
            id: MemoryId::derived(&[name]),
            kind: Kind::Semantic,
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            hash: ContentHash::of(name),
            expires_at: None,
        };
        Record {
            entry,
            terms: name.split(' ').map(str::to_owned).collect(),
            vector,
        }
    }

    fn filter() -> Filter {
        Filter {
            kind: None,
            tags: Vec::new(),
            now: SystemClock.now(),
        }
    }

    fn words(index: &NamespaceIndex, term: &str, filter: &Filter) -> Vec<MemoryId> {
        let terms = [term.to_owned()];
        let mut statistics = Statistics::default();
        index.add_statistics(&terms, &mut statistics);
        index
            .by_words(&terms, &statistics, filter)
            .into_iter()
            .map(|scored| scored.id)
            .collect()
    }

    #[test]
    fn filters_leave_out_what_they_do_not_accept() {
        let mut index = NamespaceIndex::default();
        index.put(record("cat one", &["a", "b"], Some(vec![1.0, 0.0])));
        index.put(record("cat two", &["a"], Some(vec![0.0, 1.0])));
        let mut mortal = record("cat three", &["a", "b"], Some(vec![1.0, 0.0]));
        mortal.entry.expires_at = Some(SystemClock.now() - TimeDelta::seconds(1));
        index.put(mortal);
        let both = Filter {
            tags: vec!["b".into(), "a".into()],
            ..filter()
        };
        let one = MemoryId::derived(&["cat one"]);
        assert_eq!(words(&index, "cat", &both), [one]);
        assert_eq!(index.by_meaning(&[1.0, 0.0], 9, &both).len(), 1);
        assert_eq!(
            index.by_meaning(&[1.0, 0.0], 9, &filter()).len(),
            2,
            "the expired one is left out"
        );
        assert!(
            words(
                &index,
                "cat",
                &Filter {
                    kind: Some(Kind::Working),
                    ..filter()
                }
            )
            .is_empty()
        );
    }

    #[test]
    fn contents_without_a_vector_get_theirs_later() {
        let mut index = NamespaceIndex::default();
        index.put(record("cat", &[], None));
        index.put(record("dog", &[], None));
        index.put(Record {
            entry: Entry {
                id: MemoryId::derived(&["cat again"]),
                ..record("cat", &[], None).entry
            },
            ..record("cat", &[], None)
        });
        assert_eq!((index.len(), index.unembedded()), (3, 2));
        index.embed(ContentHash::of("cat"), &[1.0, 0.0]);
        assert_eq!(
            (
                index.unembedded(),
                index.by_meaning(&[1.0, 0.0], 9, &filter()).len()
            ),
            (1, 2)
        );
        index.remove(MemoryId::derived(&["dog"]));
        assert_eq!((index.len(), index.unembedded()), (2, 0));
        index.retain(&HashSet::from([MemoryId::derived(&["cat"])]));
        assert_eq!(
            words(&index, "cat", &filter()),
            [MemoryId::derived(&["cat"])]
        );
        index.remove(MemoryId::derived(&["cat"]));
        assert!(index.len() == 0 && index.entry_bytes == 0);
    }
}
