//! What must not leave the process in a log line or a span: pure rules.
//!
//! [`swarm_config::Secret`] keeps secrets from being printed at all; this is the second fence,
//! for fields that carry one by mistake and for texts of other crates.

use std::borrow::Cow;

/// What stands in place of a secret.
pub(crate) const REDACTED: &str = "[redacted]";

/// Last parts of field names whose value is a secret.
const NAMES: &[&str] = &[
    "password",
    "secret",
    "token",
    "api_key",
    "authorization",
    "credential",
    "cookie",
    "private_key",
];

/// Whether a field of this name holds a secret: by its last part, so that `user.password` and
/// `refresh_token` do and `usage.input_tokens` does not.
pub(crate) fn is_secret(field: &str) -> bool {
    let last = field.rsplit('.').next().unwrap_or(field);
    NAMES.iter().any(|name| {
        last.strip_suffix(name)
            .is_some_and(|before| before.is_empty() || before.ends_with(['_', '-']))
    })
}

/// The text of a field without secrets.
pub(crate) fn value<'a>(field: &str, text: &'a str) -> Cow<'a, str> {
    if is_secret(field) {
        Cow::Borrowed(REDACTED)
    } else {
        self::text(text)
    }
}

/// The text without passwords in URLs and without bearer tokens.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    let mut result = Cow::Borrowed(text);
    if text.contains("://") {
        result = Cow::Owned(without_url_passwords(&result));
    }
    for scheme in ["Bearer ", "bearer "] {
        if result.contains(scheme) {
            result = Cow::Owned(without_tokens_after(scheme, &result));
        }
    }
    result
}

fn without_url_passwords(text: &str) -> String {
    let mut pieces = text.split("://");
    let mut result = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        result.push_str("://");
        let end = piece
            .find(|c: char| "/?#\"' \n".contains(c))
            .unwrap_or(piece.len());
        let (authority, rest) = piece.split_at(end);
        match authority
            .rsplit_once('@')
            .and_then(|(user, host)| Some((user.split_once(':')?.0, host)))
        {
            Some((user, host)) => {
                result.push_str(&format!("{user}:{REDACTED}@{host}"));
            }
            None => result.push_str(authority),
        }
        result.push_str(rest);
    }
    result
}

fn without_tokens_after(scheme: &str, text: &str) -> String {
    let mut pieces = text.split(scheme);
    let mut result = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece
            .find(|c: char| !(c.is_ascii_alphanumeric() || "-._~+/=".contains(c)))
            .unwrap_or(piece.len());
        result.push_str(scheme);
        // Words such as "bearer token" are no token: those are long.
        result.push_str(if end >= 12 { REDACTED } else { &piece[..end] });
        result.push_str(&piece[end..]);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known() {
        for name in [
            "password",
            "user.password",
            "access_token",
            "http.request.header.authorization",
            "api_key",
            "x-api_key",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "gen_ai.usage.input_tokens",
            "tokens",
            "key",
            "idempotency_key",
            "request_id",
            "passwordless",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn texts_lose_their_secrets_and_nothing_else() {
        for (given, expected) in [
            ("nothing here", "nothing here"),
            (
                "postgres://user:pa:ss@db:5432/x failed",
                "postgres://user:[redacted]@db:5432/x failed",
            ),
            ("see https://a.b/c?d=e@f:g", "see https://a.b/c?d=e@f:g"),
            (
                "redis://host:6379 and amqp://u:p@h",
                "redis://host:6379 and amqp://u:[redacted]@h",
            ),
            (
                "sent Bearer eyJhbGciOiJFZERTQSJ9.e30.abc-_, twice",
                "sent Bearer [redacted], twice",
            ),
            ("a bearer token is needed", "a bearer token is needed"),
        ] {
            assert_eq!(text(given), expected);
        }
        assert_eq!(value("db.password", "hunter2"), REDACTED);
    }
}
