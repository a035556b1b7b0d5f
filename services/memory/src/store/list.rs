//! Lists of values as one value that both databases take apart: a JSON array of texts.

use swarm_types::MemoryId;

use crate::ContentHash;

pub(super) fn of_ids<'a>(ids: impl IntoIterator<Item = &'a MemoryId>) -> String {
    of(ids.into_iter().map(|id| id.uuid().simple().to_string()))
}

pub(super) fn of_hashes<'a>(hashes: impl IntoIterator<Item = &'a ContentHash>) -> String {
    of(hashes
        .into_iter()
        .map(|hash| hash.0.iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// Of names that [`crate::validate::namespace`] has let pass, and so need no escape.
pub(super) fn of_namespaces<'a>(namespaces: impl IntoIterator<Item = &'a String>) -> String {
    of(namespaces.into_iter().cloned())
}

fn of(texts: impl Iterator<Item = String>) -> String {
    let quoted: Vec<String> = texts.map(|text| format!("\"{text}\"")).collect();
    format!("[{}]", quoted.join(","))
}
