//! Texts over `stops`.

use swarm_database::check::Text;

macro_rules! want {
    ($from:literal) => {
        concat!(
            "INSERT INTO stops (tenant_id, root_id, task_id, lease_group)
             SELECT t.tenant_id, t.root_id, t.id, t.lease_group FROM ",
            $from,
            " JOIN tasks t ON t.tenant_id = s_tenant AND t.id = s_id
              JOIN lease_groups g ON g.group_id = t.lease_group
              WHERE g.incarnation <> s_incarnation AND g.expires_at > s_now
              ON CONFLICT (tenant_id, root_id, task_id) DO NOTHING"
        )
    };
}

/// Asks other replicas to stop what they run of these tasks.
pub(crate) const WANT_PG: &str = want!(
    "unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[]) AS s (s_tenant, s_id, s_incarnation, s_now)"
);
pub(crate) const WANT_LITE: &str = want!(
    "(SELECT unhex(value->>0) AS s_tenant, unhex(value->>1) AS s_id, unhex(value->>2) AS s_incarnation,
             value->>3 AS s_now FROM json_each($1)) AS s"
);

/// What this life of a replica is asked to stop.
pub(crate) const WANTED: &str = "
    SELECT s.tenant_id, s.task_id FROM stops s JOIN lease_groups g ON g.group_id = s.lease_group
    WHERE g.incarnation = $1 LIMIT 1000";

macro_rules! done {
    ($from:literal) => {
        concat!(
            "DELETE FROM stops WHERE (tenant_id, task_id) IN (SELECT d_tenant, d_id FROM ",
            $from,
            ")"
        )
    };
}

/// Nothing of these tasks runs here any more.
pub(crate) const DONE_PG: &str = done!("unnest($1::uuid[], $2::uuid[]) AS d (d_tenant, d_id)");
pub(crate) const DONE_LITE: &str = done!(
    "(SELECT unhex(value->>0) AS d_tenant, unhex(value->>1) AS d_id FROM json_each($1)) AS d"
);

/// What may still run of a tree: asked to stop, not answered, and its lease not over.
pub(crate) const OPEN: &str = "
    SELECT count(*) AS open FROM stops s JOIN lease_groups g ON g.group_id = s.lease_group
    WHERE s.tenant_id = $1 AND s.root_id = $2 AND g.expires_at > $3";

/// Requests that nobody will answer: their lease group is gone.
pub(crate) const FORGET: &str = "
    DELETE FROM stops WHERE NOT EXISTS (SELECT 1 FROM lease_groups g WHERE g.group_id = stops.lease_group)";

pub(crate) const ALL: &[Text] = &[
    Text::Batch(WANT_PG, WANT_LITE),
    Text::Shared(WANTED),
    Text::Batch(DONE_PG, DONE_LITE),
    Text::Shared(OPEN),
    Text::Shared(FORGET),
];
