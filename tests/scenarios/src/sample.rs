//! A request body for any route, made from its schema in the OpenAPI document. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Whose ids and words a sample speaks of.
#[derive(Debug, Clone, Default)]
pub struct Words {
    /// An id of each kind, by its prefix, such as `agent`.
    pub ids: BTreeMap<String, String>,
    /// Fields that have a value of their own, such as `namespace`.
    pub fields: BTreeMap<String, Value>,
}

impl Words {
    /// The text for a field of this name.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<String> {
        if let Some(word) = self.fields.get(field) {
            return word.as_str().map(str::to_owned);
        }
        let agents = ["voter", "electorate", "members", "agents"];
        let kind = self
            .ids
            .keys()
            .find(|kind| field.ends_with(&format!("{kind}_id")) || field == kind.as_str());
        match kind {
            Some(kind) => self.ids.get(kind).cloned(),
            None if agents.contains(&field) => self.ids.get("agent").cloned(),
            None if field == "depends_on" => self.ids.get("task").cloned(),
            None => None,
        }
    }
}

/// A document and how much of it is said.
#[derive(Debug, Clone, Copy)]
pub struct Sampler<'a> {
    /// The OpenAPI document.
    pub document: &'a Value,
    /// What it speaks of.
    pub words: &'a Words,
    /// Optional fields too, not only what is required.
    pub with_optional: bool,
}

impl Sampler<'_> {
    /// The body of an operation, where it takes one.
    #[must_use]
    pub fn body(&self, operation: &Value) -> Option<Value> {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        schema.is_object().then(|| self.value("", schema))
    }

    fn value(&self, field: &str, schema: &Value) -> Value {
        if let Some(value) = self.words.fields.get(field) {
            return value.clone();
        }
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.rsplit('/').next().unwrap_or_default();
            return self.value(field, &self.document["components"]["schemas"][name]);
        }
        for choice in ["oneOf", "anyOf", "allOf"] {
            let first = schema[choice]
                .as_array()
                .and_then(|all| all.iter().find(|one| one["type"] != "null"));
            if let Some(first) = first {
                return self.value(field, first);
            }
        }
        if let Some(first) = schema["enum"].as_array().and_then(|all| all.first()) {
            return first.clone();
        }
        match kind(schema) {
            "object" => self.object(schema),
            "array" => json!([self.value(field, &schema["items"])]),
            "integer" => json!(schema["minimum"].as_u64().unwrap_or(0).max(1)),
            "number" => json!(0.5),
            "boolean" => json!(true),
            _ => self.string(field, schema),
        }
    }

    fn object(&self, schema: &Value) -> Value {
        let required: Vec<&str> = schema["required"]
            .as_array()
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let mut fields = Map::new();
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            let speaks_of_others = self.words.text(name).is_some();
            if self.with_optional || speaks_of_others || required.contains(&name.as_str()) {
                fields.insert(name.clone(), self.value(name, schema));
            }
        }
        Value::Object(fields)
    }

    fn string(&self, field: &str, schema: &Value) -> Value {
        if let Some(text) = self.words.text(field) {
            return text.into();
        }
        if schema["format"] == "date-time" {
            return "2030-01-01T00:00:00Z".into();
        }
        match &schema["example"] {
            Value::String(example) => example.clone().into(),
            _ => "something".into(),
        }
    }
}

/// The first type that is not null.
fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::Array(types) => types
            .iter()
            .filter_map(Value::as_str)
            .find(|name| *name != "null")
            .unwrap_or_default(),
        one => one.as_str().unwrap_or_default(),
    }
}
