//! `swarm migrate`: brings the tables of all services up to date.

use swarm_cli::console::{Line, Screen, Style};
use swarm_config::Validate;
use swarm_database::{DatabaseConfig, Schema};
use swarm_errors::Result;

use crate::Settings;

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Section {
    database: DatabaseConfig,
}

impl Validate for Section {
    fn validate(&self) -> Result<()> {
        self.database.validate()
    }
}

fn schemas() -> [&'static Schema; 4] {
    [
        &swarm_auth::SCHEMA,
        &swarm_agent_manager::SCHEMA,
        &swarm_memory::SCHEMA,
        &swarm_learning::SCHEMA,
    ]
}

/// Applies what is pending, service by service, and says how much that was.
pub(crate) async fn migrate(settings: &Settings) -> Result<()> {
    let database = settings.loader().load::<Section>(&["database"])?.database;
    let screen = Screen::of_process();
    for schema in schemas() {
        let applied = swarm_database::migrate(&database, schema).await?;
        let words = match applied {
            0 => "up to date".to_owned(),
            1 => "1 migration applied".to_owned(),
            applied => format!("{applied} migrations applied"),
        };
        let line = Line::new()
            .with(Style::Strong, schema.name)
            .padded(15)
            .plain(words);
        // The migration counts, not whether somebody reads of it.
        screen.print(&[line]).ok();
    }
    Ok(())
}
