//! Texts over `activity`.

use swarm_database::check::Text;

pub(crate) const PUT_PG: &str = "
    INSERT INTO activity (tenant_id, replica, at, seen)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::jsonb[])
    ON CONFLICT (tenant_id, replica) DO UPDATE SET at = excluded.at, seen = excluded.seen";
pub(crate) const PUT_LITE: &str = "
    INSERT INTO activity (tenant_id, replica, at, seen)
    SELECT unhex(value->>0), value->>1, value->>2, value->>3 FROM json_each($1) WHERE TRUE
    ON CONFLICT (tenant_id, replica) DO UPDATE SET at = excluded.at, seen = excluded.seen";

/// What replicas no longer speak of.
pub(crate) const FORGET: &str = "DELETE FROM activity WHERE at < $1";

pub(crate) const OF_TENANT: &str = "
    SELECT tenant_id, replica, at, seen FROM activity WHERE tenant_id = $1 AND at >= $2 ORDER BY replica LIMIT 200";

/// Of all tenants. The nil tenant, which stands for all together, comes first.
pub(crate) const OF_ALL: &str = "SELECT tenant_id, replica, at, seen FROM activity WHERE at >= $1 ORDER BY tenant_id, replica LIMIT 2000";

pub(crate) const ALL: &[Text] = &[
    Text::Batch(PUT_PG, PUT_LITE),
    Text::Shared(FORGET),
    Text::Shared(OF_TENANT),
    Text::Shared(OF_ALL),
];
