//! Schedules: made, looked at, paused, resumed, run by hand, deleted. Their ticks are in [`fire`].

mod fire;
mod keeper;

use std::sync::Arc;

use swarm_errors::{Code, Error, Result};
use swarm_types::{Page, ScheduleId, TaskId, TenantId};

use super::Engine;
use crate::schedules::{Definition, Outcome, ScheduleRecord, ScheduleState, TickRecord, of_task};
use crate::store::idempotency::{self, RequestKey};
use crate::store::{schedules, tasks};
use crate::tasks::TaskRecord;

const CREATE: &str = "create_schedule";
const RUN: &str = "run_schedule";
/// The most schedules of one tenant.
const MAX_SCHEDULES: i64 = 1_000;
/// The ticks that are shown with a schedule.
const SHOWN_TICKS: i64 = 20;

impl Engine {
    /// Makes a schedule, which ticks from now on unless it is to be paused.
    ///
    /// # Errors
    /// `invalid_argument` that names the field, `conflict` when the name is taken,
    /// `resource_exhausted` when the tenant has as many as it may.
    pub async fn create_schedule(
        &self,
        tenant: TenantId,
        request: Option<&RequestKey>,
        definition: Definition,
        paused: bool,
    ) -> Result<ScheduleRecord> {
        if let Some(id) = idempotency::find(&self.db, tenant, request, CREATE).await? {
            return schedules::get(&self.db, tenant, ScheduleId::from_uuid(id)).await;
        }
        let now = self.now();
        definition.check(now)?;
        self.check_agents(tenant, &definition.task.spec)
            .await
            .map_err(of_task)?;
        let mut schedule = ScheduleRecord {
            tenant,
            id: ScheduleId::new(),
            next_tick: definition.timetable(now)?.next_after(now),
            definition,
            state: ScheduleState::Active,
            last_tick: None,
            waiting: 0,
            created_at: now,
            updated_at: now,
        };
        if paused {
            schedule.pause(now)?;
        }
        if !self
            .db
            .retry(|| self.insert_schedule(request, &schedule))
            .await?
        {
            let known = idempotency::find(&self.db, tenant, request, CREATE).await?;
            let known =
                known.ok_or_else(|| Error::unavailable("the same request is just being made"))?;
            return schedules::get(&self.db, tenant, ScheduleId::from_uuid(known)).await;
        }
        self.schedules.notify_one();
        Ok(schedule)
    }

    /// `false` when the request's key is taken.
    async fn insert_schedule(
        &self,
        request: Option<&RequestKey>,
        schedule: &ScheduleRecord,
    ) -> Result<bool> {
        let (tenant, id, now) = (schedule.tenant, schedule.id.uuid(), schedule.created_at);
        let mut tx = self.db.begin().await?;
        if !idempotency::insert(&mut tx, tenant, request, CREATE, id, now).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        if schedules::count(&mut tx, tenant).await? >= MAX_SCHEDULES {
            tx.rollback().await?;
            let words = format!("there are {MAX_SCHEDULES} schedules already: delete one first");
            return Err(Error::new(Code::ResourceExhausted, words));
        }
        if !schedules::insert(&mut tx, schedule).await? {
            tx.rollback().await?;
            let words = format!(
                "there is a schedule named {:?} already",
                schedule.definition.name
            );
            return Err(Error::new(Code::Conflict, words).with_field("name", "is taken"));
        }
        tx.commit().await?;
        Ok(true)
    }

