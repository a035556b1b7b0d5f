//! A swarm of three agents and a question about a document, with a script for every model call.

use std::time::Duration;

use serde_json::{Value, json};
use swarm_client::{Client, NewAgent, NewTask, Strategy, Task};
use swarm_test_cluster::Cluster;

/// What the swarm is asked.
pub const QUESTION: &str = "How many hours may the lamp burn?";
/// The answer that the script's members accept.
pub const ANSWER: &str = "The lamp may burn for seven hours.";
/// The draft that they reject when the script has it.
pub const WRONG_ANSWER: &str = "The lamp may burn for ninety hours.";

const DOCUMENT: &str = "# Lighthouse\n\n## Lamp\n\nThe lamp may burn for seven hours, then it must cool.\n\n## Door\n\nThe door is painted red every spring.\n\n## Stairs\n\nThe stairs have ninety steps and one landing.\n";

/// A script for every call of a swarm's task. `first_draft` is what the writer writes first.
#[must_use]
pub fn script(first_draft: &str) -> Value {
    slow_script(first_draft, Duration::ZERO)
}

/// The same, where every model call takes at least this long.
#[must_use]
pub fn slow_script(first_draft: &str, pause: Duration) -> Value {
    let votes = |verdict: &str| {
        let vote = |option: &str, choice: &str| json!({ "option": option, "choice": choice, "reason": "as I read it" });
        let mut votes: Vec<Value> = (1..=9)
            .map(|n| vote(&format!("f{n}"), if n == 1 { "approve" } else { "reject" }))
            .collect();
        votes.push(vote("answer", verdict));
        json!({ "votes": votes }).to_string()
    };
    let turn = |when: &str, text: &str| {
        let pause = u64::try_from(pause.as_millis()).unwrap();
        json!({ "when": when, "text": text, "repeat": true, "delay_ms": pause })
    };
    json!({ "turns": [
        turn("Answer again", ANSWER),
        turn("Answer in one or two sentences", first_draft),
        turn("In one sentence, what do these passages say", "They speak of a lamp."),
        turn(&format!("[answer] {WRONG_ANSWER}"), &votes("reject")),
        turn("approve it if it helps", &votes("approve")),
        turn("", "I have nothing to add."),
    ] })
}

/// The agents of a swarm.
#[derive(Debug, Clone)]
pub struct Swarm {
    /// A client that may use them.
    pub client: Client,
    /// Ids of scout, analyst and writer.
    pub members: Vec<String>,
}

impl Swarm {
    /// Makes the three agents.
    pub async fn create(cluster: &Cluster) -> Self {
        let client = cluster.client();
        let mut members = Vec::new();
        for (name, role, search) in [
            ("scout", "reader", "words"),
            ("analyst", "reader", "words"),
            ("writer", "writer", "words"),
        ] {
            let agent = NewAgent {
                name: name.to_owned(),
                role: Some(role.to_owned()),
                labels: [("search".to_owned(), search.to_owned())].into(),
                ..NewAgent::default()
            };
            members.push(client.create_agent(&agent).await.unwrap().id);
        }
        Self { client, members }
    }

    /// The task that asks the question.
    #[must_use]
    pub fn question(&self) -> NewTask {
        NewTask {
            input: json!({ "prompt": QUESTION, "documents": [{ "name": "lighthouse.md", "text": DOCUMENT }] }),
            strategy: Some(Strategy {
                name: "swarm".to_owned(),
                members: self.members.clone(),
                rounds: None,
            }),
            ..NewTask::question(QUESTION)
        }
    }

    /// Asks.
    pub async fn ask(&self) -> Task {
        self.client.submit_task(&self.question()).await.unwrap()
    }

    /// Waits for the end of a task, over any restart in between.
    pub async fn end_of(&self, id: &str) -> Task {
        let what = format!("the end of {id}");
        swarm_test_support::eventually(&what, Duration::from_secs(90), || async {
            match self.client.task_result(id, Duration::from_secs(5)).await {
                Ok(task) if task.state.has_ended() => Ok(task),
                Ok(task) => Err(format!("{} ({:?})", task.state, task.waiting_reason)),
                Err(error) => Err(error.to_string()),
            }
        })
        .await
    }
}
