//! Between the wire's habits and JSON's: empty texts, times, JSON as text, enums.

use prost_types::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use swarm_proto::convert;
use utoipa::ToSchema;

/// A moment in UTC, as RFC 3339 writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = DateTime, example = "2026-11-24T18:00:00.123456Z")]
pub(crate) struct Time(pub(crate) swarm_types::Timestamp);

impl Time {
    /// For the wire.
    pub(crate) fn to_wire(self) -> Timestamp {
        convert::to_wire_time(self.0)
    }
}

/// An empty text is an absent field.
pub(crate) fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// An absent field is an empty text.
pub(crate) fn text(value: Option<String>) -> String {
    value.unwrap_or_default()
}

/// A time; one that is out of range is shown as absent.
pub(crate) fn time(time: Option<Timestamp>) -> Option<Time> {
    convert::from_wire_time("time", &time?).ok().map(Time)
}

/// JSON that travelled as text; a text that is not JSON is shown as a string.
pub(crate) fn json(text: String) -> Option<Value> {
    if text.is_empty() {
        return None;
    }
    Some(serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// As [`json`], for what is only passed on: it is not read into values and written again.
pub(crate) fn raw(text: &str) -> Option<Box<RawValue>> {
    if text.is_empty() {
        return None;
    }
    serde_json::from_str(text)
        .or_else(|_| to_raw_value(text))
        .ok()
}

/// An enum of the public shape that stands for one of the wire.
pub(crate) trait Word: Sized {
    /// From the wire; `None` for what is unspecified or new to us.
    fn from_wire(number: i32) -> Option<Self>;

    /// For the wire.
    fn to_wire(self) -> i32;

    /// For the wire, where it may be absent.
    fn or_unspecified(value: Option<Self>) -> i32 {
        value.map_or(0, Self::to_wire)
    }
}

/// Enums of the public shape, with their words, and the enums of the wire that they stand for.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $wire:path { $($(#[$variant_doc:meta])* $variant:ident,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl crate::shapes::wire::Word for $name {
            fn from_wire(number: i32) -> Option<Self> {
                use $wire as Wire;
                match Wire::try_from(number) {
                    $(Ok(Wire::$variant) => Some(Self::$variant),)*
                    _ => None,
                }
            }

            fn to_wire(self) -> i32 {
                use $wire as Wire;
                let wire = match self { $(Self::$variant => Wire::$variant,)* };
                wire.into()
            }
        }
    )*};
}
pub(crate) use words;
