//! What an attempt knows of its task's journal: read once, then kept up to date by itself, for
//! nobody else writes there while its lease holds.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::journal::{StepKind, StepRecord, StepSpec, StepState};

/// A step's newest entry, without its contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) state: StepState,
    pub(super) attempt: u32,
    pub(super) epoch: i64,
    pub(super) position: i64,
}

/// The journal, by keys of steps.
#[derive(Debug, Default)]
pub(super) struct History(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    entries: HashMap<String, Entry>,
    /// Where the next new step stands.
    next_place: i64,
    /// The model that was called last.
    model: String,
}

impl History {
    /// From the stored journal, in its order.
    pub(super) fn of(steps: &[StepRecord]) -> Self {
        let entries = steps.iter().map(|step| {
            let entry = Entry {
                state: step.state,
                attempt: step.attempt,
                epoch: step.epoch,
                position: i64::from(step.position),
            };
            (step.key.clone(), entry)
        });
        let places = steps.iter().map(|step| i64::from(step.position) + 1);
        let next_place = places.max().unwrap_or(0);
        let last = steps.iter().rev().find(|step| step.kind == StepKind::Model);
        Self(Mutex::new(Known {
            entries: entries.collect(),
            next_place,
            model: last.map(|step| step.name.clone()).unwrap_or_default(),
        }))
    }

    pub(super) fn entry(&self, key: &str) -> Option<Entry> {
        self.lock().entries.get(key).copied()
    }

    /// The place of a new step, given to no other.
    pub(super) fn take_place(&self) -> i64 {
        let mut known = self.lock();
        known.next_place += 1;
        known.next_place - 1
    }

    pub(super) fn started(&self, spec: &StepSpec, entry: Entry) {
        let mut known = self.lock();
        if spec.kind == StepKind::Model {
            known.model.clone_from(&spec.name);
        }
        known.entries.insert(spec.key.clone(), entry);
    }

    pub(super) fn ended(&self, key: &str, state: StepState) {
        if let Some(entry) = self.lock().entries.get_mut(key) {
            entry.state = state;
        }
    }

    /// How many steps were started.
    pub(super) fn len(&self) -> i64 {
        i64::try_from(self.lock().entries.len()).unwrap_or(i64::MAX)
    }

    /// Whether a step was started and has no end yet.
    pub(super) fn has_open_steps(&self) -> bool {
        let known = self.lock();
        known
            .entries
            .values()
            .any(|entry| entry.state == StepState::Started)
    }

    pub(super) fn last_model(&self) -> String {
        self.lock().model.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
