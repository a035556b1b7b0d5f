//! A real process: its exit codes, its words on standard error, and a real SIGTERM.
//!
//! Without the test harness, so that the same file is the program under test when it is started
//! again with `PROBE` set.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStderr, Command, ExitCode, Stdio};

use serde::Deserialize;
use swarm_config::{Listen, Validate};
use swarm_errors::Result;
use swarm_runtime::{Admin, Lifecycle, OnExit, Program, Readiness, RuntimeConfig, bind};
use swarm_telemetry::{Registry, TelemetryConfig};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    telemetry: TelemetryConfig,
    runtime: RuntimeConfig,
    probe: Settings,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    listen: Listen,
    panics: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: Listen::loopback(0),
            panics: false,
        }
    }
}

impl Validate for Config {
    fn validate(&self) -> Result<()> {
        self.telemetry.validate()?;
        self.runtime.validate()
    }
}

struct Probe;

impl Program for Probe {
    const NAME: &'static str = "swarm-probe";
    const SECTIONS: &'static [&'static str] = &["telemetry", "runtime", "probe"];
    type Config = Config;

    fn telemetry(config: &Config) -> &TelemetryConfig {
        &config.telemetry
    }

    fn runtime(config: &Config) -> &RuntimeConfig {
        &config.runtime
    }

    async fn start(config: Config, lifecycle: &Lifecycle) -> Result<()> {
        let listener = bind("probe.listen", config.probe.listen).await?;
        Admin::new(listener, Registry::new(), Readiness::new(), Self::NAME).spawn(lifecycle);
        let soft = lifecycle.soft();
        lifecycle.spawn("worker", OnExit::Stop, async move {
            assert!(!config.probe.panics, "asked to");
            tracing::info!("probe is up");
            soft.cancelled().await;
            tracing::info!("probe has drained");
            Ok(())
        });
        Ok(())
    }
}

/// The program, with its lines on standard error.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
}

fn start(arguments: &[&str]) -> Running {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(arguments)
        .env_clear()
        .env("PROBE", "1")
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    Running { child, lines }
}

impl Running {
    /// Reads up to a line with these words.
    fn expect(&mut self, words: &str) {
        let mut seen = Vec::new();
        for line in self.lines.by_ref() {
            seen.push(line.unwrap());
            if seen.last().unwrap().contains(words) {
                return;
            }
        }
        panic!("{words:?} is not in {seen:#?}");
    }

    fn exit(mut self) -> i32 {
        self.child.wait().unwrap().code().unwrap()
    }
}

fn sigterm_drains_and_exits_cleanly() {
    for threads in [
        "runtime.threads=0",
        "runtime.threads=1",
        "runtime.threads=2",
    ] {
        let mut running = start(&["--set", threads]);
        running.expect("probe is up");
        let killed = Command::new("kill")
            .args(["-TERM", &running.child.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
        running.expect(r#""signal":"SIGTERM""#);
        running.expect("probe has drained");
        running.expect(r#""message":"stopped""#);
        assert_eq!(running.exit(), 0, "{threads}");
    }
}

fn a_panic_is_named_and_exits_with_1() {
    let mut running = start(&["--set", "probe.panics=true"]);
    running.expect(r#""panic.message":"asked to""#);
    running.expect(r#""task.name":"worker""#);
    assert_eq!(running.exit(), 1);
}

fn a_taken_port_exits_with_1_and_names_the_key() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut running = start(&[
        "--set",
        &format!("probe.listen={}", taken.local_addr().unwrap()),
    ]);
    running.expect("swarm-probe: cannot start: probe.listen: 127.0.0.1:");
    assert_eq!(running.exit(), 1);
}

fn wrong_settings_exit_with_2_and_name_the_key() {
    for (setting, key) in [
        ("telemetry.sample_ratio=7", "telemetry.sample_ratio"),
        ("runtime.grace_seconds=soon", "runtime.grace_seconds"),
        ("runtime.threads=5000", "runtime.threads"),
        ("probe.color=red", "probe.color"),
        ("porbe.color=red", "porbe"),
        ("probe.listen=nowhere", "probe.listen"),
    ] {
        let mut running = start(&["--set", setting]);
        running.expect(&format!("swarm-probe: configuration: {key}: "));
        assert_eq!(running.exit(), 2, "{setting}");
    }
    let mut running = start(&["--config", "missing.toml"]);
    running.expect("missing.toml");
    assert_eq!(running.exit(), 2);
}

fn main() -> ExitCode {
    if std::env::var_os("PROBE").is_some() {
        return swarm_runtime::main::<Probe>();
    }
    let tests: [(&str, fn()); 4] = [
        (
            "sigterm_drains_and_exits_cleanly",
            sigterm_drains_and_exits_cleanly,
        ),
        (
            "a_panic_is_named_and_exits_with_1",
            a_panic_is_named_and_exits_with_1,
        ),
        (
            "a_taken_port_exits_with_1_and_names_the_key",
            a_taken_port_exits_with_1_and_names_the_key,
        ),
        (
            "wrong_settings_exit_with_2_and_name_the_key",
            wrong_settings_exit_with_2_and_name_the_key,
        ),
    ];
    for (name, test) in tests {
        test();
        eprintln!("test {name} ... ok");
    }
    ExitCode::SUCCESS
}
