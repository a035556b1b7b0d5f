#![allow(clippy::unwrap_used)]
use serde_json::json;
use swarm_config::Validate as _;

use super::*;

fn tool(change: &Value) -> Result<ToolsConfig, serde_json::Error> {
    let mut tool = json!({
        "name": "charge", "description": "Charges a card.", "url": "https://shop.example/charge",
        "safety": "at_most_once",
    });
    for (key, value) in change.as_object().unwrap() {
        tool[key] = value.clone();
    }
    serde_json::from_value(json!({ "webhook": [tool] }))
}

#[test]
fn wrong_settings_name_their_key() {
    tool(&json!({})).unwrap().validate().unwrap();
    for (change, key) in [
        (json!({"name": "no spaces"}), "name"),
        (json!({"name": "memory_put"}), "name"),
        (json!({"description": ""}), "description"),
        (json!({"url": "file:///etc/passwd"}), "url"),
        (json!({"url": "https://user:secret@shop.example"}), "url"),
        (json!({"parameters": {"type": "string"}}), "parameters"),
        (json!({"timeout_ms": 0}), "timeout_ms"),
    ] {
        let error = tool(&change).unwrap().validate().unwrap_err();
        assert_eq!(error.fields()[0].field, format!("tools.webhook[0].{key}"));
    }
    assert!(tool(&json!({"safety": "often"})).is_err());
    assert!(tool(&json!({"retries": 3})).is_err());
    let mut twice = tool(&json!({})).unwrap();
    twice.webhook.push(twice.webhook[0].clone());
    let error = twice.validate().unwrap_err();
    assert_eq!(error.fields()[0].field, "tools.webhook[1].name");
}

#[test]
fn secrets_come_from_the_environment_and_are_not_shown() {
    let config = tool(&json!({
        "headers": {"x-team": "blue-team"},
        "headers_from": {"authorization": "SHOP_KEY"},
    }))
    .unwrap();
    let webhooks = Webhooks::new(&config, |name| {
        (name == "SHOP_KEY").then(|| "hunter2".into())
    })
    .unwrap();
    let headers = &webhooks.tools["charge"].headers;
    assert_eq!(headers["authorization"], "hunter2");
    assert_eq!(headers["x-team"], "blue-team");
    let shown = format!("{webhooks:?} {config:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("blue-team"));
    let error = Webhooks::new(&config, |_| None).unwrap_err();
    let key = "tools.webhook[0].headers_from.authorization";
    assert_eq!(error.fields()[0].field, key);
}

#[test]
fn nobody_has_a_webhook_without_naming_it() {
    let webhooks = Webhooks::new(&tool(&json!({})).unwrap(), |_| None).unwrap();
    assert!(webhooks.offered(&[]).is_empty());
    assert!(webhooks.offered(&["another".to_owned()]).is_empty());
    assert_eq!(webhooks.offered(&["charge".to_owned()])[0].name, "charge");
}
