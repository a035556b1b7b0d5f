//! No tenant sees or changes what is another's: every route of the OpenAPI document is walked, so
//! that a new one is covered by itself. A route that names something which the first tenant does
//! not have yet fails here: then give the first tenant one of those in `furnish`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt;
use serde_json::{Value, json};
use swarm_client::{Client, NewTask, NewTenant, Watched};
use swarm_test_cluster::{Cluster, Shape, http};
use swarm_test_scenarios::{ANSWER, Sampler, Words, script};
use swarm_test_support::eventually;

/// In everything that the first tenant says, and in nothing that the second one does.
const MARK: &str = "ultramarine";
/// Where both tenants keep memories.
const NAMESPACE: &str = "shared";
const LIMIT: Duration = Duration::from_secs(60);

/// A route as the document has it.
#[derive(Debug, Clone)]
struct Route {
    method: String,
    path: String,
    operation: Value,
}

impl Route {
    fn all(document: &Value) -> Vec<Self> {
        let mut routes = Vec::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                routes.push(Self {
                    method: method.to_uppercase(),
                    path: path.clone(),
                    operation: operation.clone(),
                });
            }
        }
        routes
    }

    fn is_read(&self) -> bool {
        self.method == "GET"
    }

    fn names_something(&self) -> bool {
        self.path.contains('{')
    }

    /// Who is calling and how the platform is: not what a tenant has.
    fn is_of_nobody(&self) -> bool {
        ["root", "system", "sessions"].contains(&self.operation["tags"][0].as_str().unwrap())
    }

    /// The path that names this thing.
    fn naming(&self, id: &str) -> String {
        let mut path = String::new();
        for part in self.path.split_inclusive(['{', '}']) {
            match part.strip_suffix('}') {
                Some(_) => path.push_str(id),
                None => path.push_str(part.trim_end_matches('{')),
            }
        }
        path
    }

    /// The query, with whatever can speak of others.
    fn query(&self, words: &Words) -> Vec<(String, String)> {
        let parameters = self.operation["parameters"].as_array();
        let queries = parameters
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "query");
        queries
            .filter_map(|parameter| {
                let name = parameter["name"].as_str().unwrap();
                words.text(name).map(|word| (name.to_owned(), word))
            })
            .collect()
    }
}

/// Somebody at the door.
struct Visitor {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Visitor {
    async fn of(cluster: &Cluster, client: &Client) -> Self {
        Self {
            http: http(),
            base: cluster.rest(),
            token: client.token().await.unwrap(),
        }
    }

    async fn ask(
        &self,
        route: &Route,
        path: &str,
        query: &[(String, String)],
        body: Option<&Value>,
    ) -> (u16, String) {
        let method = route.method.parse().unwrap();
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        request = request.bearer_auth(&self.token).query(query);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/api/v1{path}", self.base);
        let request = self.http.post(url).bearer_auth(&self.token).json(&body);
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// All that this tenant can read of what it has, by path.
    async fn all(&self, routes: &[Route], words: &Words, ids: &BTreeSet<String>) -> Seen {
        let mut seen = Seen::new();
        let reads = routes.iter().filter(|r| r.is_read() && !r.is_of_nobody());
        for route in reads {
            let paths = match route.names_something() {
                true => ids.iter().map(|id| route.naming(id)).collect(),
                false => vec![route.path.clone()],
            };
            for path in paths {
                // Unfiltered where that is possible.
                let needed = route.query(words);
                let needed: Vec<_> = needed
                    .into_iter()
                    .filter(|(name, _)| name == "namespace")
                    .collect();
                let (status, text) = self.ask(route, &path, &needed, None).await;
                if status == 200 {
                    seen.insert(path, text);
                }
            }
        }
        seen
    }
}

type Seen = BTreeMap<String, String>;

/// Ids such as `task_01k9zzzzzzzzzzzzzzzzzzzzzz` in a text.
fn ids_in(text: &str) -> BTreeSet<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !is_word(c))
        .filter(|word| {
            word.rsplit_once('_').is_some_and(|(kind, rest)| {
                !kind.is_empty()
                    && rest.len() == 26
                    && rest.chars().all(|c| c.is_ascii_alphanumeric())
            })
        })
        .map(str::to_owned)
        .collect()
}

