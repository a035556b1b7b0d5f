//! Watches: nothing lost, nothing twice, tokens between the durable ones.

use futures::StreamExt as _;
use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::engine::TaskContext;
use swarm_agent_manager::events::{EventRecord, Scope};
use swarm_agent_manager::journal::{StepDone, StepKind, StepSpec};
use swarm_agent_manager::tasks::NewTask;
use swarm_errors::Result;
use swarm_test_support::database::for_each_database;
use swarm_types::TenantId;

use crate::rig::{LONG, Rig, echo, script, script_with};

const STEPS: usize = 4;

async fn talk(context: TaskContext) -> Result<serde_json::Value> {
    for place in 0..STEPS {
        let step = StepSpec::new(format!("model/{place}"), StepKind::Model, "m", json!({}));
        context
            .step(step, |step| async move {
                for word in ["one ", "two ", "drei"] {
                    step.emit_token(word);
                    tokio::task::yield_now().await;
                }
                Ok(StepDone::new("one two drei".to_owned()))
            })
            .await?;
    }
    Ok(json!("said"))
}

#[tokio::test]
async fn a_watch_that_resumes_misses_and_repeats_nothing() {
    for_each_database(&SCHEMA, |db| async move {
        let rig = Rig::start(&db, script(talk)).await;
        let task = rig.submit().await;
        let whole = rig.watch(Scope::Task(task.id), 0, false).await;
        assert_eq!(whole.len(), 2 + 2 * STEPS + 1);
        assert!(
            whole
                .iter()
                .enumerate()
                .all(|(place, event)| event.seq == place as i64 + 1),
            "no gap"
        );
        assert_eq!(whole, rig.events(task.id).await);
        // Whatever the place of the cut, and whether it falls on a live or an ended task.
        let second = rig.submit().await;
        for cut in 1..whole.len() {
            let first: Vec<_> = rig
                .engine
                .watch(rig.tenant, Scope::Task(second.id), Some(0), false)
                .take(cut)
                .map(|watched| watched.unwrap())
                .collect()
                .await;
            let cursor = first.last().unwrap().cursor;
            let rest = rig.watch(Scope::Task(second.id), cursor, false).await;
            let mut joined: Vec<EventRecord> = first
                .into_iter()
                .filter_map(|watched| watched.event)
                .collect();
            joined.extend(rest);
            assert_eq!(joined, rig.events(second.id).await);
        }
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn tokens_come_within_their_step_and_are_not_stored() {
    for_each_database(&SCHEMA, |db| async move {
        let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
        let work = script_with(&gate, |context, gate| async move {
            gate.acquire().await.unwrap().forget();
            // Its end would carry the text, and the reader need not see the token.
            let seen = StepSpec::new("model/seen", StepKind::Model, "m", json!({}));
            context
                .step(seen, |step| async move {
                    step.emit_token("first");
                    gate.acquire().await.unwrap().forget();
                    Ok(StepDone::new("first".to_owned()))
                })
                .await?;
            talk(context).await
        });
        let rig = Rig::start(&db, work).await;
        let task = rig.submit().await;
        let mut watched =
            Box::pin(
                rig.engine
                    .watch(rig.tenant, Scope::Tree(task.id), Some(0), true),
            );
        let mut seen = vec![watched.next().await.unwrap().unwrap().event.unwrap()];
        gate.add_permits(1);
        while let Some(watched) = tokio::time::timeout(LONG, watched.next()).await.unwrap() {
            seen.push(watched.unwrap().event.unwrap());
            if seen.iter().filter(|event| event.is_ephemeral()).count() == 1 {
                gate.add_permits(1);
            }
        }
        let durable: Vec<_> = seen
            .iter()
            .filter(|event| !event.is_ephemeral())
            .cloned()
            .collect();
        assert_eq!(durable, rig.events(task.id).await);
        let tokens: Vec<_> = seen.iter().filter(|event| event.is_ephemeral()).collect();
        assert!(
            !tokens.is_empty(),
            "the watch was there before the first word"
        );
        let mut open = None;
        for event in &seen {
            match event.kind.as_str() {
                "step.started" => open = Some((event.data["step"].clone(), 0)),
                "step.finished" => open = None,
                "token" => {
                    let (step, offset) = open.as_mut().expect("within a step");
                    assert_eq!(
                        (&event.data["step"], &event.data["attempt"]),
                        (&*step, &json!(1))
                    );
                    assert!(event.data["offset"].as_u64().unwrap() >= *offset);
                    *offset = event.data["offset"].as_u64().unwrap();
                }
                _ => {}
            }
        }
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_slow_reader_loses_tokens_at_most() {
    for_each_database(&SCHEMA, |db| async move {
        let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
        let work = script_with(&gate, |context, gate| async move {
            gate.acquire().await.unwrap().forget();
            for place in 0..STEPS {
                let step = StepSpec::new(format!("model/{place}"), StepKind::Model, "m", json!({}));
                context
                    .step(step, |step| async move {
                        (0..2_000).for_each(|_| step.emit_token("word "));
                        Ok(StepDone::new(()))
                    })
                    .await?;
            }
            Ok(json!(null))
        });
        let rig = Rig::start(&db, work).await;
        let task = rig.submit().await;
        let mut watched =
            Box::pin(
                rig.engine
                    .watch(rig.tenant, Scope::Task(task.id), Some(0), true),
            );
        let mut seen = vec![watched.next().await.unwrap().unwrap().event.unwrap()];
        gate.add_permits(1);
        // It does not read until all is over.
        rig.ended(task.id).await;
        while let Some(watched) = tokio::time::timeout(LONG, watched.next()).await.unwrap() {
            seen.push(watched.unwrap().event.unwrap());
        }
        seen.retain(|event| !event.is_ephemeral());
        assert_eq!(seen, rig.events(task.id).await);
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_tree_is_watched_as_one_until_its_root_ends() {
    for_each_database(&SCHEMA, |db| async move {
        let work = script(|context| async move {
            if context.task().parent.is_some() {
                return talk(context).await;
            }
            let split = StepSpec::new("split", StepKind::SubTask, "", json!({}));
            context
                .step(split, |_| async {
                    let mut done = StepDone::new(());
                    done.children = vec![NewTask::default(); 3];
                    Ok(done)
                })
                .await?;
            let ids: Vec<_> = (0..3)
                .map(|place| context.child_id("split", place))
                .collect();
            context.await_tasks(&ids).await?;
            Ok(json!("all"))
        });
        let rig = Rig::start(&db, work).await;
        let stranger = rig.submit().await;
        let task = rig.submit().await;
        let live = rig.watch(Scope::Tree(task.id), 0, false).await;
        rig.ended(stranger.id).await;
        let stored = rig.watch(Scope::Tree(task.id), 0, false).await;
        assert_eq!(live, stored);
        assert!(live.iter().all(|event| event.root == task.id));
        assert!(live.is_sorted_by_key(|event| event.tenant_seq));
        assert_eq!(live.last().unwrap().kind, "task.completed");
        let mut per_task = std::collections::HashMap::new();
        for event in &live {
            let last: &mut i64 = per_task.entry(event.task).or_default();
            assert_eq!(
                event.seq,
                *last + 1,
                "each task's events are in order and whole"
            );
            *last = event.seq;
        }
        assert_eq!(per_task.len(), 4);
        let middle = live[live.len() / 2].tenant_seq;
        let rest = rig.watch(Scope::Tree(task.id), middle, false).await;
        assert_eq!(rest, live[live.len() / 2 + 1..]);
        let child = live
            .iter()
            .find(|event| event.task != task.id)
            .unwrap()
            .task;
        let refused = rig
            .engine
            .watch(rig.tenant, Scope::Tree(child), Some(0), false)
            .collect::<Vec<_>>()
            .await;
        assert_eq!(
            refused[0].as_ref().unwrap_err().fields()[0].field,
            "tree_root_id"
        );
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_tenant_is_watched_from_now_on_and_sees_no_other() {
    for_each_database(&SCHEMA, |db| async move {
        let rig = Rig::start(&db, echo()).await;
        let before = rig.submit().await;
        rig.ended(before.id).await;
        let mut watched = Box::pin(rig.engine.watch(rig.tenant, Scope::Tenant, None, false));
        let first = watched.next().await.unwrap().unwrap();
        assert_eq!((first.event, first.cursor), (None, 3));
        let mut foreign = rig.submission();
        foreign.tenant = TenantId::new();
        rig.engine.submit(foreign).await.unwrap();
        let task = rig.submit().await;
        for (place, kind) in ["task.submitted", "task.started", "task.completed"]
            .into_iter()
            .enumerate()
        {
            let watched = tokio::time::timeout(LONG, watched.next())
                .await
                .unwrap()
                .unwrap()
                .unwrap();
            let event = watched.event.unwrap();
            assert_eq!((event.task, event.kind.as_str()), (task.id, kind));
            assert_eq!(
                (event.tenant_seq, watched.cursor),
                (4 + place as i64, 4 + place as i64)
            );
        }
        rig.stop().await;
    })
    .await;
}
