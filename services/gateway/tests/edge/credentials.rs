//! API keys and client credentials.

use serde_json::json;
use swarm_identity::Role;

use crate::door::{Door, seen};

#[tokio::test]
async fn an_api_key_is_exchanged_once_and_then_remembered() {
    let door = Door::open().await;
    for _ in 0..5 {
        let response = door
            .request("GET", "/api/v1/auth/me")
            .header("x-api-key", "good-key")
            .send()
            .await
            .unwrap();
        let (status, body) = seen(response).await;
        assert_eq!(
            (status.as_u16(), body["roles"].clone()),
            (200, json!(["developer"]))
        );
    }
    assert_eq!(door.recorder.calls_of("ExchangeApiKey").len(), 1);
    for _ in 0..2 {
        let response = door
            .request("GET", "/api/v1/auth/me")
            .header("x-api-key", "bad-key")
            .send()
            .await
            .unwrap();
        assert_eq!(seen(response).await.0.as_u16(), 401);
    }
    assert_eq!(
        door.recorder.calls_of("ExchangeApiKey").len(),
        3,
        "a refusal is not remembered"
    );
}

#[tokio::test]
async fn client_credentials_come_as_a_form_as_json_or_in_the_header() {
    let door = Door::open().await;
    let post = || door.request("POST", "/api/v1/auth/token");
    let fields = json!({"grant_type": "client_credentials", "client_id": "good", "client_secret": "good-key"});
    for request in [
        post()
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials&client_id=good&client_secret=good-key"),
        post().json(&fields),
        post()
            .basic_auth("good", Some("good-key"))
            .json(&json!({"grant_type": "client_credentials"})),
    ] {
        let (status, body) = seen(request.send().await.unwrap()).await;
        assert_eq!(status.as_u16(), 200, "{body}");
        assert_eq!(
            (body["token_type"].as_str(), body["expires_in"].as_u64()),
            (Some("Bearer"), Some(900))
        );
        let token = body["access_token"].as_str().unwrap();
        let me = door
            .request("GET", "/api/v1/auth/me")
            .bearer_auth(token)
            .send()
            .await
            .unwrap();
        assert_eq!(me.status().as_u16(), 200);
    }
    for (change, status) in [
        (json!({"client_secret": "bad-key"}), 401),
        (json!({"client_id": "other"}), 401),
        (json!({"client_id": ""}), 401),
        (json!({"grant_type": "password"}), 400),
        (json!({"scope": "all"}), 400),
    ] {
        let mut wrong = fields.clone();
        wrong
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let (got, body) = seen(post().json(&wrong).send().await.unwrap()).await;
        assert_eq!(got.as_u16(), status, "{change}: {body}");
    }
}

#[tokio::test]
async fn me_shows_what_the_caller_may_do() {
    let door = Door::open().await;
    let (_, body) = seen(
        door.by(Role::Viewer, "GET", "/api/v1/auth/me")
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(
        (body["kind"].as_str(), body["tenant_id"].as_str()),
        (
            Some("user"),
            Some(door.recorder.tenant.to_string().as_str())
        )
    );
    let permissions: Vec<&str> = body["permissions"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it.as_str())
        .collect();
    assert!(
        permissions.contains(&"tasks:read") && !permissions.contains(&"tasks:write"),
        "{permissions:?}"
    );
}