    /// A schedule, and what became of its last ticks, the newest first.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn schedule_with_ticks(
        &self,
        tenant: TenantId,
        id: ScheduleId,
    ) -> Result<(ScheduleRecord, Vec<TickRecord>)> {
        let schedule = schedules::get(&self.db, tenant, id).await?;
        let ticks = schedules::ticks(&self.db, tenant, id, SHOWN_TICKS).await?;
        Ok((schedule, ticks))
    }

    /// Schedules in the order of their making; an empty name stands for all.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn list_schedules(
        &self,
        tenant: TenantId,
        name: &str,
        after: Option<ScheduleId>,
        limit: u32,
    ) -> Result<Page<ScheduleRecord>> {
        let rows = schedules::list(&self.db, tenant, name, after, i64::from(limit) + 1).await?;
        Ok(Page::cut(rows, limit, |schedule| schedule.id.to_string()))
    }

    /// Stops a schedule's ticks until it is resumed. Its tasks go on.
    ///
    /// # Errors
    /// `not_found`; `failed_precondition` when it has ended.
    pub async fn pause_schedule(&self, tenant: TenantId, id: ScheduleId) -> Result<ScheduleRecord> {
        self.db
            .retry(|| async {
                let mut tx = self.db.begin().await?;
                let mut schedule = schedules::lock(&mut tx, tenant, id).await?;
                schedule.pause(self.now())?;
                schedules::store(&mut tx, &schedule).await?;
                tx.commit().await?;
                Ok(schedule)
            })
            .await
    }

    /// Lets a schedule tick again, from now on.
    ///
    /// # Errors
    /// `not_found`; `failed_precondition` when it has ended.
    pub async fn resume_schedule(
        &self,
        tenant: TenantId,
        id: ScheduleId,
    ) -> Result<ScheduleRecord> {
        let resumed = self
            .db
            .retry(|| async {
                let mut tx = self.db.begin().await?;
                let mut schedule = schedules::lock(&mut tx, tenant, id).await?;
                schedule.resume(self.now())?;
                schedules::store(&mut tx, &schedule).await?;
                tx.commit().await?;
                Ok(schedule)
            })
            .await?;
        self.schedules.notify_one();
        Ok(resumed)
    }

    /// Makes a schedule's task now, whatever its state and its other tasks are.
    ///
    /// # Errors
    /// `not_found`, or `resource_exhausted` when the tenant's queue is full.
    pub async fn run_schedule(
        self: &Arc<Self>,
        tenant: TenantId,
        request: Option<&RequestKey>,
        id: ScheduleId,
    ) -> Result<TaskRecord> {
        if let Some(known) = idempotency::find(&self.db, tenant, request, RUN).await? {
            return tasks::get(&self.db, tenant, TaskId::from_uuid(known)).await;
        }
        self.admit(tenant, 1).await?;
        let task = TaskId::new();
        let made = self
            .db
            .retry(|| self.insert_run(tenant, request, id, task))
            .await?;
        let Some(made) = made else {
            let known = idempotency::find(&self.db, tenant, request, RUN).await?;
            let known =
                known.ok_or_else(|| Error::unavailable("the same request is just being made"))?;
            return tasks::get(&self.db, tenant, TaskId::from_uuid(known)).await;
        };
        self.metrics.submitted(&made);
        self.work.notify_one();
        Ok(made)
    }

    /// `None` when the request's key is taken.
    async fn insert_run(
        &self,
        tenant: TenantId,
        request: Option<&RequestKey>,
        id: ScheduleId,
        task: TaskId,
    ) -> Result<Option<TaskRecord>> {
        let mut unit = self.begin_unit().await?;
        let now = unit.now();
        let schedule = schedules::lock(unit.tx(), tenant, id).await?;
        if !idempotency::insert(unit.tx(), tenant, request, RUN, task.uuid(), now).await? {
            unit.rollback().await?;
            return Ok(None);
        }
        let made = self.make(&mut unit, &schedule, task, now).await?;
        let note = TickRecord {
            id: task,
            tick: now,
            outcome: Outcome::Run,
            reason: None,
            count: 1,
            at: now,
        };
        schedules::note(unit.tx(), tenant, id, &[note]).await?;
        self.commit(unit).await?;
        Ok(Some(made))
    }

    /// Deletes a schedule. What it has made goes on; what waits for its turn is not made.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn delete_schedule(&self, tenant: TenantId, id: ScheduleId) -> Result<()> {
        self.db
            .retry(|| async {
                let mut tx = self.db.begin().await?;
                // A tick that is just being taken up comes first.
                schedules::lock(&mut tx, tenant, id).await?;
                schedules::delete(&mut tx, tenant, id).await?;
                tx.commit().await
            })
            .await
    }
}
