//! Which cache, and how much of it.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use swarm_config::Validate;
use swarm_errors::{Error, Result};

/// Settings of the section `cache`.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CacheConfig {
    /// `memory:`, or `redis://user:password@host:port/number`.
    pub url: String,
    /// Goes before every key and channel, so that several swarms can share a Redis.
    pub prefix: String,
    /// A call that takes longer fails, because the slow path is then quicker.
    pub timeout_ms: u64,
    /// The most connections for commands; each subscription has one more.
    pub max_connections: u32,
    /// The most bytes that `memory:` keeps.
    pub memory_bytes: u64,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            url: "memory:".to_owned(),
            prefix: "qwen-swarm:".to_owned(),
            timeout_ms: 500,
            max_connections: 8,
            memory_bytes: 32 * 1024 * 1024,
        }
    }
}

// The URL may hold a password.
impl fmt::Debug for CacheConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = match (self.url.split_once("://"), self.url.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, host))) => format!("{scheme}://***@{host}"),
            _ => self.url.clone(),
        };
        f.debug_struct("CacheConfig")
            .field("url", &url)
            .field("prefix", &self.prefix)
            .field("timeout_ms", &self.timeout_ms)
            .field("max_connections", &self.max_connections)
            .field("memory_bytes", &self.memory_bytes)
            .finish()
    }
}

impl CacheConfig {
    /// Settings for this URL, the rest as by default.
    #[must_use]
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            ..Self::default()
        }
    }

    pub(crate) fn is_memory(&self) -> bool {
        self.url == "memory:"
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

impl Validate for CacheConfig {
    fn validate(&self) -> Result<()> {
        if !self.is_memory() && !self.url.starts_with("redis://") {
            return Err(Error::invalid(
                "cache.url",
                "must be memory: or redis://host:port",
            ));
        }
        let positive = [
            ("cache.timeout_ms", self.timeout_ms),
            ("cache.max_connections", u64::from(self.max_connections)),
            ("cache.memory_bytes", self.memory_bytes),
        ];
        match positive.into_iter().find(|(_, value)| *value == 0) {
            Some((key, _)) => Err(Error::invalid(key, "must be at least 1")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn wrong_settings_name_their_key() {
        CacheConfig::default().validate().unwrap();
        CacheConfig::at("redis://h").validate().unwrap();
        for url in ["", "memory", "rediss://h", "http://h"] {
            assert_eq!(
                CacheConfig::at(url).validate().unwrap_err().fields()[0].field,
                "cache.url",
                "{url}"
            );
        }
        let none = CacheConfig {
            timeout_ms: 0,
            ..CacheConfig::default()
        };
        assert_eq!(
            none.validate().unwrap_err().fields()[0].field,
            "cache.timeout_ms"
        );
    }

    #[test]
    fn the_password_does_not_print() {
        let printed = format!("{:?}", CacheConfig::at("redis://u:secret@h:1/0"));
        assert!(
            printed.contains("redis://***@h:1/0") && !printed.contains("secret"),
            "{printed}"
        );
    }
}
