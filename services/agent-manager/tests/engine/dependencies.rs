//! Tasks that wait for others.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::engine::{Again, Executor};
use swarm_agent_manager::tasks::{TaskState, WaitingReason};
use swarm_errors::{Code, Error};
use swarm_test_support::database::for_each_database;
use swarm_types::{Clock, ManualClock, SystemClock, TaskId};
use tokio::sync::Semaphore;

use crate::rig::{Options, Rig, script};

/// Waits for the gate where its kind is `gated`, fails where it is `bad`, and else answers with
/// what went before.
fn work(gate: &Arc<Semaphore>) -> Arc<dyn Executor> {
    let gate = gate.clone();
    script(move |context| {
        let gate = gate.clone();
        async move {
            let kind = context.task().spec.kind.clone();
            if kind == "gated" {
                gate.acquire().await.unwrap().forget();
            }
            if kind == "bad" && context.task().attempt == 1 {
                gate.acquire().await.unwrap().forget();
                return Err(Error::invalid("prompt", "makes no sense"));
            }
            Ok(json!({"kind": kind, "before": context.predecessors().await?}))
        }
    })
}

fn gate() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(0))
}

async fn submit(rig: &Rig, kind: &str, depends_on: &[TaskId]) -> TaskId {
    let task = rig
        .submit_as(|spec| {
            spec.kind = kind.into();
            spec.depends_on = depends_on.to_vec();
        })
        .await;
    task.id
}

