//! Statements, prepared on both databases.

use swarm_errors::{Error, Result};

use super::Description;
use crate::Db;

/// One statement of a service.
#[derive(Debug, Clone, Copy)]
pub enum Text {
    /// The same for both databases.
    Shared(&'static str),
    /// One for each: first PostgreSQL's, then SQLite's.
    Pair(&'static str, &'static str),
    /// A [`crate::Batch`]: PostgreSQL's takes a value per column, SQLite's takes one.
    Batch(&'static str, &'static str),
    /// For PostgreSQL alone: SQLite does the same in several statements.
    Postgres(&'static str),
    /// For SQLite alone, a [`crate::Batch`]: PostgreSQL does it as a part of another one.
    SqliteBatch(&'static str),
}

/// Prepares every text on both databases and says where the answers differ: a text that one of
/// them refuses, other columns, another number of values. An empty list is what a test wants.
///
/// # Errors
/// When these are not one open PostgreSQL and one open SQLite.
pub async fn text_differences(postgres: &Db, sqlite: &Db, texts: &[Text]) -> Result<Vec<String>> {
    if !postgres.is_postgres() || sqlite.is_postgres() {
        return Err(Error::internal("a PostgreSQL and then a SQLite are needed"));
    }
    let mut differences = Vec::new();
    for text in texts {
        let (on_postgres, on_sqlite) = match *text {
            Text::Postgres(text) => {
                if let Err(error) = postgres.describe(text).await {
                    differences.push(format!("PostgreSQL refuses: {}: {text}", error.chain()));
                }
                continue;
            }
            Text::SqliteBatch(text) => {
                match sqlite.describe(text).await {
                    Ok(described) if described.parameters == 1 => {}
                    Ok(described) => differences.push(format!(
                        "takes {} values and not one: {text}",
                        described.parameters
                    )),
                    Err(error) => {
                        differences.push(format!("SQLite refuses: {}: {text}", error.chain()));
                    }
                }
                continue;
            }
            Text::Shared(text) => (text, text),
            Text::Pair(postgres, sqlite) | Text::Batch(postgres, sqlite) => (postgres, sqlite),
        };
        let described = (
            postgres.describe(on_postgres).await,
            sqlite.describe(on_sqlite).await,
        );
        let (ours, theirs) = match described {
            (Ok(ours), Ok(theirs)) => (ours, theirs),
            (ours, theirs) => {
                let refusals = [("PostgreSQL", ours.err()), ("SQLite", theirs.err())];
                let refused = refusals
                    .into_iter()
                    .filter_map(|(name, error)| Some((name, error?)));
                differences.extend(refused.map(|(name, error)| {
                    format!("{name} refuses: {}: {on_postgres}", error.chain())
                }));
                continue;
            }
        };
        let parameters = match text {
            Text::Batch(..) => theirs.parameters == 1,
            _ => ours.parameters == theirs.parameters,
        };
        if !parameters {
            differences.push(format!(
                "takes {} and {} values: {on_postgres}",
                ours.parameters, theirs.parameters
            ));
        }
        differences.extend(
            columns(&ours, &theirs)
                .into_iter()
                .map(|difference| format!("{difference}: {on_postgres}")),
        );
    }
    Ok(differences)
}

fn columns(postgres: &Description, sqlite: &Description) -> Vec<String> {
    if postgres.columns.len() != sqlite.columns.len() {
        return vec![format!(
            "returns {} and {} columns",
            postgres.columns.len(),
            sqlite.columns.len()
        )];
    }
    let pairs = postgres.columns.iter().zip(&sqlite.columns);
    pairs
        .filter_map(|((ours, our_type), (theirs, their_type))| {
            if ours != theirs {
                Some(format!("column is called {ours} and {theirs}"))
            } else if !our_type.agrees(their_type) {
                Some(format!("column {ours} is {our_type:?} and {their_type:?}"))
            } else {
                None
            }
        })
        .collect()
}
