//! The signing key and the administrator of the first start.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use swarm_errors::Code;
use swarm_identity::{PrincipalKind, Role};
use swarm_proto::auth::v1 as wire;
use swarm_test_support::database::Fresh;
use swarm_types::{Clock as _, ManualClock, SystemClock};

use crate::running::{Auth, answer, config, migrated_postgres, spawn};

#[tokio::test]
async fn the_credential_opens_the_door_and_only_its_owner_reads_it() {
    let auth = Auth::start().await;
    let mode = std::fs::metadata(auth.credential_file())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let admin = auth.admin().await;
    assert_eq!(
        (admin.principal.kind, admin.principal.name.as_str()),
        (PrincipalKind::User, "admin")
    );
    assert_eq!(admin.principal.roles, [Role::Admin]);
    assert!(admin.principal.tenant.is_some());
    assert!(auth.credential().password.len() >= 32);
    let left: Vec<_> = std::fs::read_dir(auth.credential_file().parent().unwrap())
        .unwrap()
        .collect();
    assert_eq!(left.len(), 1, "no second copy is left: {left:?}");
}

#[tokio::test]
async fn nobody_else_reads_the_database_even_in_a_folder_that_all_may_enter() {
    let (database, folder) = (Fresh::sqlite(), tempfile::tempdir().unwrap());
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut config = config(&database, folder.path());
    config.database.url = format!("sqlite:{}", data.display());
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let _running = spawn(&config, &clock).await.unwrap();
    for file in ["auth.db", "auth.db-wal", "auth.db-shm"] {
        let mode = std::fs::metadata(data.join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_restart_changes_neither_administrator_nor_key() {
    let mut auth = Auth::start().await;
    let (credential, admin) = (auth.credential(), auth.admin().await);
    auth.restart().await;
    assert_eq!(auth.credential(), credential);
    assert_eq!(
        auth.verifier().verify(&admin.token).await.unwrap(),
        admin.principal
    );
    std::fs::remove_file(auth.credential_file()).unwrap();
    auth.restart().await;
    assert!(!auth.credential_file().exists(), "it is handed over once");
    auth.log_in(&credential.username, &credential.password)
        .await;
}

#[tokio::test]
async fn two_that_start_at_once_make_one_administrator_and_one_key() {
    let database = migrated_postgres().await;
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let configs = folders
        .each_ref()
        .map(|folder| config(&database, folder.path()));
    let (one, other) = tokio::join!(spawn(&configs[0], &clock), spawn(&configs[1], &clock));
    let (one, other) = (one.unwrap(), other.unwrap());
    let files = configs
        .iter()
        .filter(|config| config.auth.credential_file.exists())
        .count();
    assert_eq!(files, 1);
    let mut jwks = Vec::new();
    for (_, dialer, _) in [&one, &other] {
        let mut client = wire::session_service_client::SessionServiceClient::new(dialer.auth());
        jwks.push(
            answer(client.get_keys(wire::GetKeysRequest {}).await)
                .unwrap()
                .jwks_json,
        );
    }
    assert_eq!(jwks[0], jwks[1]);
    assert_eq!(jwks[0].matches("kid").count(), 1);
    // A service token of one opens the other.
    let token = one.1.tokens().token().await.unwrap();
    assert!(other.1.verifier().verify(&token).await.is_ok());
}

#[tokio::test]
async fn a_key_that_was_added_signs_after_a_restart_and_the_older_one_still_holds() {
    let mut auth = Auth::start_on_postgres().await;
    let before = auth.admin().await;
    let store = auth.store().await;
    let old = store.newest_signing_key().await.unwrap().unwrap();
    let seed = [9; 32];
    let signing = ed25519_dalek::SigningKey::from_bytes(&seed);
    let new = swarm_auth::store::SigningKeyRecord {
        kid: "second".into(),
        seed: seed.to_vec(),
    };
    let later = SystemClock.now() + chrono::TimeDelta::seconds(1);
    store
        .insert_signing_key(&new, signing.verifying_key().as_bytes(), later)
        .await
        .unwrap();
    let keys = answer(auth.sessions().get_keys(wire::GetKeysRequest {}).await).unwrap();
    assert!(keys.jwks_json.contains("second") && keys.jwks_json.contains(&old.kid));
    assert!(keys.refresh_after.is_some());
    auth.restart().await;
    let after = auth.admin().await;
    assert_eq!(kid(&before.token), Some(old.kid));
    assert_eq!(kid(&after.token).as_deref(), Some("second"));
    auth.verifier().verify(&before.token).await.unwrap();
}

fn kid(token: &str) -> Option<String> {
    jsonwebtoken::decode_header(token).unwrap().kid
}

#[tokio::test]
async fn pending_migrations_and_an_unwritable_credential_stop_the_start() {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let (folder, empty) = (tempfile::tempdir().unwrap(), Fresh::postgres().await);
    let error = spawn(&config(&empty, folder.path()), &clock)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert!(error.detail().contains("swarm migrate"), "{error}");

    let database = Fresh::sqlite();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let unwritable = config(&database, &folder.path().join("file"));
    let error = spawn(&unwritable, &clock).await.unwrap_err();
    assert_eq!(error.fields()[0].field, "auth.credential_file");
    // Nothing was kept, so that the next start hands over after all.
    let writable = config(&database, folder.path());
    spawn(&writable, &clock).await.unwrap();
    assert!(writable.auth.credential_file.exists());
}
