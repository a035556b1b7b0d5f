//! JSON to a typed request, with errors that name the field: pure.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;
use swarm_errors::{Code, Error, Result};

/// Reads a body.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::new(
            Code::InvalidArgument,
            "the body is empty, JSON is expected",
        ));
    }
    // Where a path is kept along, reading costs twice as much: only an error is worth that.
    let value = serde_json::from_slice(bytes).or_else(|_| parse_with_path(bytes))?;
    if holds_nul(bytes) {
        return Err(nul(bytes));
    }
    Ok(value)
}

fn parse_with_path<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| explain(&error))?;
    reader.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

/// Reads fields out of a JSON value.
pub(crate) fn from_value<T: DeserializeOwned>(value: Value) -> Result<T> {
    serde_path_to_error::deserialize(value).map_err(|error| explain(&error))
}

fn explain(error: &serde_path_to_error::Error<serde_json::Error>) -> Error {
    if error.inner().classify() != Category::Data {
        return not_json(error.inner());
    }
    let text = error.inner().to_string();
    // The place in the text is of no use beside the name of the field.
    let message = text.split(" at line ").next().unwrap_or_default();
    field(&error.path().to_string(), message)
}

/// The error of a field. What serde says about a missing one names it in words, not in the path.
pub(crate) fn field(path: &str, message: &str) -> Error {
    let inside = if path == "." { "" } else { path };
    if let Some(name) = message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'))
    {
        let path = if inside.is_empty() {
            name.to_owned()
        } else {
            format!("{inside}.{name}")
        };
        return Error::invalid(path, "is missing");
    }
    Error::invalid(if inside.is_empty() { "body" } else { inside }, message)
}

fn not_json(error: &serde_json::Error) -> Error {
    Error::new(
        Code::InvalidArgument,
        format!("the body is not JSON: {error}"),
    )
}

/// Whether a text in it has the escape of NUL, which PostgreSQL cannot store. A raw one is not JSON.
fn holds_nul(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        if rest[at..].starts_with(b"\\u0000") {
            return true;
        }
        // The escaped character is passed over: it may be a backslash itself.
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    false
}

fn nul(bytes: &[u8]) -> Error {
    let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let path = find_nul(&value).unwrap_or_default();
    Error::invalid(
        if path.is_empty() { "body" } else { &path },
        "must not hold the character NUL",
    )
}

fn find_nul(value: &Value) -> Option<String> {
    let below = |step: String, value| find_nul(value).map(|rest| join(&step, &rest));
    match value {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(at, item)| below(format!("[{at}]"), item)),
        Value::Object(fields) => fields.iter().find_map(|(name, field)| {
            if name.contains('\0') {
                Some(name.replace('\0', "\\u0000"))
            } else {
                below(name.clone(), field)
            }
        }),
        _ => None,
    }
}

fn join(step: &str, rest: &str) -> String {
    let dot = if rest.is_empty() || rest.starts_with('[') {
        ""
    } else {
        "."
    };
    format!("{step}{dot}{rest}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read from JSON")]
    struct Outer {
        name: String,
        inner: Option<Vec<Inner>>,
        any: Option<Value>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read from JSON")]
    struct Inner {
        count: u32,
    }

    #[test]
    fn every_error_names_its_field() {
        for (body, path, message) in [
            (
                r#"{"name": 5}"#,
                "name",
                "invalid type: integer `5`, expected a string",
            ),
            (
                r#"{"name": "a", "nam": 1}"#,
                "nam",
                "unknown field `nam`, expected one of `name`, `inner`, `any`",
            ),
            (
                r#"{"name": "a", "inner": [{"count": 1}, {"count": -1}]}"#,
                "inner[1].count",
                "invalid value: integer `-1`, expected u32",
            ),
            (
                r#"{"name": "a", "inner": [{"cound": 1}]}"#,
                "inner[0].cound",
                "unknown field `cound`, expected `count`",
            ),
            (
                r#"{"name": "a", "inner": [{}]}"#,
                "inner[0].count",
                "is missing",
            ),
            ("{}", "name", "is missing"),
            (
                "5",
                "body",
                "invalid type: integer `5`, expected struct Outer",
            ),
            (
                r#"{"name": "a", "any": {"list": [1, "\u0000"]}}"#,
                "any.list[1]",
                "must not hold the character NUL",
            ),
        ] {
            let error = parse::<Outer>(body.as_bytes()).unwrap_err();
            let field = &error.fields()[0];
            assert_eq!(
                (field.field.as_str(), field.message.as_str()),
                (path, message),
                "{body}"
            );
        }
    }

    #[test]
    fn what_is_not_json_is_said_to_be_so() {
        for body in [
            "{",
            "name=a",
            r#"{"name": "a"} trailing"#,
            "{\"name\": \"\0\"}",
        ] {
            let error = parse::<Outer>(body.as_bytes()).unwrap_err();
            assert!(
                error.detail().starts_with("the body is not JSON: "),
                "{error}"
            );
            assert!(error.fields().is_empty());
        }
        assert_eq!(
            parse::<Outer>(b" ").unwrap_err().detail(),
            "the body is empty, JSON is expected"
        );
    }

    #[test]
    fn an_escaped_backslash_is_no_escape_of_nul() {
        assert!(!holds_nul(br#""\\u0000""#));
        assert!(holds_nul(br#""\\\u0000""#));
        parse::<Outer>(br#"{"name": "\\u0000"}"#).unwrap();
    }
}
