//! What may be stored and asked: pure. Every refusal names the field as the caller knows it.

use std::collections::HashSet;

use serde_json::Value;
use swarm_errors::{Code, Error, Result};
use swarm_types::{MemoryId, Timestamp};

use crate::{Draft, Question, Repeat};

/// Memories of one put.
pub(crate) const MAX_BATCH: usize = 500;
/// Bytes of contents in one message, so that it stays below gRPC's limit of 4 MiB.
pub(crate) const MAX_MESSAGE_BYTES: usize = 3 << 20;
const MAX_CONTENT_BYTES: usize = 64 << 10;
/// Bytes of a memory's metadata, as JSON.
pub(crate) const MAX_METADATA_BYTES: usize = 16 << 10;
const MAX_TAGS: usize = 32;
const MAX_TAG_CHARACTERS: usize = 64;
const MAX_NAMESPACE_BYTES: usize = 200;
const MAX_SOURCE_CHARACTERS: usize = 1000;
const MAX_KEY_CHARACTERS: usize = 255;
const MAX_QUERY_BYTES: usize = 8 << 10;
const MAX_NAMESPACES: usize = 32;
const MAX_HITS: usize = 100;
/// 10000-01-01 in UNIX seconds: later years have another text form, which sorts wrongly.
const END_OF_TIME: i64 = 253_402_300_800;

/// A put as a whole, then each memory of it.
pub(crate) fn drafts(drafts: &[Draft], now: Timestamp) -> Result<()> {
    if drafts.is_empty() || drafts.len() > MAX_BATCH {
        return Err(Error::invalid(
            "memories",
            format!("must hold 1 to {MAX_BATCH} memories"),
        ));
    }
    let mut ids: HashSet<MemoryId> = HashSet::new();
    for (place, draft) in drafts.iter().enumerate() {
        one_draft(&|field| format!("memories[{place}].{field}"), draft, now)?;
        if let Some(id) = draft.id
            && !ids.insert(id)
        {
            return Err(Error::invalid(
                format!("memories[{place}].id"),
                "is given twice",
            ));
        }
    }
    let bytes: usize = drafts.iter().map(size).sum();
    if bytes > MAX_MESSAGE_BYTES {
        let message = format!(
            "hold {bytes} bytes together, which is more than {MAX_MESSAGE_BYTES}: put them in parts"
        );
        return Err(Error::new(Code::TooLarge, format!("memories: {message}"))
            .with_field("memories", message));
    }
    Ok(())
}

fn size(draft: &Draft) -> usize {
    let tags: usize = draft.tags.iter().map(String::len).sum();
    draft.content.len()
        + draft.source.len()
        + tags
        + draft
            .metadata
            .iter()
            .map(|(key, value)| key.len() + json_size(value))
            .sum::<usize>()
}

fn json_size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(values) => values.iter().map(json_size).sum::<usize>() + 2,
        Value::Object(map) => {
            map.iter()
                .map(|(key, value)| key.len() + json_size(value) + 3)
                .sum::<usize>()
                + 2
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
    }
}

fn one_draft(name: &dyn Fn(&str) -> String, draft: &Draft, now: Timestamp) -> Result<()> {
    namespace(&name("namespace"), &draft.namespace)?;
    let content = name("content");
    if draft.content.trim().is_empty() {
        return Err(Error::invalid(content, "must not be empty"));
    }
    if draft.content.len() > MAX_CONTENT_BYTES {
        return Err(Error::invalid(
            content,
            format!("must be at most {MAX_CONTENT_BYTES} bytes"),
        ));
    }
    without_nul(&content, &draft.content)?;
    tags(&name("tags"), &draft.tags)?;
    if !(0.0..=1.0).contains(&draft.importance) {
        return Err(Error::invalid(name("importance"), "must be from 0 to 1"));
    }
    let source = name("source");
    without_nul(&source, &draft.source)?;
    if draft.source.chars().count() > MAX_SOURCE_CHARACTERS {
        return Err(Error::invalid(
            source,
            format!("must be at most {MAX_SOURCE_CHARACTERS} characters"),
        ));
    }
    if draft
        .metadata
        .iter()
        .any(|(key, value)| key.contains('\0') || has_nul(value))
    {
        return Err(Error::invalid(
            name("metadata"),
            "must not hold the character U+0000",
        ));
    }
    match draft.expires_at {
        Some(at) if at <= now => Err(Error::invalid(name("expires_at"), "must lie in the future")),
        Some(at) if at.timestamp() >= END_OF_TIME => Err(Error::invalid(
            name("expires_at"),
            "must be before the year 10000",
        )),
        _ => Ok(()),
    }
}

