//! A file in TOML, with errors that name the field and where it stands: pure.

use serde::Deserialize;
use swarm_errors::{Error, Result};

/// Reads a `T`; `whole` names the file where no field is known.
pub(crate) fn parse<T: for<'de> Deserialize<'de>>(text: &str, whole: &str) -> Result<T> {
    let reader = toml::Deserializer::parse(text).map_err(|error| {
        Error::invalid(whole, format!("{}{}", error.message(), place(text, &error)))
    })?;
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.inner();
        let message = format!("{}{}", inner.message(), place(text, inner));
        let field = if path == "." {
            missing(inner.message(), whole)
        } else {
            &path
        };
        Error::invalid(field, message)
    })
}

/// serde knows no path of a field that is not there, but names it.
fn missing<'a>(message: &'a str, whole: &'a str) -> &'a str {
    message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'))
        .unwrap_or(whole)
}

fn place(text: &str, error: &toml::de::Error) -> String {
    match error.span() {
        Some(span) if span.start > 0 || span.end < text.len() => {
            let line = text[..span.start.min(text.len())].matches('\n').count() + 1;
            format!(" (line {line})")
        }
        _ => String::new(),
    }
}
