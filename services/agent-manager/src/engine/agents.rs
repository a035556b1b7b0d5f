//! Agents: made, changed, paused, drained, stopped.

use swarm_errors::{Code, Error, Result};
use swarm_types::{AgentId, Page, TenantId};

use super::Engine;
use crate::agents::{AgentPatch, AgentProfile, AgentRecord, AgentState, Command, validate};
use crate::store::agents::{self, Filter};
use crate::store::idempotency::{self, RequestKey};

const CREATE: &str = "create_agent";
const UPDATE: &str = "update_agent";
/// The most agents that are eligible at once.
const MAX_ELIGIBLE: i64 = 100;

impl Engine {
    /// Makes an agent, ready for work.
    ///
    /// # Errors
    /// `invalid_argument` that names the field, `conflict` when the name is taken.
    pub async fn create_agent(
        &self,
        tenant: TenantId,
        request: Option<&RequestKey>,
        profile: AgentProfile,
    ) -> Result<AgentRecord> {
        if let Some(id) = idempotency::find(&self.db, tenant, request, CREATE).await? {
            return agents::get(&self.db, tenant, AgentId::from_uuid(id)).await;
        }
        validate(&profile)?;
        let now = self.now();
        let agent = AgentRecord {
            tenant,
            id: AgentId::new(),
            profile,
            state: AgentState::Idle,
            health_reason: String::new(),
            running_tasks: 0,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        if !self.db.retry(|| self.insert_agent(request, &agent)).await? {
            let known = idempotency::find(&self.db, tenant, request, CREATE).await?;
            let known =
                known.ok_or_else(|| Error::unavailable("the same request is just being made"))?;
            return agents::get(&self.db, tenant, AgentId::from_uuid(known)).await;
        }
        self.work.notify_one();
        Ok(agent)
    }

    /// `false` when the request's key is taken.
    async fn insert_agent(
        &self,
        request: Option<&RequestKey>,
        agent: &AgentRecord,
    ) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        if !idempotency::insert(
            &mut tx,
            agent.tenant,
            request,
            CREATE,
            agent.id.uuid(),
            agent.created_at,
        )
        .await?
        {
            tx.rollback().await?;
            return Ok(false);
        }
        if !agents::insert(&mut tx, agent).await? {
            tx.rollback().await?;
            return Err(name_taken(&agent.profile.name));
        }
        tx.commit().await?;
        Ok(true)
    }

    /// An agent, also a stopped one.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn agent(&self, tenant: TenantId, id: AgentId) -> Result<AgentRecord> {
        agents::get(&self.db, tenant, id).await
    }

    /// Agents in the order of their making; `None` for the state lists all but the stopped ones.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn list_agents(
        &self,
        tenant: TenantId,
        pool: &str,
        state: Option<AgentState>,
        after: Option<AgentId>,
        limit: u32,
    ) -> Result<Page<AgentRecord>> {
        let rows = agents::list(
            &self.db,
            tenant,
            Filter { pool, state, after },
            i64::from(limit) + 1,
        )
        .await?;
        Ok(Page::cut(rows, limit, |agent| agent.id.to_string()))
    }

    /// Changes an agent, if it still has this version; `None` changes whatever is there.
    ///
    /// # Errors
    /// `invalid_argument` that names the field, `conflict` when version or name are not free,
    /// `failed_precondition` when it is stopped.
    pub async fn update_agent(
        &self,
        tenant: TenantId,
        request: Option<&RequestKey>,
        id: AgentId,
        patch: AgentPatch,
        expected: Option<i64>,
    ) -> Result<AgentRecord> {
        if idempotency::find(&self.db, tenant, request, UPDATE)
            .await?
            .is_some()
        {
            return agents::get(&self.db, tenant, id).await;
        }
        self.db
            .retry(|| self.write_patch(tenant, request, id, patch.clone(), expected))
            .await?;
        self.work.notify_one();
        self.room.notify_waiters();
        agents::get(&self.db, tenant, id).await
    }

    async fn write_patch(
        &self,
        tenant: TenantId,
        request: Option<&RequestKey>,
        id: AgentId,
        patch: AgentPatch,
        expected: Option<i64>,
    ) -> Result<()> {
        let now = self.now();
        let mut tx = self.db.begin().await?;
        // Locks the row, so that the version that is compared is the one that is changed.
        agents::lock(&mut tx, tenant, id).await?;
        let mut agent = agents::get_in(&mut tx, tenant, id).await?;
        if !idempotency::insert(&mut tx, tenant, request, UPDATE, id.uuid(), now).await? {
            return tx.rollback().await;
        }
        if agent.state == AgentState::Stopped {
            return Err(Error::new(Code::FailedPrecondition, "the agent is stopped"));
        }
        if expected.is_some_and(|version| version != agent.version) {
            let words = format!("the agent has version {} by now", agent.version);
            return Err(Error::new(Code::Conflict, words));
        }
        patch.apply(&mut agent.profile);
        validate(&agent.profile)?;
        if agents::named(&mut tx, tenant, &agent.profile.name)
            .await?
            .is_some_and(|other| other != id)
        {
            return Err(name_taken(&agent.profile.name));
        }
        agents::update(&mut tx, tenant, id, &agent.profile, now).await?;
        tx.commit().await
    }

    /// Changes an agent's state; what it works on goes on in any case.
    ///
    /// # Errors
    /// `not_found`; `failed_precondition` when its state does not allow that.
    pub async fn command_agent(
        &self,
        tenant: TenantId,
        id: AgentId,
        command: Command,
    ) -> Result<AgentRecord> {
        self.db
            .retry(|| async {
                let mut tx = self.db.begin().await?;
                let room = agents::lock(&mut tx, tenant, id).await?;
                let next = room.state.after(command, room.running)?;
                if next != room.state {
                    agents::set_state(&mut tx, tenant, id, next, self.now()).await?;
                }
                tx.commit().await
            })
            .await?;
        self.work.notify_one();
        self.room.notify_waiters();
        agents::get(&self.db, tenant, id).await
    }

    pub(super) async fn eligible_agents(
        &self,
        tenant: TenantId,
        pool: &str,
        members: &[AgentId],
    ) -> Result<Vec<AgentRecord>> {
        let mut found = Vec::new();
        if members.is_empty() {
            let filter = Filter {
                pool,
                state: None,
                after: None,
            };
            found = agents::list(&self.db, tenant, filter, MAX_ELIGIBLE).await?;
        }
        for id in members {
            found.push(agents::get(&self.db, tenant, *id).await?);
        }
        found.retain(|agent| agent.state.takes_work());
        Ok(found)
    }
}

fn name_taken(name: &str) -> Error {
    Error::new(
        Code::Conflict,
        format!("there is an agent named {name:?} already"),
    )
    .with_field("name", "is taken")
}
