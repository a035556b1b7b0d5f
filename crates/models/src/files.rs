//! Where model files are found.

use std::path::{Path, PathBuf};

use swarm_errors::{Code, Error, Result};

/// The default chat model.
pub const CHAT_FILE: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
/// The default embedding model.
pub const EMBEDDING_FILE: &str = "all-MiniLM-L6-v2.Q8_0.gguf";
/// Names the folder of model files, before every other place.
pub const FOLDER_VARIABLE: &str = "QWEN_SWARM_MODELS";

/// The path of a model file: in the folder of `QWEN_SWARM_MODELS`, else in `.swarm/models` of the current folder
/// or of one above it, else in `~/.cache/qwen-swarm/models`.
///
/// # Errors
/// `FailedPrecondition` that names the command which brings the file.
pub fn model_path(file: &str) -> Result<PathBuf> {
    let folders = folders();
    if let Some(found) = folders
        .iter()
        .map(|folder| folder.join(file))
        .find(|path| path.is_file())
    {
        return Ok(found);
    }
    let first = folders.first().map_or_else(String::new, |folder| {
        format!(" (looked in {} and above)", folder.display())
    });
    Err(Error::new(
        Code::FailedPrecondition,
        format!("the model file {file} is missing{first}: run `make models`"),
    ))
}

fn folders() -> Vec<PathBuf> {
    if let Some(folder) = std::env::var_os(FOLDER_VARIABLE).filter(|folder| !folder.is_empty()) {
        return vec![PathBuf::from(folder)];
    }
    let current = std::env::current_dir().unwrap_or_default();
    let mut folders: Vec<PathBuf> = current
        .ancestors()
        .map(|folder| folder.join(".swarm/models"))
        .collect();
    if let Some(home) = std::env::var_os("HOME") {
        folders.push(Path::new(&home).join(".cache/qwen-swarm/models"));
    }
    folders
}

/// The file's name without its ending: the model's name in traces and beside vectors.
#[must_use]
pub fn model_name(path: &Path) -> String {
    path.file_stem().map_or_else(
        || "local".to_owned(),
        |stem| stem.to_string_lossy().into_owned(),
    )
}
