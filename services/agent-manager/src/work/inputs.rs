//! The input of a root task, with what went before it.

use serde_json::Value;
use swarm_errors::Result;

use crate::engine::TaskContext;
use crate::tasks::{Document, Input};
use crate::work::read_input;

/// What was handed in, and the results of the tasks that this one depends on, as documents named
/// after them.
pub(crate) async fn of_root(context: &TaskContext) -> Result<Input> {
    let mut input: Input = read_input(&context.task().spec.input)?;
    input.documents.extend(of_predecessors(context).await?);
    Ok(input)
}

/// The results of the tasks that this one depends on, named after them.
pub(crate) async fn of_predecessors(context: &TaskContext) -> Result<Vec<Document>> {
    let results = context.predecessors().await?.into_iter();
    let documents = results.map(|(name, result)| Document {
        name,
        text: words(&result),
    });
    Ok(documents.collect())
}

/// A result as a text to read: its answer where it has one.
fn words(result: &Value) -> String {
    let answer = result.get("answer").unwrap_or(result);
    let text = answer.get("text").unwrap_or(answer);
    match text {
        Value::String(text) => text.clone(),
        _ => serde_json::to_string_pretty(result).unwrap_or_else(|_| result.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_result_is_read_as_its_answer() {
        assert_eq!(words(&json!("plain")), "plain");
        assert_eq!(words(&json!({"answer": "short"})), "short");
        assert_eq!(
            words(&json!({"answer": {"text": "long", "model": "m"}, "parts": []})),
            "long"
        );
        assert_eq!(words(&json!({"n": 1})), "{\n  \"n\": 1\n}");
    }
}
