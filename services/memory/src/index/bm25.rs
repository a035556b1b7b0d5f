//! BM25 over an inverted index that changes as memories come and go: pure.
//!
//! `idf = ln(1 + (N - n + 0.5) / (n + 0.5))`, and a term counts
//! `idf * f * (k1 + 1) / (f + k1 * (1 - b + b * length / average))`, with N, n and the average taken
//! at the time of the question, over all indexes that are asked together.

use std::collections::HashMap;

const K1: f64 = 1.2;
const B: f64 = 0.75;

/// A document's place in the index.
pub(crate) type Slot = u32;

#[derive(Debug, Clone, Copy)]
struct Posting {
    slot: Slot,
    frequency: u32,
}

#[derive(Debug, Clone, Default)]
struct Document {
    length: u32,
    terms: Box<[u32]>,
}

/// What a question's scores depend on beside the document: of one index, or added up over several.
#[derive(Debug, Clone, Default)]
pub(crate) struct Statistics {
    documents: u64,
    length: u64,
    /// For each term of the question, how many documents hold it.
    holding: Vec<u64>,
}

/// An inverted index.
#[derive(Debug, Default)]
pub(crate) struct Bm25 {
    terms: HashMap<Box<str>, u32>,
    postings: Vec<Vec<Posting>>,
    documents: Vec<Option<Document>>,
    count: u64,
    length: u64,
    bytes: usize,
}

impl Bm25 {
    /// Puts a document with these terms in a place, in place of what was there.
    pub(crate) fn put(&mut self, slot: Slot, terms: &[String]) {
        self.remove(slot);
        let mut frequencies: HashMap<u32, u32> = HashMap::new();
        for term in terms {
            let number = self.number(term);
            *frequencies.entry(number).or_default() += 1;
        }
        for (number, frequency) in &frequencies {
            let list = &mut self.postings[*number as usize];
            let place = list.partition_point(|posting| posting.slot < slot);
            list.insert(
                place,
                Posting {
                    slot,
                    frequency: *frequency,
                },
            );
        }
        let length = u32::try_from(terms.len()).unwrap_or(u32::MAX);
        let terms: Box<[u32]> = frequencies.into_keys().collect();
        self.bytes += document_bytes(&terms);
        let slot = slot as usize;
        if self.documents.len() <= slot {
            self.documents.resize(slot + 1, None);
        }
        self.documents[slot] = Some(Document { length, terms });
        self.count += 1;
        self.length += u64::from(length);
    }

    /// Takes a document out.
    pub(crate) fn remove(&mut self, slot: Slot) {
        let Some(document) = self.documents.get_mut(slot as usize).and_then(Option::take) else {
            return;
        };
        for number in &document.terms {
            let list = &mut self.postings[*number as usize];
            if let Ok(place) = list.binary_search_by_key(&slot, |posting| posting.slot) {
                list.remove(place);
            }
        }
        self.count -= 1;
        self.length -= u64::from(document.length);
        self.bytes -= document_bytes(&document.terms);
    }

    /// Adds what this index knows of a question to what others know.
    pub(crate) fn add_statistics(&self, question: &[String], sum: &mut Statistics) {
        sum.documents += self.count;
        sum.length += self.length;
        sum.holding.resize(question.len(), 0);
        for (count, term) in sum.holding.iter_mut().zip(question) {
            *count += self.holding(term).len() as u64;
        }
    }

    /// The score of every document that holds a term of the question and is accepted.
    pub(crate) fn scores(
        &self,
        question: &[String],
        of: &Statistics,
        accepts: &dyn Fn(Slot) -> bool,
    ) -> Vec<(Slot, f64)> {
        let average = of.length.max(1) as f64 / of.documents.max(1) as f64;
        let mut scores: HashMap<Slot, f64> = HashMap::new();
        for (term, holding) in question.iter().zip(&of.holding) {
            let idf = idf(of.documents, *holding);
            for posting in self.holding(term) {
                let length = self.documents[posting.slot as usize]
                    .as_ref()
                    .map_or(0, |document| document.length);
                *scores.entry(posting.slot).or_default() +=
                    idf * weight(posting.frequency, f64::from(length) / average);
            }
        }
        scores
            .into_iter()
            .filter(|(slot, _)| accepts(*slot))
            .collect()
    }

    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn holding(&self, term: &str) -> &[Posting] {
        self.terms
            .get(term)
            .map_or(&[], |number| &self.postings[*number as usize])
    }

