//! A platform in this process, with a folder of its own and a model that reads from a script.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Value, json};
use swarm::{Platform, Settings};
use swarm_config::Loader;
use tempfile::TempDir;

/// What the scripted model says to everything but ballots.
pub(crate) const ANSWER: &str = "Running work then has a grace time of 20 seconds to finish.";

/// Why the scripted model approves.
pub(crate) const REASON: &str = "as I read it";

/// Settings that touch nothing outside `data`.
pub(crate) fn settings(data: &Path) -> Settings {
    let script = data.with_extension("script.json");
    let vote = |option: String| json!({ "option": option, "choice": "approve", "reason": REASON });
    let votes: Vec<Value> = (1..10)
        .map(|n| format!("f{n}"))
        .chain(["answer".to_owned()])
        .map(vote)
        .collect();
    let turns = json!({ "model": "scripted", "turns": [
        { "when": "approve it if it helps", "text": json!({ "votes": votes }).to_string(), "repeat": true },
        { "text": ANSWER, "repeat": true },
    ] });
    std::fs::write(&script, turns.to_string()).unwrap();
    Settings::with_loader(data, Loader::from_environment(HashMap::new()))
        .unwrap()
        .free_ports()
        .set("models.provider", "scripted")
        .set("models.scripted.path", &script.display().to_string())
        .set("models.embeddings", "none")
        // Passwords are hashed at full cost in auth's own tests.
        .set("auth.password.memory_kib", "8192")
        .set("auth.password.iterations", "1")
}

/// A running platform and its folder.
pub(crate) struct Stage {
    pub(crate) platform: Platform,
    folder: TempDir,
}

impl Stage {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let platform = Platform::start(&settings(&folder.path().join("data")))
            .await
            .unwrap();
        Self { platform, folder }
    }

    pub(crate) fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }
}
