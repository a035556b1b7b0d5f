//! What is old goes, what is needed stays.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::store::idempotency::RequestKey;
use swarm_test_support::database::for_each_database;
use swarm_test_support::eventually;
use swarm_types::{Clock, ManualClock, SystemClock};

use crate::rig::{LONG, Options, Rig, script};

const LEASE: Duration = Duration::from_secs(1_000_000_000);

#[tokio::test]
async fn a_key_names_its_request_for_a_day_and_is_free_after() {
    for_each_database(&SCHEMA, |db| async move {
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let options = Options {
            clock: clock.clone(),
            lease: LEASE,
            ..Options::default()
        };
        let rig = Rig::start_with(&db, crate::rig::echo(), options).await;
        let submit = async |key: &str| {
            let mut submission = rig.submission();
            submission.request = Some(RequestKey {
                key: key.to_owned(),
                body_hash: Vec::new(),
            });
            rig.engine.submit(submission).await.unwrap().id
        };
        let old = submit("old").await;
        clock.advance(TimeDelta::hours(23));
        let young = submit("young").await;
        assert_eq!(submit("old").await, old);
        clock.advance(TimeDelta::hours(2));
        eventually("the old key to be free", LONG, || async {
            submit("old").await != old
        })
        .await;
        assert_eq!(submit("young").await, young, "it is two hours old");
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn events_stay_unless_asked_and_go_with_their_whole_tree() {
    for_each_database(&SCHEMA, |db| async move {
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let work = || {
            script(|context| async move {
                if context.task().spec.kind == "stuck" {
                    std::future::pending::<()>().await;
                }
                Ok(json!(null))
            })
        };
        let options = |replica, event_retention| Options {
            replica,
            clock: clock.clone(),
            lease: LEASE,
            event_retention,
            ..Options::default()
        };
        let keeping = Rig::start_with(&db, work(), options("one", None)).await;
        let ended = keeping.submit().await;
        keeping.ended(ended.id).await;
        let mut stuck = keeping.submission();
        stuck.spec.kind = "stuck".to_owned();
        stuck.deadline = Some(clock.now() + TimeDelta::days(20));
        let stuck = keeping.engine.submit(stuck).await.unwrap();
        clock.advance(TimeDelta::hours(30));
        let recent = keeping.submit().await;
        keeping.ended(recent.id).await;
        let kept = keeping.events(ended.id).await.len();
        assert!(kept >= 3, "nothing goes that nobody asked to go");

        let day = Duration::from_secs(24 * 60 * 60);
        let clearing = Rig::start_with(&db, work(), options("two", Some(day))).await;
        eventually("the old events to go", LONG, || async {
            let left = keeping.events(ended.id).await.len();
            if left == 0 { Ok(()) } else { Err(left) }
        })
        .await;
        assert!(!keeping.events(recent.id).await.is_empty());
        assert!(!keeping.events(stuck.id).await.is_empty());
        assert_eq!(
            keeping.task(ended.id).await.result,
            Some(json!(null)),
            "the task stays"
        );
        clearing.stop().await;
        keeping.crash().await;
    })
    .await;
}
