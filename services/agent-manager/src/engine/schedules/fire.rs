//! The ticks of one schedule: what they make, and where the schedule has come to, in one
//! transaction under the schedule's lock. A crash leaves both or neither, and the id of a tick's
//! task follows from the tick, so nothing is lost and nothing is made twice.

use std::sync::Arc;

use chrono::{SecondsFormat, TimeDelta};
use serde_json::json;
use swarm_errors::{Code, Result};
use swarm_types::{TaskId, TenantId, Timestamp};

use super::super::Engine;
use super::super::submit::{Submission, submitted_event};
use crate::events::NewEvent;
use crate::schedules::{
    Decision, Outcome, Overlap, Plan, ScheduleRecord, Skipped, TickRecord, tick_task_id,
};
use crate::store::Unit;
use crate::store::schedules::{self, Key};
use crate::store::tasks::{self, Insert};
use crate::tasks::TaskRecord;

/// What came of a look at one schedule.
#[derive(Debug, Default)]
pub(super) struct Fired {
    /// Whether anything was decided.
    pub(super) moved: bool,
    /// Tasks that were made.
    pub(super) made: usize,
    /// The tasks for whose end ticks wait.
    pub(super) blocked_by: Vec<TaskId>,
}

/// What one transaction came to.
enum Look {
    Done(Fired),
    /// Nothing was written: these tasks go first.
    CancelFirst(Vec<TaskId>),
}

impl Engine {
    /// Takes up the ticks of a schedule that have come, if no other replica is at it.
    pub(super) async fn fire(self: &Arc<Self>, key: Key) -> Result<Fired> {
        let is_full = self.is_full(key.0).await?;
        loop {
            match self.db.retry(|| self.look_at(key, is_full)).await? {
                Look::Done(fired) => {
                    self.queued(key.0, fired.made);
                    return Ok(fired);
                }
                Look::CancelFirst(open) => {
                    for task in open {
                        self.cancel_earlier(key.0, task).await?;
                    }
                }
            }
        }
    }

