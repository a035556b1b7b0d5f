//! PostgreSQL takes births, and everything else, as one statement each: one round trip, and a
//! transaction by itself.

use std::sync::Arc;

use serde::Serialize;
use swarm_database::{Cell, JsonText, Query, Session};
use swarm_errors::{Error, Result};
use swarm_types::{AgentId, TaskId, Timestamp};
use uuid::Uuid;

use super::{Change, Line, StepEnd, StepStart, Told};
use crate::journal::StepState;
use crate::store::leases::Owner;
use crate::store::outbox::NewLetter;
use crate::store::sql::changes as sql;
use crate::store::stored;
use crate::tasks::{TaskFailure, Usage};

/// What is known of a birth whose key was used before.
const KEY_TAKEN: i64 = -1;

/// Something of a change, and which one that is, from 1.
type Of<'a, T> = (i32, &'a Change, T);

pub(super) async fn write(
    session: &mut Session,
    owner: &Owner,
    changes: &[Arc<Change>],
    now: Timestamp,
) -> Result<Vec<Told>> {
    let are_births = changes.iter().all(|change| change.is_birth());
    if !are_births && changes.iter().any(|change| change.is_birth()) {
        return Err(Error::internal("births and others in one batch"));
    }
    let text = match are_births {
        true => sql::BIRTHS,
        false => sql::MOVES,
    };
    let count = i32::try_from(changes.len()).map_err(Error::internal)?;
    let starts = of_each(changes, Change::begun);
    let lines = of_each(changes, |change| {
        Some(change.line_count()).filter(|count| *count > 0)
    });
    let letters = of_each(changes, |change| {
        change.end.iter().flat_map(|end| &end.letters)
    });
    let query = session.write(text).await?.bind(now).bind(count);
    let query = with_lines(with_starts(query, &starts)?, &lines)?;
    let query = with_letters(query, &letters)?;
    let query = match are_births {
        true => with_births(query.bind(owner.incarnation), changes)?,
        false => {
            let moves = of_each(changes, |_| Some(()));
            let ends = of_each(changes, Change::over);
            with_ends(with_moves(query, &moves), &ends)?
        }
    };
    fates(changes, query.all().await?)
}

fn fates(changes: &[Arc<Change>], rows: Vec<(i32, i64)>) -> Result<Vec<Told>> {
    let mut told = vec![None; changes.len()];
    for (number, seq) in rows {
        let place = usize::try_from(number - 1).map_err(Error::internal)?;
        let is_birth = changes.get(place).is_some_and(|it| it.is_birth());
        let fate = match seq {
            1.. => Told::Committed { last_seq: seq },
            KEY_TAKEN => Told::KeyTaken,
            _ if is_birth => Told::LeaseLost,
            _ => Told::Refused,
        };
        if let Some(told) = told.get_mut(place) {
            *told = Some(fate);
        }
    }
    let all: Option<Vec<Told>> = told.into_iter().collect();
    all.ok_or_else(|| Error::internal("a change has no verdict"))
}

fn of_each<'a, T: 'a, I: IntoIterator<Item = T> + 'a>(
    changes: &'a [Arc<Change>],
    of: impl Fn(&'a Change) -> I,
) -> Vec<Of<'a, T>> {
    let mut found = Vec::new();
    for (number, change) in (1..).zip(changes) {
        found.extend(of(change).into_iter().map(|it| (number, &**change, it)));
    }
    found
}

/// A statement and rows whose columns are its next arrays.
struct Rows<'q, 'a, T> {
    query: Query<'q>,
    rows: &'a [Of<'a, T>],
}

impl<'a, T> Rows<'_, 'a, T> {
    fn column<V: Cell>(mut self, value: impl Fn(&Of<'a, T>) -> V) -> Self {
        self.query = self.query.array(self.rows.iter().map(value).collect());
        self
    }

    /// A column of values that are only now written as JSON.
    fn json<V: Serialize + 'a>(mut self, value: impl Fn(&Of<'a, T>) -> &'a V) -> Result<Self> {
        let texts = self.rows.iter().map(|row| JsonText::of(value(row)));
        self.query = self.query.array(texts.collect::<Result<Vec<_>>>()?);
        Ok(self)
    }

    /// The columns that say to which change a row belongs, and whose it is.
    fn begin(self) -> Self {
        self.column(|(number, _, _)| *number)
            .column(|(_, change, _)| change.fence.tenant.uuid())
    }
}

