//! The query of a request, typed; unknown parameters are refused.

use std::vec;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::value::{Error as ValueError, MapDeserializer};
use serde::de::{DeserializeOwned, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use swarm_errors::{Error, Result};
use swarm_proto::common::v1::PageRequest;
use swarm_types::MAX_LIMIT;

use super::json;
use crate::problem::{Answer, Failure};

/// The query as a `T`.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|error| Error::invalid("query", error.body_text()))?;
        Ok(Self(typed(pairs.0)?))
    }
}

/// The query of a route that takes none.
#[derive(Debug)]
pub(crate) struct NoParams;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl<S: Send + Sync> FromRequestParts<S> for NoParams {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        Params::<Nothing>::from_request_parts(parts, state)
            .await
            .map(|Params(Nothing {})| Self)
    }
}

/// Names and values as a `T`.
pub(super) fn typed<T: DeserializeOwned>(pairs: Vec<(String, String)>) -> Result<T> {
    let pairs = pairs.into_iter().map(|(name, value)| (name, Part(value)));
    let reader = MapDeserializer::<'_, vec::IntoIter<(String, Part)>, ValueError>::new(
        pairs.collect::<Vec<_>>().into_iter(),
    );
    serde_path_to_error::deserialize(reader)
        .map_err(|error| json::field(&error.path().to_string(), &error.inner().to_string()))
}

/// The page that `limit` and `cursor` ask for.
pub(crate) trait Paging {
    fn limit(&self) -> Option<u32>;
    fn cursor(&self) -> Option<&str>;

    /// For the owner of the list.
    fn page(&self) -> Result<Option<PageRequest>> {
        let limit = self.limit().unwrap_or_default();
        if self.limit() == Some(0) || limit > MAX_LIMIT {
            return Err(Error::invalid(
                "limit",
                format!("must be from 1 to {MAX_LIMIT}"),
            ));
        }
        let cursor = self.cursor().unwrap_or_default().to_owned();
        if cursor.len() > 1024 {
            return Err(Error::invalid("cursor", "is not one of ours"));
        }
        Ok(Some(PageRequest { limit, cursor }))
    }
}

/// One value of a query: text that becomes what the field wants.
struct Part(String);

macro_rules! parsed {
    ($($method:ident => $visit:ident, $what:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
            visitor.$visit(self.0.parse().map_err(|_| ValueError::custom(concat!("must be ", $what)))?)
        }
    )*};
}

impl<'de> serde::Deserializer<'de> for Part {
    type Error = ValueError;

    parsed! {
        deserialize_bool => visit_bool, "true or false";
        deserialize_u32 => visit_u32, "a whole number";
        deserialize_u64 => visit_u64, "a whole number";
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_string(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        IntoDeserializer::<ValueError>::into_deserializer(self.0)
            .deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, ValueError> for Part {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        limit: Option<u32>,
        all: Option<bool>,
        kind: Option<Kind>,
        name: Option<String>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        LongTerm,
    }

    fn read(pairs: &[(&str, &str)]) -> Result<Wanted> {
        typed(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn values_take_the_type_of_their_field() {
        let got = read(&[
            ("limit", "7"),
            ("all", "true"),
            ("kind", "long_term"),
            ("name", "5"),
        ])
        .unwrap();
        let expected = Wanted {
            limit: Some(7),
            all: Some(true),
            kind: Some(Kind::LongTerm),
            name: Some("5".into()),
        };
        assert_eq!(got, expected);
        assert_eq!(
            read(&[]).unwrap(),
            Wanted {
                limit: None,
                all: None,
                kind: None,
                name: None
            }
        );
    }

    #[test]
    fn the_wrong_parameter_is_named() {
        for (pair, message) in [
            (("limit", "many"), "must be a whole number"),
            (("limit", "-1"), "must be a whole number"),
            (("all", "1"), "must be true or false"),
            (
                ("kind", "short"),
                "unknown variant `short`, expected `LongTerm`",
            ),
            (
                ("size", "1"),
                "unknown field `size`, expected one of `limit`, `all`, `kind`, `name`",
            ),
        ] {
            let error = read(&[pair]).unwrap_err();
            assert_eq!(error.fields()[0].field, pair.0);
            let message = message.replace("LongTerm", "long_term");
            assert_eq!(error.fields()[0].message, message);
        }
        assert_eq!(
            read(&[("limit", "1"), ("limit", "2")])
                .unwrap_err()
                .fields()[0]
                .message,
            "duplicate field `limit`"
        );
    }
}
