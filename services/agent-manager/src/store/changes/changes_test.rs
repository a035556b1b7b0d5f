//! What the commit lane's transaction promises, on both databases.
#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;
use serde_json::json;
use swarm_database::Db;
use swarm_test_support::database::for_each_database;
use swarm_types::{Clock, Priority, SystemClock, TenantId};
use uuid::Uuid;

use super::*;
use crate::SCHEMA;
use crate::store::tasks::find;
use crate::store::{events, leases, steps};
use crate::tasks::{TaskFailure, TaskRecord, TaskSpec, TaskState};

struct Case {
    db: Db,
    owner: Owner,
    group: Uuid,
    now: Timestamp,
}

impl Case {
    async fn new(db: Db) -> Self {
        let (now, group) = (SystemClock.now(), Uuid::now_v7());
        let owner = Owner {
            replica: "one".to_owned(),
            incarnation: Uuid::now_v7(),
        };
        let expires = now + TimeDelta::seconds(60);
        assert!(
            leases::open(&db, group, &owner, expires, now)
                .await
                .unwrap()
        );
        Self {
            db,
            owner,
            group,
            now,
        }
    }

    async fn write(&self, changes: Vec<Change>) -> Result<Vec<Told>> {
        let changes: Vec<Arc<Change>> = changes.into_iter().map(Arc::new).collect();
        write(&mut self.db.session(), &self.owner, &changes, self.now).await
    }

    fn birth(&self, tenant: TenantId, key: Option<&str>) -> Change {
        let id = TaskId::new();
        let record = TaskRecord {
            tenant,
            id,
            root: id,
            parent: None,
            role: String::new(),
            spec: Arc::new(TaskSpec::default()),
            state: TaskState::Running,
            waiting_reason: None,
            priority: Priority::Normal,
            agent: None,
            attempt: 1,
            attempt_base: 0,
            ready_at: None,
            open_dependencies: 0,
            epoch: 1,
            deadline: self.now + TimeDelta::hours(1),
            result: None,
            failure: None,
            usage: Usage::default(),
            last_seq: 0,
            traceparent: None,
            created_at: self.now,
            started_at: Some(self.now),
            finished_at: None,
        };
        let mut change = nothing(Fence::from(&record));
        change.birth = Some(Arc::new(Birth {
            insert: Insert {
                record,
                lease: Some(self.group),
                step_count: 0,
            },
            request: key.map(|key| RequestKey {
                key: key.to_owned(),
                body_hash: vec![1],
            }),
            operation: "submit_task",
            events: vec![line("task.submitted"), line("task.started")],
        }));
        change
    }

    async fn kinds(&self, tenant: TenantId) -> Vec<(i64, i64, String)> {
        let all = events::of_tenant(&self.db, tenant, 0, 100).await.unwrap();
        all.into_iter()
            .map(|event| (event.tenant_seq, event.seq, event.kind))
            .collect()
    }
}

fn nothing(fence: Fence) -> Change {
    Change {
        fence,
        root: fence.task,
        birth: None,
        journal: Vec::new(),
        end: None,
    }
}

fn line(kind: &'static str) -> Line {
    Line::of(NewEvent::new(kind, json!({}))).unwrap()
}

fn start(key: &str, attempt: u32, position: i64) -> Entry {
    Entry::Started(Arc::new(StepStart {
        key: key.to_owned(),
        id: StepId::new(),
        kind: StepKind::Model,
        name: "echo".to_owned(),
        attempt,
        input: JsonText::of(&json!({"attempt": attempt})).unwrap(),
        position,
        is_new: attempt == 1,
        event: line("step.started"),
    }))
}

fn end(key: &str, attempt: u32, state: StepState) -> Entry {
    Entry::Ended(Arc::new(StepEnd {
        key: key.to_owned(),
        attempt,
        state,
        result: Some(JsonText::of(&json!({"of": attempt})).unwrap()),
        usage: Usage {
            input_tokens: 3,
            ..Usage::default()
        },
        events: vec![line("step.ended")],
    }))
}

fn completed(at: Timestamp) -> Option<Arc<TaskEnd>> {
    let result = json!("done");
    Some(Arc::new(TaskEnd {
        result: Some(JsonText::of(&result).unwrap()),
        outcome: Outcome::Completed(result),
        at,
        letters: Vec::new(),
        event: line("task.completed"),
    }))
}

