//! From a JSON schema to a grammar.

use std::cell::Cell;

use serde_json::{Map, Value};
use swarm_errors::{Error, Result};

use super::machine::{Grammar, SEPARATOR};
use super::number::NumberRule;
use super::text::TextRule;

/// A list without a bound of its own holds at most this many items.
const MAX_ITEMS: usize = 16;
/// A string without a bound of its own holds at most this many characters, and fewer under a small token limit.
const MAX_TEXT: usize = 2048;
/// Characters of one token of prose, low.
const CHARACTERS_PER_TOKEN: usize = 3;
const MAX_DEPTH: usize = 12;
/// A schema that unfolds into more parts than this is refused.
const MAX_PARTS: usize = 10_000;
const MAX_INTEGER: i128 = 999_999_999_999_999;
const MAX_NUMBER: i128 = 1_000_000_000;
const DECIMALS: u32 = 4;

/// A tool as a grammar sees it: its name and the schema of its arguments.
#[derive(Debug, Clone, Copy)]
pub struct CallSchema<'a> {
    /// The tool.
    pub name: &'a str,
    /// The JSON schema of its arguments.
    pub parameters: &'a Value,
}

/// The grammar of a value of this schema. Strings without a bound of their own share `max_tokens` fairly.
///
/// # Errors
/// `InvalidArgument` that names the place in the schema, under `field`.
pub fn value_grammar(field: &str, schema: &Value, max_tokens: usize) -> Result<Grammar> {
    Compiler::new(schema, max_tokens).value(schema, field, 0)
}

