//! Every SQL text of learning, so that a test can prepare each on both databases.

use swarm_database::check::Text::{self, Batch, Pair, Shared};

/// First of every write: it makes the writes of a tenant follow each other.
pub(super) const TOUCH: &str = "
    INSERT INTO updates (tenant_id, last_update) VALUES ($1, $2)
    ON CONFLICT (tenant_id) DO UPDATE SET last_update = excluded.last_update";
pub(super) const LAST_UPDATE: &str = "SELECT last_update FROM updates WHERE tenant_id = $1";
pub(super) const NEWEST_UPDATE: &str =
    "SELECT last_update FROM updates ORDER BY last_update DESC LIMIT 1";

pub(super) const CONTRIBUTORS: &str = "
    SELECT kind, arm FROM contributions WHERE tenant_id = $1 AND task_id = $2 ORDER BY kind, arm";
pub(super) const RATING: &str = "
    SELECT rating FROM ratings WHERE tenant_id = $1 AND task_id = $2 AND rater = $3";
pub(super) const PUT_RATING: &str = "
    INSERT INTO ratings (tenant_id, task_id, rater, rating, comment, rated_at) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (tenant_id, task_id, rater)
    DO UPDATE SET rating = excluded.rating, comment = excluded.comment, rated_at = excluded.rated_at";

pub(super) const STATISTICS: &str = "
    SELECT kind, arm, successes, failures, latency_ms_sum, ratings, rating_sum FROM policies
    WHERE tenant_id = $1 ORDER BY kind, arm LIMIT $2";
pub(super) const STATISTICS_OF_KIND: &str = "
    SELECT kind, arm, successes, failures, latency_ms_sum, ratings, rating_sum FROM policies
    WHERE tenant_id = $1 AND kind = $2 ORDER BY arm LIMIT $3";

pub(super) const CHOICE: &str =
    "SELECT chosen, policy FROM choices WHERE tenant_id = $1 AND choice_id = $2";
pub(super) const PUT_CHOICE: &str = "
    INSERT INTO choices (tenant_id, choice_id, kind, arms, chosen, policy, chosen_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";

pub(super) mod postgres {
    pub(in crate::store) const INSERT_OBSERVATIONS: &str = "
        INSERT INTO observations (tenant_id, observation_id, task_id, agent_id, model, kind, latency_ms,
                                  input_tokens, output_tokens, success, observed_at, recorded_at)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::bigint[],
                             $8::bigint[], $9::bigint[], $10::boolean[], $11::timestamptz[], $12::timestamptz[])
        ON CONFLICT DO NOTHING RETURNING observation_id";
    pub(in crate::store) const INSERT_CONTRIBUTIONS: &str = "
        INSERT INTO contributions (tenant_id, task_id, kind, arm)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])
        ON CONFLICT DO NOTHING RETURNING task_id, kind, arm";
    pub(in crate::store) const RATINGS_OF_TASKS: &str = "
        SELECT r.task_id AS task_id, r.rating AS rating
        FROM unnest($1::uuid[], $2::uuid[]) AS t (tenant_id, task_id)
        JOIN ratings AS r ON r.tenant_id = t.tenant_id AND r.task_id = t.task_id";
    pub(in crate::store) const ADD_TO_POLICIES: &str = "
        INSERT INTO policies (tenant_id, kind, arm, successes, failures, latency_ms_sum, ratings, rating_sum)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[],
                             $7::bigint[], $8::bigint[])
        ON CONFLICT (tenant_id, kind, arm) DO UPDATE SET
            successes = policies.successes + excluded.successes,
            failures = policies.failures + excluded.failures,
            latency_ms_sum = policies.latency_ms_sum + excluded.latency_ms_sum,
            ratings = policies.ratings + excluded.ratings,
            rating_sum = policies.rating_sum + excluded.rating_sum";
    pub(in crate::store) const COUNTS: &str = "
        SELECT arm, successes, failures FROM policies
        WHERE tenant_id = $1 AND kind = $2 AND arm IN (SELECT jsonb_array_elements_text($3::jsonb))";
}

pub(super) mod sqlite {
    pub(in crate::store) const INSERT_OBSERVATIONS: &str = "
        INSERT INTO observations (tenant_id, observation_id, task_id, agent_id, model, kind, latency_ms,
                                  input_tokens, output_tokens, success, observed_at, recorded_at)
        SELECT unhex(value->>0), unhex(value->>1), unhex(value->>2), unhex(value->>3), value->>4, value->>5,
               value->>6, value->>7, value->>8, value->>9, value->>10, value->>11
        FROM json_each($1) WHERE TRUE
        ON CONFLICT DO NOTHING RETURNING observation_id";
    pub(in crate::store) const INSERT_CONTRIBUTIONS: &str = "
        INSERT INTO contributions (tenant_id, task_id, kind, arm)
        SELECT unhex(value->>0), unhex(value->>1), value->>2, value->>3 FROM json_each($1) WHERE TRUE
        ON CONFLICT DO NOTHING RETURNING task_id, kind, arm";
    pub(in crate::store) const RATINGS_OF_TASKS: &str = "
        SELECT r.task_id AS task_id, r.rating AS rating
        FROM json_each($1) AS t
        JOIN ratings AS r ON r.tenant_id = unhex(t.value->>0) AND r.task_id = unhex(t.value->>1)";
    pub(in crate::store) const ADD_TO_POLICIES: &str = "
        INSERT INTO policies (tenant_id, kind, arm, successes, failures, latency_ms_sum, ratings, rating_sum)
        SELECT unhex(value->>0), value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7
        FROM json_each($1) WHERE TRUE
        ON CONFLICT (tenant_id, kind, arm) DO UPDATE SET
            successes = policies.successes + excluded.successes,
            failures = policies.failures + excluded.failures,
            latency_ms_sum = policies.latency_ms_sum + excluded.latency_ms_sum,
            ratings = policies.ratings + excluded.ratings,
            rating_sum = policies.rating_sum + excluded.rating_sum";
    pub(in crate::store) const COUNTS: &str = "
        SELECT arm, successes, failures FROM policies
        WHERE tenant_id = $1 AND kind = $2 AND arm IN (SELECT value FROM json_each($3))";
}

/// Every text.
pub const TEXTS: &[Text] = &[
    Shared(TOUCH),
    Shared(LAST_UPDATE),
    Shared(NEWEST_UPDATE),
    Shared(CONTRIBUTORS),
    Shared(RATING),
    Shared(PUT_RATING),
    Shared(STATISTICS),
    Shared(STATISTICS_OF_KIND),
    Shared(CHOICE),
    Shared(PUT_CHOICE),
    Batch(postgres::INSERT_OBSERVATIONS, sqlite::INSERT_OBSERVATIONS),
    Batch(postgres::INSERT_CONTRIBUTIONS, sqlite::INSERT_CONTRIBUTIONS),
    Batch(postgres::RATINGS_OF_TASKS, sqlite::RATINGS_OF_TASKS),
    Batch(postgres::ADD_TO_POLICIES, sqlite::ADD_TO_POLICIES),
    Pair(postgres::COUNTS, sqlite::COUNTS),
];
