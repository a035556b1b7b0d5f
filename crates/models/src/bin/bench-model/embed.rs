//! The time of one short embedding, beside onnxruntime's int8 model.

use std::process::Command;
use std::time::Instant;

use swarm_errors::Result;
use swarm_models::Embedder;
use swarm_models::local::LocalEmbedder;

use crate::Setting;
use crate::report::{Better, Report};

const TEXTS: usize = 200;
const PEER: &str = "scripts/bench/minilm_onnx.sh";

pub(crate) async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let ours = LocalEmbedder::new(&setting.config)?;
    ours.embed(vec!["warm".into()]).await?;
    for pair in 0..setting.pairs.min(5) {
        let mine = median_ms(&ours, pair).await?;
        match peer(setting.config.thread_count(), pair) {
            Ok(peer) => report.pair("embed_p50_ms", 1, mine, peer, Better::Low),
            Err(why) => {
                report.note(format!(
                    "embeddings: {mine:.2} ms for a short text; the peer is missing: {why}"
                ));
                return Ok(());
            }
        }
    }
    Ok(())
}

/// A short text of the kind that is searched for; the peer makes the same ones.
fn short_text(pair: usize, number: usize) -> String {
    format!("How do I restore backup {number} of the database on machine {pair}?")
}

async fn median_ms(embedder: &LocalEmbedder, pair: usize) -> Result<f64> {
    let mut times = Vec::with_capacity(TEXTS);
    for number in 0..TEXTS {
        let text = short_text(pair, number);
        let begun = Instant::now();
        embedder.embed(vec![text]).await?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[TEXTS / 2])
}

/// The median in milliseconds that the script prints.
fn peer(threads: i32, pair: usize) -> std::result::Result<f64, String> {
    let folder = std::env::current_dir().map_err(|error| error.to_string())?;
    let script = folder
        .ancestors()
        .map(|folder| folder.join(PEER))
        .find(|path| path.is_file());
    let script = script.ok_or_else(|| format!("{PEER} is not below the current folder"))?;
    let arguments = [threads.to_string(), TEXTS.to_string(), pair.to_string()];
    let output = Command::new(script)
        .args(arguments)
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(words
            .lines()
            .last()
            .unwrap_or("it failed without a word")
            .to_owned());
    }
    String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .map_err(|_| "it printed no number".to_owned())
}
