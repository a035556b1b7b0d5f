//! PostgreSQL alone: what a queue pays at least that commits three times a task, by itself.

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use swarm_types::TaskId;

use crate::Failure;
use crate::load::{Client, Subject};
use crate::postgres::Postgres;

const TABLE: &str = "CREATE TABLE queue (id uuid PRIMARY KEY, state smallint NOT NULL, input jsonb NOT NULL, \
    output jsonb, at timestamptz NOT NULL DEFAULT now()); CREATE INDEX ON queue (at) WHERE state = 0";
const SUBMIT: &str = "INSERT INTO queue (id, state, input) VALUES ($1, 0, $2::jsonb)";
const CLAIM: &str = "UPDATE queue SET state = 1 WHERE id = $1 AND state = 0";
const FINISH: &str = "UPDATE queue SET state = 2, output = input WHERE id = $1 AND state = 1";

/// A PostgreSQL with a table of tasks.
#[derive(Debug)]
pub struct Floor {
    postgres: Postgres,
    url: String,
}

impl Floor {
    /// Starts it.
    pub async fn start() -> Self {
        let postgres = Postgres::start().await;
        let database = postgres.database().await;
        let url = postgres.url(&database);
        let mut connection = PgConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(TABLE.to_owned()))
            .execute(&mut connection)
            .await
            .unwrap();
        Self { postgres, url }
    }
}

impl Subject for Floor {
    fn name(&self) -> &'static str {
        "postgres, 3 commits"
    }

    fn processes(&self) -> Vec<u32> {
        vec![self.postgres.id()]
    }

    fn client(&self) -> Box<dyn Client> {
        Box::new(Caller {
            url: self.url.clone(),
            connection: None,
        })
    }
}

struct Caller {
    url: String,
    connection: Option<PgConnection>,
}

#[async_trait]
impl Client for Caller {
    async fn run_one(&mut self, number: u64) -> Result<(), Failure> {
        if self.connection.is_none() {
            self.connection = Some(PgConnection::connect(&self.url).await?);
        }
        let Some(connection) = &mut self.connection else {
            return Err("no connection".into());
        };
        let id = TaskId::new().uuid();
        sqlx::query(SUBMIT)
            .bind(id)
            .bind(format!("{{\"prompt\": \"hello-{number:016}\"}}"))
            .execute(&mut *connection)
            .await?;
        for text in [CLAIM, FINISH] {
            let done = sqlx::query(text).bind(id).execute(&mut *connection).await?;
            if done.rows_affected() != 1 {
                return Err("the task was not there".into());
            }
        }
        Ok(())
    }
}
