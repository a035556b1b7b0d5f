#![allow(clippy::unwrap_used)]
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::grammar::{CallSchema, call_grammar, validate, value_grammar};

/// Every byte, and some longer pieces; a text is cut into the longest pieces that fit.
struct Pieces(Vec<Vec<u8>>);

impl Pieces {
    fn new() -> Self {
        let longer = [
            "\"name", "\": \"", "\", \"", "{\"", "\"}", "}}", "}]", "name", "argu", "ments",
            " the", "search", "count", "true", "12", "0.", ", ", "é", "query", "put", "\"}}", "]}",
            "[{\"", "\\n",
        ];
        let bytes = (0..=255_u8).map(|byte| vec![byte]);
        Self(
            bytes
                .chain(longer.iter().map(|piece| piece.as_bytes().to_vec()))
                .collect(),
        )
    }
}

impl Tokens for Pieces {
    fn piece(&self, token: i32) -> &[u8] {
        &self.0[usize::try_from(token).unwrap()]
    }

    fn tokenize(&self, mut text: &[u8]) -> Vec<i32> {
        let mut tokens = Vec::new();
        while !text.is_empty() {
            let fits = self
                .0
                .iter()
                .enumerate()
                .filter(|(_, piece)| text.starts_with(piece));
            let (token, piece) = fits.max_by_key(|(_, piece)| piece.len()).unwrap();
            tokens.push(i32::try_from(token).unwrap());
            text = &text[piece.len()..];
        }
        tokens
    }
}

fn parameters() -> Vec<(&'static str, Value)> {
    vec![
        (
            "search",
            json!({"type": "object", "required": ["query"], "properties": {
            "query": {"type": "string", "minLength": 1}, "limit": {"type": "integer", "minimum": 1, "maximum": 20}}}),
        ),
        (
            "search_all",
            json!({"type": "object", "properties": {
            "kinds": {"type": "array", "minItems": 1, "items": {"enum": ["fact", "note", "é"]}},
            "exact": {"type": "boolean"}}}),
        ),
        (
            "put",
            json!({"type": "object", "required": ["text", "score", "where"], "properties": {
            "text": {"type": "string", "maxLength": 30},
            "score": {"type": "number", "minimum": 0, "maximum": 1},
            "where": {"$ref": "#/$defs/place"}, "tags": {"type": ["array", "null"], "maxItems": 3, "items": {"type": "string"}}},
            "$defs": {"place": {"type": "object", "required": ["room"], "properties": {"room": {"type": "integer"}}}}}),
        ),
        ("stop", json!({"type": "object", "properties": {}})),
    ]
}

/// A model without sense: any token, in an order made from `seed`.
fn order(seed: u64, step: u64, count: usize) -> Vec<i32> {
    let key = |token: &i32| {
        let mixed = (seed ^ (step << 32))
            .wrapping_add(u64::from(token.unsigned_abs()))
            .wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9)
    };
    let mut tokens: Vec<i32> = (0..i32::try_from(count).unwrap()).collect();
    tokens.sort_by_key(key);
    tokens
}

/// Writes a whole text with at most `limit` tokens; none where the shortest one does not fit.
fn write(grammar: &Grammar, pieces: &Pieces, limit: usize, seed: u64) -> Option<(String, usize)> {
    let mut constraint = Constraint::new(grammar);
    if constraint.shortest(pieces) > limit {
        return None;
    }
    let mut used = 0;
    for step in 0.. {
        used += constraint.force(pieces, limit - used).len();
        if constraint.is_final() {
            break;
        }
        if constraint
            .choose(pieces, limit - used, order(seed, step, pieces.0.len()))
            .is_none()
        {
            used += constraint.close(pieces);
            break;
        }
        used += 1;
    }
    Some((String::from_utf8(constraint.text().to_vec()).unwrap(), used))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn every_call_is_well_formed_under_every_limit(seed in any::<u64>(), limit in 1_usize..90) {
        let (tools, pieces) = (parameters(), Pieces::new());
        let schemas: Vec<_> = tools.iter().map(|(name, parameters)| CallSchema { name, parameters }).collect();
        let grammar = call_grammar(&schemas, limit).unwrap();
        if let Some((text, used)) = write(&grammar, &pieces, limit, seed) {
            prop_assert!(used <= limit, "{} of {}: {}", used, limit, text);
            let call: Value = serde_json::from_str(&text).unwrap();
            let tool = tools.iter().find(|(name, _)| call["name"] == *name).unwrap();
            prop_assert_eq!(validate(&tool.1, &call["arguments"]), Ok(()), "{}", text);
        }
    }

    #[test]
    fn every_value_is_well_formed_under_every_limit(seed in any::<u64>(), limit in 1_usize..60, which in 0_usize..4) {
        let (_, schema) = &parameters()[which];
        let grammar = value_grammar("response", schema, limit).unwrap();
        if let Some((text, used)) = write(&grammar, &Pieces::new(), limit, seed) {
            prop_assert!(used <= limit);
            prop_assert_eq!(validate(schema, &serde_json::from_str(&text).unwrap()), Ok(()), "{}", text);
        }
    }
}

#[test]
fn a_limit_below_the_shortest_call_is_seen_and_the_shortest_fits_exactly() {
    let pieces = Pieces::new();
    let (name, schema) = &parameters()[2];
    let grammar = call_grammar(
        &[CallSchema {
            name,
            parameters: schema,
        }],
        64,
    )
    .unwrap();
    let least = Constraint::new(&grammar).shortest(&pieces);
    assert!(write(&grammar, &pieces, least - 1, 7).is_none());
    for seed in 0..50 {
        let (text, used) = write(&grammar, &pieces, least, seed).unwrap();
        assert!(used <= least, "{text}");
        let call: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(validate(schema, &call["arguments"]), Ok(()), "{text}");
    }
}

#[test]
fn what_has_no_choice_is_written_at_once() {
    let pieces = Pieces::new();
    let (name, schema) = &parameters()[0];
    let grammar = call_grammar(
        &[CallSchema {
            name,
            parameters: schema,
        }],
        64,
    )
    .unwrap();
    let mut constraint = Constraint::new(&grammar);
    let forced = constraint.force(&pieces, 64);
    assert!(!forced.is_empty());
    assert_eq!(
        constraint.text(),
        br#"{"name": "search", "arguments": {"query": ""#
    );
}

#[test]
fn a_bad_schema_names_its_place() {
    for (schema, field) in [
        (
            json!({"type": "object", "required": ["a"]}),
            "response.required",
        ),
        (
            json!({"type": "array", "items": {"type": "text"}}),
            "response.items.type",
        ),
        (
            json!({"type": "string", "minLength": 9, "maxLength": 2}),
            "response.minLength",
        ),
        (
            json!({"type": "integer", "minimum": 9, "maximum": 2}),
            "response.minimum",
        ),
        (json!({"$ref": "#/nowhere"}), "response.$ref"),
        (json!({"enum": []}), "response.enum"),
        (json!({"$ref": "#"}), "response"),
    ] {
        let error = value_grammar("response", &schema, 64).unwrap_err();
        assert_eq!(error.fields()[0].field, field, "{error}");
    }
}
