//! People, tenants and the roles they may give.

use swarm_errors::Code;
use swarm_proto::auth::v1 as wire;
use swarm_proto::common::v1::{PageRequest, RequestKey};

use crate::running::{Auth, PASSWORD, Person, answer, new_user};

#[tokio::test]
async fn people_are_made_shown_and_listed_in_pages() {
    let auth = Auth::start().await;
    let admin = auth.admin().await;
    let ann = auth
        .create_user(&admin, "ann", &["developer"])
        .await
        .unwrap();
    assert_eq!(
        (ann.username.as_str(), &ann.roles[..]),
        ("ann", &["developer".to_owned()][..])
    );
    let got = answer(
        auth.users()
            .get_user(admin.ask(wire::GetUserRequest { id: ann.id.clone() }))
            .await,
    )
    .unwrap();
    assert_eq!(got.user.as_ref(), Some(&ann));
    auth.create_user(&admin, "bob", &["viewer"]).await.unwrap();
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let message = wire::ListUsersRequest {
            page: Some(PageRequest { limit: 1, cursor }),
        };
        let page = answer(auth.users().list_users(admin.ask(message)).await).unwrap();
        names.extend(page.users.into_iter().map(|user| user.username));
        cursor = page.next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(names, ["admin", "ann", "bob"]);
    let taken = auth
        .create_user(&admin, "ann", &["viewer"])
        .await
        .unwrap_err();
    assert_eq!(
        (taken.code(), taken.fields()[0].field.as_str()),
        (Code::Conflict, "username")
    );
}

#[tokio::test]
async fn a_repeated_request_is_compared_without_keeping_a_weak_hash() {
    let auth = Auth::start_on_postgres().await;
    let admin = auth.admin().await;
    let named = |user: wire::CreateUserRequest| wire::CreateUserRequest {
        request: Some(RequestKey {
            key: "k".into(),
            body_hash: vec![7; 32],
        }),
        ..user
    };
    let create = async |user| answer(auth.users().create_user(admin.ask(named(user))).await);
    let first = create(new_user("ann", &["viewer"])).await.unwrap();
    assert_eq!(create(new_user("ann", &["viewer"])).await.unwrap(), first);
    let mut other_password = new_user("ann", &["viewer"]);
    other_password.password = "another password".into();
    for other in [
        new_user("bob", &["viewer"]),
        new_user("ann", &["operator"]),
        other_password,
    ] {
        assert_eq!(
            create(other).await.unwrap_err().code(),
            Code::IdempotencyMismatch
        );
    }
    let db = auth.store().await.db().clone();
    let kept: Vec<Vec<u8>> = db
        .q("SELECT body_hash FROM requests")
        .scalars()
        .await
        .unwrap();
    assert_eq!(kept, [Vec::<u8>::new()]);
}

#[tokio::test]
async fn a_tenants_administrator_gets_a_password_that_is_shown_once() {
    let auth = Auth::start().await;
    let admin = auth.admin().await;
    let message = |name: &str| wire::CreateTenantRequest {
        request: Some(RequestKey {
            key: "k".into(),
            body_hash: vec![],
        }),
        name: name.into(),
        admin_username: "acme-admin".into(),
        admin_password: String::new(),
    };
    let create = async |message| answer(auth.tenants().create_tenant(admin.ask(message)).await);
    let first = create(message("acme")).await.unwrap();
    assert!(first.admin_password.len() >= 32);
    let again = create(message("acme")).await.unwrap();
    assert_eq!(again.tenant, first.tenant);
    assert!(again.admin_password.is_empty(), "it is kept nowhere");
    let other = create(message("other")).await.unwrap_err();
    assert_eq!(other.code(), Code::IdempotencyMismatch);
    let theirs = auth.log_in("acme-admin", &first.admin_password).await;
    let tenant = first.tenant.unwrap();
    assert_eq!(
        theirs.principal.tenant.map(|id| id.to_string()),
        Some(tenant.id.clone())
    );

    let get = async |by: &Person, id: &str| {
        let message = wire::GetTenantRequest { id: id.into() };
        answer(auth.tenants().get_tenant(by.ask(message)).await).map(|answer| answer.tenant)
    };
    assert_eq!(get(&admin, &tenant.id).await.unwrap(), Some(tenant.clone()));
    let refused = get(&theirs, &tenant.id).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let unknown = swarm_types::TenantId::new().to_string();
    let missing = get(&admin, &unknown).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
}

