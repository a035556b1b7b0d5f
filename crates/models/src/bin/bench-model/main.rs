//! Measures the local model beside llama.cpp itself, in one run and in turn, and prints the ratios last.
//!
//! `make bench-model`, or `cargo run --release -p swarm-models --bin bench-model`. Environment:
//! `CHECK=1` exits 1 where a goal is missed, `PAIRS` (5) and `CALLS` (1000) set the size, `THREADS` the threads of both
//! sides, `ONLY` (such as `rates,calls`) the parts: `load`, `rates`, `embed`, `prefix`, `calls`.
#![allow(clippy::print_stdout)]

mod bare;
mod calls;
mod embed;
mod prefix;
mod rates;
mod report;
mod text;

use std::process::ExitCode;
use std::time::Instant;

use swarm_errors::Result;
use swarm_models::local::LocalChat;
use swarm_models::{ChatProvider, LocalConfig, files, model_path};

use report::Report;

/// What the parts of the benchmark share.
struct Setting {
    config: LocalConfig,
    path: std::path::PathBuf,
    pairs: usize,
    calls: usize,
}

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    match runtime.block_on(run()) {
        Ok(report) => report.print(std::env::var("CHECK").is_ok_and(|check| check == "1")),
        Err(error) => fail(&error),
    }
}

fn fail(error: &dyn std::fmt::Display) -> ExitCode {
    println!("the benchmark cannot run: {error}");
    ExitCode::FAILURE
}

async fn run() -> Result<Report> {
    let path = model_path(files::CHAT_FILE)?;
    let threads = std::env::var("THREADS").ok().and_then(|text| text.parse().ok());
    let config = LocalConfig { chat_path: Some(path.clone()), threads, ..LocalConfig::default() };
    let setting = Setting { config, path, pairs: number("PAIRS", 5).max(3), calls: number("CALLS", 1000) };
    println!(
        "bench-model: {}, {} thread(s) on both sides, {} pairs, a different prompt each time",
        files::CHAT_FILE,
        setting.config.thread_count(),
        setting.pairs
    );
    let only = std::env::var("ONLY").unwrap_or_default();
    let wanted = |part: &str| only.is_empty() || only.split(',').any(|name| name == part);
    let mut report = Report::default();
    if wanted("load") {
        load(&setting, &mut report).await?;
    }
    if wanted("rates") {
        rates::measure(&setting, &mut report).await?;
    }
    if wanted("embed") {
        embed::measure(&setting, &mut report).await?;
    }
    if wanted("prefix") {
        prefix::measure(&setting, &mut report).await?;
    }
    if wanted("calls") {
        calls::measure(&setting, &mut report).await?;
    }
    Ok(report)
}

/// From nothing to a model that can be asked.
async fn load(setting: &Setting, report: &mut Report) -> Result<()> {
    bare::load(&setting.path, &setting.config)?;
    for pair in 0..setting.pairs {
        let mut ours = 0.0;
        let mut peer = 0.0;
        for side in [pair % 2, 1 - pair % 2] {
            if side == 0 {
                peer = bare::load(&setting.path, &setting.config)?;
            } else {
                let begun = Instant::now();
                LocalChat::new(&setting.config).probe().await?;
                ours = begun.elapsed().as_secs_f64() * 1e3;
            }
        }
        report.pair("load_ms", 1, ours, peer, report::Better::Low);
    }
    Ok(())
}
