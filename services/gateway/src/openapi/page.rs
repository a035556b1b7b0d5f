//! The page at `/docs`: all routes in one table, without scripts and without anything from elsewhere.

use std::fmt::Write;

use crate::routes::{Access, Route};

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Qwen Swarm: API</title>
<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin-top: 2.5rem; text-transform: capitalize }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .45rem .75rem .45rem 0; border-bottom: 1px solid #8884 }
code { font: 14px/1.5 ui-monospace, monospace }
.method { font-weight: 600; white-space: nowrap }
.quiet { opacity: .75; font-size: 14px }
</style>
</head>
<body>
<h1>Qwen Swarm: API</h1>
<p>A call bears <code>Authorization: Bearer &lt;token&gt;</code>, with a token from
<code>POST /api/v1/auth/login</code>, or <code>X-API-Key: &lt;key&gt;</code>. Errors are problem documents
(<code>application/problem+json</code>) that name the wrong field. Lists take <code>limit</code> and
<code>cursor</code>. Writes accept <code>Idempotency-Key</code>. All types and answers are in
<a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1). Events come over WebSocket, on the port of its
own, at <code>/ws</code>, or with <code>Accept: text/event-stream</code> from a task's events.</p>
"#;

/// The page.
pub(super) fn render(table: &[Route]) -> String {
    let mut page = String::from(HEAD);
    let mut current = String::new();
    for route in table {
        let Some(operation) = &route.operation else {
            continue;
        };
        let tag = operation
            .tags
            .as_deref()
            .and_then(|tags| tags.first())
            .cloned()
            .unwrap_or_default();
        if tag != current {
            page.push_str(if current.is_empty() { "" } else { "</table>\n" });
            // Writing into a string cannot fail.
            writeln!(page, "<h2>{}</h2>\n<table>", escaped(&tag)).ok();
            current = tag;
        }
        let access = match route.info.access {
            Access::Open => "no token".to_owned(),
            Access::SignedIn => "any token".to_owned(),
            Access::Needs(permission) => permission.to_string(),
        };
        writeln!(
            page,
            "<tr><td class=\"method\"><code>{}</code></td><td><code>{}</code></td><td>{}<br><span class=\"quiet\">{}</span></td><td class=\"quiet\">{}</td></tr>",
            route.info.method,
            escaped(route.info.path),
            escaped(operation.summary.as_deref().unwrap_or_default()),
            escaped(operation.description.as_deref().unwrap_or_default()),
            escaped(&access),
        )
        .ok();
    }
    page.push_str("</table>\n</body>\n</html>\n");
    page
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
