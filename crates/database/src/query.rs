//! One statement: its text, its values, and what comes back.

use std::time::Duration;

use sqlx::postgres::{PgArguments, PgPool, PgRow};
use sqlx::sqlite::{SqliteArguments, SqlitePool, SqliteRow};
use sqlx::{Decode, FromRow, PgConnection, Postgres, Sqlite, SqliteConnection, Type};
use swarm_errors::{Code, Error, Result};
use tracing::Instrument as _;

use crate::db::About;
use crate::error::{from_sqlx, not_begun};
use crate::placeholders;
use crate::value::{Arguments, Bind};

/// PostgreSQL ends a slow statement itself, so there we wait longer, and only for a server that
/// does not answer at all.
const SERVER_GRACE: Duration = Duration::from_secs(2);

/// A row that both databases decode: whatever derives `FromRow`, and tuples.
pub trait Row: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin {}
impl<R> Row for R where R: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin
{}

/// A single value that both databases decode.
pub trait Scalar:
    for<'r> Decode<'r, Postgres>
    + Type<Postgres>
    + for<'r> Decode<'r, Sqlite>
    + Type<Sqlite>
    + Send
    + Unpin
{
}
impl<T> Scalar for T where
    T: for<'r> Decode<'r, Postgres>
        + Type<Postgres>
        + for<'r> Decode<'r, Sqlite>
        + Type<Sqlite>
        + Send
        + Unpin
{
}

