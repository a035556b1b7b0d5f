//! The table of bad input: each line gets the documented status and a body that names the field, and
//! none reaches a service.

mod bodies;
mod identities;
mod parameters;

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use swarm_errors::Error;
use swarm_identity::Role;
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
    let errors = errors
        .iter()
        .map(|(field, message)| json!({"field": field, "message": message}))
        .collect();
    Line {
        name,
        request,
        status,
        code,
        detail,
        errors,
    }
}

const INVALID: (u16, &str) = (400, "invalid_argument");
const UNAUTHENTICATED: (u16, &str) = (401, "unauthenticated");

#[tokio::test]
async fn bad_input_is_refused_with_its_reason_and_goes_no_further() {
    let door = Door::open_with(|config| config.gateway.max_body = 4096).await;
    for line in [
        bodies::bodies(&door),
        parameters::parameters(&door),
        identities::identities(&door),
    ]
    .into_iter()
    .flatten()
    {
        let response = line
            .request
            .header("x-request-id", "row-1")
            .send()
            .await
            .unwrap();
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
        assert!(
            title.as_str().is_some_and(|title| !title.is_empty()),
            "{}",
            line.name
        );
        assert_eq!(status.as_u16(), line.status, "{}", line.name);
        assert_eq!(
            headers["content-type"], "application/problem+json",
            "{}",
            line.name
        );
        assert_eq!(headers["x-request-id"], "row-1");
        assert_eq!(
            headers.contains_key("www-authenticate"),
            line.status == 401,
            "{}",
            line.name
        );
        assert_eq!(
            headers.contains_key("allow"),
            line.status == 405,
            "{}",
            line.name
        );
        let calls: Vec<_> = door
            .recorder
            .calls()
            .into_iter()
            .map(|call| call.rpc)
            .collect();
        assert!(calls.is_empty(), "{}: {calls:?}", line.name);
    }
}

#[tokio::test]
async fn an_unknown_id_is_the_owners_to_judge() {
    let door = Door::open().await;
    let id = TaskId::new();
    door.recorder.fail("GetTask", Error::not_found("task", id));
    for path in [format!("{TASKS}/{id}"), format!("{TASKS}/{id}/events")] {
        let request = door
            .by(Role::Viewer, "GET", &path)
            .header("accept", "text/event-stream");
        let (status, got) = seen(request.send().await.unwrap()).await;
        assert_eq!(status.as_u16(), 404);
        assert_eq!(
            (got["code"].as_str(), got["detail"].as_str()),
            (
                Some("not_found"),
                Some(format!("there is no task {id}").as_str())
            )
        );
    }
}
