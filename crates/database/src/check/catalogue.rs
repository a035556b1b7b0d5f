//! The tables that the two folders of migrations make.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::migrate::Migrator;
use swarm_errors::Result;

use super::Storage;
use crate::{Db, Schema};

const POSTGRES_COLUMNS: &str = "
    SELECT c.relname::text AS table_name, a.attname::text AS column_name, t.typname::text AS type_name,
           a.attnotnull AS not_null,
           COALESCE(array_position(i.indkey::int2[], a.attnum), -1) + 1 AS key_place, TRUE AS strict
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition";

const SQLITE_COLUMNS: &str = "
    SELECT l.name AS table_name, c.name AS column_name, c.type AS type_name,
           c.\"notnull\" <> 0 OR c.pk > 0 AS not_null, c.pk AS key_place, l.strict <> 0 AS strict
    FROM pragma_table_list() AS l JOIN pragma_table_xinfo(l.name) AS c
    WHERE l.schema = 'main' AND l.type = 'table' AND l.name NOT LIKE 'sqlite_%'";

const POSTGRES_UNIQUE: &str = "
    SELECT c.relname::text AS table_name, x.relname::text AS index_name, a.attname::text AS column_name,
           k.place::int4 AS place, i.indpred IS NOT NULL AS partial
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indrelid AND NOT c.relispartition
    JOIN pg_class x ON x.oid = i.indexrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()
    CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
    WHERE i.indisunique AND NOT i.indisprimary";

const SQLITE_UNIQUE: &str = "
    SELECT l.name AS table_name, i.name AS index_name, k.name AS column_name, k.seqno + 1 AS place,
           i.partial <> 0 AS partial
    FROM pragma_table_list() AS l JOIN pragma_index_list(l.name) AS i JOIN pragma_index_info(i.name) AS k
    WHERE l.schema = 'main' AND l.type = 'table' AND i.\"unique\" <> 0 AND i.origin <> 'pk'";

#[derive(sqlx::FromRow)]
struct ColumnRow {
    table_name: String,
    column_name: String,
    type_name: String,
    not_null: bool,
    key_place: i32,
    strict: bool,
}

#[derive(sqlx::FromRow)]
struct UniqueRow {
    table_name: String,
    index_name: String,
    column_name: Option<String>,
    place: i32,
    partial: bool,
}

#[derive(Debug, Default)]
struct Table {
    columns: BTreeMap<String, (Storage, bool)>,
    primary_key: BTreeMap<i32, String>,
    unique: BTreeSet<String>,
    strict: bool,
}

/// Compares the two folders of migrations by name, and the tables they have made: columns with
/// type and nullability, primary keys, unique indexes, and that SQLite's tables are STRICT.
/// An empty list is what a test wants.
///
/// # Errors
/// When a catalogue cannot be read.
pub async fn schema_differences(
    schema: &Schema,
    postgres: &Db,
    sqlite: &Db,
) -> Result<Vec<String>> {
    let mut differences = migrations(&schema.postgres, &schema.sqlite);
    let (ours, theirs) = (catalogue(postgres).await?, catalogue(sqlite).await?);
    let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    for name in names {
        match (ours.get(name), theirs.get(name)) {
            (Some(ours), Some(theirs)) => differences.extend(tables(name, ours, theirs)),
            (Some(_), None) => differences.push(format!("table {name} is missing in SQLite")),
            (None, _) => differences.push(format!("table {name} is missing in PostgreSQL")),
        }
    }
    Ok(differences)
}

fn migrations(postgres: &Migrator, sqlite: &Migrator) -> Vec<String> {
    let names = |migrator: &Migrator| -> BTreeSet<String> {
        migrator
            .iter()
            .map(|migration| format!("{} {}", migration.version, migration.description))
            .collect()
    };
    let (ours, theirs) = (names(postgres), names(sqlite));
    ours.symmetric_difference(&theirs)
        .map(|name| format!("migration {name} is in one folder only"))
        .collect()
}

fn tables(name: &str, postgres: &Table, sqlite: &Table) -> Vec<String> {
    let mut differences = Vec::new();
    if !sqlite.strict {
        differences.push(format!("table {name} is not STRICT"));
    }
    if postgres.primary_key != sqlite.primary_key {
        let (ours, theirs) = (&postgres.primary_key, &sqlite.primary_key);
        differences.push(format!(
            "table {name} has the primary keys {ours:?} and {theirs:?}"
        ));
    }
    for unique in postgres.unique.symmetric_difference(&sqlite.unique) {
        differences.push(format!(
            "table {name} has unique {unique} in one database only"
        ));
    }
    let columns: BTreeSet<&String> = postgres
        .columns
        .keys()
        .chain(sqlite.columns.keys())
        .collect();
    for column in columns {
        match (postgres.columns.get(column), sqlite.columns.get(column)) {
            (Some((ours, our_not_null)), Some((theirs, their_not_null))) => {
                if !ours.agrees(theirs) {
                    differences.push(format!("column {name}.{column} is {ours:?} and {theirs:?}"));
                }
                if our_not_null != their_not_null {
                    differences.push(format!(
                        "column {name}.{column} is NOT NULL in one database only"
                    ));
                }
            }
            _ => differences.push(format!("column {name}.{column} is in one database only")),
        }
    }
    differences
}

async fn catalogue(db: &Db) -> Result<BTreeMap<String, Table>> {
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for row in db
        .q(db.pick(POSTGRES_COLUMNS, SQLITE_COLUMNS))
        .all::<ColumnRow>()
        .await?
    {
        let table = tables.entry(row.table_name).or_default();
        table.strict = row.strict;
        if row.key_place > 0 {
            table
                .primary_key
                .insert(row.key_place, row.column_name.clone());
        }
        table
            .columns
            .insert(row.column_name, (Storage::of(&row.type_name), row.not_null));
    }
    let mut indexes: BTreeMap<(String, String, bool), BTreeMap<i32, String>> = BTreeMap::new();
    for row in db
        .q(db.pick(POSTGRES_UNIQUE, SQLITE_UNIQUE))
        .all::<UniqueRow>()
        .await?
    {
        let column = row
            .column_name
            .unwrap_or_else(|| "an expression".to_owned());
        indexes
            .entry((row.table_name, row.index_name, row.partial))
            .or_default()
            .insert(row.place, column);
    }
    for ((table, _, partial), columns) in indexes {
        let columns: Vec<String> = columns.into_values().collect();
        let of_some = if partial { " of some rows" } else { "" };
        tables
            .entry(table)
            .or_default()
            .unique
            .insert(format!("({}){of_some}", columns.join(", ")));
    }
    tables.remove(crate::migration::TABLE);
    Ok(tables)
}
