//! Two connections and one lease group: no task is put into a group that was just emptied.
#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;
use std::time::Duration;
use swarm_database::Db;
use swarm_test_support::database::Fresh;
use swarm_types::{Clock, SystemClock, Timestamp};
use uuid::Uuid;

use super::*;
use crate::SCHEMA;

struct Case {
    db: Db,
    group: Uuid,
    frozen: Owner,
    other: Owner,
    before: Timestamp,
    after: Timestamp,
}

/// A group that has expired for everyone but its owner, whose clock stands still.
async fn case() -> Case {
    let db = Fresh::postgres().await.open(&SCHEMA).await;
    let owner = |replica: &str| Owner {
        replica: replica.to_owned(),
        incarnation: Uuid::now_v7(),
    };
    let before = SystemClock.now();
    let (group, frozen) = (Uuid::now_v7(), owner("frozen"));
    let expires = before + TimeDelta::seconds(5);
    assert!(open(&db, group, &frozen, expires, before).await.unwrap());
    Case {
        db,
        group,
        frozen,
        other: owner("other"),
        before,
        after: before + TimeDelta::seconds(6),
    }
}

#[tokio::test]
async fn while_a_task_is_being_put_into_a_group_it_cannot_be_taken_over() {
    let case = case().await;
    let mut submission = case.db.begin().await.unwrap();
    assert!(
        hold(&mut submission, case.group, &case.frozen, case.before)
            .await
            .unwrap()
    );
    let mut take_over = case.db.begin().await.unwrap();
    // It passes on to other groups and comes back later.
    assert!(
        !seize(&mut take_over, case.group, &case.other, case.after)
            .await
            .unwrap()
    );
    take_over.rollback().await.unwrap();
    submission.commit().await.unwrap();
    let mut take_over = case.db.begin().await.unwrap();
    assert!(
        seize(&mut take_over, case.group, &case.other, case.after)
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn while_a_group_is_taken_over_nothing_is_put_into_it() {
    let case = case().await;
    let mut take_over = case.db.begin().await.unwrap();
    assert!(
        seize(&mut take_over, case.group, &case.other, case.after)
            .await
            .unwrap()
    );
    let mut submission = case.db.begin().await.unwrap();
    let mut held = std::pin::pin!(hold(&mut submission, case.group, &case.frozen, case.before));
    assert!(
        tokio::time::timeout(Duration::from_millis(100), &mut held)
            .await
            .is_err(),
        "it waits for the outcome"
    );
    delete(&mut take_over, case.group).await.unwrap();
    take_over.commit().await.unwrap();
    assert!(!held.await.unwrap(), "the group is gone");
}

#[tokio::test]
async fn a_heartbeat_does_not_wait_for_submissions_and_does_not_revive_a_lost_group() {
    let case = case().await;
    let mut submission = case.db.begin().await.unwrap();
    assert!(
        hold(&mut submission, case.group, &case.frozen, case.before)
            .await
            .unwrap()
    );
    let renewed = renew(&case.db, &case.frozen, case.after).await.unwrap();
    assert_eq!(renewed, [case.group]);
    submission.rollback().await.unwrap();

    let later = case.after + TimeDelta::seconds(1);
    let mut take_over = case.db.begin().await.unwrap();
    assert!(
        seize(&mut take_over, case.group, &case.other, later)
            .await
            .unwrap()
    );
    let beat = tokio::spawn({
        let (db, frozen) = (case.db.clone(), case.frozen.clone());
        async move {
            renew(&db, &frozen, later + TimeDelta::hours(1))
                .await
                .unwrap()
        }
    });
    delete(&mut take_over, case.group).await.unwrap();
    take_over.commit().await.unwrap();
    assert!(beat.await.unwrap().is_empty());
}

#[tokio::test]
async fn a_former_life_gets_no_lease_while_its_successor_has_one() {
    let case = case().await;
    let mut successor = case.frozen.clone();
    successor.incarnation = Uuid::now_v7();
    let (now, until) = (case.before, case.after);
    let groups = foreign(&case.db, &successor, now).await.unwrap();
    assert_eq!(
        groups.len(),
        1,
        "its former life's, though it has not expired"
    );
    let own = Uuid::now_v7();
    assert!(open(&case.db, own, &successor, until, now).await.unwrap());
    assert!(
        !open(&case.db, Uuid::now_v7(), &case.frozen, until, now)
            .await
            .unwrap()
    );
    assert!(
        foreign(&case.db, &case.frozen, now)
            .await
            .unwrap()
            .is_empty()
    );
    // When the successor is dead as well, it is a replica like any other.
    let later = until + TimeDelta::seconds(1);
    assert_eq!(
        foreign(&case.db, &case.frozen, later).await.unwrap().len(),
        1
    );
    let revived = open(
        &case.db,
        Uuid::now_v7(),
        &case.frozen,
        later + TimeDelta::hours(1),
        later,
    );
    assert!(revived.await.unwrap());
}
