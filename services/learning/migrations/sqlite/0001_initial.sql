-- One row a tenant. Every write takes it first, so that the writes of a tenant follow each other.
CREATE TABLE updates (
    tenant_id BLOB PRIMARY KEY,
    last_update TEXT NOT NULL
) STRICT;

-- What happened, append-only.
CREATE TABLE observations (
    tenant_id BLOB NOT NULL,
    observation_id BLOB NOT NULL,
    task_id BLOB NOT NULL,
    agent_id BLOB NOT NULL,
    model TEXT NOT NULL,
    kind TEXT NOT NULL,
    latency_ms INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    success INTEGER NOT NULL,
    observed_at TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, observation_id)
) STRICT;

-- Which arms worked on a task: whom a rating of it is for.
CREATE TABLE contributions (
    tenant_id BLOB NOT NULL,
    task_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    arm TEXT NOT NULL,
    PRIMARY KEY (tenant_id, task_id, kind, arm)
) STRICT;

-- One rating a task and person; a later one replaces it.
CREATE TABLE ratings (
    tenant_id BLOB NOT NULL,
    task_id BLOB NOT NULL,
    rater TEXT NOT NULL,
    rating INTEGER NOT NULL,
    comment TEXT NOT NULL,
    rated_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, task_id, rater)
) STRICT;

-- What the rows above add up to, kept in their transactions.
CREATE TABLE policies (
    tenant_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    arm TEXT NOT NULL,
    successes INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    latency_ms_sum INTEGER NOT NULL,
    ratings INTEGER NOT NULL,
    rating_sum INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, kind, arm)
) STRICT;

-- What was chosen, among whom, and how probable that was.
CREATE TABLE choices (
    tenant_id BLOB NOT NULL,
    choice_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    arms TEXT NOT NULL CHECK (json_valid(arms)),
    chosen TEXT NOT NULL CHECK (json_valid(chosen)),
    policy TEXT NOT NULL,
    chosen_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, choice_id)
) STRICT;
