//! Which sections there are. Pure.

use swarm_errors::{Error, Result};

/// Every section that some service reads. All share one file, so each must know what is another's
/// to tell it from a typing mistake; a test of the program `swarm` compares this with the services.
pub const SECTIONS: &[&str] = &[
    "agent_manager",
    "auth",
    "cache",
    "consensus",
    "database",
    "gateway",
    "learning",
    "memory",
    "models",
    "peers",
    "runtime",
    "service",
    "telemetry",
    "tools",
];

/// Fails for the first of `named` that nobody reads, neither `mine` nor any service.
pub(crate) fn check<'a>(named: impl Iterator<Item = &'a String>, mine: &[&str]) -> Result<()> {
    let is_known = |name: &str| mine.contains(&name) || SECTIONS.contains(&name);
    match named.filter(|name| !is_known(name)).min() {
        None => Ok(()),
        Some(unknown) => Err(Error::invalid(
            unknown,
            format!(
                "is no section of the settings: there are {}",
                SECTIONS.join(", ")
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_unknown_section_is_named_and_the_known_ones_are_listed() {
        let named = ["zeta", "telemetry", "databse", "probe"].map(str::to_owned);
        let error = check(named.iter(), &["probe"]).unwrap_err();
        assert_eq!(error.fields()[0].field, "databse");
        assert!(
            error.detail().contains("consensus, database, gateway"),
            "{error}"
        );
        check(named[1..2].iter(), &[]).unwrap();
        assert!(SECTIONS.is_sorted());
    }
}
