//! The OpenAPI 3.1 document, built from the table of routes, and the page that shows it.

mod page;

use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, Content, Ref, RefOr, Required};

use crate::problem::PROBLEM_JSON;
use crate::routes::{Access, PATIENT, Route, RouteInfo, table};
use crate::shapes::problem::Problem;

/// The statuses of errors.
const PROBLEMS: [u16; 12] = [400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503, 504];

/// What the whole document begins with.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Qwen Swarm",
        description = "A platform on which swarms of agents work on tasks. Errors are problem documents (RFC 9457). \
            Lists take `limit` and `cursor` and answer `items` and `next_cursor`. Writes accept `Idempotency-Key`. \
            `X-Request-ID` and `traceparent` are accepted and returned.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags(
        (name = "sessions", description = "Who is calling"),
        (name = "users", description = "Users and API keys of the tenant"),
        (name = "tenants", description = "Tenants, for the administrators of the platform"),
        (name = "agents", description = "Agents and their life cycle"),
        (name = "tasks", description = "Tasks, their journal and their events"),
        (name = "schedules", description = "What makes tasks at given times"),
        (name = "messages", description = "Messages between agents"),
        (name = "memories", description = "What agents remember"),
        (name = "proposals", description = "Questions put to a vote"),
        (name = "learning", description = "Feedback, and what was learned"),
        (name = "system", description = "The state of the platform"),
        (name = "root", description = "Probes, metrics and documents")
    ),
    components(schemas(Problem))
)]
struct Beginning;

/// The document and its page, written once at the start.
#[derive(Debug)]
pub(crate) struct Pages {
    pub(crate) openapi: String,
    pub(crate) docs: String,
}

impl Pages {
    pub(crate) fn render() -> Self {
        let table = table();
        let docs = page::render(&table);
        Self {
            openapi: text(&describe(table)),
            docs,
        }
    }
}

/// The document as it is served and checked in.
#[must_use]
pub fn document() -> String {
    text(&describe(table()))
}

