-- Every key begins with the tenant, so that the tables can be distributed by it. The exceptions,
-- pools, pool_slots, lease_groups and the indexes tasks_by_lease, tasks_due, tasks_queued_deadline,
-- tasks_dependent, outbox_due and schedules_due, serve a replica and not a tenant.

CREATE TABLE agents (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    role TEXT NOT NULL,
    instructions TEXT NOT NULL,
    model TEXT NOT NULL CHECK (json_valid(model)),
    capabilities TEXT NOT NULL CHECK (json_valid(capabilities)),
    tools TEXT NOT NULL CHECK (json_valid(tools)),
    pool TEXT NOT NULL,
    max_concurrency INTEGER NOT NULL,
    labels TEXT NOT NULL CHECK (json_valid(labels)),
    state TEXT NOT NULL,
    health_reason TEXT NOT NULL DEFAULT '',
    version INTEGER NOT NULL DEFAULT 1,
    completed_tasks INTEGER NOT NULL DEFAULT 0,
    failed_tasks INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX agents_by_name ON agents (tenant_id, name) WHERE state <> 'stopped';

-- What agents work on now: a row per running task that has an agent.
CREATE TABLE agent_slots (
    tenant_id BLOB NOT NULL,
    agent_id BLOB NOT NULL,
    task_id BLOB NOT NULL,
    PRIMARY KEY (tenant_id, agent_id, task_id)
) STRICT;

-- A row per pool with a bound: whoever gives places of it away locks it.
CREATE TABLE pools (
    name TEXT NOT NULL PRIMARY KEY
) STRICT;

-- Places of pools with a bound. A row counts while its task runs at its epoch; one with wanted_until
-- keeps the next place for a task that has waited. Rows that count no more are swept by the next look.
CREATE TABLE pool_slots (
    pool TEXT NOT NULL,
    tenant_id BLOB NOT NULL,
    task_id BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    wanted_until TEXT,
    PRIMARY KEY (pool, tenant_id, task_id)
) STRICT;

-- ready_at is set while a task waits for a worker, and no index depends on state. claim_order is
-- the moment of being ready in milliseconds, less five minutes for each level of priority: the
-- urgent go first, and who has waited five minutes longer goes before one level more.
CREATE TABLE tasks (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    root_id BLOB NOT NULL,
    parent_id BLOB,
    role TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    waiting_reason TEXT,
    priority INTEGER NOT NULL,
    spec TEXT NOT NULL CHECK (json_valid(spec)),
    agent_id BLOB,
    attempt INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    lease_group BLOB,
    ready_at TEXT,
    deadline TEXT NOT NULL,
    result TEXT CHECK (result IS NULL OR json_valid(result)),
    error_code TEXT,
    error_detail TEXT,
    input_tokens INTEGER NOT NULL DEFAULT 0,
    output_tokens INTEGER NOT NULL DEFAULT 0,
    cached_tokens INTEGER NOT NULL DEFAULT 0,
    model_calls INTEGER NOT NULL DEFAULT 0,
    tool_calls INTEGER NOT NULL DEFAULT 0,
    last_seq INTEGER NOT NULL,
    step_count INTEGER NOT NULL DEFAULT 0,
    child_count INTEGER NOT NULL DEFAULT 0,
    attempt_base INTEGER NOT NULL DEFAULT 0,
    dependent_count INTEGER NOT NULL DEFAULT 0,
    open_dependencies INTEGER NOT NULL DEFAULT 0,
    dead_at TEXT,
    traceparent TEXT,
    created_at TEXT NOT NULL,
    started_at TEXT,
    finished_at TEXT,
    pool TEXT NOT NULL GENERATED ALWAYS AS (COALESCE(spec ->> 'pool', '')) STORED,
    claim_order INTEGER GENERATED ALWAYS AS (
        CAST((julianday(ready_at) - 2440587.5) * 86400000 AS INTEGER) - priority * 300000
    ) STORED,
    PRIMARY KEY (tenant_id, id)
) STRICT;
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
    tenant_id BLOB NOT NULL,
    task_id BLOB NOT NULL,
    dependent_id BLOB NOT NULL,
    place INTEGER NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (tenant_id, task_id, dependent_id)
) STRICT;
CREATE INDEX dependencies_of ON dependencies (tenant_id, dependent_id, place);
CREATE INDEX dependencies_open ON dependencies (tenant_id, task_id) WHERE state = 'open';