#[tokio::test]
async fn a_tenant_comes_with_an_administrator_and_a_repeat_finds_it() {
    let auth = Auth::start().await;
    let admin = auth.admin().await;
    let message = |name: &str, password: &str| wire::CreateTenantRequest {
        request: Some(RequestKey {
            key: "k".into(),
            body_hash: vec![],
        }),
        name: name.into(),
        admin_username: "acme-admin".into(),
        admin_password: password.into(),
    };
    let create = async |message| answer(auth.tenants().create_tenant(admin.ask(message)).await);
    let first = create(message("acme", PASSWORD))
        .await
        .unwrap()
        .tenant
        .unwrap();
    assert_eq!(
        create(message("acme", PASSWORD))
            .await
            .unwrap()
            .tenant
            .unwrap(),
        first
    );
    for other in [
        message("acme", "another password"),
        message("other", PASSWORD),
    ] {
        assert_eq!(
            create(other).await.unwrap_err().code(),
            Code::IdempotencyMismatch
        );
    }
    let theirs = auth.log_in("acme-admin", PASSWORD).await;
    assert_eq!(theirs.principal.tenant.unwrap().to_string(), first.id);
    let list = auth
        .tenants()
        .list_tenants(admin.ask(wire::ListTenantsRequest { page: None }))
        .await;
    let mut names: Vec<_> = answer(list)
        .unwrap()
        .tenants
        .into_iter()
        .map(|tenant| tenant.name)
        .collect();
    names.sort();
    assert_eq!(names, ["acme", "default"]);
    let unnamed = wire::CreateTenantRequest {
        request: None,
        ..message("acme", PASSWORD)
    };
    let taken = create(unnamed).await.unwrap_err();
    assert_eq!(
        (taken.code(), taken.fields()[0].field.as_str()),
        (Code::Conflict, "name")
    );
}

#[tokio::test]
async fn bad_input_names_its_field_and_leaves_nothing() {
    let auth = Auth::start().await;
    let admin = auth.admin().await;
    let short = wire::CreateUserRequest {
        password: "short".into(),
        ..new_user("ann", &["viewer"])
    };
    let cases = [
        (new_user("", &["viewer"]), "username"),
        (new_user("Ann", &["viewer"]), "username"),
        (new_user("a\0", &["viewer"]), "username"),
        (new_user(&"a".repeat(101), &["viewer"]), "username"),
        (short, "password"),
        (new_user("ann", &[]), "roles"),
        (new_user("ann", &["Viewer"]), "roles[0]"),
    ];
    for (message, field) in cases {
        let error = answer(auth.users().create_user(admin.ask(message)).await).unwrap_err();
        assert_eq!(
            (error.code(), error.fields()[0].field.as_str()),
            (Code::InvalidArgument, field)
        );
    }
    let list = answer(
        auth.users()
            .list_users(admin.ask(wire::ListUsersRequest { page: None }))
            .await,
    )
    .unwrap();
    assert_eq!(list.users.len(), 1);
}

