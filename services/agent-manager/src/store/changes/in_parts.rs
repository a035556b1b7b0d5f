//! SQLite takes it in parts: a statement for each kind of row, in one transaction.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use swarm_database::{Db, Tx};
use swarm_errors::{Error, Result};
use swarm_types::Timestamp;
use uuid::Uuid;

use super::{Change, TaskEnd, Told};
use crate::journal::StepState;
use crate::store::leases::{self, Owner};
use crate::store::outbox::NewLetter;
use crate::store::tasks::{self, Ending, Forward, Insert};
use crate::store::{events, idempotency, outbox, steps};
use crate::tasks::Usage;

pub(super) async fn write(
    db: &Db,
    owner: &Owner,
    changes: &[Arc<Change>],
    now: Timestamp,
) -> Result<Vec<Told>> {
    let mut tx = db.begin().await?;
    let mut told = vec![Told::Refused; changes.len()];
    insert_births(&mut tx, owner, changes, &mut told, now).await?;
    move_on(&mut tx, changes, &mut told).await?;
    let passed: Vec<(&Change, i64)> = changes
        .iter()
        .zip(&told)
        .filter_map(|(change, told)| match told {
            Told::Committed { last_seq } => Some((&**change, *last_seq)),
            _ => None,
        })
        .collect();
    if passed.is_empty() {
        tx.rollback().await?;
        return Ok(told);
    }
    write_steps(&mut tx, &passed, now).await?;
    let letters: Vec<&NewLetter> = passed
        .iter()
        .filter_map(|(change, _)| change.end.as_ref())
        .flat_map(|end| &end.letters)
        .collect();
    outbox::insert_all(&mut tx, &letters, now).await?;
    events::append(&mut tx, &events_of(&passed), now).await?;
    tx.commit().await?;
    Ok(told)
}

fn events_of(passed: &[(&Change, i64)]) -> Vec<events::New> {
    let told = passed.iter().filter(|(change, _)| change.line_count() > 0);
    told.map(|(change, last_seq)| events::New {
        tenant: change.fence.tenant,
        task: change.fence.task,
        root: change.root,
        seq: *last_seq,
        lines: change.lines().cloned().collect(),
    })
    .collect()
}

/// Inserts the tasks that are new.
async fn insert_births(
    tx: &mut Tx,
    owner: &Owner,
    changes: &[Arc<Change>],
    told: &mut [Told],
    now: Timestamp,
) -> Result<()> {
    let mut held: HashMap<Option<Uuid>, bool> = HashMap::new();
    let mut keys = Vec::new();
    for (change, told) in changes.iter().zip(told.iter_mut()) {
        let Some(birth) = &change.birth else { continue };
        let group = birth.insert.lease;
        if let (None, Some(id)) = (held.get(&group), group) {
            held.insert(group, leases::hold(tx, id, owner, now).await?);
        }
        if !held.get(&group).copied().unwrap_or(false) {
            *told = Told::LeaseLost;
            continue;
        }
        let last_seq = change.line_count().into();
        *told = Told::Committed { last_seq };
        keys.extend(birth.request.as_ref().map(|request| idempotency::Key {
            tenant: change.fence.tenant,
            request,
            operation: birth.operation,
            answer: change.fence.task.uuid(),
        }));
    }
    let fresh = idempotency::insert_all(tx, &keys, now).await?;
    let fresh: HashSet<Uuid> = fresh.into_iter().collect();
    let mut inserts = Vec::new();
    for (change, told) in changes.iter().zip(told) {
        let Some(birth) = change.birth.as_ref().filter(|_| *told != Told::LeaseLost) else {
            continue;
        };
        if birth.request.is_some() && !fresh.contains(&change.fence.task.uuid()) {
            *told = Told::KeyTaken;
            continue;
        }
        let mut insert: Insert = birth.insert.clone();
        insert.record.last_seq = change.line_count().into();
        insert.step_count = change.new_steps();
        if let Some(end) = &change.end {
            finish(&mut insert, end, change.usage());
        }
        inserts.push(insert);
    }
    let new = tasks::insert(tx, &inserts).await?;
    if new.len() == inserts.len() {
        return Ok(());
    }
    // Ids are made here and now: only a repeat could find one taken, and repeats are settled.
    Err(Error::internal("a task's id was taken before"))
}

/// The task ends at its birth, and needs no lease any more.
fn finish(insert: &mut Insert, end: &TaskEnd, usage: Usage) {
    insert.lease = None;
    let record = &mut insert.record;
    record.state = end.outcome.state();
    record.result = end.outcome.result().cloned();
    record.finished_at = Some(end.at);
    record.usage = usage;
}

/// Moves the rows of held tasks on. The fence is here: what does not pass writes nothing.
async fn move_on(tx: &mut Tx, changes: &[Arc<Change>], told: &mut [Told]) -> Result<()> {
    let held = changes.iter().filter(|change| change.birth.is_none());
    let forward: Vec<Forward<'_>> = held.map(|change| forward(change)).collect();
    let places = tasks::forward(tx, &forward).await?;
    let places: HashMap<Uuid, i64> = places.into_iter().collect();
    for (change, told) in changes.iter().zip(told) {
        if change.birth.is_none()
            && let Some(&last_seq) = places.get(&change.fence.task.uuid())
        {
            *told = Told::Committed { last_seq };
        }
    }
    Ok(())
}

fn forward(change: &Change) -> Forward<'_> {
    Forward {
        fence: change.fence,
        events: change.line_count().into(),
        steps: change.new_steps(),
        usage: change.usage(),
        ending: change.end.as_ref().map(|end| Ending {
            outcome: &end.outcome,
            result: end.result.as_ref(),
            at: end.at,
        }),
    }
}

/// Writes the journal's part.
async fn write_steps(tx: &mut Tx, passed: &[(&Change, i64)], now: Timestamp) -> Result<()> {
    let ends: Vec<steps::End<'_>> = passed
        .iter()
        .flat_map(|(change, _)| change.over().map(|end| (change.fence, end)))
        .map(|(fence, end)| steps::End {
            fence,
            key: &end.key,
            attempt: end.attempt,
            state: end.state,
            result: end.result.as_ref(),
            usage: end.usage,
        })
        .collect();
    if steps::end_all(tx, &ends, now).await? != ends.len() {
        return Err(Error::internal("a step ends that was not started"));
    }
    let starts: Vec<steps::Start<'_>> = passed
        .iter()
        .flat_map(|(change, _)| change.begun().map(|step| (change.fence, step)))
        .map(|(fence, (start, end))| steps::Start {
            fence,
            key: &start.key,
            kind: start.kind,
            name: &start.name,
            input: &start.input,
            id: start.id,
            position: start.position,
            attempt: start.attempt,
            state: end.map_or(StepState::Started, |end| end.state),
            result: end.and_then(|end| end.result.as_ref()),
            usage: end.map(|end| end.usage).unwrap_or_default(),
        })
        .collect();
    steps::start_all(tx, &starts, now).await
}
