-- What is written often and never searched is json: it is kept as it comes.
--
-- Every key begins with the tenant, so that the tables can be distributed by it. The exceptions,
-- pools, pool_slots, lease_groups and the indexes tasks_by_lease, tasks_due, tasks_queued_deadline,
-- tasks_dependent, outbox_due and schedules_due, serve a replica and not a tenant.

CREATE TABLE agents (
    tenant_id       uuid        NOT NULL,
    id              uuid        NOT NULL,
    name            text        NOT NULL,
    kind            text        NOT NULL,
    role            text        NOT NULL,
    instructions    text        NOT NULL,
    model           jsonb       NOT NULL,
    capabilities    jsonb       NOT NULL,
    tools           jsonb       NOT NULL,
    pool            text        NOT NULL,
    max_concurrency bigint      NOT NULL,
    labels          jsonb       NOT NULL,
    state           text        NOT NULL,
    health_reason   text        NOT NULL DEFAULT '',
    version         bigint      NOT NULL DEFAULT 1,
    completed_tasks bigint      NOT NULL DEFAULT 0,
    failed_tasks    bigint      NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX agents_by_name ON agents (tenant_id, name) WHERE state <> 'stopped';

-- What agents work on now: a row per running task that has an agent.
CREATE TABLE agent_slots (
    tenant_id uuid NOT NULL,
    agent_id  uuid NOT NULL,
    task_id   uuid NOT NULL,
    PRIMARY KEY (tenant_id, agent_id, task_id)
);

-- A row per pool with a bound: whoever gives places of it away locks it.
CREATE TABLE pools (
    name text NOT NULL PRIMARY KEY
) WITH (fillfactor = 10);

-- Places of pools with a bound. A row counts while its task runs at its epoch; one with wanted_until
-- keeps the next place for a task that has waited. Rows that count no more are swept by the next look.
CREATE TABLE pool_slots (
    pool         text   NOT NULL,
    tenant_id    uuid   NOT NULL,
    task_id      uuid   NOT NULL,
    epoch        bigint NOT NULL,
    wanted_until timestamptz,
    PRIMARY KEY (pool, tenant_id, task_id)
);

-- ready_at is set while a task waits for a worker, and no index depends on state: that keeps the
-- updates of running tasks within their page (HOT). claim_order is the moment of being ready in
-- milliseconds, less five minutes for each level of priority: the urgent go first, and who has
-- waited five minutes longer goes before one level more.
CREATE TABLE tasks (
    tenant_id      uuid        NOT NULL,
    id             uuid        NOT NULL,
    root_id        uuid        NOT NULL,
    parent_id      uuid,
    role           text        NOT NULL,
    kind           text        NOT NULL,
    state          text        NOT NULL,
    waiting_reason text,
    priority       smallint    NOT NULL,
    spec           json        NOT NULL,
    agent_id       uuid,
    attempt        bigint      NOT NULL,
    epoch          bigint      NOT NULL,
    lease_group    uuid,
    ready_at       timestamptz,
    deadline       timestamptz NOT NULL,
    result         json,
    error_code     text,
    error_detail   text,
    input_tokens   bigint      NOT NULL DEFAULT 0,
    output_tokens  bigint      NOT NULL DEFAULT 0,
    cached_tokens  bigint      NOT NULL DEFAULT 0,
    model_calls    bigint      NOT NULL DEFAULT 0,
    tool_calls     bigint      NOT NULL DEFAULT 0,
    last_seq       bigint      NOT NULL,
    step_count     bigint      NOT NULL DEFAULT 0,
    child_count    bigint      NOT NULL DEFAULT 0,
    -- Attempts before it was last retried by hand.
    attempt_base   bigint      NOT NULL DEFAULT 0,
    -- How many tasks depend, or depended, on it.
    dependent_count bigint     NOT NULL DEFAULT 0,
    -- Tasks that it still waits for.
    open_dependencies bigint   NOT NULL DEFAULT 0,
    -- When it became a dead letter.
    dead_at        timestamptz,
    traceparent    text,
    created_at     timestamptz NOT NULL,
    started_at     timestamptz,
    finished_at    timestamptz,
    pool           text        NOT NULL GENERATED ALWAYS AS (COALESCE(spec ->> 'pool', '')) STORED,
    claim_order    bigint      GENERATED ALWAYS AS (
        CAST(floor(extract(epoch FROM ready_at AT TIME ZONE 'UTC') * 1000) AS bigint) - priority * 300000
    ) STORED,
    PRIMARY KEY (tenant_id, id)
) WITH (fillfactor = 50);
CREATE INDEX tasks_ready ON tasks (tenant_id, pool, claim_order, id, priority, ready_at) WHERE ready_at IS NOT NULL;
CREATE INDEX tasks_queued_deadline ON tasks (deadline) WHERE ready_at IS NOT NULL;
CREATE INDEX tasks_by_tree ON tasks (tenant_id, root_id, parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX tasks_due ON tasks (ready_at) WHERE ready_at IS NOT NULL;
CREATE INDEX tasks_dependent ON tasks (deadline) WHERE open_dependencies > 0;
CREATE INDEX tasks_dead ON tasks (tenant_id, id) WHERE dead_at IS NOT NULL;
CREATE INDEX tasks_by_lease ON tasks (lease_group) WHERE lease_group IS NOT NULL;

-- Which task waits for which. A row is open until its predecessor has ended; then it is completed,
-- or lost. It stays, so that the predecessor's result is found.
CREATE TABLE dependencies (
    tenant_id    uuid   NOT NULL,
    task_id      uuid   NOT NULL,
    dependent_id uuid   NOT NULL,
    place        bigint NOT NULL,
    name         text   NOT NULL,
    state        text   NOT NULL,
    PRIMARY KEY (tenant_id, task_id, dependent_id)
);
CREATE INDEX dependencies_of ON dependencies (tenant_id, dependent_id, place);
CREATE INDEX dependencies_open ON dependencies (tenant_id, task_id) WHERE state = 'open';

-- The expiry of leases lives here, so that a heartbeat writes one row and no task. A task's
-- lease_group stays when it ends; its state says that the lease is over.
CREATE TABLE lease_groups (
    group_id    uuid        NOT NULL PRIMARY KEY,
    owner       text        NOT NULL,
    incarnation uuid        NOT NULL,
    expires_at  timestamptz NOT NULL
) WITH (fillfactor = 50);

-- Work that one replica does for all of them, until its time is over or it resigns.
CREATE TABLE elections (
    office text  NOT NULL PRIMARY KEY,
    incarnation uuid  NOT NULL,
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 10);

-- Cancelled tasks of which another replica may still run something. It takes the row away when
-- nothing of it runs any more; when the lease group is over, the attempt is fenced out.
CREATE TABLE stops (
    tenant_id   uuid NOT NULL,
    root_id     uuid NOT NULL,
    task_id     uuid NOT NULL,
    lease_group uuid NOT NULL,
    PRIMARY KEY (tenant_id, root_id, task_id)
);

CREATE TABLE steps (
    tenant_id   uuid        NOT NULL,
    task_id     uuid        NOT NULL,
    step_key    text        NOT NULL,
    id          uuid        NOT NULL,
    position    bigint      NOT NULL,
    kind        text        NOT NULL,
    name        text        NOT NULL,
    state       text        NOT NULL,
    attempt     bigint      NOT NULL,
    epoch       bigint      NOT NULL,
    input       json        NOT NULL,
    result      json,
    usage       json        NOT NULL,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz,
    PRIMARY KEY (tenant_id, task_id, step_key)
) WITH (fillfactor = 50);

-- A row holds what one commit told of a task: a list of types and data. seq and tenant_seq number its
-- last event, and the ones before it lie right below. tenant_seq is drawn last in each transaction, so
-- its order is that of the commits.
CREATE TABLE events (
    tenant_id  uuid        NOT NULL,
    task_id    uuid        NOT NULL,
    seq        bigint      NOT NULL,
    root_id    uuid        NOT NULL,
    tenant_seq bigint      NOT NULL,
    lines      json        NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, task_id, seq)
);
CREATE UNIQUE INDEX events_by_tenant ON events (tenant_id, tenant_seq);

CREATE TABLE tenant_counters (
    tenant_id  uuid   NOT NULL PRIMARY KEY,
    tenant_seq bigint NOT NULL
) WITH (fillfactor = 10);

CREATE TABLE messages (
    tenant_id     uuid        NOT NULL,
    id            uuid        NOT NULL,
    from_agent_id uuid,
    to_agent_id   uuid        NOT NULL,
    task_id       uuid,
    root_id       uuid,
    subject       text        NOT NULL,
    body          text        NOT NULL,
    state         text        NOT NULL,
    sent_at       timestamptz NOT NULL,
    consumed_at   timestamptz,
    consumed_by   uuid,
    PRIMARY KEY (tenant_id, id)
) WITH (fillfactor = 70);
CREATE INDEX messages_pending ON messages (tenant_id, to_agent_id, id) WHERE state = 'pending';
CREATE INDEX messages_by_agent ON messages (tenant_id, to_agent_id, id);
CREATE INDEX messages_by_tree ON messages (tenant_id, root_id, id) WHERE root_id IS NOT NULL;

-- What other services are still to be told: at least once, deduplicated there by id.
CREATE TABLE outbox (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    target     text        NOT NULL,
    payload    json        NOT NULL,
    attempts   bigint      NOT NULL DEFAULT 0,
    next_at    timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX outbox_due ON outbox (next_at);

CREATE TABLE idempotency (
    tenant_id  uuid        NOT NULL,
    key        text        NOT NULL,
    operation  text        NOT NULL,
    body_hash  bytea       NOT NULL,
    answer_id  uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, key)
);

-- What each replica has seen of a tenant in the last seconds, for people who look on; the nil tenant
-- stands for all together. Nothing decides by it.
CREATE TABLE activity (
    tenant_id uuid        NOT NULL,
    replica   text        NOT NULL,
    at        timestamptz NOT NULL,
    seen      jsonb       NOT NULL,
    PRIMARY KEY (tenant_id, replica)
) WITH (fillfactor = 50);

-- What makes tasks at given times. definition is what a person wrote; next_at is null while it does
-- not tick, and moves on in the transaction that makes a tick's task.
CREATE TABLE schedules (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    name       text        NOT NULL,
    state      text        NOT NULL,
    definition jsonb       NOT NULL,
    next_tick  timestamptz,
    next_at    timestamptz,
    last_tick  timestamptz,
    waiting    bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX schedules_by_name ON schedules (tenant_id, name);
CREATE INDEX schedules_due ON schedules (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX schedules_waiting ON schedules (tenant_id, id) WHERE waiting > 0;

-- What became of the last ticks of each schedule. The id is that of the task, which bears the
-- tick's time in front, so the newest comes last.
CREATE TABLE schedule_ticks (
    tenant_id   uuid        NOT NULL,
    schedule_id uuid        NOT NULL,
    id          uuid        NOT NULL,
    tick        timestamptz NOT NULL,
    outcome     text        NOT NULL,
    reason      text,
    count       bigint      NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, schedule_id, id)
);
