//! What auth keeps, on both databases.
#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;
use swarm_auth::SCHEMA;
use swarm_auth::store::{
    ApiKeyRecord, Created, NewSession, PasswordChanged, Refreshed, Request, SigningKeyRecord,
    Store, TEXTS, TenantRecord, UserRecord,
};
use swarm_errors::{Code, Error};
use swarm_identity::Role;
use swarm_test_support::database::{assert_alike, for_each_database};
use swarm_types::{ApiKeyId, Clock as _, SystemClock, TenantId, Timestamp, UserId};
use uuid::Uuid;

fn tenant(name: &str) -> TenantRecord {
    TenantRecord {
        id: TenantId::new(),
        name: name.to_owned(),
        created_at: SystemClock.now(),
    }
}

fn user(tenant: TenantId, username: &str) -> UserRecord {
    UserRecord {
        tenant,
        id: UserId::new(),
        username: username.to_owned(),
        roles: vec![Role::Viewer, Role::Operator],
        created_at: SystemClock.now(),
    }
}

fn api_key(tenant: TenantId, prefix: &str) -> ApiKeyRecord {
    ApiKeyRecord {
        tenant,
        id: ApiKeyId::new(),
        name: "robot".to_owned(),
        prefix: prefix.to_owned(),
        secret_hash: vec![0, 1, 255],
        roles: vec![Role::Developer],
        created_by: "user_x".to_owned(),
        created_at: SystemClock.now(),
        expires_at: Some(SystemClock.now() + TimeDelta::days(1)),
        revoked_at: None,
    }
}

fn new_session(
    (tenant, user, id): (TenantId, UserId, Uuid),
    token_hash: &[u8],
    created_at: Timestamp,
    expires_at: Timestamp,
) -> NewSession<'_> {
    NewSession {
        tenant,
        user,
        id,
        token_hash,
        created_at,
        expires_at,
    }
}

async fn with_tenant(store: &Store, name: &str) -> (TenantRecord, UserRecord) {
    let tenant = tenant(name);
    let admin = user(tenant.id, &format!("{name}-admin"));
    let made = store
        .insert_tenant(tenant.id, None, &tenant, &admin, "hash")
        .await
        .unwrap();
    assert_eq!(made, Created::Now);
    (tenant, admin)
}

#[tokio::test]
async fn both_databases_are_alike() {
    assert_alike(&SCHEMA, TEXTS).await;
}

#[tokio::test]
async fn the_first_start_happens_once_and_not_without_handing_over() {
    for_each_database(&SCHEMA, |db| async move {
        let store = Store::new(db);
        let tenant = tenant("default");
        let admin = user(tenant.id, "admin");
        let failed = store
            .insert_administrator(&tenant, &admin, "h", || {
                Err(Error::unavailable("disk full"))
            })
            .await;
        assert_eq!(failed.unwrap_err().code(), Code::Unavailable);
        assert!(!store.has_administrator().await.unwrap());
        assert!(
            store.credentials("admin").await.unwrap().is_none(),
            "nothing is kept"
        );
        assert!(
            store
                .insert_administrator(&tenant, &admin, "h", || Ok(()))
                .await
                .unwrap()
        );
        let never = || panic!("the second start hands over nothing");
        assert!(
            !store
                .insert_administrator(&tenant, &user(tenant.id, "admin2"), "h", never)
                .await
                .unwrap()
        );
        assert!(store.has_administrator().await.unwrap());
        let found = store.credentials("admin").await.unwrap().unwrap();
        assert_eq!((found.user, found.password_hash.as_str()), (admin, "h"));
    })
    .await;
}

