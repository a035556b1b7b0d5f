//! Texts of the overview: each bounded, and none over history.

use swarm_database::check::Text;

/// The queue of each priority, counted up to `$3`, at the time `$2`.
pub(crate) const QUEUES: &str = "
    SELECT p.priority AS priority,
        (SELECT count(*) FROM (SELECT 1 AS one FROM tasks t WHERE t.tenant_id = $1 AND t.priority = p.priority
            AND t.ready_at <= $2 LIMIT $3) AS waiting) AS length,
        (SELECT count(*) FROM (SELECT 1 AS one FROM tasks t WHERE t.tenant_id = $1 AND t.priority = p.priority
            AND t.ready_at > $2 LIMIT $3) AS later) AS delayed,
        (SELECT t.ready_at FROM tasks t WHERE t.tenant_id = $1 AND t.priority = p.priority AND t.ready_at IS NOT NULL
            ORDER BY t.ready_at LIMIT 1) AS oldest
    FROM (SELECT CAST(0 AS smallint) AS priority UNION ALL SELECT CAST(1 AS smallint)
          UNION ALL SELECT CAST(2 AS smallint) UNION ALL SELECT CAST(3 AS smallint)) AS p
    ORDER BY p.priority DESC";

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
    Text::Shared(WORK),
    Text::Shared(LEASES),
];
