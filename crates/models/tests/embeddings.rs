//! Local embeddings, with the real files.
#![allow(clippy::unwrap_used)]

use serde::Deserialize;
use swarm_errors::Code;
use swarm_models::local::LocalEmbedder;
use swarm_models::{Embedder, Embeddings, LocalConfig, ModelsConfig, embedder, files, model_path};

#[derive(Deserialize)]
struct Reference {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    text: String,
    vector: Vec<f32>,
}

/// Vectors that `fixtures/minilm_reference.py` computed with numpy from the published weights.
fn reference() -> Vec<Entry> {
    let text = include_str!("fixtures/minilm_reference.json");
    serde_json::from_str::<Reference>(text).unwrap().entries
}

fn model(file: &str) -> LocalEmbedder {
    let path = model_path(file).expect("run `make models`");
    LocalEmbedder::new(&LocalConfig {
        embedding_path: Some(path),
        ..LocalConfig::default()
    })
    .unwrap()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

async fn least_cosine(file: &str) -> f32 {
    let entries = reference();
    let texts = entries.iter().map(|entry| entry.text.clone()).collect();
    let vectors = model(file).embed(texts).await.unwrap();
    let cosines = vectors
        .iter()
        .zip(&entries)
        .map(|(vector, entry)| cosine(vector, &entry.vector));
    cosines.fold(1.0, f32::min)
}

#[tokio::test]
async fn the_converted_model_agrees_with_the_reference() {
    let (f32, q8) = (
        least_cosine("all-MiniLM-L6-v2.F32.gguf").await,
        least_cosine(files::EMBEDDING_FILE).await,
    );
    assert!(f32 >= 0.999, "f32 {f32}");
    assert!(q8 >= 0.995, "q8 {q8}");
}

#[tokio::test]
async fn vectors_have_unit_length_and_come_in_order() {
    let model = model(files::EMBEDDING_FILE);
    assert_eq!(model.dimension(), 0, "unknown until the first answer");
    let long = "A word and another. ".repeat(400);
    let mut texts: Vec<String> = (0..70)
        .map(|number| format!("Text number {number} of many."))
        .collect();
    texts.extend([String::new(), long]);
    let together = model.embed(texts.clone()).await.unwrap();
    assert_eq!((together.len(), model.dimension()), (texts.len(), 384));
    for (text, vector) in texts.into_iter().zip(&together) {
        assert!((cosine(vector, vector) - 1.0).abs() < 1e-3);
        let alone = model.embed(vec![text.clone()]).await.unwrap();
        assert!(cosine(&alone[0], vector) > 0.999, "{text:.40}");
    }
}

#[tokio::test]
async fn what_means_the_same_is_near() {
    let texts = [
        "How do I restore a backup?",
        "Bringing back saved data",
        "The cat sleeps on the sofa",
    ];
    let vectors = model(files::EMBEDDING_FILE)
        .embed(texts.map(str::to_owned).to_vec())
        .await
        .unwrap();
    assert!(cosine(&vectors[0], &vectors[1]) > cosine(&vectors[0], &vectors[2]) + 0.2);
}

#[tokio::test]
async fn a_chat_model_makes_no_embeddings_and_says_so() {
    let error = model(files::CHAT_FILE)
        .embed(vec!["Hello".into()])
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert!(error.detail().contains("embedding_path"), "{error}");
}

#[test]
fn the_factory_finds_the_file_or_says_none() {
    let config = ModelsConfig {
        embeddings: Embeddings::None,
        ..ModelsConfig::default()
    };
    assert!(embedder(&config).unwrap().is_none());
    let found = embedder(&ModelsConfig::default())
        .unwrap()
        .expect("run `make models`");
    assert_eq!(found.model(), "all-MiniLM-L6-v2.Q8_0");
}
