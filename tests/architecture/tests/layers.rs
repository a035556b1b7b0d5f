//! Imports go down only. The table is the rule; any edge that is not in it fails.

use swarm_test_architecture::{folder, imports, workspace};

/// A package, and what of ours it may import.
const LAYERS: &[(&str, &[&str])] = &[
    // Words: no I/O.
    ("swarm-types", &[]),
    ("swarm-errors", &[]),
    ("swarm-config", &["swarm-errors"]),
    // The contract, and who is calling.
    ("swarm-proto", &["swarm-errors", "swarm-types"]),
    ("swarm-identity", &["swarm-errors", "swarm-types"]),
    // Plumbing.
    ("swarm-telemetry", &["swarm-config", "swarm-errors"]),
    (
        "swarm-runtime",
        &["swarm-config", "swarm-errors", "swarm-telemetry"],
    ),
    (
        "swarm-database",
        &[
            "swarm-config",
            "swarm-errors",
            "swarm-telemetry",
            "swarm-types",
        ],
    ),
    (
        "swarm-cache",
        &["swarm-config", "swarm-errors", "swarm-telemetry"],
    ),
    (
        "swarm-transport",
        &[
            "swarm-config",
            "swarm-errors",
            "swarm-identity",
            "swarm-proto",
            "swarm-runtime",
            "swarm-telemetry",
            "swarm-types",
        ],
    ),
    // Abilities.
    (
        "swarm-models",
        &[
            "swarm-config",
            "swarm-errors",
            "swarm-telemetry",
            "swarm-types",
        ],
    ),
    // The public API from outside: it knows its words and nothing of how it is served.
    ("swarm-client", &["swarm-errors", "swarm-types"]),
    (
        "swarm-cli",
        &["swarm-client", "swarm-errors", "swarm-types"],
    ),
];

const PLUMBING: &[&str] = &[
    "swarm-types",
    "swarm-errors",
    "swarm-config",
    "swarm-proto",
    "swarm-identity",
    "swarm-telemetry",
    "swarm-runtime",
    "swarm-transport",
];

/// What a service may import beside the plumbing that all have.
const SERVICES: &[(&str, &[&str])] = &[
    ("swarm-gateway", &["swarm-cache"]),
    (
        "swarm-agent-manager",
        &["swarm-cache", "swarm-database", "swarm-models"],
    ),
    ("swarm-consensus", &[]),
    (
        "swarm-memory",
        &["swarm-cache", "swarm-database", "swarm-models"],
    ),
    ("swarm-learning", &["swarm-cache", "swarm-database"]),
    ("swarm-auth", &["swarm-cache", "swarm-database"]),
];

/// The one program that composes the services.
const COMPOSER: &str = "swarm";

#[test]
fn packages_import_only_what_their_layer_may() {
    let mut wrong = Vec::new();
    for package in &workspace().packages {
        let name = package.name.as_str();
        if folder(package).starts_with("tests/") || name == COMPOSER {
            continue;
        }
        for import in imports(package) {
            if !may_import(name, &import) {
                wrong.push(format!("{name} imports {import}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "these edges are not in the table of layers: {wrong:#?}"
    );
}

#[test]
fn every_package_is_in_the_table() {
    for package in &workspace().packages {
        let name = package.name.as_str();
        let known = LAYERS
            .iter()
            .chain(SERVICES)
            .any(|(layer, _)| *layer == name);
        assert!(
            known || name == COMPOSER || folder(package).starts_with("tests/"),
            "{name} has no row in the table of layers"
        );
    }
}

#[test]
fn no_production_package_imports_a_test_package() {
    for package in workspace()
        .packages
        .iter()
        .filter(|package| !folder(package).starts_with("tests/"))
    {
        let tests: Vec<_> = imports(package)
            .into_iter()
            .filter(|import| import.contains("-test-"))
            .collect();
        assert!(tests.is_empty(), "{} imports {tests:?}", package.name);
    }
}

fn may_import(package: &str, import: &str) -> bool {
    let row = |table: &'static [(&str, &'static [&str])]| {
        table
            .iter()
            .find(|(name, _)| *name == package)
            .map(|(_, row)| *row)
    };
    match (row(LAYERS), row(SERVICES)) {
        (Some(allowed), _) => allowed.contains(&import),
        (None, Some(extra)) => PLUMBING.contains(&import) || extra.contains(&import),
        (None, None) => false,
    }
}