/// Where a statement runs.
#[derive(Debug)]
pub(crate) enum Target<'a> {
    PostgresPool(&'a PgPool),
    SqlitePool(&'a SqlitePool),
    Postgres(&'a mut PgConnection),
    Sqlite(&'a mut SqliteConnection),
}

/// One statement that waits for its values and then runs. Its text is a constant, so values
/// cannot become part of it.
#[derive(Debug)]
#[must_use = "a statement runs when exec, one, opt, all or scalar is awaited"]
pub struct Query<'a> {
    target: Target<'a>,
    /// Of its transaction, if it has one: whether a statement has failed.
    failed: Option<&'a mut bool>,
    about: About,
    text: &'static str,
    arguments: Result<Arguments>,
}

enum Answer {
    Postgres(Vec<PgRow>),
    Sqlite(Vec<SqliteRow>),
    Affected(u64),
}

#[derive(Clone, Copy)]
enum Want {
    Rows,
    Count,
}

impl<'a> Query<'a> {
    pub(crate) fn new(
        target: Target<'a>,
        failed: Option<&'a mut bool>,
        about: About,
        text: &'static str,
    ) -> Self {
        let arguments = Ok(match target {
            Target::PostgresPool(_) | Target::Postgres(_) => {
                Arguments::Postgres(PgArguments::default())
            }
            Target::SqlitePool(_) | Target::Sqlite(_) => {
                Arguments::Sqlite(SqliteArguments::default())
            }
        });
        Self {
            target,
            failed,
            about,
            text,
            arguments,
        }
    }

    pub(crate) const fn is_postgres(&self) -> bool {
        matches!(self.target, Target::PostgresPool(_) | Target::Postgres(_))
    }

    pub(crate) fn arguments_mut(&mut self) -> Option<&mut Arguments> {
        self.arguments.as_mut().ok()
    }

    /// The same statement, which will fail with `error` instead of running.
    pub(crate) fn fail(mut self, error: Error) -> Self {
        self.arguments = Err(error);
        self
    }

    /// The value of the next `$n`.
    pub fn bind(mut self, value: impl Bind) -> Self {
        if let Ok(arguments) = &mut self.arguments
            && let Err(error) = value.bind(arguments)
        {
            self.arguments = Err(error);
        }
        self
    }

    /// Runs the statement and says how many rows it changed.
    ///
    /// # Errors
    /// As the database fails; see the crate's README for the codes.
    pub async fn exec(self) -> Result<u64> {
        match self.run(Want::Count).await? {
            Answer::Affected(rows) => Ok(rows),
            Answer::Postgres(_) | Answer::Sqlite(_) => {
                Err(Error::internal("rows came where a count was asked for"))
            }
        }
    }

    /// All rows.
    ///
    /// # Errors
    /// As the database fails, or when a column does not fit the row.
    pub async fn all<R: Row>(self) -> Result<Vec<R>> {
        let text = self.text;
        match self.run(Want::Rows).await? {
            Answer::Postgres(rows) => rows.iter().map(R::from_row).collect::<Result<_, _>>(),
            Answer::Sqlite(rows) => rows.iter().map(R::from_row).collect::<Result<_, _>>(),
            Answer::Affected(_) => Ok(Vec::new()),
        }
        .map_err(|error| misfit(text, error))
    }

    /// The row, if there is one.
    ///
    /// # Errors
    /// As the database fails, or when there are several rows.
    pub async fn opt<R: Row>(self) -> Result<Option<R>> {
        let text = self.text;
        let mut rows = self.all::<R>().await?;
        if rows.len() > 1 {
            return Err(Error::internal(format!(
                "{} rows where at most one was expected: {text}",
                rows.len()
            )));
        }
        Ok(rows.pop())
    }

    /// The row.
    ///
    /// # Errors
    /// As the database fails, or when there is not exactly one row.
    pub async fn one<R: Row>(self) -> Result<R> {
        let text = self.text;
        self.opt()
            .await?
            .ok_or_else(|| Error::internal(format!("no row where one was expected: {text}")))
    }

    /// The only column of the only row.
    ///
    /// # Errors
    /// As [`Query::one`].
    pub async fn scalar<T: Scalar>(self) -> Result<T> {
        self.one::<(T,)>().await.map(|(value,)| value)
    }

    /// The only column of the row, if there is one.
    ///
    /// # Errors
    /// As [`Query::opt`].
    pub async fn scalar_opt<T: Scalar>(self) -> Result<Option<T>> {
        Ok(self.opt::<(T,)>().await?.map(|(value,)| value))
    }

    /// The only column of all rows.
    ///
    /// # Errors
    /// As [`Query::all`].
    pub async fn scalars<T: Scalar>(self) -> Result<Vec<T>> {
        Ok(self
            .all::<(T,)>()
            .await?
            .into_iter()
            .map(|(value,)| value)
            .collect())
    }

    async fn run(self, want: Want) -> Result<Answer> {
        let Self {
            target,
            mut failed,
            about,
            text,
            arguments,
        } = self;
        if failed.as_deref() == Some(&true) {
            return Err(Error::internal(format!(
                "a statement of this transaction has failed before: {text}"
            )));
        }
        // It stays so when the statement fails, and when the caller gives up waiting for it.
        if let Some(failed) = &mut failed {
            **failed = true;
        }
        let arguments = arguments?;
        placeholders::check(text, arguments.len())?;
        let span = crate::span::inside(|| {
            tracing::info_span!(
                "db.query",
                otel.kind = "client",
                db.system.name = arguments.system(),
                db.namespace = about.schema,
                db.query.text = text
            )
        });
        // The driver's future has kilobytes, which every caller's would otherwise hold and move.
        let answer = Box::pin(target.run(text, arguments, want, about.statement_timeout))
            .instrument(span)
            .await?;
        if let Some(failed) = failed {
            *failed = false;
        }
        Ok(answer)
    }
}

impl Target<'_> {
    async fn run(
        self,
        text: &'static str,
        arguments: Arguments,
        want: Want,
        limit: Duration,
    ) -> Result<Answer> {
        match (self, arguments) {
            (Self::PostgresPool(pool), Arguments::Postgres(values)) => {
                let mut connection = pool.acquire().await.map_err(not_begun)?;
                within(
                    limit + SERVER_GRACE,
                    on_postgres(&mut connection, text, values, want),
                )
                .await
            }
            (Self::Postgres(connection), Arguments::Postgres(values)) => {
                within(
                    limit + SERVER_GRACE,
                    on_postgres(connection, text, values, want),
                )
                .await
            }
            (Self::SqlitePool(pool), Arguments::Sqlite(values)) => {
                let mut connection = pool.acquire().await.map_err(not_begun)?;
                within(limit, on_sqlite(&mut connection, text, values, want)).await
            }
            (Self::Sqlite(connection), Arguments::Sqlite(values)) => {
                within(limit, on_sqlite(connection, text, values, want)).await
            }
            _ => Err(Error::internal("values of another database")),
        }
    }
}

async fn within(
    limit: Duration,
    work: impl Future<Output = Result<Answer, sqlx::Error>>,
) -> Result<Answer> {
    match tokio::time::timeout(limit, work).await {
        Ok(answer) => answer.map_err(from_sqlx),
        Err(_) => Err(Error::new(
            Code::DeadlineExceeded,
            "the database took too long",
        )),
    }
}

async fn on_postgres(
    connection: &mut PgConnection,
    text: &'static str,
    values: PgArguments,
    want: Want,
) -> Result<Answer, sqlx::Error> {
    let query = sqlx::query_with(text, values);
    match want {
        Want::Rows => query.fetch_all(connection).await.map(Answer::Postgres),
        Want::Count => query
            .execute(connection)
            .await
            .map(|done| Answer::Affected(done.rows_affected())),
    }
}

async fn on_sqlite(
    connection: &mut SqliteConnection,
    text: &'static str,
    values: SqliteArguments,
    want: Want,
) -> Result<Answer, sqlx::Error> {
    let query = sqlx::query_with(text, values);
    match want {
        Want::Rows => query.fetch_all(connection).await.map(Answer::Sqlite),
        Want::Count => query
            .execute(connection)
            .await
            .map(|done| Answer::Affected(done.rows_affected())),
    }
}

fn misfit(text: &'static str, error: sqlx::Error) -> Error {
    Error::internal(error).context(format_args!("a row does not fit: {text}"))
}
