//! llama.cpp's one backend of the process, and loading a model file.

use std::io::Read;
use std::path::Path;
use std::sync::OnceLock;

use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use swarm_errors::{Code, Error, Result};

/// The backend: it can be initialised only once a process, so everything shares this one.
///
/// # Errors
/// Where the processor lacks what the build needs.
pub fn backend() -> Result<&'static LlamaBackend> {
    static BACKEND: OnceLock<std::result::Result<LlamaBackend, String>> = OnceLock::new();
    check_processor()?;
    let backend = BACKEND.get_or_init(|| {
        let mut backend = LlamaBackend::init().map_err(|error| error.to_string())?;
        backend.void_logs();
        Ok(backend)
    });
    backend
        .as_ref()
        .map_err(|error| Error::new(Code::Internal, format!("llama.cpp cannot start: {error}")))
}

/// llama.cpp's ordinary build ends the process on a processor without these.
#[cfg(target_arch = "x86_64")]
fn check_processor() -> Result<()> {
    let features = [
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("f16c", is_x86_feature_detected!("f16c")),
    ];
    let missing: Vec<&str> = features
        .iter()
        .filter(|(_, there)| !there)
        .map(|(name, _)| *name)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "this processor lacks {}, which the local model needs: set QWEN_API_KEY or OPENAI_API_KEY to use an endpoint",
        missing.join(", ")
    );
    Err(Error::new(Code::FailedPrecondition, detail))
}

#[cfg(not(target_arch = "x86_64"))]
fn check_processor() -> Result<()> {
    Ok(())
}

/// Loads a model file.
pub(super) fn load(path: &Path) -> Result<LlamaModel> {
    let broken = |what: &str| {
        let detail = format!(
            "the model file {} {what}: run `make models`, or name another file",
            path.display()
        );
        Error::new(Code::FailedPrecondition, detail)
    };
    let mut magic = [0_u8; 4];
    let mut file =
        std::fs::File::open(path).map_err(|error| broken("cannot be opened").with_source(error))?;
    if file.read_exact(&mut magic).is_err() || &magic != b"GGUF" {
        return Err(broken("is no GGUF file"));
    }
    let backend = backend()?;
    let model = LlamaModel::load_from_file(backend, path, &LlamaModelParams::default());
    model.map_err(|error| broken("is damaged or of an unknown kind").with_source(error))
}
