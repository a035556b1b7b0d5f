//! One transaction of the commit lane.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use swarm_errors::{Error, Result};
use uuid::Uuid;

use super::Engine;
use super::change::Change;
use crate::journal::StepState;
use crate::store::tasks::{self, Ending, Forward, Insert, Place};
use crate::store::{Unit, idempotency, leases, outbox, steps};

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// It is committed.
    Committed {
        /// Where in the journal a started step stands.
        position: i64,
        /// The sequence of the task's newest event.
        last_seq: i64,
    },
    /// Another worker holds the task, or it has ended, or its end has more to it than this.
    Refused,
    /// A birth: its key was used before.
    KeyTaken,
    /// A birth: the lease was lost.
    LeaseLost,
}

/// What became of a batch.
#[derive(Debug)]
pub(super) enum Flushed {
    /// Each of them was told in its order.
    Committed(Vec<Told>),
    /// Some of it was written before: nothing was committed, each must be looked at alone.
    Doubtful,
}

impl Engine {
    /// Writes changes of different trees in one transaction.
    pub(super) async fn flush(&self, changes: &[Arc<Change>]) -> Result<Flushed> {
        if changes.is_empty() {
            return Ok(Flushed::Committed(Vec::new()));
        }
        let mut unit = self.begin_unit().await?;
        let mut told = vec![None; changes.len()];
        self.insert_births(&mut unit, changes, &mut told).await?;
        go_on(&mut unit, changes, &mut told).await?;
        let passed: Vec<(&Change, i64, i64)> = changes
            .iter()
            .zip(&told)
            .filter_map(|(change, verdict)| match verdict {
                Some(Verdict::Passed { last_seq, position }) => {
                    Some((&**change, *last_seq, *position))
                }
                _ => None,
            })
            .collect();
        if passed.is_empty() {
            unit.rollback().await?;
        } else {
            if !write_steps(&mut unit, &passed).await? {
                unit.rollback().await?;
                return Ok(Flushed::Doubtful);
            }
            write_letters(&mut unit, &passed).await?;
            for (change, last_seq, position) in &passed {
                let first = last_seq - change.event_count() + 1;
                for (seq, event) in (first..).zip(change.events(*position)) {
                    let fence = change.fence;
                    unit.event(fence.tenant, fence.task, change.root, seq, event);
                }
            }
            self.commit(unit).await?;
        }
        Ok(Flushed::Committed(
            told.into_iter()
                .map(|verdict| verdict.map_or(Told::Refused, Verdict::told))
                .collect(),
        ))
    }

    /// Inserts the tasks that are new.
    async fn insert_births(
        &self,
        unit: &mut Unit,
        changes: &[Arc<Change>],
        told: &mut [Option<Verdict>],
    ) -> Result<()> {
        let births: Vec<usize> = (0..changes.len())
            .filter(|index| changes[*index].birth.is_some())
            .collect();
        if births.is_empty() {
            return Ok(());
        }
        let now = unit.now();
        let mut held: HashMap<Option<Uuid>, bool> = HashMap::new();
        let mut keys = Vec::new();
        for &index in &births {
            let Some(birth) = &changes[index].birth else {
                continue;
            };
            let group = birth.insert.lease;
            if let (None, Some(id)) = (held.get(&group), group) {
                let holds = leases::hold(unit.tx(), id, &self.leases.owner, now).await?;
                held.insert(group, holds);
            }
            if !held.get(&group).copied().unwrap_or(false) {
                told[index] = Some(Verdict::Told(Told::LeaseLost));
            } else if let Some(request) = &birth.request {
                keys.push(idempotency::Key {
                    tenant: birth.insert.record.tenant,
                    request,
                    operation: birth.operation,
                    answer: birth.insert.record.id.uuid(),
                });
            }
        }
        let stored: HashSet<Uuid> = idempotency::insert_all(unit.tx(), &keys, now)
            .await?
            .into_iter()
            .collect();
        let mut inserts = Vec::new();
        for &index in &births {
            let change = &changes[index];
            let Some(birth) = change.birth.as_ref().filter(|_| told[index].is_none()) else {
                continue;
            };
            if birth.request.is_some() && !stored.contains(&change.fence.task.uuid()) {
                told[index] = Some(Verdict::Told(Told::KeyTaken));
                continue;
            }
            let mut insert = birth.insert.clone();
            insert.record.last_seq = change.event_count();
            insert.step_count = change.new_steps();
            told[index] = Some(Verdict::Passed {
                last_seq: insert.record.last_seq,
                position: 0,
            });
            inserts.push(insert);
        }
        insert_all(unit, &inserts).await
    }
}

/// What is known of a change within its transaction.
#[derive(Debug, Clone, Copy)]
enum Verdict {
    /// The task's row let it pass: its newest sequence, and the place of the step it starts.
    Passed {
        last_seq: i64,
        position: i64,
    },
    Told(Told),
}

impl Verdict {
    fn told(self) -> Told {
        match self {
            Self::Passed { last_seq, position } => Told::Committed { position, last_seq },
            Self::Told(told) => told,
        }
    }
}

