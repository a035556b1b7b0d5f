//! The loader.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use config::{Config, File, FileFormat, Value, ValueKind};
use serde::de::DeserializeOwned;
use swarm_errors::{Error, Result};

use crate::{sections, well_known};

const PREFIX: &str = "QWEN_SWARM__";
const DEFAULT_FILE: &str = "qwen-swarm.toml";

/// Settings that check themselves after loading.
pub trait Validate {
    /// Fails with [`Error::invalid`] whose field is the key that is wrong.
    ///
    /// # Errors
    /// When a value is out of range or contradicts another.
    fn validate(&self) -> Result<()>;
}

/// Loads settings from a file, the environment and flags.
#[derive(Debug, Clone, Default)]
pub struct Loader {
    file: Option<PathBuf>,
    environment: HashMap<String, String>,
    defaults: Vec<(String, String)>,
    overrides: Vec<(String, String)>,
}

impl Loader {
    /// A loader of `qwen-swarm.toml` in the current folder, where there is one, and the process's environment.
    #[must_use]
    pub fn from_process() -> Self {
        let default = Path::new(DEFAULT_FILE);
        Self {
            file: default.exists().then(|| default.to_owned()),
            environment: std::env::vars().collect(),
            ..Self::default()
        }
    }

    /// A loader that sees only this environment: for tests.
    #[must_use]
    pub fn from_environment(environment: HashMap<String, String>) -> Self {
        Self {
            environment,
            ..Self::default()
        }
    }

    /// Reads this file, which must exist.
    #[must_use]
    pub fn file(mut self, path: Option<&Path>) -> Self {
        if let Some(path) = path {
            self.file = Some(path.to_owned());
        }
        self
    }

    /// Gives a key a default, under every other source.
    #[must_use]
    pub fn default_to(mut self, key: &str, value: impl Into<String>) -> Self {
        self.defaults.push((key.to_owned(), value.into()));
        self
    }

    /// Sets a key, over every other source.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl Into<String>) -> Self {
        self.overrides.push((key.to_owned(), value.into()));
        self
    }

    /// Loads and checks the settings `T`, which takes the top-level `sections` that concern it.
    ///
    /// Sections of other services are left alone. A section that no service reads and an unknown key inside a
    /// section of this one are errors.
    ///
    /// # Errors
    /// When the file cannot be read or a key is unknown, of the wrong type or out of range; the error names the key.
    pub fn load<T: DeserializeOwned + Validate>(&self, sections: &[&str]) -> Result<T> {
        let merged = self.merged()?;
        let mut table = merged
            .cache
            .into_table()
            .map_err(|error| invalid("configuration", &error))?;
        sections::check(table.keys(), sections)?;
        table.retain(|section, _| sections.contains(&section.as_str()));
        let value = Value::new(None, ValueKind::Table(table));
        let settings: T = serde_path_to_error::deserialize(value)
            .map_err(|error| invalid(&error.path().to_string(), error.inner()))?;
        settings.validate()?;
        Ok(settings)
    }

    fn merged(&self) -> Result<Config> {
        let mut builder = Config::builder();
        for (key, value) in &self.defaults {
            builder = builder
                .set_default(key, typed(value))
                .map_err(|error| invalid(key, &error))?;
        }
        if let Some(path) = &self.file {
            builder = builder.add_source(
                File::from(path.as_path())
                    .format(FileFormat::Toml)
                    .required(true),
            );
        }
        for (key, value) in self
            .environment_keys()
            .into_iter()
            .chain(self.overrides.clone())
        {
            builder = builder
                .set_override(&key, typed(&value))
                .map_err(|error| invalid(&key, &error))?;
        }
        builder
            .build()
            .map_err(|error| invalid("configuration file", &error))
    }

    /// Well-known names first, so that our own names win over them.
    fn environment_keys(&self) -> Vec<(String, String)> {
        let set = |name: &str| self.environment.get(name).filter(|value| !value.is_empty());
        let mut keys: Vec<(String, String)> = Vec::new();
        if set("QWEN_API_KEY").is_some() {
            keys.push((
                "models.openai.base_url".into(),
                well_known::QWEN_BASE_URL.into(),
            ));
        }
        for (name, key) in well_known::NAMES.iter().rev() {
            let belongs_to_openai = name.starts_with("OPENAI_") && set("QWEN_API_KEY").is_some();
            if let (Some(value), false) = (set(name), belongs_to_openai) {
                keys.push(((*key).to_owned(), value.clone()));
            }
        }
        let mut own: Vec<(String, String)> = self
            .environment
            .iter()
            .filter_map(|(name, value)| {
                let key = name.strip_prefix(PREFIX)?.to_lowercase().replace("__", ".");
                Some((key, value.clone()))
            })
            .collect();
        own.sort();
        keys.extend(own);
        keys
    }
}