#[tokio::test]
async fn a_task_is_born_with_its_first_step_and_ends_with_its_last() {
    for_each_database(&SCHEMA, |db| async move {
        let case = Case::new(db).await;
        let tenants = [TenantId::new(), TenantId::new()];
        let births = tenants.map(|tenant| {
            let mut change = case.birth(tenant, Some("key"));
            change.journal = vec![start("model", 1, 0)];
            change
        });
        let fences = [births[0].fence, births[1].fence];
        let told = case.write(births.to_vec()).await.unwrap();
        assert_eq!(told, [Told::Committed { last_seq: 3 }; 2]);
        let ends = fences.map(|fence| {
            let mut change = nothing(fence);
            change.journal = vec![end("model", 1, StepState::Finished)];
            change.end = completed(case.now);
            change
        });
        let told = case.write(ends.to_vec()).await.unwrap();
        assert_eq!(told, [Told::Committed { last_seq: 5 }; 2]);
        for fence in fences {
            let task = find(&case.db, fence.tenant, fence.task).await.unwrap();
            let task = task.unwrap();
            assert_eq!(task.state, TaskState::Completed);
            assert_eq!((task.usage.input_tokens, task.last_seq), (3, 5));
            assert_eq!(task.result, Some(json!("done")));
            let steps = steps::list(&case.db, fence.tenant, fence.task, -1, 9).await;
            let steps = steps.unwrap();
            assert_eq!(steps[0].result, Some(json!({"of": 1})));
            let kinds = case.kinds(fence.tenant).await;
            let expected = [
                "task.submitted",
                "task.started",
                "step.started",
                "step.ended",
                "task.completed",
            ];
            let expected: Vec<_> = (1..)
                .zip(expected)
                .map(|(seq, kind)| (seq, seq, kind.to_owned()))
                .collect();
            assert_eq!(kinds, expected);
        }
    })
    .await;
}

#[tokio::test]
async fn what_does_not_pass_writes_nothing_and_holds_back_no_other() {
    for_each_database(&SCHEMA, |db| async move {
        let case = Case::new(db).await;
        let tenant = TenantId::new();
        let first = case.birth(tenant, Some("taken"));
        let other = case.birth(tenant, None);
        case.write(vec![first.clone(), other.clone()])
            .await
            .unwrap();
        let mut stale = nothing(Fence {
            epoch: 9,
            ..first.fence
        });
        stale.journal = vec![start("model", 1, 0)];
        let again = case.birth(tenant, Some("taken"));
        let mut stranger = case.birth(tenant, Some("of a lost lease"));
        if let Some(birth) = stranger.birth.as_mut().and_then(Arc::get_mut) {
            birth.insert.lease = Some(Uuid::now_v7());
        }
        let good = case.birth(tenant, Some("free"));
        let (refused, born) = ([again.fence.task, stranger.fence.task], good.fence.task);
        let mut fresh = nothing(other.fence);
        fresh.journal = vec![start("model", 1, 0)];
        let told = case.write(vec![stale, fresh]).await;
        assert_eq!(
            told.unwrap(),
            [Told::Refused, Told::Committed { last_seq: 3 }]
        );
        let told = case.write(vec![again, stranger, good]).await;
        assert_eq!(
            told.unwrap(),
            [
                Told::KeyTaken,
                Told::LeaseLost,
                Told::Committed { last_seq: 2 }
            ]
        );
        for task in refused {
            assert!(find(&case.db, tenant, task).await.unwrap().is_none());
        }
        assert!(find(&case.db, tenant, born).await.unwrap().is_some());
        assert_eq!(case.kinds(tenant).await.len(), 7);
        // The key of the lost lease was not used up.
        let told = case.write(vec![case.birth(tenant, Some("of a lost lease"))]);
        assert_eq!(told.await.unwrap(), [Told::Committed { last_seq: 2 }]);
    })
    .await;
}

#[tokio::test]
async fn an_end_without_a_start_undoes_it_all() {
    for_each_database(&SCHEMA, |db| async move {
        let case = Case::new(db).await;
        let tenant = TenantId::new();
        let births = [case.birth(tenant, None), case.birth(tenant, None)];
        case.write(births.to_vec()).await.unwrap();
        let [mut wrong, mut innocent] = births.map(|birth| nothing(birth.fence));
        wrong.journal = vec![end("never started", 1, StepState::Finished)];
        innocent.end = completed(case.now);
        let fence = innocent.fence;
        let both = vec![wrong, innocent.clone()];
        case.write(both).await.unwrap_err();
        let task = find(&case.db, tenant, fence.task).await.unwrap().unwrap();
        assert_eq!(task.state, TaskState::Running);
        assert_eq!(case.kinds(tenant).await.len(), 4);
        let told = case.write(vec![innocent]).await;
        assert_eq!(told.unwrap(), [Told::Committed { last_seq: 3 }]);
    })
    .await;
}