#[tokio::test]
async fn names_are_unique_and_a_refused_write_leaves_nothing() {
    for_each_database(&SCHEMA, |db| async move {
        let store = Store::new(db);
        let (one, admin) = with_tenant(&store, "one").await;
        let (two, _) = with_tenant(&store, "two").await;
        let same_name = tenant("one");
        let made = store
            .insert_tenant(one.id, None, &same_name, &user(same_name.id, "new"), "h")
            .await;
        assert_eq!(made.unwrap(), Created::Taken("name"));
        let third = tenant("three");
        let made = store
            .insert_tenant(one.id, None, &third, &user(third.id, "one-admin"), "h")
            .await;
        assert_eq!(made.unwrap(), Created::Taken("admin_username"));
        assert!(store.tenant(third.id).await.unwrap().is_none());
        let taken = user(two.id, "one-admin");
        assert_eq!(
            store.insert_user(None, &taken, "h").await.unwrap(),
            Created::Taken("username")
        );
        assert!(store.user(two.id, taken.id).await.unwrap().is_none());
        assert_eq!(
            store.user(one.id, admin.id).await.unwrap(),
            Some(admin.clone())
        );
        assert_eq!(
            store.user(two.id, admin.id).await.unwrap(),
            None,
            "another tenant's"
        );
        assert_eq!(store.user_named(two.id, "one-admin").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn lists_come_in_pages_of_one_tenant() {
    for_each_database(&SCHEMA, |db| async move {
        let store = Store::new(db);
        let (one, admin) = with_tenant(&store, "one").await;
        let (two, _) = with_tenant(&store, "two").await;
        let mut expected = vec![admin];
        for n in 0..4 {
            let user = user(one.id, &format!("u{n}"));
            store.insert_user(None, &user, "h").await.unwrap();
            expected.push(user);
        }
        let (mut seen, mut after) = (Vec::new(), UserId::from_uuid(Uuid::nil()));
        loop {
            let page = store.users(one.id, after, 2).await.unwrap();
            seen.extend(page.items);
            match page.next_cursor {
                Some(cursor) => after = cursor.parse().unwrap(),
                None => break,
            }
        }
        assert_eq!(seen, expected);
        let nil = ApiKeyId::from_uuid(Uuid::nil());
        store
            .insert_api_key(None, &api_key(one.id, "a"))
            .await
            .unwrap();
        assert_eq!(store.api_keys(one.id, nil, 9).await.unwrap().items.len(), 1);
        assert!(
            store
                .api_keys(two.id, nil, 9)
                .await
                .unwrap()
                .items
                .is_empty()
        );
        let tenants = store
            .tenants(TenantId::from_uuid(Uuid::nil()), 9)
            .await
            .unwrap()
            .items;
        assert_eq!(tenants, [one, two]);
    })
    .await;
}

#[tokio::test]
async fn a_request_that_comes_twice_finds_the_first() {
    for_each_database(&SCHEMA, |db| async move {
        let store = Store::new(db);
        let (one, _) = with_tenant(&store, "one").await;
        let (two, _) = with_tenant(&store, "two").await;
        let request = |hash: &'static [u8], operation| {
            Some(Request {
                key: "k",
                body_hash: hash,
                operation,
            })
        };
        let first = api_key(one.id, "a");
        let made = store
            .insert_api_key(request(b"1", "create_api_key"), &first)
            .await
            .unwrap();
        assert_eq!(made, Created::Now);
        let again = store
            .insert_api_key(request(b"1", "create_api_key"), &api_key(one.id, "b"))
            .await
            .unwrap();
        assert_eq!(again, Created::Before(first.id.uuid()));
        let uncompared = store
            .made_before(one.id, request(b"", "create_api_key"))
            .await
            .unwrap();
        assert_eq!(uncompared, Some(first.id.uuid()));
        for other in [
            request(b"2", "create_api_key"),
            request(b"1", "create_user"),
        ] {
            let error = store.made_before(one.id, other).await.unwrap_err();
            assert_eq!(error.code(), Code::IdempotencyMismatch);
            let error = store
                .insert_api_key(other, &api_key(one.id, "c"))
                .await
                .unwrap_err();
            assert_eq!(error.code(), Code::IdempotencyMismatch);
        }
        assert_eq!(
            store
                .made_before(two.id, request(b"1", "create_api_key"))
                .await
                .unwrap(),
            None
        );
        assert!(store.api_key_by_prefix("b").await.unwrap().is_none());
        assert_eq!(
            store
                .forget_requests(SystemClock.now() + TimeDelta::seconds(1))
                .await
                .unwrap(),
            1
        );
        assert_eq!(
            store
                .made_before(one.id, request(b"1", "create_api_key"))
                .await
                .unwrap(),
            None
        );
    })
    .await;
}

#[tokio::test]
async fn a_key_is_found_by_its_prefix_and_revoked_once() {
    for_each_database(&SCHEMA, |db| async move {
        let store = Store::new(db);
        let (one, _) = with_tenant(&store, "one").await;
        let (two, _) = with_tenant(&store, "two").await;
        let key = api_key(one.id, "qsk_a");
        store.insert_api_key(None, &key).await.unwrap();
        assert_eq!(
            store.api_key_by_prefix("qsk_a").await.unwrap(),
            Some(key.clone())
        );
        let clash = store
            .insert_api_key(None, &api_key(two.id, "qsk_a"))
            .await
            .unwrap_err();
        assert_eq!(clash.code(), Code::Internal);
        let now = SystemClock.now();
        assert!(
            store
                .revoke_api_key(two.id, key.id, now)
                .await
                .unwrap()
                .is_none()
        );
        assert_eq!(
            store
                .api_key(one.id, key.id)
                .await
                .unwrap()
                .unwrap()
                .revoked_at,
            None
        );
        let revoked = store
            .revoke_api_key(one.id, key.id, now)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(revoked.revoked_at, Some(now));
        let later = store
            .revoke_api_key(one.id, key.id, now + TimeDelta::hours(1))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(later.revoked_at, Some(now), "the first time stays");
    })
    .await;
}

struct Family {
    store: Store,
    ids: (TenantId, UserId, Uuid),
    now: Timestamp,
}

impl Family {
    async fn new(store: Store) -> Self {
        let (tenant, user) = with_tenant(&store, "one").await;
        let (now, ids) = (SystemClock.now(), (tenant.id, user.id, Uuid::now_v7()));
        let new = new_session(ids, b"t0", now, now + TimeDelta::hours(1));
        assert!(store.insert_session(&new, "hash").await.unwrap());
        Self { store, ids, now }
    }

    async fn rotate(&self, shown: &[u8], next: &[u8], now: Timestamp) -> Refreshed {
        self.store
            .rotate((self.ids.0, self.ids.2), shown, next, now)
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn a_spent_token_ends_its_family() {
    for_each_database(&SCHEMA, |db| async move {
        let family = Family::new(Store::new(db)).await;
        let rotated = Refreshed::Rotated(family.ids.1);
        assert_eq!(family.rotate(b"t0", b"t1", family.now).await, rotated);
        assert_eq!(
            family.rotate(b"made up", b"x", family.now).await,
            Refreshed::Refused
        );
        assert_eq!(
            family.rotate(b"t1", b"t2", family.now).await,
            rotated,
            "a guess does no harm"
        );
        assert_eq!(
            family.rotate(b"t0", b"x", family.now).await,
            Refreshed::Reused
        );
        assert_eq!(
            family.rotate(b"t2", b"x", family.now).await,
            Refreshed::Refused
        );
    })
    .await;
}

#[tokio::test]
async fn of_two_that_come_with_one_token_one_is_served_and_the_session_ends() {
    for_each_database(&SCHEMA, |db| async move {
        let family = Family::new(Store::new(db)).await;
        let (a, b) = tokio::join!(
            family.rotate(b"t0", b"a", family.now),
            family.rotate(b"t0", b"b", family.now)
        );
        let rotated = [a, b]
            .iter()
            .filter(|end| matches!(end, Refreshed::Rotated(_)))
            .count();
        let reused = [a, b]
            .iter()
            .filter(|end| **end == Refreshed::Reused)
            .count();
        assert_eq!((rotated, reused), (1, 1));
        for token in [b"a", b"b"] {
            assert_eq!(
                family.rotate(token, b"x", family.now).await,
                Refreshed::Refused
            );
        }
    })
    .await;
}

#[tokio::test]
async fn sessions_end_by_logout_and_by_time() {
    for_each_database(&SCHEMA, |db| async move {
        let family = Family::new(Store::new(db)).await;
        let (tenant, user, session) = family.ids;
        let expiry = family.now + TimeDelta::hours(1);
        assert_eq!(family.rotate(b"t0", b"x", expiry).await, Refreshed::Refused);
        assert!(
            !family
                .store
                .end_session(tenant, session, b"made up", family.now)
                .await
                .unwrap()
        );
        assert!(
            family
                .store
                .end_session(tenant, session, b"t0", family.now)
                .await
                .unwrap()
        );
        assert!(
            !family
                .store
                .end_session(tenant, session, b"t0", family.now)
                .await
                .unwrap()
        );
        assert_eq!(
            family.rotate(b"t0", b"x", family.now).await,
            Refreshed::Refused
        );
        let other = (tenant, user, Uuid::now_v7());
        let new = new_session(other, b"o", family.now, expiry + TimeDelta::seconds(1));
        assert!(family.store.insert_session(&new, "hash").await.unwrap());
        assert_eq!(family.store.forget_sessions(expiry).await.unwrap(), 1);
        let still = family
            .store
            .rotate((tenant, other.2), b"o", b"p", family.now)
            .await
            .unwrap();
        assert_eq!(
            still,
            Refreshed::Rotated(user),
            "what has not expired stays"
        );
    })
    .await;
}

#[tokio::test]
async fn the_first_key_is_made_once_and_the_newest_signs() {
    for_each_database(&SCHEMA, |db| async move {
        let store = Store::new(db);
        let now = SystemClock.now();
        let key = |kid: &str| SigningKeyRecord {
            kid: kid.to_owned(),
            seed: vec![7; 32],
        };
        store
            .insert_first_signing_key(&key("a"), &[1], now)
            .await
            .unwrap();
        store
            .insert_first_signing_key(&key("b"), &[2], now + TimeDelta::seconds(1))
            .await
            .unwrap();
        assert_eq!(store.newest_signing_key().await.unwrap().unwrap().kid, "a");
        store
            .insert_signing_key(&key("c"), &[3], now + TimeDelta::seconds(2))
            .await
            .unwrap();
        let newest = store.newest_signing_key().await.unwrap().unwrap();
        assert_eq!((newest.kid.as_str(), newest.seed), ("c", vec![7; 32]));
        let kids: Vec<String> = store
            .public_keys()
            .await
            .unwrap()
            .into_iter()
            .map(|key| key.kid)
            .collect();
        assert_eq!(kids, ["c", "a"]);
    })
    .await;
}

#[tokio::test]
async fn a_changed_password_ends_every_session_of_its_user_and_nobody_elses() {
    for_each_database(&SCHEMA, |db| async move {
        let family = Family::new(Store::new(db)).await;
        let ((tenant, user, _), now, store) = (family.ids, family.now, &family.store);
        let bob = self::user(tenant, "bob");
        store.insert_user(None, &bob, "hash").await.unwrap();
        let later = now + TimeDelta::hours(1);
        let bobs = (tenant, bob.id, Uuid::now_v7());
        let of_bob = new_session(bobs, b"b0", now, later);
        assert!(store.insert_session(&of_bob, "hash").await.unwrap());

        let fresh = (tenant, user, Uuid::now_v7());
        let new = new_session(fresh, b"n0", now, later);
        let request = Some(Request {
            key: "k",
            body_hash: &[],
            operation: "change_password",
        });
        let change = async |old| {
            let made = store.change_password(request, (old, "other"), &new).await;
            made.unwrap()
        };
        assert_eq!(change("wrong").await, PasswordChanged::Outdated);
        assert_eq!(change("hash").await, PasswordChanged::Now);
        assert_eq!(change("other").await, PasswordChanged::Before);
        assert_eq!(family.rotate(b"t0", b"t1", now).await, Refreshed::Refused);
        let kept = store.rotate((tenant, fresh.2), b"n0", b"n1", now).await;
        assert_eq!(kept.unwrap(), Refreshed::Rotated(user));
        let kept = store.rotate((tenant, bobs.2), b"b0", b"b1", now).await;
        assert_eq!(kept.unwrap(), Refreshed::Rotated(bob.id));
        // A login that was checked against the old hash comes too late.
        let late = new_session((tenant, user, Uuid::now_v7()), b"l0", now, later);
        assert!(!store.insert_session(&late, "hash").await.unwrap());
        assert!(store.insert_session(&late, "other").await.unwrap());
    })
    .await;
}
