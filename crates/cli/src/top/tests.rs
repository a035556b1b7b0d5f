//! The picture at several sizes, against texts that were read by people.
//!
//! After a change that is meant: `UPDATE_GOLDEN=1 cargo test -p swarm-cli`, then read the difference.

use std::path::Path;
use std::time::Duration;

use super::frame::{Frame, Outage};
use super::*;
use crate::console::width;

fn overview() -> Overview {
    serde_json::from_str(include_str!("golden/overview.json")).unwrap()
}

fn golden(name: &str, columns: usize, frame: &Frame<'_>) {
    let lines = frame.lines(columns, usize::MAX);
    let found: String = lines.iter().map(|line| line.text() + "\n").collect();
    for line in found.lines() {
        assert!(width(line) <= columns, "{name} at {columns}: {line}");
    }
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/top/golden/{name}.{columns}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let wanted = std::fs::read_to_string(&path).unwrap();
    assert_eq!(found, wanted, "{name} differs at {columns} columns");
}

#[test]
fn the_picture_reads_well_at_any_width() {
    for columns in [40, 80, 120] {
        golden("platform", columns, &Frame::of(&overview(), None));
    }
}

#[test]
fn a_tenant_of_its_own_sees_no_other() {
    let mut own = overview();
    own.platform = false;
    own.tenants.truncate(1);
    own.tenants[0].name = None;
    own.more_tenants = false;
    for replica in &mut own.replicas {
        (replica.workers, replica.busy_workers) = (0, 0);
    }
    golden("tenant", 80, &Frame::of(&own, None));
}

#[test]
fn nothing_to_do_is_shown_as_such() {
    let mut idle = overview();
    idle.activity = swarm_client::Activity::default();
    idle.tenants.truncate(1);
    idle.tenants[0].queues.clear();
    idle.agents.clear();
    idle.replicas.truncate(1);
    golden("idle", 80, &Frame::of(&idle, None));
}

#[test]
fn a_server_that_is_away_is_named_above_what_was_seen_last() {
    let overview = overview();
    let outage = Outage {
        length: Duration::from_secs(12),
        why: "http://127.0.0.1:3000: the server cannot\nbe reached",
    };
    golden("away", 80, &Frame::of(&overview, Some(outage)));
}

#[test]
fn a_low_terminal_shows_a_part_of_each_section() {
    let overview = overview();
    for rows in [10, 16, 18, 20, 24, 40] {
        let lines = Frame::of(&overview, None).lines(80, rows);
        assert!(lines.len() <= rows, "{rows}: {}", lines.len());
        let text: Vec<String> = lines.iter().map(crate::console::Line::text).collect();
        if rows >= 18 {
            for title in ["QUEUE", "AGENT", "REPLICA"] {
                assert!(
                    text.iter().any(|line| line.starts_with(title)),
                    "{rows}: {text:#?}"
                );
            }
        }
    }
}

#[test]
fn names_cannot_command_the_terminal() {
    let mut hostile = overview();
    hostile.agents[0].name = "\u{1b}[2Jscout".into();
    hostile.tenants[0].name = Some("a\r\nb".into());
    hostile.replicas[0].name = "\u{9b}31m".into();
    for line in Frame::of(&hostile, None).lines(80, 99) {
        assert!(!line.text().chars().any(char::is_control), "{line:?}");
    }
}

#[test]
fn an_outage_is_borne_and_a_refusal_is_not() {
    let mut view = View {
        overview: overview(),
        outage: None,
    };
    view.take(Err(Error::unavailable("gone"))).unwrap();
    let since = view.outage.clone().unwrap().0;
    view.take(Err(Error::unavailable("still gone"))).unwrap();
    assert_eq!(view.outage.clone().unwrap(), (since, "still gone".into()));
    assert_eq!(view.pause(Duration::from_secs(60)), AWAY);
    view.take(Ok(overview())).unwrap();
    assert!(view.outage.is_none());
    let refused = Error::new(Code::PermissionDenied, "no");
    assert!(view.take(Err(refused)).is_err());
}
