//! Tasks as a file, in TOML (`[[tasks]]`) or JSON (`{"tasks": [...]}` or a plain list): pure.

use serde::Deserialize;
use swarm_client::NewTask;
use swarm_errors::{Error, Result};

use crate::toml_file;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    tasks: Vec<NewTask>,
}

/// Reads tasks. An error names the field and where it stands.
pub(crate) fn parse(text: &str) -> Result<Vec<NewTask>> {
    let tasks = match text.trim_start().chars().next() {
        Some('{') => json::<Batch>(text)?.tasks,
        // A table of TOML begins in the same way.
        Some('[') if !text.trim_start().starts_with("[[tasks]]") => {
            json::<Vec<NewTask>>(text).map_err(|error| error.within("tasks"))?
        }
        _ => toml_file::parse::<Batch>(text, "tasks")?.tasks,
    };
    if tasks.is_empty() {
        return Err(Error::invalid("tasks", "must not be empty"));
    }
    Ok(tasks)
}

fn json<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { "tasks" } else { &path };
        Error::invalid(field, error.inner().to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOML: &str = r#"
# A comment.
[[tasks]]
name = "read"
kind = "question"
input = { prompt = "What does it say?" }

[[tasks]]
kind = "question"
input = { prompt = "And what follows?" }
depends_on = ["read"]
not_before = "2030-01-31T00:00:00Z"
priority = "high"
retry = { max_attempts = 5, backoff = { initial_ms = 100 } }
"#;

    #[test]
    fn a_batch_is_read_from_toml_and_json() {
        let tasks = parse(TOML).unwrap();
        assert_eq!(tasks.len(), 2);
        assert_eq!(tasks[1].depends_on, ["read"]);
        let retry = tasks[1].retry.clone().unwrap();
        assert_eq!(retry.backoff.unwrap().initial_ms, Some(100));
        let list = serde_json::to_string_pretty(&tasks).unwrap();
        assert_eq!(parse(&list).unwrap(), tasks);
        assert_eq!(parse(&format!("{{\"tasks\": {list}}}")).unwrap(), tasks);
        assert_eq!(parse(&TOML[TOML.find("[[").unwrap()..]).unwrap(), tasks);
    }

    #[test]
    fn the_example_is_one() {
        let tasks = parse(include_str!("../../../docs/examples/batch.toml")).unwrap();
        let names: Vec<_> = tasks.iter().map(|task| task.name.as_deref()).collect();
        assert_eq!(names, [Some("ports"), Some("metrics"), Some("summary")]);
    }

    #[test]
    fn the_wrong_field_is_named() {
        for (text, field, part) in [
            ("", "tasks", "missing field"),
            ("tasks = []", "tasks", "must not be empty"),
            ("[]", "tasks", "must not be empty"),
            (
                "[[tasks]]\nkind = 'q'\ninput = {}\nspeed = 3",
                "tasks[0].speed",
                "(line 4)",
            ),
            (
                r#"{"tasks": [{"kind": "q", "input": {}, "priority": "urgent"}]}"#,
                "tasks[0].priority",
                "unknown variant",
            ),
            (r#"{"tasks": ["#, "tasks", "EOF"),
            (r#"[{"kind": 3, "input": {}}]"#, "tasks", "invalid type"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(
                error.fields()[0].field.starts_with(field),
                "{text}: {error:?}"
            );
            assert!(error.detail().contains(part), "{text}: {error}");
        }
    }
}