-- The expiry of leases lives here, so that a heartbeat writes one row and no task. A task's
-- lease_group stays when it ends; its state says that the lease is over.
CREATE TABLE lease_groups (
    group_id BLOB NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    incarnation BLOB NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;

-- Work that one replica does for all of them, until its time is over or it resigns.
CREATE TABLE elections (
    office TEXT NOT NULL PRIMARY KEY,
    incarnation BLOB NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;

-- Cancelled tasks of which another replica may still run something. It takes the row away when
-- nothing of it runs any more; when the lease group is over, the attempt is fenced out.
CREATE TABLE stops (
    tenant_id BLOB NOT NULL,
    root_id BLOB NOT NULL,
    task_id BLOB NOT NULL,
    lease_group BLOB NOT NULL,
    PRIMARY KEY (tenant_id, root_id, task_id)
) STRICT;

CREATE TABLE steps (
    tenant_id BLOB NOT NULL,
    task_id BLOB NOT NULL,
    step_key TEXT NOT NULL,
    id BLOB NOT NULL,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    input TEXT NOT NULL CHECK (json_valid(input)),
    result TEXT CHECK (result IS NULL OR json_valid(result)),
    usage TEXT NOT NULL CHECK (json_valid(usage)),
    started_at TEXT NOT NULL,
    finished_at TEXT,
    PRIMARY KEY (tenant_id, task_id, step_key)
) STRICT;

-- A row holds what one commit told of a task: a list of types and data. seq and tenant_seq number its
-- last event, and the ones before it lie right below. tenant_seq is drawn last in each transaction, so
-- its order is that of the commits.
CREATE TABLE events (
    tenant_id BLOB NOT NULL,
    task_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    root_id BLOB NOT NULL,
    tenant_seq INTEGER NOT NULL,
    lines TEXT NOT NULL CHECK (json_valid(lines)),
    at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, task_id, seq)
) STRICT;
CREATE UNIQUE INDEX events_by_tenant ON events (tenant_id, tenant_seq);

CREATE TABLE tenant_counters (
    tenant_id BLOB NOT NULL PRIMARY KEY,
    tenant_seq INTEGER NOT NULL
) STRICT;

CREATE TABLE messages (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    from_agent_id BLOB,
    to_agent_id BLOB NOT NULL,
    task_id BLOB,
    root_id BLOB,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    sent_at TEXT NOT NULL,
    consumed_at TEXT,
    consumed_by BLOB,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX messages_pending ON messages (tenant_id, to_agent_id, id) WHERE state = 'pending';
CREATE INDEX messages_by_agent ON messages (tenant_id, to_agent_id, id);
CREATE INDEX messages_by_tree ON messages (tenant_id, root_id, id) WHERE root_id IS NOT NULL;

-- What other services are still to be told: at least once, deduplicated there by id.
CREATE TABLE outbox (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    target TEXT NOT NULL,
    payload TEXT NOT NULL CHECK (json_valid(payload)),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX outbox_due ON outbox (next_at);

CREATE TABLE idempotency (
    tenant_id BLOB NOT NULL,
    key TEXT NOT NULL,
    operation TEXT NOT NULL,
    body_hash BLOB NOT NULL,
    answer_id BLOB NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, key)
) STRICT;

-- What each replica has seen of a tenant in the last seconds, for people who look on; the nil tenant
-- stands for all together. Nothing decides by it.
CREATE TABLE activity (
    tenant_id BLOB NOT NULL,
    replica TEXT NOT NULL,
    at TEXT NOT NULL,
    seen TEXT NOT NULL CHECK (json_valid(seen)),
    PRIMARY KEY (tenant_id, replica)
) STRICT;

-- What makes tasks at given times. definition is what a person wrote; next_at is null while it does
-- not tick, and moves on in the transaction that makes a tick's task.
CREATE TABLE schedules (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    definition TEXT NOT NULL CHECK (json_valid(definition)),
    next_tick TEXT,
    next_at TEXT,
    last_tick TEXT,
    waiting INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX schedules_by_name ON schedules (tenant_id, name);
CREATE INDEX schedules_due ON schedules (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX schedules_waiting ON schedules (tenant_id, id) WHERE waiting > 0;

-- What became of the last ticks of each schedule. The id is that of the task, which bears the
-- tick's time in front, so the newest comes last.
CREATE TABLE schedule_ticks (
    tenant_id BLOB NOT NULL,
    schedule_id BLOB NOT NULL,
    id BLOB NOT NULL,
    tick TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    count INTEGER NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, schedule_id, id)
) STRICT;