fn with_births<'q>(query: Query<'q>, changes: &[Arc<Change>]) -> Result<Query<'q>> {
    let rows = &of_each(changes, |change| change.birth.as_deref())[..];
    let mut groups: Vec<Uuid> = rows.iter().filter_map(|row| row.2.insert.lease).collect();
    groups.dedup();
    let query = query.array(groups);
    Ok(Rows { query, rows }
        .begin()
        .column(|row| row.2.insert.record.id.uuid())
        .column(|row| row.2.insert.record.root.uuid())
        .column(|row| row.2.insert.record.parent.map(TaskId::uuid))
        .column(|row| row.2.insert.record.role.clone())
        .column(|row| row.2.insert.record.spec.kind.clone())
        .column(|row| row.1.state_at_birth(row.2).as_str().to_owned())
        .column(|row| row.2.insert.record.priority.rank())
        .json(|row| &*row.2.insert.record.spec)?
        .column(|row| row.2.insert.record.agent.map(AgentId::uuid))
        .column(|row| i64::from(row.2.insert.record.attempt))
        .column(|row| row.2.insert.record.epoch)
        .column(|row| row.2.insert.lease)
        .column(|row| row.2.insert.ready_at())
        .column(|row| row.2.insert.record.deadline)
        .column(|row| i64::from(row.1.line_count()))
        .column(|row| row.1.new_steps())
        .column(|row| row.2.insert.record.traceparent.clone())
        .column(|row| row.2.insert.record.created_at)
        .column(|row| row.2.insert.record.started_at)
        .column(|row| row.1.end.as_ref().map(|end| end.at))
        .column(|row| row.1.end.as_ref().and_then(|end| end.result.clone()))
        .column(|row| stored(row.1.usage().input_tokens))
        .column(|row| stored(row.1.usage().output_tokens))
        .column(|row| stored(row.1.usage().cached_tokens))
        .column(|row| stored(row.1.usage().model_calls))
        .column(|row| stored(row.1.usage().tool_calls))
        .column(|row| row.2.request.as_ref().map(|it| it.key.clone()))
        .column(|row| row.2.operation.to_owned())
        .column(|row| row.2.request.as_ref().map(|it| it.body_hash.clone()))
        .query)
}

fn with_moves<'q>(query: Query<'q>, rows: &[Of<'_, ()>]) -> Query<'q> {
    fn failure(change: &Change, of: fn(&TaskFailure) -> &String) -> Option<String> {
        change.end.as_ref()?.outcome.failure().map(of).cloned()
    }
    Rows { query, rows }
        .begin()
        .column(|row| row.1.fence.task.uuid())
        .column(|row| row.1.fence.epoch)
        .column(|row| i64::from(row.1.line_count()))
        .column(|row| row.1.new_steps())
        .column(|row| stored(row.1.usage().input_tokens))
        .column(|row| stored(row.1.usage().output_tokens))
        .column(|row| stored(row.1.usage().cached_tokens))
        .column(|row| stored(row.1.usage().model_calls))
        .column(|row| stored(row.1.usage().tool_calls))
        .column(|row| {
            let end = row.1.end.as_ref();
            end.map(|end| end.outcome.state().as_str().to_owned())
        })
        .column(|row| row.1.end.as_ref().and_then(|end| end.result.clone()))
        .column(|row| failure(row.1, |failure| &failure.code))
        .column(|row| failure(row.1, |failure| &failure.detail))
        .column(|row| row.1.end.as_ref().map(|end| end.at))
        .query
}

fn with_ends<'q>(query: Query<'q>, rows: &[Of<'_, &StepEnd>]) -> Result<Query<'q>> {
    Ok(Rows { query, rows }
        .begin()
        .column(|row| row.1.fence.task.uuid())
        .column(|row| row.2.key.clone())
        .column(|row| i64::from(row.2.attempt))
        .column(|row| row.2.state.as_str().to_owned())
        .column(|row| row.2.result.clone())
        .json(|row| &row.2.usage)?
        .query)
}

fn with_starts<'q>(
    query: Query<'q>,
    rows: &[Of<'_, (&StepStart, Option<&StepEnd>)>],
) -> Result<Query<'q>> {
    let usage = JsonText::of(&Usage::default())?;
    let usages = rows.iter().map(|(_, _, (_, end))| match end {
        Some(end) => JsonText::of(&end.usage),
        None => Ok(usage.clone()),
    });
    let usages = usages.collect::<Result<Vec<_>>>()?;
    let rows = Rows { query, rows }
        .begin()
        .column(|row| row.1.fence.task.uuid())
        .column(|row| row.2.0.key.clone())
        .column(|row| row.2.0.id.uuid())
        .column(|row| row.2.0.position)
        .column(|row| row.2.0.kind.as_str().to_owned())
        .column(|row| row.2.0.name.clone())
        .column(|row| step_state(row.2.1).as_str().to_owned())
        .column(|row| i64::from(row.2.0.attempt))
        .column(|row| row.1.fence.epoch)
        .column(|row| row.2.0.input.clone())
        .column(|row| row.2.1.and_then(|end| end.result.clone()));
    Ok(rows.query.array(usages))
}

fn step_state(end: Option<&StepEnd>) -> StepState {
    end.map_or(StepState::Started, |end| end.state)
}

fn with_letters<'q>(query: Query<'q>, rows: &[Of<'_, &NewLetter>]) -> Result<Query<'q>> {
    Ok(Rows { query, rows }
        .begin()
        .column(|row| row.2.id)
        .column(|row| row.2.target.to_owned())
        .json(|row| &row.2.payload)?
        .query)
}

fn with_lines<'q>(query: Query<'q>, rows: &[Of<'_, i32>]) -> Result<Query<'q>> {
    let texts = rows.iter().map(|row| Line::list(row.1.lines()));
    let texts = texts.collect::<Result<Vec<_>>>()?;
    let rows = Rows { query, rows }
        .begin()
        .column(|row| row.1.fence.task.uuid())
        .column(|row| row.1.root.uuid())
        .column(|row| row.2);
    Ok(rows.query.array(texts))
}
