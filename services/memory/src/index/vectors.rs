//! Which vectors are nearest to one: pure.

use std::collections::HashMap;
use std::fmt::Debug;

use super::bm25::Slot;

/// Finds the nearest of many vectors of unit length, so that a dot product is a cosine.
pub(crate) trait VectorIndex: Send + Sync + Debug {
    /// Puts a vector in a place, in place of what was there. False where its length is not that of the others.
    fn put(&mut self, slot: Slot, vector: &[f32]) -> bool;

    /// Takes a vector out.
    fn remove(&mut self, slot: Slot);

    /// The nearest of those that are accepted, at most `limit`, with their cosines, nearest first.
    fn nearest(&self, to: &[f32], limit: usize, accepts: &dyn Fn(Slot) -> bool)
    -> Vec<(Slot, f32)>;

    /// About how much memory it takes.
    fn bytes(&self) -> usize;
}

/// Compares with every vector: exact.
#[derive(Debug, Default)]
pub(crate) struct Flat {
    dimension: usize,
    /// One after the other.
    values: Vec<f32>,
    slots: Vec<Slot>,
    rows: HashMap<Slot, usize>,
}

impl VectorIndex for Flat {
    fn put(&mut self, slot: Slot, vector: &[f32]) -> bool {
        self.remove(slot);
        if self.slots.is_empty() {
            self.dimension = vector.len();
        }
        if vector.is_empty() || vector.len() != self.dimension {
            return false;
        }
        self.rows.insert(slot, self.slots.len());
        self.slots.push(slot);
        self.values.extend_from_slice(vector);
        true
    }

    fn remove(&mut self, slot: Slot) {
        let Some(row) = self.rows.remove(&slot) else {
            return;
        };
        let last = self.slots.len() - 1;
        self.slots.swap_remove(row);
        if row != last {
            self.values
                .copy_within(last * self.dimension.., row * self.dimension);
            self.rows.insert(self.slots[row], row);
        }
        self.values.truncate(last * self.dimension);
    }

    fn nearest(
        &self,
        to: &[f32],
        limit: usize,
        accepts: &dyn Fn(Slot) -> bool,
    ) -> Vec<(Slot, f32)> {
        if to.len() != self.dimension || limit == 0 || self.slots.is_empty() {
            return Vec::new();
        }
        let rows = self
            .slots
            .iter()
            .zip(self.values.chunks_exact(self.dimension));
        let mut found: Vec<(Slot, f32)> = rows
            .filter(|(slot, _)| accepts(**slot))
            .map(|(slot, vector)| (*slot, dot(to, vector)))
            .collect();
        let nearer = |a: &(Slot, f32), b: &(Slot, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if found.len() > limit {
            found.select_nth_unstable_by(limit - 1, nearer);
            found.truncate(limit);
        }
        found.sort_unstable_by(nearer);
        found
    }

    fn bytes(&self) -> usize {
        self.values.len() * size_of::<f32>() + self.slots.len() * 32
    }
}

/// In eight lanes, so that the compiler can use vector instructions.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    let (a_chunks, b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a_chunks
        .remainder()
        .iter()
        .zip(b_chunks.remainder())
        .map(|(a, b)| a * b)
        .sum();
    for (a, b) in a_chunks.zip(b_chunks) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(x: f32, y: f32) -> [f32; 2] {
        let length = x.hypot(y);
        [x / length, y / length]
    }

    fn slots(found: &[(Slot, f32)]) -> Vec<Slot> {
        found.iter().map(|(slot, _)| *slot).collect()
    }

    #[test]
    fn the_nearest_come_first_and_ties_by_place() {
        let mut index = Flat::default();
        for (slot, vector) in [
            (4, unit(1.0, 0.0)),
            (1, unit(0.0, 1.0)),
            (9, unit(1.0, 1.0)),
            (2, unit(1.0, 0.0)),
        ] {
            assert!(index.put(slot, &vector));
        }
        let found = index.nearest(&unit(1.0, 0.0), 10, &|_| true);
        assert_eq!(slots(&found), [2, 4, 9, 1]);
        assert!((found[2].1 - 0.5_f32.sqrt()).abs() < 1e-6);
        assert_eq!(
            slots(&index.nearest(&unit(1.0, 0.0), 2, &|slot| slot != 2)),
            [4, 9]
        );
        index.remove(4);
        index.remove(4);
        assert!(index.put(2, &unit(0.0, -1.0)));
        assert_eq!(
            slots(&index.nearest(&unit(1.0, 0.0), 3, &|_| true)),
            [9, 1, 2]
        );
    }

    #[test]
    fn vectors_of_another_length_do_not_compare() {
        let mut index = Flat::default();
        assert!(index.put(0, &unit(1.0, 0.0)));
        assert!(!index.put(1, &[1.0, 0.0, 0.0]) && !index.put(2, &[]));
        assert!(index.nearest(&[1.0, 0.0, 0.0], 5, &|_| true).is_empty());
        index.remove(0);
        assert!(
            index.put(1, &[1.0, 0.0, 0.0]),
            "the last one has gone, so a new length may come"
        );
    }

    #[test]
    fn the_dot_product_takes_every_value() {
        let a: Vec<f32> = (1..=19_u8).map(f32::from).collect();
        assert!((dot(&a, &a) - 2470.0).abs() < f32::EPSILON);
    }
}
