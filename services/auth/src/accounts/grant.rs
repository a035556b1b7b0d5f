//! Which roles one may give: pure. Nobody gives what they do not have.

use std::str::FromStr as _;

use swarm_errors::{Code, Error, Result};
use swarm_identity::Role;

/// Reads the wanted roles and checks that the giver has each, or one above it.
pub(crate) fn check_roles(field: &str, giver: &[Role], wanted: &[String]) -> Result<Vec<Role>> {
    if wanted.is_empty() {
        return Err(Error::invalid(field, "must name at least one role"));
    }
    if wanted.len() > Role::ALL.len() {
        return Err(Error::invalid(
            field,
            format!("must name at most {} roles", Role::ALL.len()),
        ));
    }
    let mut roles = Vec::with_capacity(wanted.len());
    for (n, text) in wanted.iter().enumerate() {
        let role =
            Role::from_str(text).map_err(|error| Error::invalid(format!("{field}[{n}]"), error))?;
        if !giver.iter().any(|own| *own >= role) {
            let words = format!("the role {role} can only be given by somebody who has it");
            return Err(Error::new(Code::PermissionDenied, words));
        }
        roles.push(role);
    }
    roles.sort_unstable();
    roles.dedup();
    Ok(roles)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(giver: &[Role], wanted: &[&str]) -> Result<Vec<Role>> {
        let wanted: Vec<String> = wanted.iter().map(|role| (*role).to_owned()).collect();
        check_roles("roles", giver, &wanted)
    }

    #[test]
    fn each_role_gives_itself_and_those_below() {
        for giver in Role::ALL {
            for wanted in Role::ALL {
                let given = check(&[giver], &[wanted.as_str()]);
                assert_eq!(given.is_ok(), wanted <= giver, "{giver} gives {wanted}");
            }
        }
        assert!(check(&[], &["viewer"]).is_err());
        let error = check(&[Role::Operator], &["viewer", "admin"]).unwrap_err();
        assert_eq!(error.code(), Code::PermissionDenied);
    }

    #[test]
    fn unknown_and_missing_roles_are_named() {
        let field = |wanted: &[&str]| {
            check(&[Role::Admin], wanted).unwrap_err().fields()[0]
                .field
                .clone()
        };
        assert_eq!(field(&[]), "roles");
        assert_eq!(field(&["viewer", "root"]), "roles[1]");
        assert_eq!(field(&["viewer"; 5]), "roles");
        assert_eq!(
            check(&[Role::Admin], &["operator", "viewer", "viewer"]).unwrap(),
            [Role::Viewer, Role::Operator]
        );
    }
}
