//! Reads the workspace for the rules in `tests/`.

use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// The workspace as cargo sees it.
///
/// # Panics
/// When cargo cannot tell: the rules cannot be checked then.
#[must_use]
pub fn workspace() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(vec!["--offline".to_owned()])
        .exec()
        .expect("cargo metadata describes the workspace")
}

/// The workspace's root folder.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder of a package below the root, such as `services/auth`.
#[must_use]
pub fn folder(package: &Package) -> String {
    let folder = package
        .manifest_path
        .parent()
        .expect("a manifest is in a folder");
    let mut parts: Vec<&str> = folder
        .components()
        .rev()
        .take(2)
        .map(|part| part.as_str())
        .collect();
    parts.reverse();
    parts.join("/")
}

/// The packages of ours that a package imports in what it ships; tests may import more.
#[must_use]
pub fn imports(package: &Package) -> Vec<String> {
    package
        .dependencies
        .iter()
        .filter(|dependency| {
            dependency.kind != DependencyKind::Development && dependency.path.is_some()
        })
        .map(|dependency| dependency.name.clone())
        .collect()
}

/// All Rust files below a folder, with their text.
///
/// # Panics
/// When the folder cannot be read.
#[must_use]
pub fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return files;
    };
    for entry in entries {
        let path = entry.expect("a folder can be listed").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source can be read");
            files.push((path, text));
        }
    }
    files.sort();
    files
}
