//! What every package has.

use swarm_test_architecture::{folder, root, workspace};

#[test]
fn every_package_says_what_it_is() {
    for package in &workspace().packages {
        let readme = root().join(folder(package)).join("README.md");
        assert!(readme.exists(), "{} has no README.md", package.name);
    }
}

#[test]
fn every_package_takes_lints_and_versions_from_the_root() {
    for package in &workspace().packages {
        let manifest =
            std::fs::read_to_string(&package.manifest_path).expect("a manifest can be read");
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{} has lints of its own",
            package.name
        );
        let versions = versions_in(&manifest);
        assert!(
            versions.is_empty(),
            "{} has versions of its own: {versions:?}",
            package.name
        );
    }
}

/// The lines of a manifest's dependency sections that name a version themselves.
fn versions_in(manifest: &str) -> Vec<&str> {
    let mut in_dependencies = false;
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            in_dependencies = line.ends_with("dependencies]");
        } else if in_dependencies && (line.contains("version =") || line.contains(" = \"")) {
            found.push(line);
        }
    }
    found
}