#[tokio::test]
async fn nobody_gives_a_role_that_they_do_not_have() {
    let auth = Auth::start().await;
    let admin = auth.admin().await;
    let operator = auth.new_person(&admin, "op", &["operator"]).await;
    for (role, allowed) in [
        ("admin", false),
        ("operator", true),
        ("developer", true),
        ("viewer", true),
    ] {
        let made = auth.create_key(&operator, &[role]).await;
        assert_eq!(
            made.map(drop).map_err(|error| error.code()),
            if allowed {
                Ok(())
            } else {
                Err(Code::PermissionDenied)
            },
            "{role}"
        );
    }
    // Nor by way of a key.
    let key = auth.create_key(&operator, &["operator"]).await.unwrap();
    let robot = auth.person(auth.exchange(&key.secret).await.unwrap()).await;
    auth.create_key(&robot, &["operator"]).await.unwrap();
    assert_eq!(
        auth.create_key(&robot, &["admin"])
            .await
            .unwrap_err()
            .code(),
        Code::PermissionDenied
    );
}

/// Each rpc, asked by somebody; the answers that matter are whether it was allowed.
async fn ask_all(auth: &Auth, person: &Person) -> Vec<(&'static str, Code)> {
    let code = |result: swarm_errors::Result<()>| {
        result.map_or_else(|error| error.code(), |()| Code::Conflict)
    };
    let (mut users, mut keys, mut tenants) = (auth.users(), auth.api_keys(), auth.tenants());
    let get = wire::GetUserRequest {
        id: admin_id(auth).await,
    };
    let revoke = wire::RevokeApiKeyRequest {
        id: swarm_types::ApiKeyId::new().to_string(),
    };
    let tenant = wire::CreateTenantRequest {
        name: "default".into(),
        admin_username: "x".into(),
        admin_password: PASSWORD.into(),
        ..Default::default()
    };
    vec![
        (
            "CreateUser",
            code(
                answer(
                    users
                        .create_user(person.ask(new_user("admin", &["viewer"])))
                        .await,
                )
                .map(drop),
            ),
        ),
        (
            "GetUser",
            code(answer(users.get_user(person.ask(get)).await).map(drop)),
        ),
        (
            "ListUsers",
            code(
                answer(
                    users
                        .list_users(person.ask(wire::ListUsersRequest { page: None }))
                        .await,
                )
                .map(drop),
            ),
        ),
        (
            "CreateApiKey",
            code(auth.create_key(person, &["viewer"]).await.map(drop)),
        ),
        (
            "ListApiKeys",
            code(
                answer(
                    keys.list_api_keys(person.ask(wire::ListApiKeysRequest { page: None }))
                        .await,
                )
                .map(drop),
            ),
        ),
        (
            "RevokeApiKey",
            code(answer(keys.revoke_api_key(person.ask(revoke)).await).map(drop)),
        ),
        (
            "CreateTenant",
            code(answer(tenants.create_tenant(person.ask(tenant)).await).map(drop)),
        ),
        (
            "ListTenants",
            code(
                answer(
                    tenants
                        .list_tenants(person.ask(wire::ListTenantsRequest { page: None }))
                        .await,
                )
                .map(drop),
            ),
        ),
    ]
}

async fn admin_id(auth: &Auth) -> String {
    auth.admin().await.principal.subject
}

#[tokio::test]
async fn each_rpc_is_allowed_to_the_roles_of_the_table() {
    let auth = Auth::start().await;
    let admin = auth.admin().await;
    let operators = [
        "GetUser",
        "ListUsers",
        "CreateApiKey",
        "ListApiKeys",
        "RevokeApiKey",
    ];
    for (role, allowed) in [
        ("viewer", &[][..]),
        ("developer", &[]),
        ("operator", &operators),
    ] {
        let person = auth.new_person(&admin, role, &[role]).await;
        for (rpc, code) in ask_all(&auth, &person).await {
            assert_eq!(
                code != Code::PermissionDenied,
                allowed.contains(&rpc),
                "{role} asks {rpc}: {code}"
            );
        }
    }
    for (rpc, code) in ask_all(&auth, &admin).await {
        assert_ne!(code, Code::PermissionDenied, "admin asks {rpc}");
    }
    let mut nobody = admin.clone();
    nobody.token = "made.up.token".into();
    for (rpc, code) in ask_all(&auth, &nobody).await {
        assert_eq!(code, Code::Unauthenticated, "nobody asks {rpc}");
    }
}
