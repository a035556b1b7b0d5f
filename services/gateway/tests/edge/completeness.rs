//! What holds for every line of the table of routes.

use std::collections::BTreeSet;

use serde_json::Value;
use swarm_gateway::{Access, RouteInfo, document, routes};
use swarm_identity::Role;
use swarm_types::TaskId;

use crate::door::{Door, seen};

fn path(route: &RouteInfo) -> String {
    route.path.replace("{id}", &TaskId::new().to_string())
}

fn place(route: &RouteInfo) -> String {
    format!("{} {}", route.method, route.path)
}

#[test]
fn only_these_routes_need_no_token() {
    let open: BTreeSet<String> = routes()
        .iter()
        .filter(|route| route.access == Access::Open)
        .map(place)
        .collect();
    let expected = [
        "GET /.well-known/jwks.json",
        "GET /docs",
        "GET /health",
        "GET /openapi.json",
        "GET /ready",
        "POST /api/v1/auth/login",
        "POST /api/v1/auth/refresh",
        "POST /api/v1/auth/token",
    ];
    assert_eq!(open, expected.map(str::to_owned).into());
    let signed_in: Vec<String> = routes()
        .iter()
        .filter(|route| route.access == Access::SignedIn)
        .map(place)
        .collect();
    assert_eq!(
        signed_in,
        [
            "POST /api/v1/auth/logout",
            "GET /api/v1/auth/me",
            "POST /api/v1/auth/password"
        ]
    );
}

#[test]
fn every_route_is_described_with_its_errors() {
    let document: Value = serde_json::from_str(&document()).unwrap();
    for route in routes() {
        let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
        assert!(operation.is_object(), "{} is not described", place(&route));
        let statuses: Vec<&str> = operation["responses"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert!(
            statuses.iter().any(|status| status.starts_with('2')),
            "{}",
            place(&route)
        );
        for (status, response) in operation["responses"].as_object().unwrap() {
            let is_error = !status.starts_with('2') && (route.path != "/ready" || status != "503");
            let name = response["$ref"]
                .as_str()
                .and_then(|name| name.strip_prefix("#/components/responses/"));
            let response = name.map_or(response, |name| &document["components"]["responses"][name]);
            let is_problem = response["content"]["application/problem+json"].is_object();
            assert_eq!(is_error, is_problem, "{} {status}", place(&route));
        }
        let expected: &[&str] = match route.access {
            Access::Open => &["400", "500"],
            Access::SignedIn => &["400", "401", "500"],
            Access::Needs(_) => &["400", "401", "403", "500"],
        };
        for status in expected {
            assert!(
                statuses.contains(status),
                "{} lacks {status}",
                place(&route)
            );
        }
        if let Access::Needs(permission) = route.access {
            assert_eq!(operation["x-permission"], permission.as_str());
        }
    }
    let described: usize = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .map(|item| item.as_object().unwrap().len())
        .sum();
    assert_eq!(described, routes().len());
}

#[tokio::test]
async fn every_route_asks_for_its_token_and_its_permission() {
    let door = Door::open().await;
    for route in routes() {
        let send = |role: Option<Role>| {
            let request = match role {
                Some(role) => door.by(role, route.method.as_str(), &path(&route)),
                None => door.request(route.method.as_str(), &path(&route)),
            };
            // An unknown parameter, so that whoever is let in gets no further than the handler's door.
            request.query(&[("surely_unknown", "1")]).send()
        };
        let (status, body) = seen(send(None).await.unwrap()).await;
        let expected = if route.access == Access::Open {
            400
        } else {
            401
        };
        assert_eq!(
            status.as_u16(),
            expected,
            "{} without a token: {body}",
            place(&route)
        );
        for role in Role::ALL {
            let (status, body) = seen(send(Some(role)).await.unwrap()).await;
            let is_allowed = match route.access {
                Access::Needs(permission) => permission.allowed_to(&[role]),
                Access::Open | Access::SignedIn => true,
            };
            let expected = if is_allowed { 400 } else { 403 };
            assert_eq!(
                status.as_u16(),
                expected,
                "{} as {role}: {body}",
                place(&route)
            );
            if is_allowed {
                assert_eq!(
                    body["errors"][0]["field"],
                    "surely_unknown",
                    "{} takes any parameter",
                    place(&route)
                );
            }
        }
    }
    assert!(door.recorder.calls().is_empty());
}
