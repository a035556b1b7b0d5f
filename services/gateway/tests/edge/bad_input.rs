//! The table of bad input: each line gets the documented status and a body that names the field, and
//! none reaches a service.

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use swarm_errors::Error;
use swarm_identity::{PrincipalKind, Role};
use swarm_types::TaskId;

use crate::door::{Door, seen};

const TASKS: &str = "/api/v1/tasks";

/// A line of the table: what is sent, and what comes back.
struct Line {
    name: &'static str,
    request: RequestBuilder,
    status: u16,
    code: &'static str,
    detail: &'static str,
    errors: Value,
}

fn line(
    name: &'static str,
    request: RequestBuilder,
    (status, code): (u16, &'static str),
    detail: &'static str,
    errors: &[(&str, &str)],
) -> Line {
    let errors = errors.iter().map(|(field, message)| json!({"field": field, "message": message})).collect();
    Line { name, request, status, code, detail, errors }
}

const INVALID: (u16, &str) = (400, "invalid_argument");
const UNAUTHENTICATED: (u16, &str) = (401, "unauthenticated");

fn bodies(door: &Door) -> Vec<Line> {
    let post = |body: &str| {
        door.by(Role::Developer, "POST", TASKS).header("content-type", "application/json").body(body.to_owned())
    };
    let field = |name, body, field: &str, message: &str, detail| line(name, post(body), INVALID, detail, &[(field, message)]);
    vec![
        field(
            "unknown field",
            r#"{"kind": "q", "input": {}, "prompt": "?"}"#,
            "prompt",
            "unknown field `prompt`, expected one of `kind`, `input`, `agent_id`, `pool`, `strategy`, `priority`, `deadline`, `metadata`",
            "prompt: unknown field `prompt`, expected one of `kind`, `input`, `agent_id`, `pool`, `strategy`, `priority`, `deadline`, `metadata`",
        ),
        field(
            "unknown field deep inside",
            r#"{"kind": "q", "input": {}, "strategy": {"name": "swarm", "size": 3}}"#,
            "strategy.size",
            "unknown field `size`, expected one of `name`, `members`, `rounds`",
            "strategy.size: unknown field `size`, expected one of `name`, `members`, `rounds`",
        ),
        field("missing field", r#"{"input": {}}"#, "kind", "is missing", "kind: is missing"),
        field(
            "wrong type",
            r#"{"kind": 7, "input": {}}"#,
            "kind",
            "invalid type: integer `7`, expected a string",
            "kind: invalid type: integer `7`, expected a string",
        ),
        field(
            "wrong word",
            r#"{"kind": "q", "input": {}, "priority": "urgent"}"#,
            "priority",
            "unknown variant `urgent`, expected one of `low`, `normal`, `high`, `critical`",
            "priority: unknown variant `urgent`, expected one of `low`, `normal`, `high`, `critical`",
        ),
        field(
            "wrong time",
            r#"{"kind": "q", "input": {}, "deadline": "tomorrow"}"#,
            "deadline",
            "input contains invalid characters",
            "deadline: input contains invalid characters",
        ),
        field(
            "NUL",
            r#"{"kind": "q", "input": {"documents": [{"text": "a\u0000b"}]}}"#,
            "input.documents[0].text",
            "must not hold the character NUL",
            "input.documents[0].text: must not hold the character NUL",
        ),
        line("not JSON", post("kind=q"), INVALID, "the body is not JSON: expected value at line 1 column 1", &[]),
        line("cut off", post(r#"{"kind": "q""#), INVALID, "the body is not JSON: EOF while parsing an object at line 1 column 12", &[]),
        line("two values", post(r#"{"kind": "q", "input": {}} {}"#), INVALID, "the body is not JSON: trailing characters at line 1 column 28", &[]),
        line("empty", post(""), INVALID, "the body is empty, JSON is expected", &[]),
        line("too large", post(&" ".repeat(4097)), (413, "too_large"), "the body is larger than 4096 bytes", &[]),
        line(
            "too large, in chunks",
            door.by(Role::Developer, "POST", TASKS)
                .header("content-type", "application/json")
                .body(reqwest::Body::wrap_stream(futures::stream::iter([(); 3].map(|()| Ok::<_, std::io::Error>(vec![b' '; 1500]))))),
            (413, "too_large"),
            "the body is larger than 4096 bytes",
            &[],
        ),
        line(
            "another content type",
            door.by(Role::Developer, "POST", TASKS).header("content-type", "text/plain").body("{}"),
            (415, "unsupported_media_type"),
            "the body must be of the type application/json",
            &[("Content-Type", "must be application/json")],
        ),
    ]
}

fn parameters(door: &Door) -> Vec<Line> {
    let get = |path: &str| door.by(Role::Viewer, "GET", path);
    let result = format!("{TASKS}/{}/result?wait=forever", TaskId::new());
    let agent = door.by(Role::Developer, "PATCH", "/api/v1/agents/agent_1").json(&json!({}));
    vec![
        line(
            "unknown parameter",
            get("/api/v1/tasks?page=2"),
            INVALID,
            "page: unknown field `page`, expected one of `state`, `parent_id`, `limit`, `cursor`",
            &[("page", "unknown field `page`, expected one of `state`, `parent_id`, `limit`, `cursor`")],
        ),
        line("wrong parameter", get("/api/v1/tasks?limit=many"), INVALID, "limit: must be a whole number", &[("limit", "must be a whole number")]),
        line("limit out of range", get("/api/v1/tasks?limit=501"), INVALID, "limit: must be from 1 to 500", &[("limit", "must be from 1 to 500")]),
        line(
            "wrong state",
            get("/api/v1/agents?state=asleep"),
            INVALID,
            "state: unknown variant `asleep`, expected one of `starting`, `idle`, `busy`, `paused`, `draining`, `failed`, `stopped`",
            &[("state", "unknown variant `asleep`, expected one of `starting`, `idle`, `busy`, `paused`, `draining`, `failed`, `stopped`")],
        ),
        line("missing parameter", get("/api/v1/memories"), INVALID, "namespace: is missing", &[("namespace", "is missing")]),
        line(
            "wrong wait",
            get(&result),
            INVALID,
            "wait: must be a time such as 500ms or 30s, at most 60s",
            &[("wait", "must be a time such as 500ms or 30s, at most 60s")],
        ),
        line(
            "wrong Last-Event-ID",
            get("/api/v1/tasks/task_1/events").header("last-event-id", "abc"),
            INVALID,
            "Last-Event-ID: must be the id of an event, a whole number",
            &[("Last-Event-ID", "must be the id of an event, a whole number")],
        ),
        line(
            "malformed id of a stream",
            get("/api/v1/tasks/task_1/events").header("accept", "text/event-stream"),
            INVALID,
            "id: must be an id of the form task_ followed by 26 characters",
            &[("id", "must be an id of the form task_ followed by 26 characters")],
        ),
        line(
            "endless id",
            get(&format!("/api/v1/tasks/{}", "x".repeat(201))),
            INVALID,
            "id: must be 1 to 200 characters without control characters",
            &[("id", "must be 1 to 200 characters without control characters")],
        ),
        line(
            "wrong idempotency key",
            door.by(Role::Developer, "POST", TASKS).header("idempotency-key", "x".repeat(256)).json(&json!({})),
            INVALID,
            "Idempotency-Key: must be 1 to 255 printable ASCII characters",
            &[("Idempotency-Key", "must be 1 to 255 printable ASCII characters")],
        ),
        line(
            "wrong If-Match",
            agent.header("if-match", "3"),
            INVALID,
            "If-Match: must be an ETag of this agent, such as \"3\"",
            &[("If-Match", "must be an ETag of this agent, such as \"3\"")],
        ),
        line(
            "both ways to name a namespace",
            door.by(Role::Viewer, "POST", "/api/v1/memories/search")
                .json(&json!({"query": "q", "namespace": "a", "namespaces": ["b"]})),
            INVALID,
            "namespaces: must not be given beside namespace",
            &[("namespaces", "must not be given beside namespace")],
        ),
    ]
}

fn identities(door: &Door) -> Vec<Line> {
    let recorder = &door.recorder;
    let body = json!({"kind": "q", "input": {}});
    let with = |token: &str| door.request("POST", TASKS).bearer_auth(token).json(&body);
    let spoilt = |spoil: fn(&mut swarm_identity::Claims)| {
        let mut claims = recorder.issuer.claims(recorder.tenant, &[Role::Developer]);
        spoil(&mut claims);
        with(&recorder.issuer.sign(&claims))
    };
    let stranger = swarm_test_support::identity::TestIssuer::new().user_token(recorder.tenant, &[Role::Admin]);
    vec![
        line(
            "no token",
            door.request("POST", TASKS).json(&body),
            UNAUTHENTICATED,
            "a token is needed: Authorization: Bearer <token>, or X-API-Key: <key>",
            &[],
        ),
        // What the body is does not matter: it is not read before the token holds.
        line(
            "no token and far too large",
            door.request("POST", TASKS).body("x".repeat(4097)),
            UNAUTHENTICATED,
            "a token is needed: Authorization: Bearer <token>, or X-API-Key: <key>",
            &[],
        ),
        line("no token of ours", with("abc"), UNAUTHENTICATED, "the token is refused: it is not a token of ours", &[]),
        line(
            "expired token",
            spoilt(|claims| claims.exp = claims.iat - 60),
            UNAUTHENTICATED,
            "the token is refused: it has expired",
            &[],
        ),
        line(
            "token from the future",
            spoilt(|claims| claims.iat += 3600),
            UNAUTHENTICATED,
            "the token is refused: it is not valid yet",
            &[],
        ),
        line("signed by somebody else", with(&stranger), UNAUTHENTICATED, "the token is refused: its key is not known", &[]),
        line(
            "token of a service",
            spoilt(|claims| claims.kind = PrincipalKind::Service),
            UNAUTHENTICATED,
            "tokens of services are not for the public door",
            &[],
        ),
        line(
            "another scheme",
            door.request("POST", TASKS).header("authorization", "Basic eDp5").json(&body),
            UNAUTHENTICATED,
            "the Authorization header must be Bearer and a token",
            &[],
        ),
        line(
            "wrong role",
            door.by(Role::Viewer, "POST", TASKS).json(&body),
            (403, "permission_denied"),
            "it needs the permission tasks:write",
            &[],
        ),
        line("no such route", door.request("GET", "/api/v1/nothing"), (404, "not_found"), "there is no route /api/v1/nothing", &[]),
        line(
            "no such method",
            door.request("PUT", TASKS).body("x"),
            (405, "method_not_allowed"),
            "PUT is not a method of this route",
            &[],
        ),
    ]
}

#[tokio::test]
async fn bad_input_is_refused_with_its_reason_and_goes_no_further() {
    let door = Door::open_with(|config| config.gateway.max_body = 4096).await;
    for line in [bodies(&door), parameters(&door), identities(&door)].into_iter().flatten() {
        let response = line.request.header("x-request-id", "row-1").send().await.unwrap();
        let headers = response.headers().clone();
        let (status, got) = seen(response).await;
        let title = got["title"].clone();
        let mut expected = json!({
            "type": format!("urn:qwen-swarm:error:{}", line.code),
            "title": title,
            "status": line.status,
            "detail": line.detail,
            "code": line.code,
            "request_id": "row-1",
        });
        if line.errors != json!([]) {
            expected["errors"] = line.errors;
        }
        assert_eq!(got, expected, "{}", line.name);
        assert!(title.as_str().is_some_and(|title| !title.is_empty()), "{}", line.name);
        assert_eq!(status.as_u16(), line.status, "{}", line.name);
        assert_eq!(headers["content-type"], "application/problem+json", "{}", line.name);
        assert_eq!(headers["x-request-id"], "row-1");
        assert_eq!(headers.contains_key("www-authenticate"), line.status == 401, "{}", line.name);
        assert_eq!(headers.contains_key("allow"), line.status == 405, "{}", line.name);
        let calls: Vec<_> = door.recorder.calls().into_iter().map(|call| call.rpc).collect();
        assert!(calls.is_empty(), "{}: {calls:?}", line.name);
    }
}

#[tokio::test]
async fn an_unknown_id_is_the_owners_to_judge() {
    let door = Door::open().await;
    let id = TaskId::new();
    door.recorder.fail("GetTask", Error::not_found("task", id));
    for path in [format!("{TASKS}/{id}"), format!("{TASKS}/{id}/events")] {
        let request = door.by(Role::Viewer, "GET", &path).header("accept", "text/event-stream");
        let (status, got) = seen(request.send().await.unwrap()).await;
        assert_eq!(status.as_u16(), 404);
        assert_eq!((got["code"].as_str(), got["detail"].as_str()), (Some("not_found"), Some(format!("there is no task {id}").as_str())));
    }
}
