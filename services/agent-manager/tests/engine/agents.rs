//! Agents: life cycle, names, and how much they take on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::agents::{AgentPatch, AgentState, Command};
use swarm_agent_manager::journal::{StepDone, StepKind, StepSpec};
use swarm_agent_manager::tasks::{TaskState, WaitingReason};
use swarm_errors::Code;
use swarm_test_support::database::for_each_database;
use tokio::sync::Semaphore;

use crate::rig::{Options, Rig, echo, profile, script, script_with};

#[tokio::test]
async fn names_are_unique_among_the_living() {
    for_each_database(&SCHEMA, |db| async move {
        let rig = Rig::start(&db, echo()).await;
        let (one, two) = (rig.agent("one", 1).await, rig.agent("two", 2).await);
        let error = rig
            .engine
            .create_agent(rig.tenant, None, profile("one", 1))
            .await
            .unwrap_err();
        assert_eq!(
            (error.code(), error.fields()[0].field.as_str()),
            (Code::Conflict, "name")
        );
        let rename = || AgentPatch::parse(r#"{"name": "one"}"#).unwrap();
        let error = rig
            .engine
            .update_agent(rig.tenant, None, two.id, rename(), None)
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::Conflict);
        rig.engine
            .command_agent(rig.tenant, one.id, Command::Delete)
            .await
            .unwrap();
        let renamed = rig
            .engine
            .update_agent(rig.tenant, None, two.id, rename(), Some(1))
            .await
            .unwrap();
        assert_eq!((renamed.profile.name.as_str(), renamed.version), ("one", 2));
        let stale = rig
            .engine
            .update_agent(rig.tenant, None, two.id, rename(), Some(1))
            .await
            .unwrap_err();
        assert_eq!(stale.code(), Code::Conflict);
        let listed = rig
            .engine
            .list_agents(rig.tenant, "", None, None, 10)
            .await
            .unwrap()
            .items;
        assert_eq!(listed, [renamed]);
        let stopped = rig
            .engine
            .list_agents(rig.tenant, "", Some(AgentState::Stopped), None, 10)
            .await
            .unwrap();
        assert_eq!(stopped.items.len(), 1);
        assert_eq!(
            rig.engine.agent(rig.tenant, one.id).await.unwrap().state,
            AgentState::Stopped
        );
        let error = rig
            .engine
            .update_agent(rig.tenant, None, one.id, rename(), None)
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::FailedPrecondition);
        rig.stop().await;
    })
    .await;
}

/// Counts how many run at once and waits for a permit.
fn counted(
    gate: &Arc<Semaphore>,
    running: &Arc<AtomicUsize>,
    most: &Arc<AtomicUsize>,
) -> Arc<dyn swarm_agent_manager::engine::Executor> {
    let (gate, running, most) = (gate.clone(), running.clone(), most.clone());
    script(move |context| {
        let (gate, running, most) = (gate.clone(), running.clone(), most.clone());
        async move {
            let now = running.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            gate.acquire().await.unwrap().forget();
            running.fetch_sub(1, Ordering::SeqCst);
            Ok(json!(
                context
                    .assigned_agent()
                    .map(|agent| agent.profile.name.clone())
            ))
        }
    })
}

