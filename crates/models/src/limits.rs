//! What a provider allows.

use swarm_errors::{Error, Result};

/// Limits of one provider's model; whoever calls it keeps to them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Calls at the same time.
    pub max_concurrency: Option<u32>,
    /// Calls a minute.
    pub requests_per_minute: Option<u64>,
    /// Tokens a minute, read and written.
    pub tokens_per_minute: Option<u64>,
}

impl Limits {
    pub(crate) fn validate(self, section: &str) -> Result<()> {
        let limits = [
            ("max_concurrency", self.max_concurrency.map(u64::from)),
            ("requests_per_minute", self.requests_per_minute),
            ("tokens_per_minute", self.tokens_per_minute),
        ];
        // More than any provider allows, and far from where counters end.
        const MOST: u64 = 1 << 50;
        match limits
            .into_iter()
            .find(|(_, limit)| limit.is_some_and(|limit| !(1..=MOST).contains(&limit)))
        {
            Some((key, _)) => Err(Error::invalid(
                format!("{section}.{key}"),
                "must be at least 1; leave it out for no limit",
            )),
            None => Ok(()),
        }
    }
}
