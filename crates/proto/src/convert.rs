//! Ids, times, pages and JSON: from the wire to our types and back.

use std::str::FromStr;

use chrono::DateTime;
use prost_types::Timestamp as WireTime;
use serde::Serialize;
use serde::de::DeserializeOwned;
use swarm_errors::{Error, Result};
use swarm_types::{PageRequest, Timestamp};

use crate::common::v1 as common;

/// Reads an id, or anything else that parses from text, and names the field when it does not.
///
/// # Errors
/// When the text is not of the expected form.
pub fn parse<T>(field: &str, text: &str) -> Result<T>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    text.parse()
        .map_err(|error: T::Err| Error::invalid(field, error.to_string()))
}

/// Like [`parse`], where an empty text means none.
///
/// # Errors
/// When the text is neither empty nor of the expected form.
pub fn parse_optional<T>(field: &str, text: &str) -> Result<Option<T>>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    if text.is_empty() {
        Ok(None)
    } else {
        parse(field, text).map(Some)
    }
}

/// The text of an optional id; empty for none.
#[must_use]
pub fn text_or_empty<T: ToString>(value: Option<&T>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

/// A time for the wire.
#[must_use]
pub fn to_wire_time(time: Timestamp) -> WireTime {
    WireTime {
        seconds: time.timestamp(),
        nanos: i32::try_from(time.timestamp_subsec_nanos()).unwrap_or(0),
    }
}

/// A time from the wire, truncated to microseconds as every store keeps it.
///
/// # Errors
/// When it is out of range.
pub fn from_wire_time(field: &str, time: &WireTime) -> Result<Timestamp> {
    let nanos = u32::try_from(time.nanos).unwrap_or(u32::MAX);
    DateTime::from_timestamp(time.seconds, nanos / 1_000 * 1_000)
        .ok_or_else(|| Error::invalid(field, "is not a time"))
}

/// A time that may be missing.
///
/// # Errors
/// As [`from_wire_time`].
pub fn optional_wire_time(field: &str, time: Option<&WireTime>) -> Result<Option<Timestamp>> {
    time.map(|time| from_wire_time(field, time)).transpose()
}

/// JSON text of a field.
///
/// # Errors
/// When the text is not JSON of the expected shape; the field's path is part of the error.
pub fn from_json<T: DeserializeOwned>(field: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::invalid(field, error.to_string()))
}

/// A value as JSON text.
///
/// # Errors
/// When the value cannot be written as JSON, which is a fault of ours.
pub fn to_json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

/// A page request; absent means the first page.
#[must_use]
pub fn page(request: Option<common::PageRequest>) -> PageRequest {
    request
        .map(|page| PageRequest {
            limit: page.limit,
            cursor: page.cursor,
        })
        .unwrap_or_default()
}
