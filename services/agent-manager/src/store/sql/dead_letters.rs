//! Texts over dead letters. `dead_at` is set exactly while a root task is one.

use swarm_database::check::Text;

use super::tasks::columns;

pub(crate) const MARK: &str =
    "UPDATE tasks SET dead_at = $3 WHERE tenant_id = $1 AND id = $2 AND state = 'dead_lettered'";

/// The newest task first.
pub(crate) const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM tasks WHERE tenant_id = $1 AND dead_at IS NOT NULL AND ($2 = '' OR kind = $2) AND id < $3
      ORDER BY id DESC LIMIT $4"
);

/// What became a dead letter before a moment.
pub(crate) const BEFORE: &str = "
    SELECT id FROM tasks WHERE tenant_id = $1 AND dead_at IS NOT NULL AND dead_at < $2 ORDER BY id LIMIT $3";

macro_rules! take {
    ($from:literal) => {
        concat!(
            "UPDATE tasks SET dead_at = NULL FROM ",
            $from,
            " WHERE tenant_id = c_tenant AND id = c_id AND dead_at IS NOT NULL RETURNING id"
        )
    };
}

/// Takes dead letters off the list, so that nobody retries what is about to be deleted.
pub(crate) const TAKE_PG: &str = take!("unnest($1::uuid[], $2::uuid[]) AS c (c_tenant, c_id)");
pub(crate) const TAKE_LITE: &str = take!(
    "(SELECT unhex(value->>0) AS c_tenant, unhex(value->>1) AS c_id FROM json_each($1)) AS c"
);

/// What a tree has, from the leaves to the tasks themselves.
pub(crate) const DELETE_STEPS: &str = "
    DELETE FROM steps WHERE tenant_id = $1 AND task_id IN (
        SELECT id FROM tasks WHERE tasks.tenant_id = $1 AND root_id = $2 AND parent_id IS NOT NULL
        UNION ALL SELECT id FROM tasks WHERE tasks.tenant_id = $1 AND id = $2)";
pub(crate) const DELETE_EVENTS: &str = "
    DELETE FROM events WHERE tenant_id = $1 AND task_id IN (
        SELECT id FROM tasks WHERE tasks.tenant_id = $1 AND tasks.root_id = $2 AND parent_id IS NOT NULL
        UNION ALL SELECT id FROM tasks WHERE tasks.tenant_id = $1 AND id = $2)";
pub(crate) const DELETE_MESSAGES: &str =
    "DELETE FROM messages WHERE tenant_id = $1 AND root_id = $2";
/// What it depended on. Those that depend on it keep their rows, and so their reason to refuse a retry.
pub(crate) const DELETE_DEPENDENCIES: &str =
    "DELETE FROM dependencies WHERE tenant_id = $1 AND dependent_id = $2";
pub(crate) const DELETE_BELOW: &str =
    "DELETE FROM tasks WHERE tenant_id = $1 AND root_id = $2 AND parent_id IS NOT NULL";
pub(crate) const DELETE_ROOT: &str = "DELETE FROM tasks WHERE tenant_id = $1 AND id = $2";

pub(crate) const ALL: &[Text] = &[
    Text::Shared(MARK),
    Text::Shared(LIST),
    Text::Shared(BEFORE),
    Text::Batch(TAKE_PG, TAKE_LITE),
    Text::Shared(DELETE_STEPS),
    Text::Shared(DELETE_EVENTS),
    Text::Shared(DELETE_MESSAGES),
    Text::Shared(DELETE_DEPENDENCIES),
    Text::Shared(DELETE_BELOW),
    Text::Shared(DELETE_ROOT),
];
