//! One tenant cannot see or touch what is another's.

use swarm_errors::Code;
use swarm_proto::auth::v1 as wire;

use crate::running::{Auth, answer};

#[tokio::test]
async fn what_is_another_tenants_does_not_exist() {
    let auth = Auth::start().await;
    let admin = auth.admin().await;
    let theirs = auth.other_tenant(&admin, "acme").await;
    let key = auth.create_key(&admin, &["viewer"]).await.unwrap();
    let key_id = key.api_key.unwrap().id;

    let get = wire::GetUserRequest {
        id: admin.principal.subject.clone(),
    };
    let error = answer(auth.users().get_user(theirs.ask(get)).await).unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    let revoke = wire::RevokeApiKeyRequest { id: key_id };
    let error = answer(auth.api_keys().revoke_api_key(theirs.ask(revoke)).await).unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    auth.exchange(&key.secret).await.unwrap();

    let users = answer(
        auth.users()
            .list_users(theirs.ask(wire::ListUsersRequest { page: None }))
            .await,
    )
    .unwrap();
    assert_eq!(
        users
            .users
            .iter()
            .map(|user| user.username.as_str())
            .collect::<Vec<_>>(),
        ["acme-admin"]
    );
    let keys = answer(
        auth.api_keys()
            .list_api_keys(theirs.ask(wire::ListApiKeysRequest { page: None }))
            .await,
    );
    assert!(keys.unwrap().api_keys.is_empty());
}

#[tokio::test]
async fn tenants_are_for_the_platforms_administrators() {
    let auth = Auth::start().await;
    let theirs = auth.other_tenant(&auth.admin().await, "acme").await;
    let list = auth
        .tenants()
        .list_tenants(theirs.ask(wire::ListTenantsRequest { page: None }))
        .await;
    assert_eq!(answer(list).unwrap_err().code(), Code::PermissionDenied);
    let message = wire::CreateTenantRequest {
        request: None,
        name: "mine".into(),
        admin_username: "mine".into(),
        admin_password: "a password".into(),
    };
    let create = auth.tenants().create_tenant(theirs.ask(message)).await;
    assert_eq!(answer(create).unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_tenant_named_beside_the_token_changes_nothing() {
    let auth = Auth::start().await;
    let admin = auth.admin().await;
    let theirs = auth.other_tenant(&admin, "acme").await;
    let mut request = theirs.ask(wire::ListUsersRequest { page: None });
    let tenant = admin.principal.tenant.unwrap().to_string();
    request
        .metadata_mut()
        .insert("x-swarm-tenant", tenant.parse().unwrap());
    let users = answer(auth.users().list_users(request).await).unwrap();
    assert_eq!(users.users.len(), 1);
    assert_eq!(users.users[0].username, "acme-admin");
}
