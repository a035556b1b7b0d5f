//! Tasks whose attempts are used up.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::page::paged;
use super::wire::Time;

/// Which dead letters are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListDeadLetters {
    /// Only those of this kind.
    pub(crate) kind: Option<String>,
    /// How many items, 50 unless given.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

paged!(ListDeadLetters);

/// Which dead letters are deleted. One of the two is needed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PurgeDeadLetters {
    /// These tasks, with commas between their ids; what is no dead letter is skipped.
    pub(crate) task_ids: Option<String>,
    /// All that became dead letters before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    pub(crate) before: Option<Time>,
}

/// What was deleted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Purged {
    /// How many.
    pub(crate) purged: u64,
}
