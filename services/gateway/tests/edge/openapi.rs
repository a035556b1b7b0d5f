//! The checked-in document is the one that the code makes. `UPDATE_OPENAPI=1` writes it.

use std::path::Path;

use crate::door::Door;

#[tokio::test]
async fn the_checked_in_document_is_up_to_date_and_served() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let document = swarm_gateway::document();
    if std::env::var_os("UPDATE_OPENAPI").is_some_and(|value| value == "1") {
        std::fs::write(&file, &document).unwrap();
    }
    let checked_in = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        checked_in == document,
        "services/gateway/openapi.json is stale: run make openapi"
    );
    let door = Door::open().await;
    let response = door.request("GET", "/openapi.json").send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.text().await.unwrap(), document);
}

#[tokio::test]
async fn the_page_shows_every_route_and_needs_nothing_from_elsewhere() {
    let door = Door::open().await;
    let response = door.request("GET", "/docs").send().await.unwrap();
    assert_eq!(
        response.headers()["content-type"],
        "text/html; charset=utf-8"
    );
    let page = response.text().await.unwrap();
    for route in swarm_gateway::routes() {
        assert!(
            page.contains(&format!("<code>{}</code>", route.path)),
            "{}",
            route.path
        );
    }
    for foreign in ["<script", "src=", "http://", "https://", "@import"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}