async fn insert_all(unit: &mut Unit, inserts: &[Insert]) -> Result<()> {
    let new = tasks::insert(unit.tx(), inserts).await?;
    if new.len() == inserts.len() {
        return Ok(());
    }
    // Ids are made here and now: only a repeat could find one taken, and repeats are settled.
    Err(Error::internal("a task's id was taken before"))
}

/// Moves the rows of held tasks on. The fence is here: what does not pass writes nothing.
async fn go_on(
    unit: &mut Unit,
    changes: &[Arc<Change>],
    told: &mut [Option<Verdict>],
) -> Result<()> {
    let held: Vec<usize> = (0..changes.len())
        .filter(|index| changes[*index].birth.is_none())
        .collect();
    let forward: Vec<Forward<'_>> = held.iter().map(|index| forward(&changes[*index])).collect();
    let places: HashMap<Uuid, Place> = tasks::forward(unit.tx(), &forward)
        .await?
        .into_iter()
        .map(|place| (place.id, place))
        .collect();
    for index in held {
        let change = &changes[index];
        let Some(place) = places.get(&change.fence.task.uuid()) else {
            continue;
        };
        let position = change
            .started
            .as_ref()
            .and_then(|start| start.position)
            .unwrap_or(place.step_count - 1);
        told[index] = Some(Verdict::Passed {
            last_seq: place.last_seq,
            position,
        });
    }
    Ok(())
}

fn forward(change: &Change) -> Forward<'_> {
    Forward {
        fence: change.fence,
        events: change.event_count(),
        steps: change.new_steps(),
        usage: change.usage(),
        ending: change.end.as_ref().map(|end| Ending {
            outcome: &end.outcome,
            at: end.at,
        }),
    }
}

/// Writes the journal's part; `false` when an end has no start that waits for it.
async fn write_steps(unit: &mut Unit, passed: &[(&Change, i64, i64)]) -> Result<bool> {
    let now = unit.now();
    let ends: Vec<steps::End<'_>> = passed
        .iter()
        .flat_map(|(change, _, _)| change.ended.iter().map(|end| (change.fence, end)))
        .map(|(fence, end)| steps::End {
            fence,
            key: &end.key,
            attempt: end.attempt,
            state: end.state,
            result: end.result.as_ref(),
            usage: end.usage,
        })
        .collect();
    if steps::end_all(unit.tx(), &ends, now).await? != ends.len() {
        return Ok(false);
    }
    let starts: Vec<steps::Start<'_>> = passed
        .iter()
        .filter_map(|(change, _, position)| {
            Some((change.fence, change.started.as_ref()?, *position))
        })
        .map(|(fence, start, position)| steps::Start {
            fence,
            key: &start.key,
            kind: start.kind,
            name: &start.name,
            input: &start.input,
            id: start.id,
            position,
            attempt: start.attempt,
        })
        .collect();
    steps::start_all(unit.tx(), &starts, now).await?;
    Ok(true)
}

async fn write_letters(unit: &mut Unit, passed: &[(&Change, i64, i64)]) -> Result<()> {
    let now = unit.now();
    let letters: Vec<&outbox::NewLetter> = passed
        .iter()
        .filter_map(|(change, _, _)| change.end.as_ref())
        .flat_map(|end| &end.letters)
        .collect();
    outbox::insert_all(unit.tx(), &letters, now).await
}

impl Engine {
    /// Writes a change of which parts may be written already: those are left away.
    pub(super) async fn settle(&self, change: &Arc<Change>) -> Result<Told> {
        let (rest, known) = self.unwritten(change).await?;
        if rest.is_empty() {
            return Ok(Told::Committed {
                position: known.unwrap_or(0),
                last_seq: 0,
            });
        }
        match self.flush(&[Arc::new(rest)]).await? {
            Flushed::Committed(told) => Ok(told.first().copied().unwrap_or(Told::Refused)),
            Flushed::Doubtful => Err(Error::internal("a step ends that was not started")),
        }
    }

    /// What of a change is not in the store, and where the step that it starts stands if it is.
    async fn unwritten(&self, change: &Change) -> Result<(Change, Option<i64>)> {
        let (tenant, task) = (change.fence.tenant, change.fence.task);
        let mut rest = change.clone();
        if rest.birth.is_some() && tasks::find(&self.db, tenant, task).await?.is_some() {
            rest.birth = None;
        }
        let mut ended = Vec::new();
        for end in rest.ended {
            let entry = steps::find(&self.db, tenant, task, &end.key).await?;
            let is_open = entry.is_none_or(|entry| {
                entry.state == StepState::Started && entry.attempt == end.attempt
            });
            if is_open {
                ended.push(end);
            }
        }
        rest.ended = ended;
        let mut known = None;
        if let Some(start) = &rest.started
            && let Some(entry) = steps::find(&self.db, tenant, task, &start.key).await?
            && entry.epoch == change.fence.epoch
            && entry.attempt == start.attempt
        {
            known = Some(i64::from(entry.position));
            rest.started = None;
        }
        Ok((rest, known))
    }
}
