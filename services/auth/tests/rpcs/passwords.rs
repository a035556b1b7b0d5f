//! The change of one's own password.

use chrono::TimeDelta;
use swarm_errors::{Code, Result};
use swarm_proto::auth::v1 as wire;
use swarm_proto::common::v1::RequestKey;

use crate::running::{Auth, PASSWORD, Person, answer};

const NEW: &str = "another password of tests";

async fn change(auth: &Auth, by: &Person, current: &str, new: &str) -> Result<wire::Tokens> {
    change_with_key(auth, by, "", current, new).await
}

async fn change_with_key(
    auth: &Auth,
    by: &Person,
    key: &str,
    current: &str,
    new: &str,
) -> Result<wire::Tokens> {
    let message = wire::ChangePasswordRequest {
        request: Some(RequestKey {
            key: key.into(),
            body_hash: vec![],
        }),
        current_password: current.into(),
        new_password: new.into(),
    };
    answer(auth.users().change_password(by.ask(message)).await).map(|answer| answer.tokens.unwrap())
}

#[tokio::test]
async fn the_new_password_opens_and_sessions_of_the_old_one_end() {
    let auth = Auth::start().await;
    let ann = auth
        .new_person(&auth.admin().await, "ann", &["viewer"])
        .await;
    let elsewhere = auth.log_in("ann", PASSWORD).await;
    let tokens = change(&auth, &ann, PASSWORD, NEW).await.unwrap();
    for old in [&ann.refresh, &elsewhere.refresh] {
        assert_eq!(
            auth.refresh(old).await.unwrap_err().code(),
            Code::Unauthenticated
        );
    }
    assert_eq!(
        auth.try_log_in("ann", PASSWORD).await.unwrap_err().code(),
        Code::Unauthenticated
    );
    let here = auth.person(tokens).await;
    assert_eq!(here.principal.subject, ann.principal.subject);
    auth.refresh(&here.refresh).await.unwrap();
    auth.log_in("ann", NEW).await;
    assert!(
        auth.credential_file().exists(),
        "the administrator's is another's"
    );
}

#[tokio::test]
async fn the_first_credential_is_used_up_by_the_change() {
    let mut auth = Auth::start().await;
    let (admin, credential) = (auth.admin().await, auth.credential());
    change(&auth, &admin, &credential.password, NEW)
        .await
        .unwrap();
    assert!(!auth.credential_file().exists());
    auth.restart().await;
    assert!(!auth.credential_file().exists(), "no other is made");
    let old = auth.try_log_in("admin", &credential.password).await;
    assert_eq!(old.unwrap_err().code(), Code::Unauthenticated);
    auth.log_in("admin", NEW).await;
}

#[tokio::test]
async fn wrong_current_passwords_count_as_failed_logins() {
    let auth = Auth::start().await;
    let ann = auth
        .new_person(&auth.admin().await, "ann", &["viewer"])
        .await;
    for n in 0..10 {
        // Both doors count into one row.
        if n % 2 == 0 {
            let error = change(&auth, &ann, "wrong", NEW).await.unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument);
            assert_eq!(error.fields()[0].field, "current_password");
        } else {
            auth.try_log_in("ann", "wrong").await.unwrap_err();
        }
    }
    let error = change(&auth, &ann, PASSWORD, NEW).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert_eq!(error.retry_after().unwrap().as_secs(), 1);
    let login = auth.try_log_in("ann", PASSWORD).await.unwrap_err();
    assert_eq!(login.code(), Code::ResourceExhausted);
    auth.clock.advance(TimeDelta::seconds(1));
    change(&auth, &ann, PASSWORD, NEW).await.unwrap();
    assert_eq!(
        auth.try_log_in("ann", "wrong").await.unwrap_err().code(),
        Code::Unauthenticated,
        "the row has ended"
    );
}

#[tokio::test]
async fn a_repeat_finds_the_change_and_opens_a_session() {
    let auth = Auth::start().await;
    let ann = auth
        .new_person(&auth.admin().await, "ann", &["viewer"])
        .await;
    change_with_key(&auth, &ann, "k", PASSWORD, NEW)
        .await
        .unwrap();
    let again = change_with_key(&auth, &ann, "k", PASSWORD, NEW)
        .await
        .unwrap();
    auth.refresh(&again.refresh_token).await.unwrap();
    let other = change_with_key(&auth, &ann, "k", PASSWORD, "yet another password").await;
    assert_eq!(other.unwrap_err().code(), Code::IdempotencyMismatch);
    auth.log_in("ann", NEW).await;
}

#[tokio::test]
async fn of_two_changes_at_once_one_is_made() {
    let auth = Auth::start_on_postgres().await;
    let ann = auth
        .new_person(&auth.admin().await, "ann", &["viewer"])
        .await;
    let (one, other) = tokio::join!(
        change(&auth, &ann, PASSWORD, "the first new password"),
        change(&auth, &ann, PASSWORD, "the second new password")
    );
    assert!(one.is_ok() ^ other.is_ok(), "{one:?} {other:?}");
    let (made, left) = if one.is_ok() {
        ("the first new password", "the second new password")
    } else {
        ("the second new password", "the first new password")
    };
    auth.log_in("ann", made).await;
    auth.try_log_in("ann", left).await.unwrap_err();
}

#[tokio::test]
async fn it_is_for_people_and_for_passwords_that_are_accepted() {
    let auth = Auth::start().await;
    let admin = auth.admin().await;
    let ann = auth.new_person(&admin, "ann", &["viewer"]).await;
    let long = "x".repeat(2000);
    for (current, new, field) in [
        ("", NEW, "current_password"),
        (PASSWORD, "short", "new_password"),
        (PASSWORD, &long, "new_password"),
        (PASSWORD, PASSWORD, "new_password"),
    ] {
        let error = change(&auth, &ann, current, new).await.unwrap_err();
        assert_eq!(
            (error.code(), error.fields()[0].field.as_str()),
            (Code::InvalidArgument, field)
        );
    }
    let key = auth.create_key(&admin, &["viewer"]).await.unwrap();
    let tokens = auth.exchange(&key.secret).await.unwrap();
    let robot = auth.person(tokens).await;
    let error = change(&auth, &robot, PASSWORD, NEW).await.unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied);
}