    async fn cancel_earlier(self: &Arc<Self>, tenant: TenantId, task: TaskId) -> Result<()> {
        match self
            .cancel(tenant, task, "its schedule has come to the next run")
            .await
        {
            Ok(_) => Ok(()),
            // It has just ended by itself.
            Err(error) if error.code() == Code::FailedPrecondition => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn look_at(&self, (tenant, id): Key, is_full: bool) -> Result<Look> {
        let mut unit = self.begin_unit().await?;
        let Some(schedule) = schedules::take(unit.tx(), tenant, id).await? else {
            unit.rollback().await?;
            return Ok(Look::Done(Fired::default()));
        };
        let plan = schedule.plan(unit.now())?;
        let open = match schedule.definition.overlap {
            Overlap::Allow => Vec::new(),
            _ => schedules::open_tasks(unit.tx(), tenant, id).await?,
        };
        let mut firing = Firing {
            engine: self,
            unit,
            schedule,
            open,
            is_full,
            ticks: Vec::new(),
            made: Vec::new(),
            moved: false,
        };
        firing.take_turn().await?;
        if firing.take_up(&plan).await? {
            firing.finish(&plan).await.map(Look::Done)
        } else {
            firing.unit.rollback().await?;
            Ok(Look::CancelFirst(firing.open))
        }
    }

    /// Inserts a task of a schedule, with the events that say so.
    pub(super) async fn make(
        &self,
        unit: &mut Unit,
        schedule: &ScheduleRecord,
        id: TaskId,
        tick: Timestamp,
    ) -> Result<TaskRecord> {
        let task = self.task_of(schedule, id, tick, unit.now())?;
        let inserts = [Insert {
            record: task.clone(),
            lease: None,
            step_count: 0,
        }];
        // A task that is there already was made by this tick before.
        if !tasks::insert(unit.tx(), &inserts).await?.is_empty() {
            unit.event(task.tenant, id, id, 1, submitted_event(&task));
            unit.event(
                task.tenant,
                id,
                id,
                2,
                fired_event(schedule, tick, unit.now()),
            );
        }
        Ok(task)
    }

    /// The task that a tick makes.
    fn task_of(
        &self,
        schedule: &ScheduleRecord,
        id: TaskId,
        tick: Timestamp,
        now: Timestamp,
    ) -> Result<TaskRecord> {
        let template = &schedule.definition.task;
        let mut spec = template.spec.clone();
        spec.metadata
            .insert("schedule_id".to_owned(), schedule.id.to_string());
        spec.metadata
            .insert("schedule_tick".to_owned(), shown(tick));
        let submission = Submission {
            tenant: schedule.tenant,
            request: None,
            spec,
            priority: template.priority,
            deadline: Some(now + TimeDelta::seconds(template.time_limit_seconds.into())),
        };
        Ok(TaskRecord {
            last_seq: 2,
            ..self.new_root(id, &submission)?
        })
    }
}

fn shown(tick: Timestamp) -> String {
    tick.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn fired_event(schedule: &ScheduleRecord, tick: Timestamp, now: Timestamp) -> NewEvent {
    let data = json!({
        "schedule_id": schedule.id,
        "name": schedule.definition.name,
        "tick": tick,
        "late_ms": late(schedule, tick, now).num_milliseconds(),
    });
    NewEvent::new("schedule.fired", data)
}

/// By how much a tick is taken up later than it was due.
fn late(schedule: &ScheduleRecord, tick: Timestamp, now: Timestamp) -> TimeDelta {
    (now - tick - schedule.jitter()).max(TimeDelta::zero())
}

/// One schedule under its lock.
struct Firing<'a> {
    engine: &'a Engine,
    unit: Unit,
    schedule: ScheduleRecord,
    /// Tasks of the schedule that have not ended.
    open: Vec<TaskId>,
    /// The tenant's queue takes no more.
    is_full: bool,
    /// What became of ticks.
    ticks: Vec<TickRecord>,
    made: Vec<TaskRecord>,
    moved: bool,
}

impl Firing<'_> {
    /// The tick that waits longest has its turn when nothing runs any more.
    async fn take_turn(&mut self) -> Result<()> {
        if self.schedule.waiting == 0 || !self.open.is_empty() || self.is_full {
            return Ok(());
        }
        let (tenant, id, now) = (self.schedule.tenant, self.schedule.id, self.unit.now());
        if let Some(tick) = schedules::fire_waiting(self.unit.tx(), tenant, id, now).await? {
            self.make(tick.id, tick.tick).await?;
        }
        self.schedule.waiting -= 1;
        self.schedule.end_if_done();
        self.moved = true;
        Ok(())
    }

    /// Decides what becomes of the ticks that have come; `false` when tasks must go first.
    async fn take_up(&mut self, plan: &Plan) -> Result<bool> {
        if let Some(missed) = plan.missed {
            self.note(
                missed.first,
                Outcome::Skipped,
                Some(Skipped::Missed),
                missed.count,
            );
        }
        let overlap = self.schedule.definition.overlap;
        let (superseded, due) = overlap.of_several(&plan.due);
        for tick in superseded {
            self.note(*tick, Outcome::Skipped, Some(Skipped::Superseded), 1);
        }
        for tick in due {
            let decision = match self.is_full {
                true => Decision::Skip(Skipped::QueueFull),
                false => overlap.decide(!self.open.is_empty(), self.schedule.waiting),
            };
            match decision {
                Decision::CancelFirst => return Ok(false),
                Decision::Skip(reason) => {
                    self.note(*tick, Outcome::Skipped, Some(reason), 1);
                }
                Decision::Wait => {
                    self.schedule.waiting += 1;
                    self.note(*tick, Outcome::Waiting, None, 1);
                }
                Decision::Make => {
                    let id = self.note(*tick, Outcome::Fired, None, 1);
                    self.make(id, *tick).await?;
                }
            }
        }
        Ok(true)
    }

    async fn make(&mut self, id: TaskId, tick: Timestamp) -> Result<()> {
        let (unit, schedule) = (&mut self.unit, &self.schedule);
        self.made
            .push(self.engine.make(unit, schedule, id, tick).await?);
        self.open.push(id);
        Ok(())
    }

    fn note(
        &mut self,
        tick: Timestamp,
        outcome: Outcome,
        reason: Option<Skipped>,
        count: u32,
    ) -> TaskId {
        let id = tick_task_id(self.schedule.id, tick);
        self.ticks.push(TickRecord {
            id,
            tick,
            outcome,
            reason,
            count,
            at: self.unit.now(),
        });
        self.moved = true;
        id
    }

    /// Writes what was decided.
    async fn finish(mut self, plan: &Plan) -> Result<Fired> {
        let blocked_by = match self.schedule.waiting {
            0 => Vec::new(),
            _ => self.open,
        };
        let fired = Fired {
            moved: self.moved,
            made: self.made.len(),
            blocked_by,
        };
        if !fired.moved {
            self.unit.rollback().await?;
            return Ok(fired);
        }
        let (tenant, id, now) = (self.schedule.tenant, self.schedule.id, self.unit.now());
        self.schedule.go_on(plan.next, plan.last);
        schedules::store(self.unit.tx(), &self.schedule).await?;
        schedules::note(self.unit.tx(), tenant, id, &self.ticks).await?;
        self.engine.commit(self.unit).await?;
        for tick in &self.ticks {
            let late = late(&self.schedule, tick.tick, now);
            self.engine.metrics.ticked(tick, late);
        }
        for task in &self.made {
            self.engine.metrics.submitted(task);
        }
        self.engine.work.notify_one();
        Ok(fired)
    }
}
