//! Which names are accepted: pure.

use swarm_errors::{Error, Result};

const MAX_NAME: usize = 200;
const MAX_USERNAME: usize = 100;

/// Checks a name for people; `field` is its name in the request.
pub(crate) fn check_name(field: &str, name: &str) -> Result<()> {
    if name.trim().is_empty() || name.chars().count() > MAX_NAME {
        return Err(Error::invalid(
            field,
            format!("must have 1 to {MAX_NAME} characters"),
        ));
    }
    if name.chars().any(char::is_control) {
        return Err(Error::invalid(field, "must not hold control characters"));
    }
    Ok(())
}

/// Checks a name to log in with: one spelling each, so nobody passes for somebody else by case
/// or look.
pub(crate) fn check_username(field: &str, name: &str) -> Result<()> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let starts_well = name.bytes().next().is_some_and(is_plain);
    if !starts_well
        || name.len() > MAX_USERNAME
        || !name
            .bytes()
            .all(|byte| is_plain(byte) || b"._@+-".contains(&byte))
    {
        let words = format!(
            "must be 1 to {MAX_USERNAME} of a-z, 0-9 and . _ @ + -, and begin with a letter or digit"
        );
        return Err(Error::invalid(field, words));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn usernames_have_one_spelling() {
        for name in ["ann", "a.b+c@example.org", "0"] {
            check_username("username", name).unwrap();
        }
        let long = "a".repeat(MAX_USERNAME + 1);
        for name in ["", "Ann", "аnn", ".ann", "a b", "a\0", "a\n", &long] {
            assert_eq!(
                check_username("username", name).unwrap_err().fields()[0].field,
                "username",
                "{name:?}"
            );
        }
    }

    #[test]
    fn names_are_visible_and_bounded() {
        check_name("name", "Fabrik für Äpfel").unwrap();
        let long = "ä".repeat(MAX_NAME + 1);
        for name in ["", "  ", "a\0b", "a\nb", &long] {
            assert!(check_name("name", name).is_err(), "{name:?}");
        }
    }
}
