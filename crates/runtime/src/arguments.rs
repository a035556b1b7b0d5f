//! The few flags of a service: pure.

use std::path::{Path, PathBuf};

use swarm_config::Loader;
use swarm_errors::{Error, Result};

/// What was asked for on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arguments {
    /// Run.
    Run {
        /// `--config FILE`.
        config: Option<PathBuf>,
        /// `--set KEY=VALUE`, in order.
        overrides: Vec<(String, String)>,
    },
    /// `--help`.
    Help,
    /// `--version`.
    Version,
}

/// What `--help` says after the name.
pub(crate) const HELP: &str = "[--config FILE] [--set KEY=VALUE]...

  --config FILE      settings in TOML; the default is qwen-swarm.toml where it exists
  --set KEY=VALUE    one setting, such as telemetry.log_level=debug, over file and environment
  --version          print the version
  --help             print this

Environment: QWEN_SWARM__<SECTION>__<KEY>, and RUST_LOG.";

impl Arguments {
    /// Reads the arguments that follow the program's name.
    ///
    /// # Errors
    /// When a flag is unknown or lacks its value.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut arguments = arguments.into_iter();
        let (mut config, mut overrides) = (None, Vec::new());
        while let Some(argument) = arguments.next() {
            let (flag, given) = match argument.split_once('=') {
                Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
                None => (argument, None),
            };
            let mut value = || {
                given
                    .clone()
                    .or_else(|| arguments.next())
                    .ok_or_else(|| Error::invalid(&flag, "needs a value"))
            };
            match flag.as_str() {
                "--config" => config = Some(PathBuf::from(value()?)),
                "--set" => overrides.push(pair(&value()?)?),
                "--help" | "-h" => return Ok(Self::Help),
                "--version" | "-V" => return Ok(Self::Version),
                _ => return Err(Error::invalid(&flag, "is not a flag; see --help")),
            }
        }
        Ok(Self::Run { config, overrides })
    }
}

/// The loader of settings with these flags.
pub(crate) fn loader(config: Option<&Path>, overrides: Vec<(String, String)>) -> Loader {
    let loader = Loader::from_process().file(config);
    overrides
        .into_iter()
        .fold(loader, |loader, (key, value)| loader.set(&key, value))
}

fn pair(text: &str) -> Result<(String, String)> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| Error::invalid("--set", "must be KEY=VALUE"))?;
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(line: &str) -> Result<Arguments> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn flags_are_read() {
        let expected = Arguments::Run {
            config: Some("a.toml".into()),
            overrides: vec![("x.y".into(), "1".into()), ("url".into(), "a=b".into())],
        };
        assert_eq!(
            parse("--config a.toml --set x.y=1 --set url=a=b").unwrap(),
            expected
        );
        assert_eq!(
            parse("--config=a.toml --set=x.y=1 --set=url=a=b").unwrap(),
            expected
        );
        assert_eq!(parse("--config a.toml --help").unwrap(), Arguments::Help);
        assert_eq!(parse("-V").unwrap(), Arguments::Version);
    }

    #[test]
    fn the_wrong_flag_is_named() {
        for (line, flag) in [
            ("--port 1", "--port"),
            ("--config", "--config"),
            ("--set x", "--set"),
        ] {
            assert_eq!(parse(line).unwrap_err().fields()[0].field, flag);
        }
    }
}
