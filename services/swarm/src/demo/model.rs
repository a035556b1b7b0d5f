//! Which model the demo thinks with, and whether it is there.

use serde::Deserialize;
use swarm_config::Validate;
use swarm_errors::Result;
use swarm_models::files::{CHAT_FILE, EMBEDDING_FILE, model_name};
use swarm_models::{Embeddings, ModelsConfig, Provider, model_path};

use crate::Settings;

/// The model that agents think with.
#[derive(Debug)]
pub(super) struct Model {
    /// Its name.
    pub(super) name: String,
    /// Whether it runs in this process.
    pub(super) is_local: bool,
    /// Whether memory can be searched by meaning.
    pub(super) has_meaning: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Section {
    models: ModelsConfig,
}

impl Validate for Section {
    fn validate(&self) -> Result<()> {
        self.models.validate()
    }
}

impl Model {
    /// The model of these settings.
    ///
    /// # Errors
    /// When the local model's file is missing; the error names the command that gets it.
    pub(super) fn of(settings: &Settings) -> Result<Self> {
        let models = settings.loader().load::<Section>(&["models"])?.models;
        let is_local = models.chosen_provider() == Provider::Local;
        let name = match models.chosen_provider() {
            Provider::Openai => models.openai.chat_model()?,
            Provider::Scripted => "scripted".to_owned(),
            Provider::Local | Provider::Auto => match &models.local.chat_path {
                Some(path) => model_name(path),
                None => model_name(&model_path(CHAT_FILE)?),
            },
        };
        Ok(Self {
            name,
            is_local,
            has_meaning: has_meaning(&models),
        })
    }
}

fn has_meaning(models: &ModelsConfig) -> bool {
    let has_file = models.local.embedding_path.is_some() || model_path(EMBEDDING_FILE).is_ok();
    match models.embeddings {
        Embeddings::None => false,
        Embeddings::Local => has_file,
        Embeddings::Openai => true,
        Embeddings::Auto => has_file || models.openai.embedding_model.is_some(),
    }
}
