//! Callers who do not prove who they are, or may not do what they ask for, and routes that are not there.

use serde_json::json;
use swarm_identity::{PrincipalKind, Role};

use super::{Line, TASKS, UNAUTHENTICATED, line};
use crate::door::Door;

pub(super) fn identities(door: &Door) -> Vec<Line> {
    let recorder = &door.recorder;
    let body = json!({"kind": "q", "input": {}});
    let with = |token: &str| door.request("POST", TASKS).bearer_auth(token).json(&body);
    let spoilt = |spoil: fn(&mut swarm_identity::Claims)| {
        let mut claims = recorder.issuer.claims(recorder.tenant, &[Role::Developer]);
        spoil(&mut claims);
        with(&recorder.issuer.sign(&claims))
    };
    let stranger =
        swarm_test_support::identity::TestIssuer::new().user_token(recorder.tenant, &[Role::Admin]);
    vec![
        line(
            "no token",
            door.request("POST", TASKS).json(&body),
            UNAUTHENTICATED,
            "a token is needed: Authorization: Bearer <token>, or X-API-Key: <key>",
            &[],
        ),
        // What the body is does not matter: it is not read before the token holds.
        line(
            "no token and far too large",
            door.request("POST", TASKS).body("x".repeat(4097)),
            UNAUTHENTICATED,
            "a token is needed: Authorization: Bearer <token>, or X-API-Key: <key>",
            &[],
        ),
        line(
            "no token of ours",
            with("abc"),
            UNAUTHENTICATED,
            "the token is refused: it is not a token of ours",
            &[],
        ),
        line(
            "expired token",
            spoilt(|claims| claims.exp = claims.iat - 60),
            UNAUTHENTICATED,
            "the token is refused: it has expired",
            &[],
        ),
        line(
            "token from the future",
            spoilt(|claims| claims.iat += 3600),
            UNAUTHENTICATED,
            "the token is refused: it is not valid yet",
            &[],
        ),
        line(
            "signed by somebody else",
            with(&stranger),
            UNAUTHENTICATED,
            "the token is refused: its key is not known",
            &[],
        ),
        line(
            "token of a service",
            spoilt(|claims| claims.kind = PrincipalKind::Service),
            UNAUTHENTICATED,
            "tokens of services are not for the public door",
            &[],
        ),
        line(
            "another scheme",
            door.request("POST", TASKS)
                .header("authorization", "Basic eDp5")
                .json(&body),
            UNAUTHENTICATED,
            "the Authorization header must be Bearer and a token",
            &[],
        ),
        line(
            "wrong role",
            door.by(Role::Viewer, "POST", TASKS).json(&body),
            (403, "permission_denied"),
            "it needs the permission tasks:write",
            &[],
        ),
        line(
            "no such route",
            door.request("GET", "/api/v1/nothing"),
            (404, "not_found"),
            "there is no route /api/v1/nothing",
            &[],
        ),
        line(
            "no such method",
            door.request("PUT", TASKS).body("x"),
            (405, "method_not_allowed"),
            "PUT is not a method of this route",
            &[],
        ),
    ]
}
