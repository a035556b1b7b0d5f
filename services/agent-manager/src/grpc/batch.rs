//! Batches, from the wire. Errors name the item.

use std::collections::HashMap;

use swarm_errors::{Error, Result};
use swarm_proto::agents::v1 as wire;
use swarm_types::{TaskId, TenantId};

use super::decode::{check_count, request_key, root_task, word};
use crate::engine::{Batch, BatchItem};
use crate::tasks::Predecessor;

const MAX_TASKS: usize = 1_000;

/// A batch, checked as far as no store is needed.
pub(super) fn decode(tenant: TenantId, request: wire::SubmitTasksRequest) -> Result<Batch> {
    let key = request_key(request.request)?;
    if request.tasks.is_empty() || request.tasks.len() > MAX_TASKS {
        let message = format!("must be 1 to {MAX_TASKS}");
        return Err(Error::invalid("tasks", message));
    }
    let names = names(&request.tasks)?;
    let items = request
        .tasks
        .into_iter()
        .enumerate()
        .map(|(place, item)| {
            decode_item(tenant, item, &names).map_err(|error| error.within(within(place)))
        })
        .collect::<Result<_>>()?;
    Ok(Batch {
        tenant,
        request: key,
        items,
    })
}

/// The path of an item.
fn within(place: usize) -> String {
    format!("tasks[{place}]")
}

fn names(items: &[wire::NewTask]) -> Result<HashMap<String, usize>> {
    let mut names = HashMap::new();
    for (place, item) in items.iter().enumerate() {
        if item.name.is_empty() {
            continue;
        }
        let field = format!("{}.name", within(place));
        if item.name.parse::<TaskId>().is_ok() {
            return Err(Error::invalid(field, "must not look like a task's id"));
        }
        let name = word(&field, item.name.clone())?;
        if names.insert(name, place).is_some() {
            return Err(Error::invalid(field, "is the name of two tasks"));
        }
    }
    Ok(names)
}

fn decode_item(
    tenant: TenantId,
    item: wire::NewTask,
    names: &HashMap<String, usize>,
) -> Result<BatchItem> {
    let spec = item
        .spec
        .ok_or_else(|| Error::invalid("spec", "is missing"))?;
    check_count("depends_on", spec.depends_on.len())?;
    let mut depends_on: Vec<Predecessor> = Vec::new();
    for (place, text) in spec.depends_on.iter().enumerate() {
        let field = || format!("depends_on[{place}]");
        let known = names.get(text).copied().map(Predecessor::Item);
        let predecessor = match (known, text.parse()) {
            (Some(item), _) => item,
            (None, Ok(id)) => Predecessor::Task(id),
            (None, Err(_)) => {
                let message = "is neither a task's id nor the name of a task of this batch";
                return Err(Error::invalid(field(), message));
            }
        };
        if depends_on.contains(&predecessor) {
            return Err(Error::invalid(field(), "is named twice"));
        }
        depends_on.push(predecessor);
    }
    Ok(BatchItem {
        name: item.name,
        task: root_task(tenant, spec)?,
        depends_on,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn item(name: &str, depends_on: &[&str]) -> wire::NewTask {
        wire::NewTask {
            name: name.into(),
            spec: Some(wire::TaskSpec {
                input_json: r#"{"prompt": "why?"}"#.into(),
                depends_on: depends_on.iter().map(ToString::to_string).collect(),
                ..Default::default()
            }),
        }
    }

    fn read(tasks: Vec<wire::NewTask>) -> Result<Batch> {
        decode(
            TenantId::new(),
            wire::SubmitTasksRequest {
                request: None,
                tasks,
            },
        )
    }

    #[test]
    fn items_are_named_before_or_after_they_are_used() {
        let outside = TaskId::new();
        let batch = read(vec![
            item("", &["last", &outside.to_string()]),
            item("last", &[]),
        ])
        .unwrap();
        assert_eq!(
            batch.items[0].depends_on,
            [Predecessor::Item(1), Predecessor::Task(outside)]
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_item() {
        let mut bad = item("a", &[]);
        bad.spec.as_mut().unwrap().priority = "now".into();
        for (tasks, field) in [
            (vec![], "tasks"),
            (vec![item("", &[]); 1_001], "tasks"),
            (vec![item("a", &[]), item("a", &[])], "tasks[1].name"),
            (vec![item(&TaskId::new().to_string(), &[])], "tasks[0].name"),
            (
                vec![item("a", &[]), item("", &["a", "b"])],
                "tasks[1].depends_on[1]",
            ),
            (
                vec![item("a", &[]), item("", &["a", "a"])],
                "tasks[1].depends_on[1]",
            ),
            (vec![item("", &[]), bad], "tasks[1].priority"),
            (vec![wire::NewTask::default()], "tasks[0].spec"),
        ] {
            let error = read(tasks).unwrap_err();
            assert_eq!(error.fields()[0].field, field);
            assert!(error.detail().starts_with(field), "{error}");
        }
    }
}