/// One of everything, each with the mark, and a task that has ended and was rated.
async fn furnish(client: &Client, first: &Visitor) -> (Words, BTreeSet<String>) {
    let mut made = Vec::new();
    let agent = first
        .post("/agents", json!({ "name": MARK, "instructions": MARK }))
        .await;
    let agent_id = agent["id"].as_str().unwrap().to_owned();
    let question = NewTask {
        agent_id: Some(agent_id.clone()),
        ..NewTask::question(MARK)
    };
    let task = client.submit_task(&question).await.unwrap().id;
    let ended = eventually("the first tenant's task to end", LIMIT, || async {
        let task = client.task_result(&task, Duration::from_secs(5)).await;
        task.ok().filter(|task| task.state.has_ended())
    });
    assert_eq!(ended.await.state, swarm_client::TaskState::Completed);
    made.push(agent);
    made.push(json!(task));
    made.push(
        first
            .post(
                "/messages",
                json!({ "to_agent_id": agent_id, "body": MARK }),
            )
            .await,
    );
    made.push(
        first
            .post(
                "/memories",
                json!({ "namespace": NAMESPACE, "content": MARK }),
            )
            .await,
    );
    let proposal = json!({ "title": MARK, "options": [{ "id": "a", "label": MARK }],
        "electorate": [agent_id], "task_id": task, "open_for_ms": 3_600_000 });
    made.push(first.post("/proposals", proposal).await);
    first
        .post(
            "/feedback",
            json!({ "task_id": task, "rating": 4, "comment": MARK }),
        )
        .await;
    let user =
        json!({ "username": MARK, "password": "a passphrase of this test", "roles": ["viewer"] });
    made.push(first.post("/users", user).await);
    made.push(
        first
            .post("/api-keys", json!({ "name": MARK, "roles": ["viewer"] }))
            .await,
    );
    let schedule = json!({ "name": MARK, "cron": "0 0 29 2 *", "paused": true,
        "task": { "kind": MARK, "input": { "prompt": MARK } } });
    made.push(first.post("/schedules", schedule).await);
    let ids: BTreeSet<String> = made
        .iter()
        .flat_map(|made| ids_in(&made.to_string()))
        .collect();
    let fields = [
        ("namespace", json!(NAMESPACE)),
        ("input", json!({ "prompt": "something" })),
        // Not before the test has ended.
        ("cron", json!("0 0 29 2 *")),
    ];
    let words = Words {
        ids: ids
            .iter()
            .map(|id| (id.rsplit_once('_').unwrap().0.to_owned(), id.clone()))
            .collect(),
        fields: fields.map(|(name, value)| (name.to_owned(), value)).into(),
    };
    (words, ids)
}

async fn second_tenant(cluster: &Cluster) -> Client {
    let new = NewTenant {
        name: "second".to_owned(),
        admin_username: "second-admin".to_owned(),
        admin_password: None,
    };
    let tenant = cluster.client().create_tenant(&new).await.unwrap();
    let password = tenant.admin_password.unwrap();
    cluster
        .stranger()
        .login(&new.admin_username, &password)
        .await
        .unwrap()
}

