//! Where the database is and how it is used.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use sqlx::postgres::PgConnectOptions;
use swarm_config::Validate;
use swarm_errors::{Error, Result};

/// Settings of the section `database`; one URL serves all services.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite:FOLDER`, where each service keeps `FOLDER/<service>.db`, or
    /// `postgres://user:password@host/database`, where each service has its own schema.
    pub url: String,
    /// The most connections of one service's pool. SQLite always has one writer and one reader.
    pub max_connections: u32,
    /// A statement that takes longer is ended.
    pub statement_timeout_ms: u64,
    /// How long to wait for a free connection.
    pub acquire_timeout_ms: u64,
    /// How long to wait for another process to let go of a SQLite file, such as one that is just
    /// being stopped.
    pub lock_wait_ms: u64,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            url: "sqlite:.swarm/data".to_owned(),
            max_connections: 10,
            statement_timeout_ms: 10_000,
            acquire_timeout_ms: 5_000,
            lock_wait_ms: 1_000,
        }
    }
}

// The URL may hold a password.
impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseConfig")
            .field("url", &without_password(&self.url))
            .field("max_connections", &self.max_connections)
            .field("statement_timeout_ms", &self.statement_timeout_ms)
            .field("acquire_timeout_ms", &self.acquire_timeout_ms)
            .field("lock_wait_ms", &self.lock_wait_ms)
            .finish()
    }
}

impl Validate for DatabaseConfig {
    fn validate(&self) -> Result<()> {
        self.place()?;
        let positive = [
            ("database.max_connections", u64::from(self.max_connections)),
            ("database.statement_timeout_ms", self.statement_timeout_ms),
            ("database.acquire_timeout_ms", self.acquire_timeout_ms),
        ];
        match positive.into_iter().find(|(_, value)| *value == 0) {
            Some((key, _)) => Err(Error::invalid(key, "must be at least 1")),
            None => Ok(()),
        }
    }
}

/// What the URL names.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    Postgres(Box<PgConnectOptions>),
    Sqlite(PathBuf),
}

impl DatabaseConfig {
    /// Settings for this URL, the rest as by default.
    #[must_use]
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            ..Self::default()
        }
    }

    /// Whether the URL names a folder of SQLite files: embedded mode.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    pub(crate) fn place(&self) -> Result<Place> {
        let wrong = |message: &str| Err(Error::invalid("database.url", message));
        if let Some(rest) = self.url.strip_prefix("sqlite:") {
            let folder = rest.strip_prefix("//").unwrap_or(rest);
            return match folder {
                "" => wrong("must name a folder, such as sqlite:.swarm/data"),
                // Each connection would see a database of its own.
                _ if folder.contains(":memory:") => {
                    wrong("must name a folder: memory is not shared between connections")
                }
                _ if folder.contains('?') => {
                    wrong("must be sqlite: and a folder, without parameters")
                }
                _ => Ok(Place::Sqlite(PathBuf::from(folder))),
            };
        }
        if self.url.starts_with("postgres://") || self.url.starts_with("postgresql://") {
            // The parser's own message could repeat the password.
            return match PgConnectOptions::from_str(&self.url) {
                Ok(options) => Ok(Place::Postgres(Box::new(options))),
                Err(_) => wrong("must be postgres://user:password@host:port/database"),
            };
        }
        wrong("must begin with sqlite: or postgres://")
    }

    pub(crate) fn statement_timeout(&self) -> Duration {
        Duration::from_millis(self.statement_timeout_ms)
    }

    pub(crate) fn acquire_timeout(&self) -> Duration {
        Duration::from_millis(self.acquire_timeout_ms)
    }

    pub(crate) fn lock_wait(&self) -> Duration {
        Duration::from_millis(self.lock_wait_ms)
    }
}

fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let Some((credentials, host)) = rest.rsplit_once('@') else {
        return url.to_owned();
    };
    let user = credentials.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}:***@{host}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_url_names_a_folder_or_a_server() {
        for (url, folder) in [
            ("sqlite:a/b", "a/b"),
            ("sqlite://a", "a"),
            ("sqlite:///a", "/a"),
            ("sqlite:/a", "/a"),
        ] {
            assert!(
                matches!(DatabaseConfig::at(url).place().unwrap(), Place::Sqlite(path) if path.as_os_str() == folder)
            );
        }
        let place = DatabaseConfig::at("postgres://u:p@db:6432/name")
            .place()
            .unwrap();
        assert!(
            matches!(place, Place::Postgres(options) if options.get_host() == "db" && options.get_port() == 6432)
        );
    }

    #[test]
    fn wrong_settings_name_their_key() {
        for url in [
            "",
            "mysql://h/d",
            "sqlite:",
            "sqlite::memory:",
            "sqlite:a?mode=ro",
            "postgres://u:secret@h:port/d",
        ] {
            let error = DatabaseConfig::at(url).validate().unwrap_err();
            assert_eq!(error.fields()[0].field, "database.url", "{url}");
            assert!(!error.chain().contains("secret"), "{error}");
        }
        let none = DatabaseConfig {
            max_connections: 0,
            ..DatabaseConfig::default()
        };
        assert_eq!(
            none.validate().unwrap_err().fields()[0].field,
            "database.max_connections"
        );
    }

    #[test]
    fn the_password_does_not_print() {
        let printed = format!("{:?}", DatabaseConfig::at("postgres://u:se@cret@h/d"));
        assert!(printed.contains("postgres://u:***@h/d"), "{printed}");
    }
}
