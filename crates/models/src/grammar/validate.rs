//! Checks a finished value against its schema, apart from the grammar that made it.

use serde_json::{Map, Value};

/// What is wrong with `value`, as `path: words`, or nothing.
///
/// Knows what our grammars know: types, required and unknown properties, enums, bounds of strings, lists and numbers.
///
/// # Errors
/// The first thing that is wrong.
pub fn validate(schema: &Value, value: &Value) -> Result<(), String> {
    Checker { root: schema }.value(schema, value, "$")
}

struct Checker<'a> {
    root: &'a Value,
}

impl Checker<'_> {
    fn value(&self, schema: &Value, value: &Value, path: &str) -> Result<(), String> {
        let Some(map) = schema.as_object() else {
            return Ok(());
        };
        if let Some(target) = map.get("$ref").and_then(Value::as_str) {
            let found = target
                .strip_prefix('#')
                .and_then(|pointer| self.root.pointer(pointer));
            return found.map_or(Ok(()), |schema| self.value(schema, value, path));
        }
        if map.get("const").is_some_and(|only| only != value) {
            return Err(format!("{path}: is not the only value allowed"));
        }
        if map
            .get("enum")
            .and_then(Value::as_array)
            .is_some_and(|values| !values.contains(value))
        {
            return Err(format!("{path}: is not among the values allowed"));
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            let Some(parts) = map.get(key).and_then(Value::as_array) else {
                continue;
            };
            if !parts
                .iter()
                .any(|part| self.value(part, value, path).is_ok())
            {
                return Err(format!("{path}: fits none of {key}"));
            }
        }
        self.kind(map, value, path)?;
        match value {
            Value::Object(object) => self.object(map, object, path),
            Value::Array(items) => self.array(map, items, path),
            Value::String(text) => bounds(map, "Length", text.chars().count() as f64, path),
            Value::Number(number) => number
                .as_f64()
                .map_or(Ok(()), |number| range(map, number, path)),
            _ => Ok(()),
        }
    }

    fn kind(&self, map: &Map<String, Value>, value: &Value, path: &str) -> Result<(), String> {
        let fits = |kind: &Value| match kind.as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("number") => value.is_number(),
            Some("integer") => value.as_f64().is_some_and(|number| number.fract() == 0.0),
            Some("boolean") => value.is_boolean(),
            Some("null") => value.is_null(),
            _ => false,
        };
        match map.get("type") {
            Some(Value::Array(kinds)) if !kinds.iter().any(fits) => {
                Err(format!("{path}: has the wrong type"))
            }
            Some(kind @ Value::String(name)) if !fits(kind) => {
                Err(format!("{path}: must be of type {name}"))
            }
            _ => Ok(()),
        }
    }

    fn object(
        &self,
        map: &Map<String, Value>,
        object: &Map<String, Value>,
        path: &str,
    ) -> Result<(), String> {
        for name in map
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            if !object.contains_key(name) {
                return Err(format!("{path}.{name}: is missing"));
            }
        }
        let properties = map.get("properties").and_then(Value::as_object);
        let closed = map.get("additionalProperties") == Some(&Value::Bool(false));
        for (name, value) in object {
            match properties.and_then(|properties| properties.get(name)) {
                Some(schema) => self.value(schema, value, &format!("{path}.{name}"))?,
                None if closed => return Err(format!("{path}.{name}: is unknown")),
                None => {}
            }
        }
        Ok(())
    }

    fn array(&self, map: &Map<String, Value>, items: &[Value], path: &str) -> Result<(), String> {
        bounds(map, "Items", items.len() as f64, path)?;
        let Some(schema) = map.get("items") else {
            return Ok(());
        };
        items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| self.value(schema, item, &format!("{path}[{index}]")))
    }
}

fn bounds(map: &Map<String, Value>, what: &str, size: f64, path: &str) -> Result<(), String> {
    let read = |prefix: &str| map.get(&format!("{prefix}{what}")).and_then(Value::as_f64);
    if read("min").is_some_and(|min| size < min) || read("max").is_some_and(|max| size > max) {
        return Err(format!("{path}: is shorter or longer than allowed"));
    }
    Ok(())
}

fn range(map: &Map<String, Value>, number: f64, path: &str) -> Result<(), String> {
    let read = |key: &str| map.get(key).and_then(Value::as_f64);
    let low = read("minimum").is_some_and(|low| number < low)
        || read("exclusiveMinimum").is_some_and(|low| number <= low);
    let high = read("maximum").is_some_and(|high| number > high)
        || read("exclusiveMaximum").is_some_and(|high| number >= high);
    if low || high {
        return Err(format!("{path}: is out of range"));
    }
    Ok(())
}
