//! Schedules: what reaches their owner, and what comes back.

use serde_json::{Value, json};
use swarm_identity::Role;
use swarm_proto::agents::v1 as wire;
use swarm_types::{ScheduleId, TaskId};

use crate::door::{Door, seen};

fn schedule(id: ScheduleId) -> wire::Schedule {
    let at = |text: &str| Some(swarm_proto::convert::to_wire_time(text.parse().unwrap()));
    wire::Schedule {
        id: id.to_string(),
        name: "nightly".into(),
        cron: "0 3 * * *".into(),
        zone: "Europe/Berlin".into(),
        task: Some(wire::TaskSpec {
            kind: "report".into(),
            input_json: r#"{"prompt": "?"}"#.into(),
            priority: "low".into(),
            ..wire::TaskSpec::default()
        }),
        time_limit_seconds: 3_600,
        catch_up: Some(wire::CatchUp {
            policy: wire::CatchUpPolicy::All.into(),
            limit: 3,
            max_age_seconds: 0,
        }),
        overlap: wire::Overlap::CancelPrevious.into(),
        state: wire::ScheduleState::Active.into(),
        next_at: at("2026-11-25T02:00:00Z"),
        last_ticks: vec![wire::Tick {
            tick: at("2026-11-24T02:00:00Z"),
            outcome: wire::TickOutcome::Skipped.into(),
            reason: "missed".into(),
            count: 2,
            ..wire::Tick::default()
        }],
        ..wire::Schedule::default()
    }
}

fn shown(id: ScheduleId) -> Value {
    json!({
        "id": id, "name": "nightly", "cron": "0 3 * * *", "zone": "Europe/Berlin",
        "task": {"kind": "report", "input": {"prompt": "?"}, "priority": "low", "metadata": {}},
        "time_limit_seconds": 3600, "catch_up": {"policy": "all", "limit": 3}, "overlap": "cancel_previous",
        "jitter_seconds": 0, "state": "active", "next_at": "2026-11-25T02:00:00Z", "waiting": 0,
        "last_ticks": [{"tick": "2026-11-24T02:00:00Z", "outcome": "skipped", "reason": "missed", "count": 2}],
    })
}

#[tokio::test]
async fn a_schedule_goes_in_and_comes_out_in_the_public_shape() {
    let door = Door::open().await;
    let id = ScheduleId::new();
    let answer = wire::CreateScheduleResponse {
        schedule: Some(schedule(id)),
    };
    door.recorder.answer("CreateSchedule", &answer);
    let body = json!({
        "name": "nightly", "cron": "0 3 * * *", "zone": "Europe/Berlin",
        "task": {"kind": "report", "input": {"prompt": "?"}, "priority": "low"},
        "catch_up": {"policy": "all", "limit": 3}, "overlap": "cancel_previous", "ends_at": "2027-01-01T00:00:00Z",
        "paused": true,
    });
    let response = door
        .by(Role::Developer, "POST", "/api/v1/schedules")
        .header("idempotency-key", "k")
        .json(&body)
        .send()
        .await
        .unwrap();
    let place = format!("/api/v1/schedules/{id}");
    assert_eq!(response.headers()["location"], place);
    let (status, got) = seen(response).await;
    assert_eq!((status.as_u16(), got), (201, shown(id)));
    let calls = door.recorder.calls_of("CreateSchedule");
    let sent: wire::CreateScheduleRequest = calls[0].message();
    assert_eq!(sent.request.unwrap().key, "k");
    assert!(sent.paused);
    let sent = sent.schedule.unwrap();
    assert_eq!(
        (sent.cron.as_str(), sent.zone.as_str(), sent.every_seconds),
        ("0 3 * * *", "Europe/Berlin", 0)
    );
    assert_eq!(sent.overlap(), wire::Overlap::CancelPrevious);
    assert_eq!(sent.catch_up.unwrap().limit, 3);
    assert_eq!(sent.task.unwrap().priority, "low");
    assert_eq!(sent.ends_at.unwrap().seconds, 1_798_761_600);
}