/// Numbers and booleans of the environment become such; everything else stays text.
fn typed(text: &str) -> Value {
    let kind = if let Ok(number) = text.parse::<i64>() {
        ValueKind::I64(number)
    } else if let Ok(flag) = text.parse::<bool>() {
        ValueKind::Boolean(flag)
    } else {
        ValueKind::String(text.to_owned())
    };
    Value::new(None, kind)
}

fn invalid(key: &str, error: &dyn std::fmt::Display) -> Error {
    Error::invalid(key, error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde::Deserialize;

    use super::*;
    use crate::Secret;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Settings {
        cache: Cache,
        models: Models,
    }

    #[derive(Debug, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Cache {
        url: String,
        size: u32,
    }

    impl Default for Cache {
        fn default() -> Self {
            Self {
                url: "memory:".into(),
                size: 10,
            }
        }
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Models {
        openai: OpenAi,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct OpenAi {
        api_key: Secret,
        base_url: String,
    }

    impl Validate for Settings {
        fn validate(&self) -> Result<()> {
            if self.cache.size == 0 {
                return Err(Error::invalid("cache.size", "must be at least 1"));
            }
            Ok(())
        }
    }

    fn load(environment: &[(&str, &str)]) -> Result<Settings> {
        let environment = environment
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        Loader::from_environment(environment).load(&["cache", "models"])
    }

    #[test]
    fn later_sources_win() {
        let file = std::env::temp_dir().join(format!("swarm-config-{}.toml", std::process::id()));
        std::fs::write(
            &file,
            "[cache]\nurl = 'file'\nsize = 2\n[gateway]\nport = 1\n",
        )
        .unwrap();
        let environment = HashMap::from([("QWEN_SWARM__CACHE__SIZE".to_owned(), "3".to_owned())]);
        let loader = Loader::from_environment(environment).file(Some(&file));
        let settings: Settings = loader.load(&["cache", "models"]).unwrap();
        assert_eq!(
            (settings.cache.url.as_str(), settings.cache.size),
            ("file", 3)
        );
        let loader = loader.default_to("cache.size", "9");
        let settings: Settings = loader.load(&["cache", "models"]).unwrap();
        assert_eq!(settings.cache.size, 3);
        let settings: Settings = loader
            .set("cache.size", "4")
            .load(&["cache", "models"])
            .unwrap();
        assert_eq!(settings.cache.size, 4);
        std::fs::remove_file(file).unwrap();
    }

    #[test]
    fn errors_name_the_key() {
        for (name, value, key) in [
            ("QWEN_SWARM__CACHE__SIZE", "many", "cache.size"),
            ("QWEN_SWARM__CACHE__SIZE", "0", "cache.size"),
            ("QWEN_SWARM__CACHE__SPEED", "9", "cache.speed"),
        ] {
            let error = load(&[(name, value)]).unwrap_err();
            assert_eq!(error.fields()[0].field, key, "{error}");
        }
    }

    #[test]
    fn a_section_that_no_service_reads_is_named_from_whichever_source() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[databse]\nurl = 'sqlite:x'\n").unwrap();
        let nothing = || Loader::from_environment(HashMap::new());
        let environment = HashMap::from([("QWEN_SWARM__DATABSE__URL".to_owned(), "x".to_owned())]);
        for loader in [
            nothing().file(Some(file.path())),
            Loader::from_environment(environment),
            nothing().set("databse.url", "x"),
        ] {
            let error = loader.load::<Settings>(&["cache", "models"]).unwrap_err();
            assert_eq!(error.fields()[0].field, "databse", "{error}");
        }
        let of_others = nothing().set("gateway.rest", "x").set("learning.grpc", "x");
        of_others.load::<Settings>(&["cache", "models"]).unwrap();
    }

    #[test]
    fn a_qwen_key_brings_its_endpoint_and_hides_the_other_provider() {
        let settings = load(&[
            ("QWEN_API_KEY", "q"),
            ("OPENAI_API_KEY", "o"),
            ("OPENAI_BASE_URL", "http://o"),
        ])
        .unwrap();
        assert_eq!(settings.models.openai.api_key.expose(), "q");
        assert_eq!(settings.models.openai.base_url, well_known::QWEN_BASE_URL);
        let settings = load(&[("OPENAI_API_KEY", "o"), ("OPENAI_BASE_URL", "http://o")]).unwrap();
        assert_eq!(settings.models.openai.base_url, "http://o");
        assert!(!format!("{settings:?}").contains("\"o\""));
    }
}
