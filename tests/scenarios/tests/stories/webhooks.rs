//! Tools of the operator's own: a crash doubles no effect, and what is unknown is said.

use std::time::Duration;

use serde_json::{Value, json};
use swarm_client::{NewAgent, NewTask, Step, Task, TaskState};
use swarm_test_cluster::{Cluster, Service, Shape};
use swarm_test_support::eventually;
use swarm_test_support::ledger::{Invocation, Ledger};

const LIMIT: Duration = Duration::from_secs(60);

struct Shop {
    cluster: Cluster,
    ledger: Ledger,
    agent: String,
}

impl Shop {
    /// A platform with two tools on an outside ledger, and an agent that has both.
    async fn open(shape: Shape) -> Self {
        let ledger = Ledger::open().await;
        let tool = |name: &str, safety: &str, timeout_ms: u64| {
            format!(
                "[[tools.webhook]]\nname = \"{name}\"\ndescription = \"Writes into the ledger.\"\nurl = \"{}\"\nsafety = \"{safety}\"\ntimeout_ms = {timeout_ms}\nheaders = {{ x-shop = \"north\" }}\n",
                ledger.url(name)
            )
        };
        let settings = [
            tool("note", "idempotent", 30_000),
            tool("charge", "at_most_once", 30_000),
            tool("impatient", "at_most_once", 200),
            tool("hidden", "idempotent", 1_000),
        ]
        .concat();
        let call = |name: &str| json!({ "when": format!("use {name}"), "repeat": true, "tool_calls": [{ "name": name, "arguments": { "item": "lamp" } }] });
        let say = |when: &str, text: &str| json!({ "when": when, "text": text, "repeat": true });
        let script = json!({ "turns": [
            call("note"), call("charge"), call("impatient"), call("hidden"),
            say("The ledger has noted", "It is noted."),
            say("is unknown", "I cannot tell whether it was charged."),
            say("There is no tool", "I may not do that."),
        ] });
        let cluster = Cluster::builder(shape)
            .file(&settings)
            .script(&script)
            .start()
            .await;
        let agent = NewAgent {
            name: "clerk".to_owned(),
            tools: ["note", "charge", "impatient"].map(str::to_owned).to_vec(),
            ..NewAgent::default()
        };
        let agent = cluster.client().create_agent(&agent).await.unwrap().id;
        Self {
            cluster,
            ledger,
            agent,
        }
    }

    async fn ask(&self, tool: &str) -> Task {
        let task = NewTask {
            agent_id: Some(self.agent.clone()),
            ..NewTask::question(format!("Please use {tool}."))
        };
        self.cluster.client().submit_task(&task).await.unwrap()
    }

    async fn called(&self, count: usize) -> Vec<Invocation> {
        eventually("a call at the ledger", LIMIT, || async {
            let calls = self.ledger.invocations();
            (calls.len() >= count).then_some(calls)
        })
        .await
    }

    async fn end(&self, id: &str) -> (Task, Vec<Step>) {
        let client = self.cluster.client();
        let task = eventually("the task's end", LIMIT, || async {
            let task = client
                .get_task(id)
                .await
                .map_err(|error| error.to_string())?;
            if task.state.has_ended() {
                Ok(task)
            } else {
                Err(task.state.to_string())
            }
        })
        .await;
        let steps = client.task_tree(id).await.unwrap().steps;
        assert_eq!(task.state, TaskState::Completed, "{:?}", task.error);
        (task, steps)
    }
}

fn tool_step(steps: &[Step]) -> &Step {
    steps.iter().find(|step| step.kind == "tool").unwrap()
}

/// What the model was told before it gave its answer.
fn told(steps: &[Step]) -> String {
    let last = steps.iter().rfind(|step| step.kind == "model").unwrap();
    let input = last.input.as_ref().unwrap();
    let messages = input["messages"].as_array().unwrap();
    messages.last().unwrap()["content"].to_string()
}

#[tokio::test]
async fn killed_between_call_and_journal_an_idempotent_tool_is_called_again_with_its_token() {
    let mut shop = Shop::open(Shape::OneProcess).await;
    shop.ledger.hold("note");
    let task = shop.ask("note").await;
    shop.called(1).await;
    shop.cluster.kill(Service::AgentManager).await;
    shop.ledger.release();
    shop.cluster.start(Service::AgentManager).await;
    let (task, steps) = shop.end(&task.id).await;
    let calls = shop.ledger.invocations();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].token, calls[1].token);
    let step = tool_step(&steps);
    assert_eq!(calls[0].token, format!("{}/{}/1", task.id, step.id));
    assert!(
        calls[1].epoch > calls[0].epoch,
        "the later hold has the higher epoch"
    );
    assert_eq!(calls[0].arguments, json!({ "item": "lamp" }));
    assert_eq!(calls[0].headers["x-shop"], "north");
    assert_eq!(step.state, "finished");
    assert!(told(&steps).contains("noted note before"));
}

#[tokio::test]
async fn killed_between_call_and_journal_a_tool_that_may_run_once_is_not_called_again() {
    let mut shop = Shop::open(Shape::OneProcess).await;
    shop.ledger.hold("charge");
    let task = shop.ask("charge").await;
    shop.called(1).await;
    shop.cluster.kill(Service::AgentManager).await;
    shop.ledger.release();
    shop.cluster.start(Service::AgentManager).await;
    let (task, steps) = shop.end(&task.id).await;
    assert_eq!(shop.ledger.invocations().len(), 1);
    assert_unknown(&task, &steps, "charge");
}

/// Without any crash: the answer did not come in time, so nobody knows.
#[tokio::test]
async fn a_tool_that_may_run_once_and_does_not_answer_ends_as_unknown() {
    let shop = Shop::open(Shape::OneProcess).await;
    shop.ledger.hold("impatient");
    let task = shop.ask("impatient").await;
    let (task, steps) = shop.end(&task.id).await;
    assert_eq!(shop.ledger.invocations().len(), 1);
    assert_unknown(&task, &steps, "impatient");
}

fn assert_unknown(task: &Task, steps: &[Step], tool: &str) {
    assert_eq!(tool_step(steps).state, "outcome_unknown");
    assert!(told(steps).contains("is unknown"), "the model is told");
    let result = task.result.as_ref().unwrap();
    assert_eq!(
        result["unknown_outcomes"],
        json!([tool]),
        "the user is told"
    );
    assert_eq!(
        result["answer"]["text"],
        Value::from("I cannot tell whether it was charged.")
    );
}

#[tokio::test]
async fn an_agent_has_no_tool_that_it_does_not_name() {
    let shop = Shop::open(Shape::OneProcess).await;
    let task = shop.ask("hidden").await;
    let (_, steps) = shop.end(&task.id).await;
    assert!(shop.ledger.invocations().is_empty());
    assert!(told(&steps).contains("There is no tool"));
}
