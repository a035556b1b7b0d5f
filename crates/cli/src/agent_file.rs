//! An agent as a file in TOML: pure.

use swarm_client::NewAgent;
use swarm_errors::Result;

use crate::toml_file;

/// Reads an agent. An error names the field and where it stands.
pub(crate) fn parse(text: &str) -> Result<NewAgent> {
    toml_file::parse(text, "agent")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_read() {
        let agent = parse(include_str!("../../../docs/examples/agent.toml")).unwrap();
        assert_eq!(
            (agent.name.as_str(), agent.role.as_deref()),
            ("researcher", Some("reader"))
        );
        assert_eq!(agent.labels.get("search").map(String::as_str), Some("both"));
        assert!(agent.model.unwrap().temperature.is_some());
    }

    #[test]
    fn the_wrong_field_is_named_with_its_line() {
        for (text, field, part) in [
            ("role = 'reader'", "name", "missing field"),
            (
                "name = 'a'\nmax_concurrency = 'many'",
                "max_concurrency",
                "(line 2)",
            ),
            ("name = 'a'\nspeed = 3", "speed", "unknown field"),
            (
                "name = 'a'\n[model]\ntemperature = 'hot'",
                "model.temperature",
                "(line 3)",
            ),
            ("name = 'a'\ntools = ['x', 4]", "tools[1]", "(line 2)"),
            ("name = 'a'\nname = 'b'", "agent", "duplicate key"),
            ("name = ", "agent", "(line 1)"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.fields()[0].field, field, "{error}");
            assert!(error.detail().contains(part), "{error}");
        }
    }
}
