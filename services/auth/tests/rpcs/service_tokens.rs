//! What services are to auth.

use std::sync::Arc;

use swarm_config::Secret;
use swarm_errors::Code;
use swarm_identity::{Permission, PrincipalKind};
use swarm_proto::auth::v1 as wire;
use swarm_test_support::database::Fresh;
use swarm_transport::{Acting, request};
use swarm_types::{Clock as _, ManualClock, SystemClock};

use crate::running::{Auth, SECRET, answer, config, deadline, spawn};

async fn issue(auth: &Auth, service: &str, secret: &str) -> swarm_errors::Result<wire::Tokens> {
    let message = wire::IssueServiceTokenRequest {
        service: service.into(),
        secret: secret.into(),
    };
    answer(auth.sessions().issue_service_token(message).await).map(|answer| answer.tokens.unwrap())
}

#[tokio::test]
async fn the_shared_secret_brings_a_service_token_and_nothing_else_does() {
    let auth = Auth::start().await;
    let token = issue(&auth, "memory", SECRET).await.unwrap().access_token;
    let service = auth.verifier().verify(&token).await.unwrap();
    assert_eq!(
        (service.kind, service.subject.as_str(), service.tenant),
        (PrincipalKind::Service, "memory", None)
    );
    assert!(
        service.roles.is_empty()
            && service.may(Permission::TasksWrite)
            && !service.may(Permission::UsersRead)
    );
    for wrong in ["", "the secret of these test", "the secret of these tests "] {
        assert_eq!(
            issue(&auth, "memory", wrong).await.unwrap_err().code(),
            Code::Unauthenticated
        );
    }
    let stranger = issue(&auth, "stranger", SECRET).await.unwrap_err();
    assert_eq!(
        (stranger.code(), stranger.fields()[0].field.as_str()),
        (Code::InvalidArgument, "service")
    );
}

#[tokio::test]
async fn without_a_secret_auth_does_not_start() {
    let (database, folder) = (Fresh::sqlite(), tempfile::tempdir().unwrap());
    let mut config = config(&database, folder.path());
    config.service.secret = Secret::default();
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let error = spawn(&config, &clock).await.unwrap_err();
    assert_eq!(error.fields()[0].field, "service.secret");
    assert!(!config.auth.credential_file.exists());
}

#[tokio::test]
async fn services_have_no_business_with_people_and_their_credentials() {
    let auth = Auth::start().await;
    let tenant = auth.admin().await.principal.tenant.unwrap();
    for acting in [Acting::Tenant(tenant), Acting::Itself] {
        let message = request(&acting, deadline(), wire::ListUsersRequest { page: None }).unwrap();
        assert_eq!(
            answer(auth.users().list_users(message).await)
                .unwrap_err()
                .code(),
            Code::PermissionDenied
        );
        let message =
            request(&acting, deadline(), wire::ListApiKeysRequest { page: None }).unwrap();
        assert_eq!(
            answer(auth.api_keys().list_api_keys(message).await)
                .unwrap_err()
                .code(),
            Code::PermissionDenied
        );
    }
}
