//! The settings of auth.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use swarm_config::{Listen, Validate};
use swarm_database::DatabaseConfig;
use swarm_errors::{Error, Result};
use swarm_runtime::RuntimeConfig;
use swarm_telemetry::TelemetryConfig;
use swarm_transport::ServiceConfig;

const DATA_FOLDER: &str = ".swarm/data";
const CREDENTIAL_FILE: &str = "admin-credential";

/// All sections that auth reads.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Logs and traces.
    pub telemetry: TelemetryConfig,
    /// The life of the process.
    pub runtime: RuntimeConfig,
    /// Where its tables are.
    pub database: DatabaseConfig,
    /// The secret that the services share.
    pub service: ServiceConfig,
    /// Its own.
    pub auth: AuthConfig,
}

/// Section `auth`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthConfig {
    /// The gRPC port.
    pub grpc: Listen,
    /// The admin port.
    pub admin: Listen,
    /// How long the access token of a login holds.
    pub access_token_seconds: u32,
    /// How long the access token that an API key is exchanged for holds, and so how long a
    /// revoked key may still work.
    pub api_key_token_seconds: u32,
    /// How long a service's token holds.
    pub service_token_seconds: u32,
    /// How long a login can be refreshed.
    pub session_seconds: u32,
    /// Where the first start leaves the administrator's credential. Empty means the file
    /// `admin-credential` beside the SQLite files, or in `.swarm/data` with PostgreSQL.
    pub credential_file: PathBuf,
    /// How passwords are kept.
    pub password: PasswordConfig,
    /// What a row of wrong passwords brings.
    pub login: LoginConfig,
}

/// Section `auth.password`: argon2id.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordConfig {
    /// Memory of one hash, in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
    /// How many are computed at once; the rest wait.
    pub max_concurrent: usize,
    /// The least characters of a new password.
    pub min_length: usize,
}

/// Section `auth.login`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoginConfig {
    /// So many failures in a row are free; from then on each brings a longer pause.
    pub free_failures: u32,
    /// The longest pause.
    pub max_pause_seconds: u32,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            grpc: Listen::loopback(50055),
            admin: Listen::loopback(9195),
            access_token_seconds: 15 * 60,
            api_key_token_seconds: 5 * 60,
            service_token_seconds: 15 * 60,
            session_seconds: 30 * 24 * 3600,
            credential_file: PathBuf::new(),
            password: PasswordConfig::default(),
            login: LoginConfig::default(),
        }
    }
}

impl Default for PasswordConfig {
    fn default() -> Self {
        // OWASP's first choice for argon2id.
        Self {
            memory_kib: 19 * 1024,
            iterations: 2,
            parallelism: 1,
            max_concurrent: 2,
            min_length: 8,
        }
    }
}

impl Default for LoginConfig {
    fn default() -> Self {
        Self {
            free_failures: 10,
            max_pause_seconds: 60,
        }
    }
}

impl Config {
    /// Where the first start leaves the administrator's credential.
    #[must_use]
    pub fn credential_file(&self) -> PathBuf {
        if !self.auth.credential_file.as_os_str().is_empty() {
            return self.auth.credential_file.clone();
        }
        let folder = match self.database.url.strip_prefix("sqlite:") {
            Some(rest) => rest.strip_prefix("//").unwrap_or(rest),
            None => DATA_FOLDER,
        };
        Path::new(folder).join(CREDENTIAL_FILE)
    }
}

impl Validate for Config {
    fn validate(&self) -> Result<()> {
        self.telemetry.validate()?;
        self.runtime.validate()?;
        self.database.validate()?;
        if self.service.secret.is_empty() {
            let words = "must be set: it is the secret that the six services share, and without it none of them could be told from a stranger";
            return Err(Error::invalid("service.secret", words));
        }
        self.auth.validate()
    }
}

impl Validate for AuthConfig {
    fn validate(&self) -> Result<()> {
        let (password, day) = (&self.password, 24 * 3600);
        within(
            "auth.access_token_seconds",
            self.access_token_seconds,
            1,
            day,
        )?;
        within(
            "auth.api_key_token_seconds",
            self.api_key_token_seconds,
            30,
            day,
        )?;
        within(
            "auth.service_token_seconds",
            self.service_token_seconds,
            30,
            day,
        )?;
        within("auth.session_seconds", self.session_seconds, 60, 366 * day)?;
        within("auth.password.parallelism", password.parallelism, 1, 64)?;
        within("auth.password.iterations", password.iterations, 1, 1000)?;
        within(
            "auth.password.memory_kib",
            password.memory_kib,
            8 * password.parallelism,
            4 << 20,
        )?;
        within(
            "auth.password.max_concurrent",
            password.max_concurrent,
            1,
            1024,
        )?;
        within("auth.password.min_length", password.min_length, 1, 128)?;
        within(
            "auth.login.free_failures",
            self.login.free_failures,
            1,
            1000,
        )?;
        within(
            "auth.login.max_pause_seconds",
            self.login.max_pause_seconds,
            1,
            3600,
        )
    }
}

fn within<T: Copy + PartialOrd + std::fmt::Display>(
    key: &str,
    value: T,
    least: T,
    most: T,
) -> Result<()> {
    if value < least || value > most {
        return Err(Error::invalid(
            key,
            format!("must be between {least} and {most}"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use swarm_config::Secret;

    use super::*;

    #[test]
    fn without_a_shared_secret_it_does_not_start() {
        let error = Config::default().validate().unwrap_err();
        assert_eq!(error.fields()[0].field, "service.secret");
    }

    #[test]
    fn wrong_values_name_their_key() {
        let mut config = Config::default();
        config.service.secret = Secret::new("s");
        config.validate().unwrap();
        config.auth.password.memory_kib = 1;
        assert_eq!(
            config.validate().unwrap_err().fields()[0].field,
            "auth.password.memory_kib"
        );
    }

    #[test]
    fn the_credential_lies_beside_the_database() {
        let mut config = Config::default();
        assert_eq!(
            config.credential_file(),
            Path::new(".swarm/data/admin-credential")
        );
        config.database.url = "sqlite:///tmp/x".into();
        assert_eq!(
            config.credential_file(),
            Path::new("/tmp/x/admin-credential")
        );
        config.database.url = "postgres://u@h/d".into();
        assert_eq!(
            config.credential_file(),
            Path::new(".swarm/data/admin-credential")
        );
        config.auth.credential_file = "here".into();
        assert_eq!(config.credential_file(), Path::new("here"));
    }
}
