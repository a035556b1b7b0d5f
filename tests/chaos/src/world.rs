//! The platform under test, and how it is broken and mended.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use swarm_client::{Client, NewAgent};
use swarm_test_cluster::{Cluster, Service, Shape};
use swarm_test_scenarios::{ANSWER, Swarm, slow_script};
use swarm_test_support::ledger::Ledger;
use swarm_test_support::{postgres, redis};
use swarm_types::{Clock as _, SystemClock, Timestamp};

use crate::plan::{AGENT_MANAGERS, Blow, GATEWAYS, LEASE, Strike};

/// The tool that may be repeated.
pub(crate) const NOTE: &str = "note";
/// The tool that may be called once.
pub(crate) const CHARGE: &str = "charge";
const MODEL_PAUSE: std::time::Duration = std::time::Duration::from_millis(40);

/// Everything that runs.
#[derive(Debug)]
pub(crate) struct World {
    cluster: Cluster,
    postgres: postgres::Server,
    redis: redis::Server,
    pub(crate) ledger: Ledger,
    pub(crate) swarm: Swarm,
    /// The agent that has the tools.
    pub(crate) clerk: String,
    /// When agent-managers were killed or stopped.
    pub(crate) losses: Arc<Mutex<Vec<Timestamp>>>,
    /// What ended by itself and was started again, as an orchestrator would.
    pub(crate) revived: Vec<String>,
}

impl World {
    /// Starts everything.
    pub(crate) async fn start() -> Self {
        let postgres = postgres::Server::start(postgres::Durability::Full).await;
        let redis = redis::Server::start().await;
        let ledger = Ledger::open().await;
        ledger.slow_down(MODEL_PAUSE);
        let cluster = Cluster::builder(Shape::SixProcesses)
            .replicas(Service::AgentManager, AGENT_MANAGERS)
            .replicas(Service::Gateway, GATEWAYS)
            .file(&tools(&ledger))
            .script(&script())
            .postgres(&postgres.database().await)
            .await
            .redis(&redis.url())
            .set("agent_manager.lease_ms", &LEASE.as_millis().to_string())
            .start()
            .await;
        let swarm = Swarm::create(&cluster).await;
        let clerk = NewAgent {
            name: "clerk".to_owned(),
            max_concurrency: Some(64),
            tools: [NOTE, CHARGE].map(str::to_owned).to_vec(),
            ..NewAgent::default()
        };
        let clerk = cluster.client().create_agent(&clerk).await.unwrap().id;
        Self {
            cluster,
            postgres,
            redis,
            ledger,
            swarm,
            clerk,
            losses: Arc::default(),
            revived: Vec::new(),
        }
    }

    /// The client of each gateway.
    pub(crate) fn clients(&self) -> Vec<Client> {
        (0..GATEWAYS)
            .map(|gateway| self.cluster.client_at(gateway))
            .collect()
    }

    /// The REST address of each gateway.
    pub(crate) fn doors(&self) -> Vec<String> {
        (0..GATEWAYS)
            .map(|gateway| self.cluster.rest_at(gateway))
            .collect()
    }

    /// Breaks something, and mends it after a while.
    pub(crate) async fn strike(&mut self, strike: Strike) {
        tokio::time::sleep(strike.after).await;
        self.revive();
        if let Blow::Kill(node) | Blow::Pause(node) = strike.blow
            && node.service == Service::AgentManager
        {
            self.losses.lock().unwrap().push(SystemClock.now());
        }
        match strike.blow {
            Blow::Kill(node) => {
                self.cluster.kill(node).await;
                tokio::time::sleep(strike.lasts).await;
                self.cluster.launch(node);
            }
            Blow::Pause(node) => {
                self.cluster.pause(node).await;
                tokio::time::sleep(strike.lasts).await;
                self.cluster.resume(node).await;
            }
            Blow::Postgres => {
                self.postgres.kill();
                tokio::time::sleep(strike.lasts).await;
                self.postgres.start_again().await;
            }
            Blow::Redis => {
                self.redis.stop();
                tokio::time::sleep(strike.lasts).await;
                self.redis.start_again().await;
            }
        }
    }

    /// Starts what has ended by itself, as an orchestrator would.
    pub(crate) fn revive(&mut self) {
        for node in self.cluster.ended() {
            self.revived.push(node.to_string());
            self.cluster.launch(node);
        }
    }

    /// What the programs have said.
    pub(crate) fn logs(&self) -> String {
        self.cluster.logs()
    }
}

fn tools(ledger: &Ledger) -> String {
    let tool = |name: &str, safety: &str| {
        format!(
            "[[tools.webhook]]\nname = \"{name}\"\ndescription = \"Writes into the ledger.\"\nurl = \"{}\"\nsafety = \"{safety}\"\n",
            ledger.url(name)
        )
    };
    [tool(NOTE, "idempotent"), tool(CHARGE, "at_most_once")].concat()
}

/// Model, tool, model, tool, model; and a swarm's turns.
fn script() -> Value {
    let pause = u64::try_from(MODEL_PAUSE.as_millis()).unwrap();
    let call = |when: &str, tool: &str| json!({ "when": when, "repeat": true, "delay_ms": pause, "tool_calls": [{ "name": tool, "arguments": { "item": "lamp" } }] });
    let say = |when: &str, text: &str| json!({ "when": when, "repeat": true, "delay_ms": pause, "text": text });
    let mut script = slow_script(ANSWER, MODEL_PAUSE);
    let turns = script["turns"].as_array_mut().unwrap();
    let own = [
        call("use the ledger", NOTE),
        call(&format!("noted {NOTE}"), CHARGE),
        say(&format!("noted {CHARGE}"), "Both are noted."),
        say("is unknown", "I cannot tell whether it was charged."),
    ];
    turns.splice(0..0, own);
    script
}
