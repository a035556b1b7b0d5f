//! Measures the local model beside llama.cpp itself, in one run and in turn, and prints the ratios last.
//!
//! `make bench-model`, or `cargo run --release -p swarm-models --bin bench-model`. Environment:
//! `CHECK=1` exits 1 where a goal is missed, `PAIRS` (5) and `CALLS` (1000) set the size, `THREADS` the threads of both
//! sides, `CLOCK=cpu` counts processor time, for a busy machine, `ONLY` (such as `rates,calls`) the parts: `load`, `rates`, `embed`, `prefix`, `calls`.
#![allow(clippy::print_stdout)]

mod bare;
mod calls;
mod clock;
mod embed;
mod prefix;
mod rates;
mod report;
mod text;

use std::process::ExitCode;

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
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
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
    let threads = std::env::var("THREADS")
        .ok()
        .and_then(|text| text.parse().ok());
    let config = LocalConfig {
        chat_path: Some(path.clone()),
        threads,
        ..LocalConfig::default()
    };
    let setting = Setting {
        config,
        path,
        pairs: number("PAIRS", 5).max(3),
        calls: number("CALLS", 1000),
    };
    println!(
        "bench-model: {}, {} thread(s) on both sides, {} pairs, {} time, a different prompt each time",
        files::CHAT_FILE,
        setting.config.thread_count(),
        setting.pairs,
        if clock::counts_processor_time() {
            "processor"
        } else {
            "wall"
        }
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
    // A tenth of a second each: more of them, for a median that holds.
    for pair in 0..5 * setting.pairs {
        let mut ours = 0.0;
        let mut peer = 0.0;
        for side in [pair % 2, 1 - pair % 2] {
            if side == 0 {
                peer = bare::load(&setting.path, &setting.config)?;
            } else {
                let begun = clock::now();
                let chat = LocalChat::new(&setting.config);
                chat.probe().await?;
                ours = (clock::now() - begun).as_secs_f64() * 1e3;
                drop(chat);
                // Its thread frees the model while the peer must not be measured yet.
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
        report.pair("load_ms", 1, ours, peer, report::Better::Inverse);
    }
    Ok(())
}