/// Names joined by slashes, such as `shared`, `agent/<id>` or `docs/operations.md`.
pub(crate) fn namespace(field: &str, namespace: &str) -> Result<()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let is_name = |part: &str| {
        !part.is_empty() && part.bytes().all(plain) && !part.bytes().all(|byte| byte == b'.')
    };
    if namespace.len() <= MAX_NAMESPACE_BYTES && namespace.split('/').all(is_name) {
        return Ok(());
    }
    let words = "must be names of letters, digits, '.', '_' and '-', joined by '/', of at most";
    Err(Error::invalid(
        field,
        format!("{words} {MAX_NAMESPACE_BYTES} characters"),
    ))
}

fn tags(field: &str, tags: &[String]) -> Result<()> {
    if tags.len() > MAX_TAGS {
        return Err(Error::invalid(field, format!("must be at most {MAX_TAGS}")));
    }
    for (place, tag) in tags.iter().enumerate() {
        let field = format!("{field}[{place}]");
        if tag.trim().is_empty() || tag.chars().count() > MAX_TAG_CHARACTERS {
            return Err(Error::invalid(
                field,
                format!("must be 1 to {MAX_TAG_CHARACTERS} characters"),
            ));
        }
        if tag.chars().any(char::is_control) {
            return Err(Error::invalid(field, "must not hold control characters"));
        }
    }
    Ok(())
}

/// A search.
pub(crate) fn question(question: &Question) -> Result<()> {
    if question.namespaces.is_empty() || question.namespaces.len() > MAX_NAMESPACES {
        return Err(Error::invalid(
            "namespaces",
            format!("must hold 1 to {MAX_NAMESPACES} namespaces"),
        ));
    }
    for (place, name) in question.namespaces.iter().enumerate() {
        namespace(&format!("namespaces[{place}]"), name)?;
    }
    if question.text.trim().is_empty() {
        return Err(Error::invalid("query", "must not be empty"));
    }
    if question.text.len() > MAX_QUERY_BYTES {
        return Err(Error::invalid(
            "query",
            format!("must be at most {MAX_QUERY_BYTES} bytes"),
        ));
    }
    without_nul("query", &question.text)?;
    if question.limit == 0 || question.limit > MAX_HITS {
        return Err(Error::invalid("limit", format!("must be 1 to {MAX_HITS}")));
    }
    tags("tags", &question.tags)
}

/// The key of a write.
pub(crate) fn repeat(repeat: &Repeat) -> Result<()> {
    let length = repeat.key.chars().count();
    if length == 0 || length > MAX_KEY_CHARACTERS {
        return Err(Error::invalid(
            "request.key",
            format!("must be 1 to {MAX_KEY_CHARACTERS} characters"),
        ));
    }
    without_nul("request.key", &repeat.key)?;
    if !matches!(repeat.body_hash.len(), 0 | 32) {
        return Err(Error::invalid(
            "request.body_hash",
            "must be a SHA-256 of 32 bytes, or empty",
        ));
    }
    Ok(())
}

fn without_nul(field: &str, text: &str) -> Result<()> {
    if text.contains('\0') {
        return Err(Error::invalid(field, "must not hold the character U+0000"));
    }
    Ok(())
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(map) => map
            .iter()
            .any(|(key, value)| key.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn namespaces_are_plain_names() {
        for good in [
            "shared",
            "agent/agent_01k9",
            "docs/operations.md",
            "a",
            "A-1_b.c/d",
        ] {
            namespace("namespace", good).unwrap();
        }
        let long = "a".repeat(201);
        for bad in [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            "..",
            "a/../b",
            ".",
            "a b",
            "ü",
            "a\0",
            "a;b",
            "a'b",
            long.as_str(),
        ] {
            assert_eq!(
                namespace("x.y", bad).unwrap_err().fields()[0].field,
                "x.y",
                "{bad}"
            );
        }
    }

    #[test]
    fn nul_is_found_wherever_it_hides() {
        for hidden in [
            serde_json::json!(["\0"]),
            serde_json::json!({"a": {"\0": 1}}),
            serde_json::json!([[{"b": "x\0"}]]),
        ] {
            assert!(has_nul(&hidden), "{hidden}");
        }
        assert!(!has_nul(&serde_json::json!({"a": [1, null, "\\u0000"]})));
    }
}
