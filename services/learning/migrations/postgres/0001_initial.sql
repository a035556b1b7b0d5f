-- One row a tenant. Every write takes it first, so that the writes of a tenant follow each other.
CREATE TABLE updates (
    tenant_id uuid PRIMARY KEY,
    last_update timestamptz NOT NULL
);

-- What happened, append-only.
CREATE TABLE observations (
    tenant_id uuid NOT NULL,
    observation_id uuid NOT NULL,
    task_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    model text NOT NULL,
    kind text NOT NULL,
    latency_ms bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    success boolean NOT NULL,
    observed_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, observation_id)
);

-- Which arms worked on a task: whom a rating of it is for.
CREATE TABLE contributions (
    tenant_id uuid NOT NULL,
    task_id uuid NOT NULL,
    kind text NOT NULL,
    arm text NOT NULL,
    PRIMARY KEY (tenant_id, task_id, kind, arm)
);

-- One rating a task and person; a later one replaces it.
CREATE TABLE ratings (
    tenant_id uuid NOT NULL,
    task_id uuid NOT NULL,
    rater text NOT NULL,
    rating bigint NOT NULL,
    comment text NOT NULL,
    rated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, task_id, rater)
);

-- What the rows above add up to, kept in their transactions.
CREATE TABLE policies (
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    arm text NOT NULL,
    successes bigint NOT NULL,
    failures bigint NOT NULL,
    latency_ms_sum bigint NOT NULL,
    ratings bigint NOT NULL,
    rating_sum bigint NOT NULL,
    PRIMARY KEY (tenant_id, kind, arm)
);

-- What was chosen, among whom, and how probable that was.
CREATE TABLE choices (
    tenant_id uuid NOT NULL,
    choice_id text NOT NULL,
    kind text NOT NULL,
    arms jsonb NOT NULL,
    chosen jsonb NOT NULL,
    policy text NOT NULL,
    chosen_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, choice_id)
);