#[tokio::test]
async fn a_task_starts_when_all_before_it_have_completed_and_has_their_results() {
    for_each_database(&SCHEMA, |db| async move {
        let gate = gate();
        let rig = Rig::start(&db, work(&gate)).await;
        let early = submit(&rig, "early", &[]).await;
        rig.ended(early).await;
        let gated = submit(&rig, "gated", &[]).await;
        let late = submit(&rig, "gated", &[]).await;
        let last = submit(&rig, "last", &[late, early, gated]).await;
        let waiting = rig.task(last).await;
        assert_eq!(waiting.state, TaskState::Waiting);
        assert_eq!(waiting.waiting_reason, Some(WaitingReason::Dependency));
        assert_eq!(waiting.open_dependencies, 2, "one has completed before");
        gate.add_permits(2);
        let ended = rig.ended(last).await;
        assert_eq!(
            (ended.state, ended.open_dependencies),
            (TaskState::Completed, 0)
        );
        let before = ended.result.unwrap()["before"].clone();
        let names: Vec<Value> = [late, early, gated]
            .map(|id| json!(id.to_string()))
            .to_vec();
        let found: Vec<Value> = (0..3).map(|place| before[place][0].clone()).collect();
        assert_eq!(found, names, "in the order they were named");
        assert_eq!(before[1][1]["kind"], "early");
        let kinds = rig.kinds(last).await;
        assert_eq!(
            kinds[..3],
            ["task.submitted", "task.queued", "task.started"]
        );
        let started = ended.started_at.unwrap();
        for id in [late, gated] {
            assert!(started >= rig.task(id).await.finished_at.unwrap());
        }
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn many_that_end_at_once_release_a_task_once() {
    for_each_database(&SCHEMA, |db| async move {
        let gate = gate();
        let rig = Rig::start_with(
            &db,
            work(&gate),
            Options {
                workers: 16,
                ..Options::default()
            },
        )
        .await;
        let mut before = Vec::new();
        for _ in 0..12 {
            before.push(submit(&rig, "gated", &[]).await);
        }
        let mut after = Vec::new();
        for _ in 0..4 {
            after.push(submit(&rig, "last", &before).await);
        }
        gate.add_permits(before.len());
        for id in after {
            assert_eq!(rig.ended(id).await.state, TaskState::Completed);
            let kinds = rig.kinds(id).await;
            assert_eq!(
                kinds.iter().filter(|kind| *kind == "task.queued").count(),
                1,
                "{kinds:?}"
            );
        }
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_does_not_complete_fails_all_that_wait_for_it_and_is_named() {
    for_each_database(&SCHEMA, |db| async move {
        let gate = gate();
        let rig = Rig::start(&db, work(&gate)).await;
        let bad = submit(&rig, "bad", &[]).await;
        let gated = submit(&rig, "gated", &[]).await;
        let after = submit(&rig, "after", &[bad, gated]).await;
        let last = submit(&rig, "last", &[after, gated, bad]).await;
        gate.add_permits(1);
        // Whichever of the two the permit reached, the other one is let go now.
        let failed = rig.ended(bad);
        gate.add_permits(1);
        assert_eq!(failed.await.state, TaskState::Failed);
        let ended = rig.ended(after).await;
        assert_eq!(ended.state, TaskState::Failed);
        let failure = ended.failure.unwrap();
        assert_eq!(failure.code, "failed_precondition");
        assert!(
            failure.detail.contains(&bad.to_string()),
            "{}",
            failure.detail
        );
        assert!(
            failure.detail.contains("makes no sense"),
            "{}",
            failure.detail
        );
        let ended = rig.ended(last).await;
        assert_eq!((ended.state, ended.started_at), (TaskState::Failed, None));
        assert_eq!(rig.kinds(last).await.last().unwrap(), "task.failed");

        let cancelled = submit(&rig, "gated", &[]).await;
        let after = submit(&rig, "after", &[cancelled]).await;
        rig.engine
            .cancel(rig.tenant, cancelled, "enough")
            .await
            .unwrap();
        let failure = rig.ended(after).await.failure.unwrap();
        assert!(
            failure.detail.contains("is cancelled: enough"),
            "{}",
            failure.detail
        );
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_depended_on_is_refused_and_named() {
    for_each_database(&SCHEMA, |db| async move {
        let gate = gate();
        let rig = Rig::start(&db, work(&gate)).await;
        let good = submit(&rig, "good", &[]).await;
        let bad = submit(&rig, "bad", &[]).await;
        gate.add_permits(1);
        rig.ended(bad).await;
        for id in [bad, TaskId::new()] {
            let mut submission = rig.submission();
            submission.spec.depends_on = vec![good, id];
            let error = rig.engine.submit(submission).await.unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument);
            assert_eq!(error.fields()[0].field, "depends_on[1]");
            assert!(error.detail().contains(&id.to_string()), "{error}");
        }
        let mut strange = rig.submission();
        strange.tenant = swarm_types::TenantId::new();
        strange.spec.depends_on = vec![good];
        let error = rig.engine.submit(strange).await.unwrap_err();
        assert!(
            error.detail().contains("there is no task"),
            "another tenant's: {error}"
        );
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_end_that_was_not_followed_up_is_found() {
    const LOST: &str =
        "UPDATE tasks SET state = $3, ready_at = NULL WHERE tenant_id = $1 AND id = $2";
    for_each_database(&SCHEMA, |db| async move {
        let rig = Rig::start(&db, work(&gate())).await;
        // Their ends are written, and the writer dies before it looks at who waits.
        for (state, then) in [
            ("completed", TaskState::Completed),
            ("cancelled", TaskState::Failed),
        ] {
            let later = SystemClock.now() + TimeDelta::hours(1);
            let before = rig.submit_as(|spec| spec.not_before = Some(later)).await.id;
            let after = submit(&rig, "after", &[before]).await;
            let mut tx = db.begin().await.unwrap();
            let query = tx
                .q(LOST)
                .bind(rig.tenant.uuid())
                .bind(before.uuid())
                .bind(state);
            query.exec().await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(rig.ended(after).await.state, then);
        }
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn waiting_for_others_survives_a_crash_can_be_cancelled_and_has_a_deadline() {
    for_each_database(&SCHEMA, |db| async move {
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let gate = gate();
        let options = |tenant| Options {
            clock: clock.clone(),
            tenant,
            ..Options::default()
        };
        let tenant = swarm_types::TenantId::new();
        let rig = Rig::start_with(&db, work(&gate), options(tenant)).await;
        let before = submit(&rig, "gated", &[]).await;
        let cancelled = submit(&rig, "after", &[before]).await;
        let released = submit(&rig, "after", &[before]).await;
        let mut brief = rig.submission();
        brief.spec.depends_on = vec![before];
        brief.deadline = Some(clock.now() + TimeDelta::seconds(30));
        let brief = rig.engine.submit(brief).await.unwrap().id;
        rig.crash().await;
        let rig = Rig::start_with(&db, work(&gate), options(tenant)).await;
        let ended = rig.engine.cancel(tenant, cancelled, "").await.unwrap();
        assert_eq!(
            (ended.state, ended.open_dependencies),
            (TaskState::Cancelled, 0)
        );
        clock.advance(TimeDelta::seconds(31));
        assert_eq!(
            rig.ended(brief).await.failure.unwrap().code,
            "deadline_exceeded"
        );
        gate.add_permits(1);
        assert_eq!(rig.ended(released).await.state, TaskState::Completed);
        assert_eq!(rig.task(cancelled).await.state, TaskState::Cancelled);
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_retry_waits_again_for_what_goes_before() {
    for_each_database(&SCHEMA, |db| async move {
        let gate = gate();
        let rig = Rig::start(&db, work(&gate)).await;
        let again = |id| Again {
            tenant: rig.tenant,
            request: None,
            id,
            deadline: None,
        };
        let bad = submit(&rig, "bad", &[]).await;
        let after = submit(&rig, "after", &[bad]).await;
        gate.add_permits(1);
        assert_eq!(rig.ended(after).await.state, TaskState::Failed);
        let error = rig.engine.retry(again(after)).await.unwrap_err();
        assert_eq!(error.code(), Code::FailedPrecondition);
        assert!(error.detail().contains(&bad.to_string()), "{error}");
        rig.engine.retry(again(bad)).await.unwrap();
        rig.engine.retry(again(after)).await.unwrap();
        assert_eq!(rig.ended(bad).await.state, TaskState::Completed);
        let ended = rig.ended(after).await;
        assert_eq!(ended.state, TaskState::Completed);
        assert_eq!(ended.result.unwrap()["before"][0][1]["kind"], "bad");
        rig.stop().await;
    })
    .await;
}
