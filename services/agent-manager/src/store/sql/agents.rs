//! Texts over `agents` and `agent_slots`.

use swarm_database::check::Text;

macro_rules! columns {
    () => {
        "tenant_id, id, name, kind, role, instructions, model, capabilities, tools, pool, max_concurrency, labels,
         state, health_reason, version, created_at, updated_at,
         (SELECT count(*) FROM agent_slots s WHERE s.tenant_id = agents.tenant_id AND s.agent_id = agents.id)
            AS running_tasks"
    };
}

pub(crate) const INSERT: &str = "
    INSERT INTO agents (tenant_id, id, name, kind, role, instructions, model, capabilities, tools, pool,
                        max_concurrency, labels, state, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)
    ON CONFLICT (tenant_id, name) WHERE state <> 'stopped' DO NOTHING";

pub(crate) const FIND: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM agents WHERE tenant_id = $1 AND id = $2"
);
pub(crate) const LOCK_PG: &str =
    "SELECT state, max_concurrency FROM agents WHERE tenant_id = $1 AND id = $2 FOR UPDATE";
pub(crate) const LOCK_LITE: &str =
    "SELECT state, max_concurrency FROM agents WHERE tenant_id = $1 AND id = $2";

pub(crate) const NAMED: &str =
    "SELECT id FROM agents WHERE tenant_id = $1 AND name = $2 AND state <> 'stopped'";

/// `$3` is a stored state or empty for all but stopped; `$4` is -1 for any, 0 for idle, 1 for busy.
pub(crate) const LIST: &str = concat!(
    "SELECT * FROM (SELECT ",
    columns!(),
    " FROM agents WHERE tenant_id = $1 AND ($2 = '' OR pool = $2)
        AND (($3 = '' AND state <> 'stopped') OR state = $3) AND id > $5) AS shown
      WHERE $4 < 0 OR ($4 = 0 AND running_tasks = 0) OR ($4 = 1 AND running_tasks > 0) ORDER BY id LIMIT $6"
);

pub(crate) const UPDATE: &str = "
    UPDATE agents SET name = $3, kind = $4, role = $5, instructions = $6, model = $7, capabilities = $8, tools = $9,
        pool = $10, max_concurrency = $11, labels = $12, updated_at = $13, version = version + 1
    WHERE tenant_id = $1 AND id = $2";

pub(crate) const SET_STATE: &str = "
    UPDATE agents SET state = $3, health_reason = '', updated_at = $4, version = version + 1
    WHERE tenant_id = $1 AND id = $2";

pub(crate) const COUNT_SLOTS: &str =
    "SELECT count(*) AS running_tasks FROM agent_slots WHERE tenant_id = $1 AND agent_id = $2";
pub(crate) const TAKE_SLOT: &str = "
    INSERT INTO agent_slots (tenant_id, agent_id, task_id) VALUES ($1, $2, $3)
    ON CONFLICT (tenant_id, agent_id, task_id) DO NOTHING";
pub(crate) const FREE_SLOT: &str =
    "DELETE FROM agent_slots WHERE tenant_id = $1 AND agent_id = $2 AND task_id = $3";

/// A draining agent that works on nothing any more is stopped.
pub(crate) const STOP_DRAINED: &str = "
    UPDATE agents SET state = 'stopped', updated_at = $3, version = version + 1
    WHERE tenant_id = $1 AND id = $2 AND state = 'draining' AND NOT EXISTS (
        SELECT 1 FROM agent_slots s WHERE s.tenant_id = $1 AND s.agent_id = $2)";

pub(crate) const COUNT_OUTCOME: &str = "
    UPDATE agents SET completed_tasks = completed_tasks + $3, failed_tasks = failed_tasks + $4
    WHERE tenant_id = $1 AND id = $2";

pub(crate) const ACTIVE: &str =
    "SELECT pool, count(*) AS active FROM agents WHERE state = 'idle' GROUP BY pool";

pub(crate) const ALL: &[Text] = &[
    Text::Shared(INSERT),
    Text::Shared(FIND),
    Text::Pair(LOCK_PG, LOCK_LITE),
    Text::Shared(NAMED),
    Text::Shared(LIST),
    Text::Shared(UPDATE),
    Text::Shared(SET_STATE),
    Text::Shared(COUNT_SLOTS),
    Text::Shared(TAKE_SLOT),
    Text::Shared(FREE_SLOT),
    Text::Shared(STOP_DRAINED),
    Text::Shared(COUNT_OUTCOME),
    Text::Shared(ACTIVE),
];