#[tokio::test]
async fn a_schedule_is_shown_listed_paused_resumed_run_and_deleted() {
    let door = Door::open().await;
    let (id, task) = (ScheduleId::new(), TaskId::new());
    let of = || Some(schedule(id));
    let recorder = &door.recorder;
    recorder.answer("GetSchedule", &wire::GetScheduleResponse { schedule: of() });
    recorder.answer(
        "PauseSchedule",
        &wire::PauseScheduleResponse { schedule: of() },
    );
    recorder.answer(
        "ResumeSchedule",
        &wire::ResumeScheduleResponse { schedule: of() },
    );
    recorder.answer("DeleteSchedule", &wire::DeleteScheduleResponse {});
    let made = wire::Task {
        id: task.to_string(),
        ..wire::Task::default()
    };
    recorder.answer(
        "RunSchedule",
        &wire::RunScheduleResponse { task: Some(made) },
    );
    let page = wire::ListSchedulesResponse {
        schedules: vec![schedule(id)],
        next_cursor: "next".into(),
    };
    recorder.answer("ListSchedules", &page);
    let one = format!("/api/v1/schedules/{id}");
    for (method, path, status, body) in [
        ("GET", one.clone(), 200, shown(id)),
        ("POST", format!("{one}/pause"), 200, shown(id)),
        ("POST", format!("{one}/resume"), 200, shown(id)),
        (
            "GET",
            "/api/v1/schedules?name=nightly&limit=1".to_owned(),
            200,
            json!({"items": [shown(id)], "next_cursor": "next"}),
        ),
    ] {
        let response = door
            .by(Role::Developer, method, &path)
            .send()
            .await
            .unwrap();
        let (got, said) = seen(response).await;
        assert_eq!((got.as_u16(), said), (status, body), "{method} {path}");
    }
    let listed: wire::ListSchedulesRequest = recorder.calls_of("ListSchedules")[0].message();
    assert_eq!(
        (listed.name.as_str(), listed.page.unwrap().limit),
        ("nightly", 1)
    );
    let response = door
        .by(Role::Developer, "POST", &format!("{one}/run"))
        .header("idempotency-key", "k")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status().as_u16(), 202);
    assert_eq!(
        response.headers()["location"],
        format!("/api/v1/tasks/{task}")
    );
    let run: wire::RunScheduleRequest = recorder.calls_of("RunSchedule")[0].message();
    assert_eq!(
        (run.id, run.request.unwrap().key),
        (id.to_string(), "k".into())
    );
    let response = door
        .by(Role::Developer, "DELETE", &one)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status().as_u16(), 204);
}

#[tokio::test]
async fn what_is_wrong_in_a_schedule_is_named() {
    let door = Door::open().await;
    for (body, field) in [
        (json!({"task": {"kind": "a", "input": {}}}), "name"),
        (json!({"name": "a"}), "task"),
        (
            json!({"name": "a", "task": {"kind": "a", "input": {}}, "at": 3}),
            "at",
        ),
        (
            json!({"name": "a", "task": {"kind": "a", "input": {}, "tone": 3}}),
            "task.tone",
        ),
        (
            json!({"name": "a", "task": {"kind": "a", "input": {}, "name": "b"}}),
            "task.name",
        ),
        (
            json!({"name": "a", "task": {"kind": "a", "input": {}}, "overlap": "never"}),
            "overlap",
        ),
        (
            json!({"name": "a", "task": {"kind": "a", "input": {}}, "catch_up": {"policy": "some"}}),
            "catch_up.policy",
        ),
    ] {
        let response = door
            .by(Role::Developer, "POST", "/api/v1/schedules")
            .json(&body)
            .send()
            .await
            .unwrap();
        let (status, got) = seen(response).await;
        assert_eq!(status.as_u16(), 400, "{got}");
        assert_eq!(got["errors"][0]["field"], field, "{got}");
    }
    assert!(door.recorder.calls_of("CreateSchedule").is_empty());
}
