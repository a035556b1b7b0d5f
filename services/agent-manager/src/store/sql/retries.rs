//! Texts of tasks that are tried again.

use swarm_database::check::Text;

use super::tasks::columns;

/// Back to the queue after a failure: the former attempt is fenced out, its error stays to be seen.
pub(crate) const TRY_AGAIN: &str = concat!(
    "UPDATE tasks SET state = 'queued', waiting_reason = NULL, lease_group = NULL, ready_at = $4,
        attempt = attempt + 1, epoch = epoch + 1, error_code = $5, error_detail = $6, last_seq = last_seq + 1
     WHERE tenant_id = $1 AND id = $2 AND epoch = $3 AND state IN ('running', 'waiting') RETURNING ",
    columns!()
);

macro_rules! revive {
    ($from:literal) => {
        concat!(
            "UPDATE tasks SET state = 'queued', waiting_reason = NULL, lease_group = NULL, ready_at = c_ready,
                deadline = c_deadline, attempt = attempt + 1,
                attempt_base = CASE WHEN c_fresh THEN attempt ELSE attempt_base END, epoch = epoch + 1,
                error_code = NULL, error_detail = NULL, finished_at = NULL, dead_at = NULL,
                last_seq = last_seq + 1 FROM ",
            $from,
            " WHERE tenant_id = c_tenant AND id = c_id AND epoch = c_epoch
               AND state IN ('failed', 'cancelled', 'dead_lettered') RETURNING ",
            columns!()
        )
    };
}

/// Into the queue again, from an end. The epoch is the one that the task ended with.
pub(crate) const REVIVE_PG: &str = revive!(
    "unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::boolean[])
     AS c (c_tenant, c_id, c_epoch, c_ready, c_deadline, c_fresh)"
);
pub(crate) const REVIVE_LITE: &str = revive!(
    "(SELECT unhex(value->>0) AS c_tenant, unhex(value->>1) AS c_id, value->>2 AS c_epoch, value->>3 AS c_ready,
             value->>4 AS c_deadline, value->>5 AS c_fresh FROM json_each($1)) AS c"
);

/// The next moment at which a queued task may be taken.
pub(crate) const NEXT_DUE: &str =
    "SELECT ready_at FROM tasks WHERE ready_at > $1 ORDER BY ready_at LIMIT 1";

pub(crate) const ALL: &[Text] = &[
    Text::Shared(TRY_AGAIN),
    Text::Batch(REVIVE_PG, REVIVE_LITE),
    Text::Shared(NEXT_DUE),
];