fn text(document: &utoipa::openapi::OpenApi) -> String {
    // It is made of our own types; there is nothing in it that JSON could not hold.
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

fn describe(table: Vec<Route>) -> utoipa::openapi::OpenApi {
    let mut document = <Beginning as utoipa::OpenApi>::openapi();
    let mut components = document.components.take().unwrap_or_default();
    secure(&mut components);
    for status in PROBLEMS {
        components
            .responses
            .insert(format!("Problem{status}"), RefOr::T(problem(status)));
    }
    for Route {
        info,
        operation,
        schemas,
        ..
    } in table
    {
        components.schemas.extend(schemas);
        if let Some(operation) = operation {
            let operation = complete(&info, operation);
            document
                .paths
                .add_path_operation(info.path, vec![method_of(&info)], operation);
        }
    }
    refer_to_items(&mut components);
    document.components = Some(components);
    document
}

/// A page names the type of its items instead of repeating all of it.
fn refer_to_items(components: &mut Components) {
    for (name, schema) in &mut components.schemas {
        let Some(item) = name.strip_prefix("Page_") else {
            continue;
        };
        if let RefOr::T(Schema::Object(page)) = schema {
            let items = ArrayBuilder::new()
                .items(Ref::from_schema_name(item))
                .description(Some("The items."));
            page.properties
                .insert("items".to_owned(), RefOr::T(items.build().into()));
        }
    }
}

fn method_of(info: &RouteInfo) -> HttpMethod {
    match info.method.as_str() {
        "POST" => HttpMethod::Post,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

fn secure(components: &mut Components) {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .build();
    let key = ApiKey::Header(ApiKeyValue::new("X-API-Key"));
    components
        .security_schemes
        .insert("token".to_owned(), RefOr::T(SecurityScheme::Http(bearer)));
    components
        .security_schemes
        .insert("api_key".to_owned(), RefOr::T(SecurityScheme::ApiKey(key)));
}

/// Adds what follows from the table and the layers: security, common headers, and every error that
/// the route can answer.
fn complete(info: &RouteInfo, mut operation: Operation) -> Operation {
    let permission = match info.access {
        Access::Open => None,
        Access::SignedIn => Some("any valid token"),
        Access::Needs(permission) => Some(permission.as_str()),
    };
    if let Some(permission) = permission {
        let of = |scheme: &str| SecurityRequirement::new(scheme, Vec::<String>::new());
        operation.security = Some(vec![of("token"), of("api_key")]);
        let extensions = ExtensionsBuilder::new()
            .add("x-permission", permission)
            .build();
        operation
            .extensions
            .get_or_insert_default()
            .merge(extensions);
    } else {
        operation.security = Some(Vec::new());
    }
    if has_key(info) {
        operation
            .parameters
            .get_or_insert_default()
            .push(RefOr::T(idempotency_key()));
    }
    for status in failures(info, &operation) {
        let problem = RefOr::Ref(Ref::from_response_name(format!("Problem{status}")));
        operation
            .responses
            .responses
            .entry(status.to_string())
            .or_insert(problem);
    }
    operation
}

fn is_api(info: &RouteInfo) -> bool {
    info.path.starts_with("/api/")
}

fn has_key(info: &RouteInfo) -> bool {
    is_api(info)
        && !info.path.starts_with("/api/v1/auth/")
        && (matches!(info.method.as_str(), "POST" | "PATCH") || is_bulk_delete(info))
}

/// A delete of many things: a repeat may find others, so its owner must know it as one.
fn is_bulk_delete(info: &RouteInfo) -> bool {
    info.method.as_str() == "DELETE" && !info.path.contains('{')
}

/// The statuses of the errors that a route can answer.
fn failures(info: &RouteInfo, operation: &Operation) -> Vec<u16> {
    let mut statuses = vec![400, 500];
    if info.access != Access::Open {
        statuses.extend([401, 403]);
    }
    if info.access == Access::SignedIn {
        statuses.retain(|status| *status != 403);
    }
    // What is made of nothing but the request and the gateway's own memory has no other.
    let calls_nobody = matches!(
        info.path,
        "/health" | "/ready" | "/metrics" | "/openapi.json" | "/docs"
    );
    if !calls_nobody {
        statuses.extend([503, 504]);
    } else if info.access != Access::Open {
        // The keys that verify tokens come from auth.
        statuses.push(503);
    }
    if info.path.starts_with("/api/v1/auth/") && info.access == Access::Open {
        statuses.extend([401, 429]);
    }
    if info.path.contains("{id}") {
        statuses.push(404);
    }
    let is_write = !matches!(info.method.as_str(), "GET");
    if is_api(info) && is_write && !info.path.ends_with("/search") {
        statuses.extend([404, 409, 429]);
    }
    if info.method.as_str() != "DELETE" && is_write {
        statuses.extend([413, 415]);
    }
    if has_key(info) && operation.request_body.is_some() {
        statuses.push(422);
    }
    if PATIENT.contains(&info.path) {
        statuses.push(504);
    }
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}

fn problem(status: u16) -> utoipa::openapi::Response {
    let words = match status {
        400 => "A field is missing, unknown, of the wrong type or out of range; `errors` names it",
        401 => "No credential, or one that does not hold",
        403 => "The caller may not do this",
        404 => "There is no such thing",
        409 => "It conflicts with what is there, or its state does not allow this",
        413 => "The body is too large",
        415 => "The body is of another content type",
        422 => "The idempotency key was used with another body",
        429 => "A limit is reached; `Retry-After` says when to come again",
        503 => "A service behind the gateway cannot be reached",
        504 => "It took too long",
        _ => "A fault of ours; the log has it under the request id",
    };
    let content = Content::builder()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    let response = ResponseBuilder::new()
        .description(words)
        .content(PROBLEM_JSON, content);
    let header = |description: &str| HeaderBuilder::new().description(Some(description)).build();
    match status {
        401 => response
            .header("WWW-Authenticate", header("How to prove who is calling"))
            .build(),
        429 => response
            .header("Retry-After", header("Seconds"))
            .header(
                "RateLimit",
                header("What is left of the limit, and in how many seconds there is more"),
            )
            .build(),
        503 => response
            .header("Retry-After", header("Seconds, where they are known"))
            .build(),
        _ => response.build(),
    }
}

fn idempotency_key() -> Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("1 to 255 printable characters: a repeat with the same key and body has no second effect"))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()))
        .build()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn table_and_handlers_agree() {
        let mut names = HashSet::new();
        for route in table() {
            let place = format!("{} {}", route.info.method, route.info.path);
            let operation = route
                .operation
                .unwrap_or_else(|| panic!("the handler of {place} has another method"));
            let name = operation.operation_id.unwrap();
            assert!(
                names.insert(name.clone()),
                "{name} is the name of two operations"
            );
            assert!(
                operation
                    .summary
                    .is_some_and(|summary| !summary.ends_with('.')),
                "{place}"
            );
            let takes_id = operation
                .parameters
                .unwrap_or_default()
                .iter()
                .any(|parameter| match parameter {
                    RefOr::T(parameter) => {
                        parameter.parameter_in == ParameterIn::Path && parameter.name == "id"
                    }
                    RefOr::Ref(_) => false,
                });
            assert_eq!(takes_id, route.info.path.contains("{id}"), "{place}");
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let text = document();
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        for part in text.split("\"#/components/").skip(1) {
            let (kind, name) = part.split('"').next().unwrap().split_once('/').unwrap();
            assert!(
                document["components"][kind][name].is_object(),
                "{kind}/{name} is not described"
            );
        }
    }
}
