//! Tenants and passwords, as their administrators type them.

use serde_json::Value;

use crate::program::{Said, run_with_input};
use crate::stage::Stage;

const NEW: &str = "a new passphrase of tests";

/// Runs a command that answers questions with these lines, against the platform of this process.
async fn told(stage: &Stage, arguments: &[&str], lines: &[&str]) -> Said {
    let data = stage.data();
    let arguments: Vec<String> = arguments
        .iter()
        .copied()
        .chain(["--data", &data])
        .map(str::to_owned)
        .collect();
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run_with_input(&arguments, &input)
    })
    .await
    .unwrap()
}

fn json(said: &Said) -> Value {
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_made_and_its_administrator_takes_over() {
    let stage = Stage::start().await;
    let made = told(
        &stage,
        &["tenants", "create", "acme", "--output", "json"],
        &[],
    )
    .await;
    assert_eq!(made.code, Some(0), "{}", made.err);
    let made = json(&made);
    let (id, once) = (
        made["id"].as_str().unwrap(),
        made["admin_password"].as_str().unwrap(),
    );
    let shown = told(&stage, &["tenants", "show", id], &[]).await;
    assert!(
        shown.out.contains("acme") && !shown.out.contains(once),
        "{}",
        shown.out
    );
    let listed = json(&told(&stage, &["tenants", "list", "--output", "json"], &[]).await);
    let names: Vec<&str> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tenant| tenant["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 2);
    assert!(names.contains(&"acme") && names.contains(&"default"));

    let admin = ["--username", "acme-admin"];
    let changed = told(&stage, &["password", admin[0], admin[1]], &[once, NEW]).await;
    assert_eq!(changed.code, Some(0), "{}", changed.err);
    let spent = told(&stage, &["login", admin[0], admin[1]], &[once]).await;
    assert_eq!(spent.code, Some(1), "the password that was shown is spent");
    let token = told(&stage, &["login", admin[0], admin[1]], &[NEW]).await;
    let theirs = ["tenants", "list", "--token", token.out.trim()];
    let refused = told(&stage, &theirs, &[]).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("default tenant"), "{}", refused.err);
    assert!(stage.platform.stop().await.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_administrator_changes_the_password_and_the_credential_is_used_up() {
    let stage = Stage::start().await;
    let file = stage.platform.folder().credential_file();
    let short = told(&stage, &["password"], &["short"]).await;
    assert_eq!(short.code, Some(1));
    assert!(short.err.contains("new_password"), "{}", short.err);
    let none = told(&stage, &["password"], &[]).await;
    assert_eq!(none.code, Some(2), "{}", none.err);
    assert!(file.exists());

    // The credential knows the current password.
    let changed = told(&stage, &["password"], &[NEW]).await;
    assert_eq!(changed.code, Some(0), "{}", changed.err);
    assert!(
        changed.out.contains("login --username admin"),
        "{}",
        changed.out
    );
    assert!(!file.exists());
    let token = told(&stage, &["login", "--username", "admin"], &[NEW]).await;
    assert_eq!(token.code, Some(0), "{}", token.err);
    let users = ["users", "list", "--token", token.out.trim()];
    assert_eq!(told(&stage, &users, &[]).await.code, Some(0));

    let wrong = ["password", "--token", token.out.trim()];
    let wrong = told(&stage, &wrong, &["wrong", "yet another passphrase"]).await;
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.err.contains("current_password"), "{}", wrong.err);
    assert!(stage.platform.stop().await.is_clean());
}