#[tokio::test]
async fn no_route_shows_or_changes_what_is_another_tenants() {
    let cluster = Cluster::builder(Shape::OneProcess)
        .script(&script(ANSWER))
        .start()
        .await;
    let (ours, theirs) = (cluster.client(), second_tenant(&cluster).await);
    let first = Visitor::of(&cluster, &ours).await;
    let second = Visitor::of(&cluster, &theirs).await;
    let document: Value = http()
        .get(format!("{}/openapi.json", cluster.rest()))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let routes = Route::all(&document);
    let (words, mut ids) = furnish(&ours, &first).await;
    let sampler = Sampler {
        document: &document,
        words: &words,
        with_optional: false,
    };
    // What this file does not know yet, as far as a sample of its body makes one.
    let makes = |route: &&Route| route.method == "POST" && !route.names_something();
    for route in routes.iter().filter(makes).filter(|r| !r.is_of_nobody()) {
        let body = sampler.body(&route.operation);
        let (status, text) = first.ask(route, &route.path, &[], body.as_ref()).await;
        if (200..300).contains(&status) {
            ids.extend(ids_in(&text));
        }
    }
    // What is told later, such as outcomes to learning, has arrived when nothing moves any more.
    let before = eventually(
        "the first tenant's things to come to rest",
        LIMIT,
        || async {
            let (one, other) = (
                first.all(&routes, &words, &ids).await,
                first.all(&routes, &words, &ids).await,
            );
            let has_learned = one
                .get("/api/v1/learning/policies")
                .is_some_and(|text| text.contains("agent_"));
            (one == other && has_learned).then_some(one)
        },
    )
    .await;
    for text in before.values() {
        ids.extend(ids_in(text));
    }
    // The platform's administrator knows the second tenant's id; it is no secret from itself.
    let itself = theirs.me().await.unwrap();
    ids.retain(|id| Some(id) != itself.tenant_id.as_ref());

    // Reads come first: what the second tenant writes later names the ids that it was given here.
    let (reads, writes): (Vec<&Route>, _) = routes.iter().partition(|route| route.is_read());
    for route in [reads, writes].concat() {
        let samples = [false, true].map(|with_optional| {
            let sampler = Sampler {
                document: &document,
                words: &words,
                with_optional,
            };
            sampler.body(&route.operation)
        });
        let paths: Vec<String> = match route.names_something() {
            true => ids.iter().map(|id| route.naming(id)).collect(),
            false => vec![route.path.clone()],
        };
        let mut statuses = BTreeSet::new();
        for path in &paths {
            for body in &samples {
                let query = route.query(&words);
                let (status, text) = second.ask(route, path, &query, body.as_ref()).await;
                let asked = format!("{path} {query:?} {}", body.clone().unwrap_or_default());
                let place = format!("{} {asked}: {status} {text}", route.method);
                assert!(status < 500, "{place}");
                assert!(!text.contains(MARK), "{place}");
                let shown = &(&ids_in(&text) & &ids) - &ids_in(&asked);
                assert!(
                    !route.is_read() || shown.is_empty(),
                    "{place}: shows {shown:?}"
                );
                let is_done = (200..300).contains(&status);
                assert!(!(route.names_something() && is_done), "{place}");
                statuses.insert(status);
            }
        }
        let was_refused = [403, 404].iter().any(|code| statuses.contains(code));
        assert!(
            was_refused || !route.names_something(),
            "{} {}: {statuses:?}: the first tenant has nothing that it can name",
            route.method,
            route.path
        );
    }

    let after = first.all(&routes, &words, &ids).await;
    for (path, text) in &before {
        assert_eq!(after.get(path), Some(text), "{path} has changed");
    }
}

#[tokio::test]
async fn no_topic_tells_what_happens_in_another_tenant() {
    let cluster = Cluster::builder(Shape::OneProcess)
        .script(&script(ANSWER))
        .start()
        .await;
    let (ours, theirs) = (cluster.client(), second_tenant(&cluster).await);
    let task = ours.submit_task(&NewTask::question(MARK)).await.unwrap();
    let mut refused = std::pin::pin!(theirs.watch(&format!("tasks/{}", task.id), None));
    let answer = refused.next().await.unwrap();
    assert!(answer.is_err(), "{answer:?}");

    let mut all = std::pin::pin!(theirs.watch("tasks", None));
    // The first event that arrives is of one's own, whatever came before from another tenant.
    let first = loop {
        ours.submit_task(&NewTask::question(MARK)).await.unwrap();
        let own = theirs
            .submit_task(&NewTask::question("mine"))
            .await
            .unwrap();
        let told = tokio::time::timeout(Duration::from_secs(2), all.next()).await;
        if let Ok(Some(Ok(Watched::Event(update)))) = told {
            break (own, update);
        }
    };
    let (own, update) = first;
    let text = serde_json::to_string(&update.event).unwrap();
    assert!(!text.contains(MARK) && !text.contains(&task.id), "{text}");
    let of_mine = theirs.get_task(&update.event.task_id).await;
    assert!(of_mine.is_ok(), "{text} is of {}", own.id);
}