    fn number(&mut self, term: &str) -> u32 {
        if let Some(number) = self.terms.get(term) {
            return *number;
        }
        let number = u32::try_from(self.postings.len()).unwrap_or(u32::MAX);
        self.terms.insert(term.into(), number);
        self.postings.push(Vec::new());
        self.bytes += term.len() + 64;
        number
    }
}

fn idf(documents: u64, holding: u64) -> f64 {
    let (documents, holding) = (documents as f64, holding as f64);
    (1.0 + (documents - holding + 0.5) / (holding + 0.5)).ln()
}

fn weight(frequency: u32, relative_length: f64) -> f64 {
    let frequency = f64::from(frequency);
    frequency * (K1 + 1.0) / (frequency + K1 * (1.0 - B + B * relative_length))
}

/// A posting and a term's number for each term, and the document itself.
fn document_bytes(terms: &[u32]) -> usize {
    terms.len() * (size_of::<Posting>() + size_of::<u32>()) + size_of::<Option<Document>>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn ask(index: &Bm25, question: &str) -> Vec<(Slot, f64)> {
        let question = words(question);
        let mut statistics = Statistics::default();
        index.add_statistics(&question, &mut statistics);
        let mut scores = index.scores(&question, &statistics, &|_| true);
        scores.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        scores
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    /// Worked out by hand: N = 3, lengths 2, 4 and 3, so an average of 3.
    #[test]
    fn scores_are_those_of_the_formula() {
        let mut index = Bm25::default();
        index.put(0, &words("cat dog"));
        index.put(1, &words("cat cat bird fish"));
        index.put(2, &words("bird fish worm"));
        let idf_cat = (1.0_f64 + 1.5 / 2.5).ln();
        let idf_worm = (1.0_f64 + 2.5 / 1.5).ln();
        let found = ask(&index, "cat worm");
        assert_eq!(
            found.iter().map(|(slot, _)| *slot).collect::<Vec<_>>(),
            [2, 1, 0]
        );
        assert!(near(found[0].1, idf_worm * 2.2 / (1.0 + 1.2)), "{found:?}");
        assert!(
            near(
                found[1].1,
                idf_cat * 4.4 / (2.0 + 1.2 * (0.25 + 0.75 * 4.0 / 3.0))
            ),
            "{found:?}"
        );
        assert!(
            near(
                found[2].1,
                idf_cat * 2.2 / (1.0 + 1.2 * (0.25 + 0.75 * 2.0 / 3.0))
            ),
            "{found:?}"
        );
        assert!(ask(&index, "whale").is_empty() && ask(&index, "").is_empty());
    }

    #[test]
    fn what_came_and_went_leaves_no_trace_in_the_scores() {
        let (mut changed, mut fresh) = (Bm25::default(), Bm25::default());
        for slot in 0..20 {
            changed.put(slot, &words("noise cat worm noise"));
        }
        for (slot, text) in [(0, "cat dog"), (7, "cat cat bird"), (3, "worm")] {
            changed.put(slot, &words(text));
            fresh.put(slot, &words(text));
        }
        (0..20)
            .filter(|slot| ![0, 3, 7].contains(slot))
            .for_each(|slot| changed.remove(slot));
        changed.remove(5);
        changed.remove(500);
        assert_eq!(
            ask(&changed, "cat worm noise"),
            ask(&fresh, "cat worm noise")
        );
        assert_eq!((changed.count, changed.length), (fresh.count, fresh.length));
    }

    #[test]
    fn two_indexes_score_as_one() {
        let texts = ["cat dog", "cat cat bird fish", "bird fish worm", "dog"];
        let (mut whole, mut halves) = (Bm25::default(), [Bm25::default(), Bm25::default()]);
        for (slot, text) in (0..).zip(texts) {
            whole.put(slot, &words(text));
            halves[(slot % 2) as usize].put(slot, &words(text));
        }
        let question = words("cat dog");
        let mut statistics = Statistics::default();
        halves
            .iter()
            .for_each(|half| half.add_statistics(&question, &mut statistics));
        let mut joined: Vec<_> = halves
            .iter()
            .flat_map(|half| half.scores(&question, &statistics, &|slot| slot != 3))
            .collect();
        joined.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let expected: Vec<_> = ask(&whole, "cat dog")
            .into_iter()
            .filter(|(slot, _)| *slot != 3)
            .collect();
        assert_eq!(joined, expected);
    }
}
