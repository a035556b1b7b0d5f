//! What the journal of a task and its sub-tasks shows.

use std::collections::BTreeMap;

use swarm_client::{Client, Event, Step, TaskTree};
use swarm_types::PageRequest;

/// Steps and events of a whole tree.
#[derive(Debug)]
pub struct Journal {
    /// Every step of every task.
    pub steps: Vec<Step>,
    /// The events of each task, in order.
    pub events: BTreeMap<String, Vec<Event>>,
}

impl Journal {
    /// Reads it.
    pub async fn read(client: &Client, root: &str) -> Self {
        let tree = client.task_tree(root).await.unwrap();
        let mut journal = Self {
            steps: Vec::new(),
            events: BTreeMap::new(),
        };
        let mut rest = vec![tree];
        while let Some(TaskTree {
            task,
            steps,
            children,
            ..
        }) = rest.pop()
        {
            journal.steps.extend(steps);
            journal
                .events
                .insert(task.id.clone(), events_of(client, &task.id).await);
            rest.extend(children);
        }
        journal
    }

    /// Fails unless every step finished once, and events are numbered without a gap.
    pub fn assert_nothing_twice(&self) {
        for (task, events) in &self.events {
            let numbers: Vec<u64> = events.iter().map(|event| event.seq.unwrap()).collect();
            assert_eq!(
                numbers,
                (1..=numbers.len() as u64).collect::<Vec<_>>(),
                "events of {task}"
            );
            let mut finished: BTreeMap<String, u32> = BTreeMap::new();
            for event in events.iter().filter(|event| event.kind == "step.finished") {
                *finished
                    .entry(event.data["key"].as_str().unwrap().to_owned())
                    .or_default() += 1;
            }
            let twice: Vec<_> = finished.iter().filter(|(_, count)| **count != 1).collect();
            assert!(
                twice.is_empty(),
                "steps of {task} that finished more than once: {twice:?}"
            );
        }
        let open: Vec<_> = self
            .steps
            .iter()
            .filter(|step| step.state != "finished")
            .collect();
        assert!(open.is_empty(), "steps that did not finish: {open:?}");
    }

    /// How many events of a kind there are in the whole tree.
    #[must_use]
    pub fn count(&self, kind: &str) -> usize {
        self.events
            .values()
            .flatten()
            .filter(|event| event.kind == kind)
            .count()
    }
}

/// All stored events of a task.
pub async fn events_of(client: &Client, task: &str) -> Vec<Event> {
    let mut page = PageRequest {
        limit: 500,
        cursor: String::new(),
    };
    let mut events = Vec::new();
    loop {
        let answer = client.task_events(task, &page).await.unwrap();
        events.extend(answer.items);
        match answer.next_cursor {
            Some(cursor) => page.cursor = cursor,
            None => return events,
        }
    }
}
