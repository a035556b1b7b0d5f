//! Texts over `elections`.

use swarm_database::check::Text;

/// Elects, or elects again, unless another life holds the office.
pub(crate) const STAND: &str = "
    INSERT INTO elections (office, incarnation, expires_at) VALUES ($1, $2, $3)
    ON CONFLICT (office) DO UPDATE SET incarnation = $2, expires_at = $3
    WHERE elections.incarnation = $2 OR elections.expires_at <= $4";

pub(crate) const RESIGN: &str = "DELETE FROM elections WHERE office = $1 AND incarnation = $2";

pub(crate) const ALL: &[Text] = &[Text::Shared(STAND), Text::Shared(RESIGN)];
