//! Texts over `schedules` and `schedule_ticks`.

use swarm_database::check::Text;

macro_rules! columns {
    () => {
        "tenant_id, id, state, definition, next_tick, last_tick, waiting, created_at, updated_at"
    };
}

macro_rules! tick_columns {
    () => {
        "id, tick, outcome, reason, count, at"
    };
}

pub(crate) const INSERT: &str = "
    INSERT INTO schedules (tenant_id, id, name, state, definition, next_tick, next_at, waiting, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $8) ON CONFLICT (tenant_id, name) DO NOTHING";

pub(crate) const COUNT: &str = "SELECT count(*) AS length FROM schedules WHERE tenant_id = $1";

pub(crate) const FIND: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM schedules WHERE tenant_id = $1 AND id = $2"
);

/// For a person's change: it waits for whoever is at the schedule.
pub(crate) const LOCK_PG: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM schedules WHERE tenant_id = $1 AND id = $2 FOR UPDATE"
);

/// For a tick: whoever is at the schedule takes it.
pub(crate) const TAKE_PG: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM schedules WHERE tenant_id = $1 AND id = $2 AND state = 'active' FOR UPDATE SKIP LOCKED"
);
pub(crate) const TAKE_LITE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM schedules WHERE tenant_id = $1 AND id = $2 AND state = 'active'"
);

pub(crate) const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM schedules WHERE tenant_id = $1 AND ($2 = '' OR name = $2) AND id > $3 ORDER BY id LIMIT $4"
);

/// What moves in a schedule; what a person wrote stays.
pub(crate) const MOVE: &str = "
    UPDATE schedules SET state = $3, next_tick = $4, next_at = $5, last_tick = $6, waiting = $7, updated_at = $8
    WHERE tenant_id = $1 AND id = $2";

pub(crate) const DELETE: &str = "DELETE FROM schedules WHERE tenant_id = $1 AND id = $2";
pub(crate) const DELETE_TICKS: &str =
    "DELETE FROM schedule_ticks WHERE tenant_id = $1 AND schedule_id = $2";

/// The schedules whose tick has come, of all tenants.
pub(crate) const DUE: &str = "
    SELECT tenant_id, id FROM schedules WHERE next_at IS NOT NULL AND next_at <= $1 ORDER BY next_at LIMIT $2";

/// The schedules behind a cursor whose ticks wait for their turn, of all tenants.
pub(crate) const WAITING: &str = "
    SELECT tenant_id, id FROM schedules WHERE waiting > 0 AND state = 'active' AND (tenant_id, id) > ($1, $2)
    ORDER BY tenant_id, id LIMIT $3";

/// When the next tick of all tenants is due.
pub(crate) const NEXT: &str =
    "SELECT next_at FROM schedules WHERE next_at IS NOT NULL ORDER BY next_at LIMIT 1";

pub(crate) const INSERT_TICKS_PG: &str = "
    INSERT INTO schedule_ticks (tenant_id, schedule_id, id, tick, outcome, reason, count, at)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[],
                         $7::bigint[], $8::timestamptz[])
    ON CONFLICT (tenant_id, schedule_id, id) DO NOTHING";
pub(crate) const INSERT_TICKS_LITE: &str = "
    INSERT INTO schedule_ticks (tenant_id, schedule_id, id, tick, outcome, reason, count, at)
    SELECT unhex(value->>0), unhex(value->>1), unhex(value->>2), value->>3, value->>4, value->>5, value->>6,
           value->>7
    FROM json_each($1) WHERE TRUE ON CONFLICT (tenant_id, schedule_id, id) DO NOTHING";

/// The tick whose turn is next.
pub(crate) const FIRST_WAITING: &str = concat!(
    "SELECT ",
    tick_columns!(),
    " FROM schedule_ticks WHERE tenant_id = $1 AND schedule_id = $2 AND outcome = 'waiting' ORDER BY id LIMIT 1"
);

pub(crate) const FIRE_WAITING: &str = "
    UPDATE schedule_ticks SET outcome = 'fired', at = $4
    WHERE tenant_id = $1 AND schedule_id = $2 AND id = $3 AND outcome = 'waiting'";

/// The newest ticks first.
pub(crate) const TICKS: &str = concat!(
    "SELECT ",
    tick_columns!(),
    " FROM schedule_ticks WHERE tenant_id = $1 AND schedule_id = $2 ORDER BY id DESC LIMIT $3"
);

/// Tasks of a schedule that have not ended.
pub(crate) const OPEN_TASKS: &str = "
    SELECT t.id AS id FROM schedule_ticks k JOIN tasks t ON t.tenant_id = k.tenant_id AND t.id = k.id
    WHERE k.tenant_id = $1 AND k.schedule_id = $2 AND k.outcome IN ('fired', 'run') AND t.finished_at IS NULL
    ORDER BY t.id";

/// Forgets old ticks, but none that waits, and none whose task has not ended.
pub(crate) const PRUNE: &str = "
    DELETE FROM schedule_ticks
    WHERE tenant_id = $1 AND schedule_id = $2 AND outcome <> 'waiting'
      AND id < (SELECT k.id FROM schedule_ticks k WHERE k.tenant_id = $1 AND k.schedule_id = $2
                ORDER BY k.id DESC LIMIT 1 OFFSET $3)
      AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.tenant_id = schedule_ticks.tenant_id
                      AND t.id = schedule_ticks.id AND t.finished_at IS NULL)";

pub(crate) const ALL: &[Text] = &[
    Text::Shared(INSERT),
    Text::Shared(COUNT),
    Text::Shared(FIND),
    Text::Pair(LOCK_PG, FIND),
    Text::Pair(TAKE_PG, TAKE_LITE),
    Text::Shared(LIST),
    Text::Shared(MOVE),
    Text::Shared(DELETE),
    Text::Shared(DELETE_TICKS),
    Text::Shared(DUE),
    Text::Shared(WAITING),
    Text::Shared(NEXT),
    Text::Batch(INSERT_TICKS_PG, INSERT_TICKS_LITE),
    Text::Shared(FIRST_WAITING),
    Text::Shared(FIRE_WAITING),
    Text::Shared(TICKS),
    Text::Shared(OPEN_TASKS),
    Text::Shared(PRUNE),
];
