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
        let versions: Vec<&str> = manifest
            .lines()
            .skip_while(|line| !line.contains("dependencies]"))
            .filter(|line| line.contains("version =") || line.contains("= \""))
            .collect();
        assert!(
            versions.is_empty(),
            "{} has versions of its own: {versions:?}",
            package.name
        );
    }
}