#[tokio::test]
async fn a_step_that_is_tried_again_at_once_keeps_its_place() {
    for_each_database(&SCHEMA, |db| async move {
        let case = Case::new(db).await;
        let mut first = case.birth(TenantId::new(), None);
        first.journal = vec![start("model", 1, 0)];
        let fence = first.fence;
        case.write(vec![first]).await.unwrap();
        let mut again = nothing(fence);
        again.journal = vec![end("model", 1, StepState::Failed), start("model", 2, 0)];
        let told = case.write(vec![again]).await.unwrap();
        assert_eq!(told, [Told::Committed { last_seq: 5 }]);
        let steps = steps::list(&case.db, fence.tenant, fence.task, -1, 9).await;
        let [step] = &steps.unwrap()[..] else {
            panic!("one step")
        };
        assert_eq!((step.state, step.attempt), (StepState::Started, 2));
        assert_eq!((step.position, &step.result), (0, &None));
        assert_eq!(case.kinds(fence.tenant).await.len(), 5);
    })
    .await;
}

#[tokio::test]
async fn what_takes_no_time_is_written_at_once() {
    for_each_database(&SCHEMA, |db| async move {
        let case = Case::new(db).await;
        let mut change = case.birth(TenantId::new(), Some("key"));
        let fence = change.fence;
        let (failed, finished) = (StepState::Failed, StepState::Finished);
        change.journal = vec![
            start("one", 1, 0),
            end("one", 1, failed),
            start("two", 1, 1),
            start("one", 2, 0),
            end("one", 2, finished),
        ];
        change.end = completed(case.now);
        let told = case.write(vec![change.clone()]).await.unwrap();
        assert_eq!(told, [Told::Committed { last_seq: 8 }]);
        let task = find(&case.db, fence.tenant, fence.task).await.unwrap();
        let task = task.unwrap();
        assert_eq!(task.state, TaskState::Completed);
        assert_eq!(task.result, Some(json!("done")));
        assert_eq!((task.usage.input_tokens, task.last_seq), (6, 8));
        assert!(task.finished_at.is_some());
        let steps = steps::list(&case.db, fence.tenant, fence.task, -1, 9).await;
        let steps: Vec<_> = steps
            .unwrap()
            .into_iter()
            .map(|step| {
                (
                    step.key,
                    step.attempt,
                    step.state,
                    step.finished_at.is_some(),
                )
            })
            .collect();
        let (one, two) = ("one".to_owned(), "two".to_owned());
        assert_eq!(
            steps,
            [
                (one, 2, finished, true),
                (two, 1, StepState::Started, false)
            ]
        );
        // No lease holds what has ended.
        let held = "SELECT count(*) AS held FROM tasks WHERE lease_group IS NOT NULL";
        assert_eq!(case.db.q(held).scalar::<i64>().await.unwrap(), 0);
        // The key leads to it.
        let again = case.birth(fence.tenant, Some("key"));
        assert_eq!(case.write(vec![again]).await.unwrap(), [Told::KeyTaken]);
    })
    .await;
}

#[tokio::test]
async fn a_birth_brings_no_end_that_has_more_to_it() {
    for_each_database(&SCHEMA, |db| async move {
        let case = Case::new(db).await;
        let mut failed = case.birth(TenantId::new(), None);
        failed.end = completed(case.now).map(|end| {
            let failure = TaskFailure {
                code: "internal".to_owned(),
                detail: String::new(),
            };
            Arc::new(TaskEnd {
                outcome: Outcome::Failed(failure),
                result: None,
                at: end.at,
                letters: Vec::new(),
                event: line("task.failed"),
            })
        });
        let mut strange = case.birth(TenantId::new(), None);
        strange.journal = vec![end("never started", 1, StepState::Finished)];
        for change in [failed, strange] {
            let fence = change.fence;
            case.write(vec![change]).await.unwrap_err();
            let found = find(&case.db, fence.tenant, fence.task).await.unwrap();
            assert!(found.is_none());
        }
    })
    .await;
}
