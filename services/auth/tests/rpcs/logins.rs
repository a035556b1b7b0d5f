//! Login, refresh and logout.

use chrono::TimeDelta;
use swarm_errors::Code;
use swarm_proto::auth::v1 as wire;

use crate::running::{Auth, PASSWORD};

#[tokio::test]
async fn unknown_names_and_wrong_passwords_get_the_same_answer() {
    let auth = Auth::start().await;
    let wrong = auth.try_log_in("admin", "wrong").await.unwrap_err();
    let unknown = auth.try_log_in("nobody", "wrong").await.unwrap_err();
    let odd = auth.try_log_in("no\0body", "wrong").await.unwrap_err();
    assert_eq!(wrong.code(), Code::Unauthenticated);
    for other in [unknown, odd] {
        assert_eq!(
            (wrong.code(), wrong.detail()),
            (other.code(), other.detail())
        );
    }
    let long = "x".repeat(2000);
    for (username, password, field) in [
        ("", "p", "username"),
        (&*long, "p", "username"),
        ("admin", "", "password"),
        ("admin", &long, "password"),
    ] {
        let error = auth.try_log_in(username, password).await.unwrap_err();
        assert_eq!(
            (error.code(), error.fields()[0].field.as_str()),
            (Code::InvalidArgument, field)
        );
    }
}

#[tokio::test]
async fn ten_failures_in_a_row_bring_a_pause_for_that_name_known_or_not() {
    let auth = Auth::start().await;
    let admin = auth.admin().await;
    auth.create_user(&admin, "ann", &["viewer"]).await.unwrap();
    for name in ["ann", "nobody"] {
        for _ in 0..10 {
            assert_eq!(
                auth.try_log_in(name, "wrong").await.unwrap_err().code(),
                Code::Unauthenticated
            );
        }
        let error = auth.try_log_in(name, PASSWORD).await.unwrap_err();
        assert_eq!(error.code(), Code::ResourceExhausted);
        assert_eq!(error.retry_after().unwrap().as_secs(), 1);
    }
    auth.admin().await;
    auth.clock.advance(TimeDelta::seconds(1));
    auth.log_in("ann", PASSWORD).await;
}

#[tokio::test]
async fn a_token_holds_for_its_time_and_a_refresh_brings_the_next() {
    let auth = Auth::start().await;
    let tokens = auth
        .try_log_in("admin", &auth.credential().password)
        .await
        .unwrap();
    assert_eq!(tokens.expires_in, 900);
    let admin = auth.person(tokens).await;
    auth.clock.advance(TimeDelta::seconds(904));
    auth.verifier().verify(&admin.token).await.unwrap();
    auth.clock.advance(TimeDelta::seconds(1));
    assert_eq!(
        auth.verifier()
            .verify(&admin.token)
            .await
            .unwrap_err()
            .code(),
        Code::Unauthenticated
    );
    let refreshed = auth.refresh(&admin.refresh).await.unwrap();
    assert_eq!(auth.person(refreshed).await.principal, admin.principal);
}

#[tokio::test]
async fn a_refresh_token_that_comes_twice_ends_the_session() {
    let auth = Auth::start().await;
    let (stolen, other) = (auth.admin().await, auth.admin().await);
    let second = auth.refresh(&stolen.refresh).await.unwrap();
    assert_eq!(
        auth.refresh(&stolen.refresh).await.unwrap_err().code(),
        Code::Unauthenticated
    );
    assert_eq!(
        auth.refresh(&second.refresh_token)
            .await
            .unwrap_err()
            .code(),
        Code::Unauthenticated
    );
    auth.refresh(&other.refresh).await.unwrap();
}

#[tokio::test]
async fn a_session_ends_by_logout_and_by_time_and_outlives_a_restart() {
    let mut auth = Auth::start().await;
    let (one, two, three) = (auth.admin().await, auth.admin().await, auth.admin().await);
    for _ in 0..2 {
        let logout = wire::LogoutRequest {
            refresh_token: one.refresh.clone(),
        };
        auth.sessions().logout(logout).await.unwrap();
    }
    assert_eq!(
        auth.refresh(&one.refresh).await.unwrap_err().code(),
        Code::Unauthenticated
    );
    auth.restart().await;
    auth.refresh(&two.refresh).await.unwrap();
    auth.clock.advance(TimeDelta::days(30));
    assert_eq!(
        auth.refresh(&three.refresh).await.unwrap_err().code(),
        Code::Unauthenticated
    );
}

#[tokio::test]
async fn made_up_refresh_tokens_are_refused() {
    let auth = Auth::start().await;
    let admin = auth.admin().await;
    let mut changed = admin.refresh.clone();
    let last = changed.pop().unwrap();
    changed.push(if last == 'A' { 'Q' } else { 'A' });
    for token in ["", "qsr_", &admin.token, &changed, &admin.refresh[..40]] {
        assert_eq!(
            auth.refresh(token).await.unwrap_err().code(),
            Code::Unauthenticated,
            "{token}"
        );
        auth.sessions()
            .logout(wire::LogoutRequest {
                refresh_token: token.into(),
            })
            .await
            .unwrap();
    }
    auth.refresh(&admin.refresh).await.unwrap();
}
