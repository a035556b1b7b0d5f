//! Which new passwords are accepted: pure.

use swarm_errors::{Error, Result};

/// Hashing takes time by length, so there is an end to it.
const MAX_BYTES: usize = 1024;

/// Checks a new password; `field` is its name in the request.
pub(crate) fn check_new(field: &str, password: &str, least: usize) -> Result<()> {
    if password.chars().count() < least {
        return Err(Error::invalid(
            field,
            format!("must have at least {least} characters"),
        ));
    }
    check_shown(field, password)
}

/// Checks the form of a password that somebody shows to log in.
pub(crate) fn check_shown(field: &str, password: &str) -> Result<()> {
    if password.is_empty() {
        return Err(Error::invalid(field, "must not be empty"));
    }
    if password.len() > MAX_BYTES {
        return Err(Error::invalid(
            field,
            format!("must have at most {MAX_BYTES} bytes"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn length_counts_characters_and_has_an_end() {
        assert!(check_new("password", "äöüäöüä", 8).is_err());
        check_new("password", "äöüäöüäö", 8).unwrap();
        let error = check_new("admin_password", &"x".repeat(MAX_BYTES + 1), 8).unwrap_err();
        assert_eq!(error.fields()[0].field, "admin_password");
        assert!(check_shown("password", "").is_err());
    }
}