#[tokio::test]
async fn an_agent_takes_on_as_much_as_it_may() {
    for_each_database(&SCHEMA, |db| async move {
        let (gate, running, most) = (Arc::new(Semaphore::new(0)), Arc::default(), Arc::default());
        let rig = Rig::start(&db, counted(&gate, &running, &most)).await;
        let agent = rig.agent("busy", 2).await;
        let mut tasks = Vec::new();
        for _ in 0..6 {
            tasks.push(rig.submit_to(agent.id).await.id);
        }
        for id in &tasks[..2] {
            rig.reaches(*id, TaskState::Running).await;
        }
        let shown = rig.engine.agent(rig.tenant, agent.id).await.unwrap();
        assert_eq!(
            (shown.shown_state(), shown.running_tasks),
            (AgentState::Busy, 2)
        );
        let busy = rig
            .engine
            .list_agents(rig.tenant, "", Some(AgentState::Busy), None, 10)
            .await
            .unwrap();
        assert_eq!(busy.items.len(), 1);
        gate.add_permits(6);
        for id in tasks {
            assert_eq!(rig.ended(id).await.result, Some(json!("busy")));
        }
        assert_eq!(most.load(Ordering::SeqCst), 2);
        assert_eq!(
            rig.engine
                .agent(rig.tenant, agent.id)
                .await
                .unwrap()
                .shown_state(),
            AgentState::Idle
        );
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_paused_agent_takes_nothing_new_until_it_is_resumed() {
    for_each_database(&SCHEMA, |db| async move {
        let rig = Rig::start(&db, echo()).await;
        let (paused, free) = (rig.agent("paused", 1).await, rig.agent("free", 1).await);
        rig.engine
            .command_agent(rig.tenant, paused.id, Command::Pause)
            .await
            .unwrap();
        let waits = rig.submit_to(paused.id).await;
        // One that came later is not held up by it.
        let passes = rig.submit_to(free.id).await;
        rig.ended(passes.id).await;
        assert_eq!(rig.task(waits.id).await.state, TaskState::Queued);
        rig.engine
            .command_agent(rig.tenant, paused.id, Command::Resume)
            .await
            .unwrap();
        assert_eq!(rig.ended(waits.id).await.state, TaskState::Completed);
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_deleted_or_draining_agent_finishes_and_what_is_queued_for_it_fails() {
    for_each_database(&SCHEMA, |db| async move {
        let (gate, running, most) = (Arc::new(Semaphore::new(0)), Arc::default(), Arc::default());
        let rig = Rig::start(&db, counted(&gate, &running, &most)).await;
        for (name, command, meanwhile) in [
            ("deleted", Command::Delete, AgentState::Stopped),
            ("drained", Command::Drain, AgentState::Draining),
        ] {
            let agent = rig.agent(name, 1).await;
            let at_it = rig.submit_to(agent.id).await;
            rig.reaches(at_it.id, TaskState::Running).await;
            let queued = rig.submit_to(agent.id).await;
            let state = rig
                .engine
                .command_agent(rig.tenant, agent.id, command)
                .await
                .unwrap()
                .state;
            assert_eq!(state, meanwhile);
            let failure = rig.ended(queued.id).await.failure.unwrap();
            assert_eq!(failure.code, "failed_precondition", "{}", failure.detail);
            gate.add_permits(1);
            assert_eq!(rig.ended(at_it.id).await.state, TaskState::Completed);
            assert_eq!(
                rig.engine.agent(rig.tenant, agent.id).await.unwrap().state,
                AgentState::Stopped
            );
            let mut submission = rig.submission();
            submission.spec.agent_id = Some(agent.id);
            let error = rig.engine.submit(submission).await.unwrap_err();
            assert_eq!(error.fields()[0].field, "agent_id");
        }
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_agent_that_waits_leaves_its_place_to_others() {
    for_each_database(&SCHEMA, |db| async move {
        let gate = Arc::new(Semaphore::new(0));
        let work = script_with(&gate, |context, gate| async move {
            if context.task().spec.kind == "waits" {
                tokio::select! {
                    parked = context.park(WaitingReason::Message, crate::rig::LONG) => parked?,
                    permit = gate.acquire() => permit.unwrap().forget(),
                }
                let step = StepSpec::new("after", StepKind::Tool, "t", json!({}));
                context
                    .step(step, |_| async { Ok(StepDone::new(())) })
                    .await?;
            }
            Ok(json!(null))
        });
        let rig = Rig::start_with(&db, work, Options::default()).await;
        let agent = rig.agent("one", 1).await;
        let mut submission = rig.submission();
        submission.spec.agent_id = Some(agent.id);
        submission.spec.kind = "waits".into();
        let waits = rig.engine.submit(submission).await.unwrap();
        rig.reaches(waits.id, TaskState::Waiting).await;
        let passes = rig.submit_to(agent.id).await;
        rig.ended(passes.id).await;
        gate.add_permits(1);
        assert_eq!(rig.ended(waits.id).await.state, TaskState::Completed);
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_task_without_an_agent_is_assigned_one_and_keeps_it() {
    for_each_database(&SCHEMA, |db| async move {
        let work = script(|context| async move {
            let found = context.eligible_agents("default", &[]).await?;
            let agent = context.assign(found[0].id).await?;
            // A repeat, as after a crash, finds it assigned.
            assert_eq!(context.assign(agent.id).await?.id, agent.id);
            Ok(json!([agent.profile.name, found.len()]))
        });
        let rig = Rig::start(&db, work).await;
        let (agent, paused) = (rig.agent("one", 1).await, rig.agent("two", 1).await);
        rig.engine
            .command_agent(rig.tenant, paused.id, Command::Pause)
            .await
            .unwrap();
        let task = rig.submit().await;
        let ended = rig.ended(task.id).await;
        assert_eq!(
            (ended.result, ended.agent),
            (Some(json!(["one", 1])), Some(agent.id))
        );
        assert_eq!(
            rig.engine
                .agent(rig.tenant, agent.id)
                .await
                .unwrap()
                .running_tasks,
            0
        );
        let text = rig.registry.encode();
        assert!(text.contains("qwen_swarm_agent_tasks_total 1.0"), "{text}");
        rig.stop().await;
    })
    .await;
}
