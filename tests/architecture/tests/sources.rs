//! What only some files may do.

use std::path::Path;

use swarm_test_architecture::{root, sources};

#[test]
fn only_stores_speak_sql() {
    for service in ["agent-manager", "auth", "learning", "memory"] {
        let src = root().join("services").join(service).join("src");
        for (path, text) in sources(&src) {
            let in_store = path.components().any(|part| part.as_os_str() == "store");
            assert!(
                in_store || !text.contains("sqlx::"),
                "{} uses sqlx outside store/",
                shown(&path)
            );
        }
    }
    for service in ["gateway", "consensus", "swarm"] {
        for (path, text) in sources(&root().join("services").join(service).join("src")) {
            assert!(
                !text.contains("sqlx::"),
                "{} uses sqlx: this service has no database",
                shown(&path)
            );
        }
    }
}

/// A file that says it is pure is: its rules can be tested without a runtime or a database.
#[test]
fn pure_files_do_no_io() {
    let mut pure = 0;
    for top in ["crates", "services"] {
        for (path, text) in sources(&root().join(top)) {
            let header: String = text
                .lines()
                .take_while(|line| line.starts_with("//!"))
                .collect();
            if !header.to_lowercase().contains("pure")
                || header.to_lowercase().contains("pure-rust")
            {
                continue;
            }
            pure += 1;
            for forbidden in [
                "use tokio",
                "tokio::",
                "sqlx::",
                "std::fs",
                "std::net",
                "tonic::",
            ] {
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                assert!(
                    !code.contains(forbidden),
                    "{} says it is pure and has {forbidden}",
                    shown(&path)
                );
            }
        }
    }
    assert!(
        pure >= 5,
        "only {pure} files say that they are pure: is the marker still in use?"
    );
}

#[test]
fn the_public_clock_is_the_only_one() {
    for top in ["crates", "services"] {
        for (path, text) in sources(&root().join(top)) {
            let allowed = path.ends_with("types/src/clock.rs");
            assert!(
                allowed || !text.contains("Utc::now("),
                "{} asks the machine for the time; take a Clock",
                shown(&path)
            );
        }
    }
}

#[test]
fn nothing_is_left_unfinished() {
    let marks = [
        ["to", "do!("].concat(),
        ["unimple", "mented!("].concat(),
        ["FIX", "ME"].concat(),
    ];
    for top in ["crates", "services", "tests"] {
        for (path, text) in sources(&root().join(top)) {
            for mark in &marks {
                assert!(!text.contains(mark.as_str()), "{} has {mark}", shown(&path));
            }
        }
    }
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}
