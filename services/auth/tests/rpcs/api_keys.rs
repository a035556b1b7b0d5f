//! Credentials for programs.

use chrono::TimeDelta;
use swarm_errors::Code;
use swarm_identity::{Permission, PrincipalKind, Role};
use swarm_proto::auth::v1 as wire;
use swarm_proto::common::v1::{PageRequest, RequestKey};
use swarm_proto::convert::to_wire_time;
use swarm_types::Clock as _;

use crate::running::{Auth, answer, new_key};

#[tokio::test]
async fn a_key_is_shown_once_and_exchanged_for_a_short_token() {
    let auth = Auth::start().await;
    let admin = auth.admin().await;
    let created = auth
        .create_key(&admin, &["viewer", "developer"])
        .await
        .unwrap();
    let key = created.api_key.unwrap();
    assert!(created.secret.starts_with(&format!("{}_", key.prefix)));
    let tokens = auth.exchange(&created.secret).await.unwrap();
    assert_eq!(
        (tokens.expires_in, tokens.refresh_token.as_str()),
        (300, "")
    );
    let robot = auth.person(tokens).await.principal;
    assert_eq!(
        (robot.kind, &robot.subject, robot.tenant),
        (PrincipalKind::ApiKey, &key.id, admin.principal.tenant)
    );
    assert_eq!(robot.roles, [Role::Viewer, Role::Developer]);
    assert!(robot.may(Permission::TasksWrite) && !robot.may(Permission::KeysWrite));
    let list = auth
        .api_keys()
        .list_api_keys(admin.ask(wire::ListApiKeysRequest { page: None }))
        .await;
    let list = answer(list).unwrap();
    assert_eq!(list.api_keys, [key]);
    assert!(!format!("{list:?}").contains(&created.secret));
}

#[tokio::test]
async fn wrong_revoked_and_expired_keys_are_refused() {
    let auth = Auth::start().await;
    let admin = auth.admin().await;
    let created = auth.create_key(&admin, &["viewer"]).await.unwrap();
    let (key, secret) = (created.api_key.unwrap(), created.secret);
    let mut changed = secret.clone();
    let last = changed.pop().unwrap();
    changed.push(if last == '0' { '1' } else { '0' });
    for wrong in ["", "qsk_", &key.prefix, &changed, &admin.token] {
        assert_eq!(
            auth.exchange(wrong).await.unwrap_err().code(),
            Code::Unauthenticated,
            "{wrong}"
        );
    }
    auth.exchange(&secret).await.unwrap();
    for _ in 0..2 {
        let revoked = auth
            .api_keys()
            .revoke_api_key(admin.ask(wire::RevokeApiKeyRequest { id: key.id.clone() }))
            .await;
        assert!(
            answer(revoked)
                .unwrap()
                .api_key
                .unwrap()
                .revoked_at
                .is_some()
        );
    }
    let error = auth.exchange(&secret).await.unwrap_err();
    assert_eq!(
        (error.code(), error.detail()),
        (Code::Unauthenticated, "the API key was revoked")
    );

    let expires = auth.clock.now() + TimeDelta::seconds(100);
    let short = wire::CreateApiKeyRequest {
        expires_at: Some(to_wire_time(expires)),
        ..new_key("short", &["viewer"])
    };
    let short = answer(auth.api_keys().create_api_key(admin.ask(short)).await).unwrap();
    assert_eq!(
        auth.exchange(&short.secret).await.unwrap().expires_in,
        100,
        "no token outlives its key"
    );
    auth.clock.advance(TimeDelta::seconds(100));
    let error = auth.exchange(&short.secret).await.unwrap_err();
    assert_eq!(
        (error.code(), error.detail()),
        (Code::Unauthenticated, "the API key has expired")
    );
}

#[tokio::test]
async fn a_repeated_request_makes_no_second_key_and_shows_no_secret() {
    let auth = Auth::start().await;
    let admin = auth.admin().await;
    let named = |key: &str, hash: u8| wire::CreateApiKeyRequest {
        request: Some(RequestKey {
            key: key.into(),
            body_hash: vec![hash; 32],
        }),
        ..new_key("robot", &["viewer"])
    };
    let first = answer(
        auth.api_keys()
            .create_api_key(admin.ask(named("k", 1)))
            .await,
    )
    .unwrap();
    let again = answer(
        auth.api_keys()
            .create_api_key(admin.ask(named("k", 1)))
            .await,
    )
    .unwrap();
    assert_eq!((again.api_key, again.secret.as_str()), (first.api_key, ""));
    let other = answer(
        auth.api_keys()
            .create_api_key(admin.ask(named("k", 2)))
            .await,
    )
    .unwrap_err();
    assert_eq!(other.code(), Code::IdempotencyMismatch);
    auth.exchange(&first.secret).await.unwrap();
    let page = Some(PageRequest {
        limit: 10,
        cursor: String::new(),
    });
    let list = answer(
        auth.api_keys()
            .list_api_keys(admin.ask(wire::ListApiKeysRequest { page }))
            .await,
    )
    .unwrap();
    assert_eq!(list.api_keys.len(), 1);
}

#[tokio::test]
async fn bad_input_names_its_field_and_leaves_nothing() {
    let auth = Auth::start().await;
    let admin = auth.admin().await;
    let long = "n".repeat(201);
    let with = |request: Option<RequestKey>, expires_at| wire::CreateApiKeyRequest {
        request,
        expires_at,
        ..new_key("n", &["viewer"])
    };
    let key = |key: &str, body_hash| {
        Some(RequestKey {
            key: key.into(),
            body_hash,
        })
    };
    let cases = [
        (new_key("", &["viewer"]), "name"),
        (new_key("a\0b", &["viewer"]), "name"),
        (new_key(&long, &["viewer"]), "name"),
        (new_key("n", &[]), "roles"),
        (new_key("n", &["viewer", "root"]), "roles[1]"),
        (
            with(None, Some(to_wire_time(auth.clock.now()))),
            "expires_at",
        ),
        (with(None, Some(prost_types_time(i64::MAX))), "expires_at"),
        (with(key(&"k".repeat(256), vec![]), None), "Idempotency-Key"),
        (with(key("k", vec![1]), None), "request.body_hash"),
    ];
    for (message, field) in cases {
        let error = answer(auth.api_keys().create_api_key(admin.ask(message)).await).unwrap_err();
        assert_eq!(
            (error.code(), error.fields()[0].field.as_str()),
            (Code::InvalidArgument, field)
        );
    }
    let page = Some(PageRequest {
        limit: 1,
        cursor: "user_1".into(),
    });
    let error = answer(
        auth.api_keys()
            .list_api_keys(admin.ask(wire::ListApiKeysRequest { page }))
            .await,
    )
    .unwrap_err();
    assert_eq!(error.fields()[0].field, "cursor");
    let error = answer(
        auth.api_keys()
            .revoke_api_key(admin.ask(wire::RevokeApiKeyRequest { id: "1".into() }))
            .await,
    );
    assert_eq!(error.unwrap_err().fields()[0].field, "id");
    let list = auth
        .api_keys()
        .list_api_keys(admin.ask(wire::ListApiKeysRequest { page: None }))
        .await;
    assert!(answer(list).unwrap().api_keys.is_empty());
}

fn prost_types_time(seconds: i64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds, nanos: 0 }
}
