//! Texts of the overview: each bounded, and none over history.

use swarm_database::check::Text;

/// The queue by priority at the time `$2`: the first `$3` tasks, the most urgent of each pool first.
pub(crate) const QUEUES: &str = "
    SELECT priority, sum(CASE WHEN ready_at <= $2 THEN 1 ELSE 0 END) AS length,
        sum(CASE WHEN ready_at > $2 THEN 1 ELSE 0 END) AS delayed,
        min(CASE WHEN ready_at <= $2 THEN ready_at END) AS oldest
    FROM (SELECT priority, ready_at FROM tasks WHERE tenant_id = $1 AND ready_at IS NOT NULL
          ORDER BY pool, claim_order, id LIMIT $3) AS queue
    GROUP BY priority";

/// Dead letters, counted up to `$2`.
pub(crate) const DEAD_LETTERS: &str = "
    SELECT count(*) AS dead_letters
    FROM (SELECT id FROM tasks WHERE tenant_id = $1 AND dead_at IS NOT NULL LIMIT $2) AS dead";

/// What agents work on, with the newest step that runs.
pub(crate) const WORK: &str = "
    SELECT s.agent_id AS agent_id, t.id AS task_id, t.root_id AS root_id, t.kind AS kind, t.role AS role,
        t.started_at AS started_at, p.kind AS step_kind, p.name AS step_name, p.started_at AS step_started_at
    FROM agent_slots s
    JOIN tasks t ON t.tenant_id = s.tenant_id AND t.id = s.task_id
    LEFT JOIN steps p ON p.tenant_id = s.tenant_id AND p.task_id = s.task_id AND p.state = 'started'
        AND p.position = (SELECT max(q.position) FROM steps q
            WHERE q.tenant_id = s.tenant_id AND q.task_id = s.task_id AND q.state = 'started')
    WHERE s.tenant_id = $1 ORDER BY s.agent_id, s.task_id LIMIT $2";

pub(crate) const LEASES: &str = "
    SELECT owner AS owner, count(*) AS leases, max(expires_at) AS held_until FROM lease_groups
    GROUP BY owner ORDER BY owner LIMIT 200";

pub(crate) const ALL: &[Text] = &[
    Text::Shared(QUEUES),
    Text::Shared(DEAD_LETTERS),
    Text::Shared(WORK),
    Text::Shared(LEASES),
];