/// The grammar of a call, `{"name": ..., "arguments": {...}}`, of one of these tools.
///
/// # Errors
/// `InvalidArgument` that names the tool and the place in its schema.
pub fn call_grammar(tools: &[CallSchema<'_>], max_tokens: usize) -> Result<Grammar> {
    let mut calls = Vec::new();
    for (index, tool) in tools.iter().enumerate() {
        let field = format!("tools[{index}].parameters");
        let compiler = Compiler::new(tool.parameters, max_tokens);
        let arguments = match tool.parameters.as_object() {
            Some(schema) => compiler.object(schema, &field, 0)?,
            None => return Err(Error::invalid(field, "must be a JSON schema of an object")),
        };
        let start = format!(r#"{{"name": {}, "arguments": "#, quoted(tool.name));
        calls.push(Grammar::sequence(vec![
            Grammar::literal(start),
            arguments,
            Grammar::literal("}"),
        ]));
    }
    Ok(Grammar::choice(calls))
}

/// The grammar of whatever one of the two allows.
#[must_use]
pub fn either_grammar(first: Grammar, second: Grammar) -> Grammar {
    Grammar::choice(vec![first, second])
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

struct Compiler<'a> {
    root: &'a Value,
    max_text: usize,
    parts: Cell<usize>,
}

impl<'a> Compiler<'a> {
    fn new(root: &'a Value, max_tokens: usize) -> Self {
        let strings = count_unbounded(root).max(1);
        let share = max_tokens.saturating_mul(CHARACTERS_PER_TOKEN) / strings;
        Self {
            root,
            max_text: share.clamp(8, MAX_TEXT),
            parts: Cell::new(0),
        }
    }

    fn value(&self, schema: &Value, field: &str, depth: usize) -> Result<Grammar> {
        self.parts.set(self.parts.get() + 1);
        if depth > MAX_DEPTH || self.parts.get() > MAX_PARTS {
            return Err(Error::invalid(
                field,
                "is too large or nested too deep, or refers to itself",
            ));
        }
        let Some(map) = schema.as_object() else {
            return if schema == &Value::Bool(true) {
                Ok(self.anything())
            } else {
                Err(Error::invalid(field, "must be a JSON schema"))
            };
        };
        if let Some(target) = map.get("$ref") {
            return self.value(self.resolve(target, field)?, field, depth + 1);
        }
        if let Some(value) = map.get("const") {
            return Ok(Grammar::literal(spaced(value)));
        }
        if let Some(values) = map.get("enum") {
            return enumeration(values, field);
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            if let Some(parts) = map.get(key) {
                return self.alternatives(key, parts, field, depth);
            }
        }
        match map.get("type") {
            Some(Value::String(kind)) => self.typed(kind, map, field, depth),
            Some(Value::Array(kinds)) => {
                let kinds = kinds.iter().filter_map(Value::as_str);
                let all: Result<Vec<_>> = kinds
                    .map(|kind| self.typed(kind, map, field, depth))
                    .collect();
                non_empty(all?, &format!("{field}.type"))
            }
            Some(_) => Err(Error::invalid(
                format!("{field}.type"),
                "must be a name or a list of names",
            )),
            None if map.contains_key("properties") => self.object(map, field, depth),
            None if map.contains_key("items") => self.array(map, field, depth),
            None => Ok(self.anything()),
        }
    }

    fn typed(
        &self,
        kind: &str,
        map: &Map<String, Value>,
        field: &str,
        depth: usize,
    ) -> Result<Grammar> {
        match kind {
            "object" => self.object(map, field, depth),
            "array" => self.array(map, field, depth),
            "string" => self.text(map, field),
            "integer" => number(map, field, 0),
            "number" => number(map, field, DECIMALS),
            "boolean" => Ok(boolean()),
            "null" => Ok(Grammar::literal("null")),
            other => Err(Error::invalid(
                format!("{field}.type"),
                format!("{other} is no type of JSON schema"),
            )),
        }
    }

    /// All required properties in the schema's order, then any of the others in theirs.
    fn object(&self, map: &Map<String, Value>, field: &str, depth: usize) -> Result<Grammar> {
        let empty = Map::new();
        let properties = map
            .get("properties")
            .and_then(Value::as_object)
            .unwrap_or(&empty);
        let required: Vec<&str> = map
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for name in &required {
            if !properties.contains_key(*name) {
                return Err(Error::invalid(
                    format!("{field}.required"),
                    format!("{name} is not among the properties"),
                ));
            }
        }
        let (mut parts, mut optional) = (vec![Grammar::literal("{")], Vec::new());
        for (name, schema) in properties {
            let key = quoted(name) + ": ";
            let value = self.value(schema, &format!("{field}.properties.{name}"), depth + 1)?;
            if !required.contains(&name.as_str()) {
                optional.push((key, value));
            } else {
                let separator = if parts.len() > 1 { SEPARATOR } else { b"" };
                parts.push(Grammar::literal([separator, key.as_bytes()].concat()));
                parts.push(value);
            }
        }
        parts.push(if parts.len() > 1 {
            optional_after(&optional)
        } else {
            optional_alone(&optional)
        });
        parts.push(Grammar::literal("}"));
        Ok(Grammar::sequence(parts))
    }

    fn array(&self, map: &Map<String, Value>, field: &str, depth: usize) -> Result<Grammar> {
        let min = bound(map, "minItems", field)?.unwrap_or(0);
        let max = bound(map, "maxItems", field)?.unwrap_or(MAX_ITEMS.max(min));
        if min > max {
            return Err(Error::invalid(
                format!("{field}.minItems"),
                "must not be above maxItems",
            ));
        }
        let item = match map.get("items") {
            Some(schema) => self.value(schema, &format!("{field}.items"), depth + 1)?,
            None => self.anything(),
        };
        Ok(Grammar::array(item, min, max))
    }

    fn text(&self, map: &Map<String, Value>, field: &str) -> Result<Grammar> {
        let min = bound(map, "minLength", field)?.unwrap_or(0);
        let max = bound(map, "maxLength", field)?
            .map_or(self.max_text.max(min), |max| max.min(MAX_TEXT.max(min)));
        if min > max {
            return Err(Error::invalid(
                format!("{field}.minLength"),
                "must not be above maxLength",
            ));
        }
        Ok(Grammar::text(TextRule { min, max }))
    }

    fn alternatives(&self, key: &str, parts: &Value, field: &str, depth: usize) -> Result<Grammar> {
        let field = format!("{field}.{key}");
        let parts = parts.as_array().map_or(&[][..], Vec::as_slice);
        if key == "allOf" && parts.len() > 1 {
            return Err(Error::invalid(field, "may hold one schema only"));
        }
        let all: Result<Vec<_>> = parts
            .iter()
            .enumerate()
            .map(|(index, part)| self.value(part, &format!("{field}[{index}]"), depth + 1))
            .collect();
        non_empty(all?, &field)
    }

    fn resolve(&self, target: &Value, field: &str) -> Result<&'a Value> {
        let pointer = target.as_str().and_then(|target| target.strip_prefix('#'));
        let found = pointer.and_then(|pointer| self.root.pointer(pointer));
        found.ok_or_else(|| {
            Error::invalid(format!("{field}.$ref"), "must point into the schema itself")
        })
    }

    fn anything(&self) -> Grammar {
        let text = Grammar::text(TextRule {
            min: 0,
            max: self.max_text,
        });
        let number = Grammar::number(NumberRule {
            min: -MAX_INTEGER,
            max: MAX_INTEGER,
            decimals: 0,
        });
        Grammar::choice(vec![text, number, boolean(), Grammar::literal("null")])
    }
}

fn optional_after(optional: &[(String, Grammar)]) -> Grammar {
    let one = |(key, value): &(String, Grammar)| {
        let pair = Grammar::sequence(vec![
            Grammar::literal([SEPARATOR, key.as_bytes()].concat()),
            value.clone(),
        ]);
        Grammar::choice(vec![Grammar::literal(""), pair])
    };
    Grammar::sequence(optional.iter().map(one).collect())
}

fn optional_alone(optional: &[(String, Grammar)]) -> Grammar {
    let mut alternatives = vec![Grammar::literal("")];
    for (index, (key, value)) in optional.iter().enumerate() {
        let rest = optional_after(&optional[index + 1..]);
        alternatives.push(Grammar::sequence(vec![
            Grammar::literal(key.as_str()),
            value.clone(),
            rest,
        ]));
    }
    Grammar::choice(alternatives)
}

fn boolean() -> Grammar {
    Grammar::choice(vec![Grammar::literal("true"), Grammar::literal("false")])
}

fn enumeration(values: &Value, field: &str) -> Result<Grammar> {
    let values = values.as_array().map_or(&[][..], Vec::as_slice);
    non_empty(
        values
            .iter()
            .map(|value| Grammar::literal(spaced(value)))
            .collect(),
        &format!("{field}.enum"),
    )
}

fn non_empty(alternatives: Vec<Grammar>, field: &str) -> Result<Grammar> {
    if alternatives.is_empty() {
        return Err(Error::invalid(field, "must not be empty"));
    }
    Ok(Grammar::choice(alternatives))
}

fn number(map: &Map<String, Value>, field: &str, decimals: u32) -> Result<Grammar> {
    let scale = 10_f64.powi(decimals.cast_signed());
    let most = if decimals == 0 {
        MAX_INTEGER
    } else {
        MAX_NUMBER * 10_i128.pow(decimals)
    };
    let read = |key: &str| {
        map.get(key)
            .and_then(Value::as_f64)
            .map(|value| value * scale)
    };
    let low = [
        read("minimum").map(f64::ceil),
        read("exclusiveMinimum").map(|low| low.floor() + 1.0),
    ];
    let high = [
        read("maximum").map(f64::floor),
        read("exclusiveMaximum").map(|high| high.ceil() - 1.0),
    ];
    // A float casts to the nearest integer of the type, so that huge bounds stay bounds.
    let min = low
        .into_iter()
        .flatten()
        .map(|low| low as i128)
        .fold(-most, i128::max);
    let max = high
        .into_iter()
        .flatten()
        .map(|high| high as i128)
        .fold(most, i128::min);
    if min > max {
        return Err(Error::invalid(
            format!("{field}.minimum"),
            "leaves no number below the maximum",
        ));
    }
    Ok(Grammar::number(NumberRule { min, max, decimals }))
}

fn bound(map: &Map<String, Value>, key: &str, field: &str) -> Result<Option<usize>> {
    let Some(value) = map.get(key) else {
        return Ok(None);
    };
    let number = value
        .as_u64()
        .and_then(|number| usize::try_from(number).ok());
    number
        .map(Some)
        .ok_or_else(|| Error::invalid(format!("{field}.{key}"), "must be a whole number"))
}

/// JSON with a space behind `,` and `:`, as models have seen it most.
fn spaced(value: &Value) -> String {
    match value {
        Value::Array(items) => format!(
            "[{}]",
            items.iter().map(spaced).collect::<Vec<_>>().join(", ")
        ),
        Value::Object(map) => {
            let pair =
                |(key, value): (&String, &Value)| format!("{}: {}", quoted(key), spaced(value));
            format!(
                "{{{}}}",
                map.iter().map(pair).collect::<Vec<_>>().join(", ")
            )
        }
        plain => plain.to_string(),
    }
}

fn count_unbounded(schema: &Value) -> usize {
    match schema {
        Value::Object(map) => {
            let open = map.get("type").and_then(Value::as_str) == Some("string")
                && !map.contains_key("maxLength")
                && !map.contains_key("enum");
            usize::from(open) + map.values().map(count_unbounded).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(count_unbounded).sum(),
        _ => 0,
    }
}
