//! From the wire. Fields are named as in the public shape.

use std::collections::BTreeMap;
use std::str::FromStr;

use swarm_errors::{Error, Result};
use swarm_proto::agents::v1 as wire;
use swarm_proto::common::v1 as common;
use swarm_proto::convert::{optional_wire_time, parse, parse_optional};
use swarm_types::{AgentId, Priority, TaskId, TenantId};

use super::retry;
use crate::agents::{AgentKind, AgentProfile, AgentState, ModelSettings};
use crate::engine::{Again, Fork, ForkPoint, Submission};
use crate::store::idempotency::RequestKey;
use crate::tasks::{Input, SINGLE, SWARM, Strategy, TaskSpec, TaskState, has_nul};

const MAX_KEY: usize = 255;
const MAX_WORD: usize = 200;
const MAX_MEMBERS: usize = 16;
const MAX_ROUNDS: u32 = 5;
const MAX_METADATA: usize = 64;
const MAX_DEPENDENCIES: usize = 100;
const MAX_VALUE: usize = 1_000;
/// The kind of a task that names none.
const DEFAULT_KIND: &str = "general";
/// The pool of an agent that names none.
const DEFAULT_POOL: &str = "default";

/// The key of a write, if it has one.
pub(super) fn request_key(request: Option<common::RequestKey>) -> Result<Option<RequestKey>> {
    let Some(common::RequestKey { key, body_hash }) =
        request.filter(|request| !request.key.is_empty())
    else {
        return Ok(None);
    };
    if key.chars().count() > MAX_KEY || has_nul(&key) {
        let message = format!("must have at most {MAX_KEY} characters, without U+0000");
        return Err(Error::invalid("request.key", message));
    }
    Ok(Some(RequestKey { key, body_hash }))
}

/// A cursor of a page; empty for the first one.
pub(super) fn cursor<T>(text: &str) -> Result<Option<T>>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    parse_optional("cursor", text)
}

/// A position in an order of events.
pub(super) fn position(field: &str, value: u64) -> Result<i64> {
    i64::try_from(value).map_err(|_| Error::invalid(field, "is too large"))
}

/// One of the values of a proto's enumeration.
pub(super) fn choice<T: TryFrom<i32>>(field: &str, value: i32) -> Result<T> {
    T::try_from(value).map_err(|_| Error::invalid(field, "is not a known value"))
}

/// A text of bounded length.
pub(super) fn word(field: &str, text: String) -> Result<String> {
    if text.chars().count() > MAX_WORD || has_nul(&text) {
        return Err(Error::invalid(
            field,
            format!("must have at most {MAX_WORD} characters, without U+0000"),
        ));
    }
    Ok(text)
}

/// The state of a list's filter; unspecified for none.
pub(super) fn task_state(value: i32) -> Result<Option<TaskState>> {
    use wire::TaskState as Wire;
    Ok(match choice("state", value)? {
        Wire::Unspecified => None,
        Wire::Queued => Some(TaskState::Queued),
        Wire::Waiting => Some(TaskState::Waiting),
        Wire::Running => Some(TaskState::Running),
        Wire::AwaitingApproval => Some(TaskState::AwaitingApproval),
        Wire::Completed => Some(TaskState::Completed),
        Wire::Failed => Some(TaskState::Failed),
        Wire::Cancelled => Some(TaskState::Cancelled),
        Wire::DeadLettered => Some(TaskState::DeadLettered),
    })
}

/// The state of a list's filter; unspecified for none.
pub(super) fn agent_state(value: i32) -> Result<Option<AgentState>> {
    use wire::AgentState as Wire;
    Ok(match choice("state", value)? {
        Wire::Unspecified => None,
        Wire::Starting => Some(AgentState::Starting),
        Wire::Idle => Some(AgentState::Idle),
        Wire::Busy => Some(AgentState::Busy),
        Wire::Paused => Some(AgentState::Paused),
        Wire::Draining => Some(AgentState::Draining),
        Wire::Failed => Some(AgentState::Failed),
        Wire::Stopped => Some(AgentState::Stopped),
    })
}

/// What is said of a new agent; the engine checks it.
pub(super) fn profile(agent: wire::Agent) -> Result<AgentProfile> {
    let kind = match choice("kind", agent.kind)? {
        wire::AgentKind::Queen => AgentKind::Queen,
        wire::AgentKind::Specialist => AgentKind::Specialist,
        wire::AgentKind::Worker | wire::AgentKind::Unspecified => AgentKind::Worker,
    };
    let model = agent.model.unwrap_or_default();
    Ok(AgentProfile {
        name: agent.name,
        kind,
        role: agent.role,
        instructions: agent.instructions,
        model: ModelSettings {
            provider: model.provider,
            name: model.name,
            temperature: model.temperature,
            max_tokens: model.max_tokens,
        },
        capabilities: agent.capabilities,
        tools: agent.tools,
        pool: if agent.pool.is_empty() {
            DEFAULT_POOL.to_owned()
        } else {
            agent.pool
        },
        // Unset on the wire.
        max_concurrency: agent.max_concurrency.max(1),
        labels: agent.labels.into_iter().collect(),
    })
}

/// A submission, checked as far as no store is needed.
pub(super) fn submission(tenant: TenantId, request: wire::SubmitTaskRequest) -> Result<Submission> {
    let key = request_key(request.request)?;
    let spec = request
        .spec
        .ok_or_else(|| Error::invalid("spec", "is missing"))?;
    let depends_on = spec.depends_on.clone();
    let mut submission = root_task(tenant, spec)?;
    submission.request = key;
    submission.spec.depends_on = dependencies(&depends_on)?;
    Ok(submission)
}

/// What may go before a task, each named once.
fn dependencies(ids: &[String]) -> Result<Vec<TaskId>> {
    check_count("depends_on", ids.len())?;
    let mut known: Vec<TaskId> = Vec::new();
    for (place, id) in ids.iter().enumerate() {
        let field = format!("depends_on[{place}]");
        let id = parse(&field, id)?;
        if known.contains(&id) {
            return Err(Error::invalid(field, "is named twice"));
        }
        known.push(id);
    }
    Ok(known)
}

/// The bound of a task's dependencies.
pub(super) fn check_count(field: &str, dependencies: usize) -> Result<()> {
    if dependencies > MAX_DEPENDENCIES {
        let message = format!("must be at most {MAX_DEPENDENCIES}");
        return Err(Error::invalid(field, message));
    }
    Ok(())
}

/// A task to be, apart from what it depends on.
pub(super) fn root_task(tenant: TenantId, spec: wire::TaskSpec) -> Result<Submission> {
    let input = Input::parse(&spec.input_json)?;
    let priority = match spec.priority.as_str() {
        "" => Priority::default(),
        text => parse("priority", text)?,
    };
    let deadline = optional_wire_time("deadline", spec.deadline.as_ref())?;
    let not_before = optional_wire_time("not_before", spec.not_before.as_ref())?;
    let kind = if spec.kind.trim().is_empty() {
        DEFAULT_KIND.to_owned()
    } else {
        word("kind", spec.kind)?
    };
    Ok(Submission {
        tenant,
        request: None,
        spec: TaskSpec {
            kind,
            input: serde_json::to_value(input).map_err(Error::internal)?,
            agent_id: parse_optional("agent_id", &spec.agent_id)?,
            pool: word("pool", spec.pool)?,
            strategy: strategy(&spec.strategy.unwrap_or_default())?,
            metadata: metadata(spec.metadata)?,
            depends_on: Vec::new(),
            not_before,
            retry: retry::policy(&spec.retry.unwrap_or_default())?,
            forked_from: None,
        },
        priority,
        deadline,
    })
}

/// A retry by hand.
pub(super) fn again(tenant: TenantId, request: wire::RetryTaskRequest) -> Result<Again> {
    Ok(Again {
        tenant,
        request: request_key(request.request)?,
        id: parse("id", &request.id)?,
        deadline: optional_wire_time("deadline", request.deadline.as_ref())?,
    })
}

/// A fork.
pub(super) fn fork(tenant: TenantId, request: wire::ForkTaskRequest) -> Result<Fork> {
    use wire::fork_task_request::At;
    let input = match request.input_json.as_str() {
        "" => None,
        json => Some(serde_json::to_value(Input::parse(json)?).map_err(Error::internal)?),
    };
    let at = match request.at {
        None => ForkPoint::End,
        Some(At::Position(position)) => ForkPoint::Position(position),
        Some(At::StepKey(key)) => ForkPoint::Key(word("step_key", key)?),
    };
    Ok(Fork {
        tenant,
        request: request_key(request.request)?,
        id: parse("id", &request.id)?,
        at,
        input,
        deadline: optional_wire_time("deadline", request.deadline.as_ref())?,
    })
}

fn strategy(strategy: &wire::Strategy) -> Result<Strategy> {
    let name = match strategy.name.as_str() {
        "" | SINGLE => SINGLE,
        SWARM => SWARM,
        _ => {
            return Err(Error::invalid(
                "strategy.name",
                format!("must be {SINGLE} or {SWARM}"),
            ));
        }
    };
    if strategy.members.len() > MAX_MEMBERS {
        return Err(Error::invalid(
            "strategy.members",
            format!("must be at most {MAX_MEMBERS}"),
        ));
    }
    if name == SINGLE && !strategy.members.is_empty() {
        return Err(Error::invalid(
            "strategy.members",
            "are for a swarm; a single agent is named by agent_id",
        ));
    }
    if strategy.rounds.is_some_and(|rounds| rounds > MAX_ROUNDS) {
        return Err(Error::invalid(
            "strategy.rounds",
            format!("must be at most {MAX_ROUNDS}"),
        ));
    }
    let mut members: Vec<AgentId> = Vec::new();
    for (place, member) in strategy.members.iter().enumerate() {
        let field = format!("strategy.members[{place}]");
        let id = parse(&field, member)?;
        if members.contains(&id) {
            return Err(Error::invalid(field, "is named twice"));
        }
        members.push(id);
    }
    Ok(Strategy {
        name: name.to_owned(),
        members,
        rounds: strategy.rounds,
    })
}

fn metadata(
    entries: std::collections::HashMap<String, String>,
) -> Result<BTreeMap<String, String>> {
    if entries.len() > MAX_METADATA {
        return Err(Error::invalid(
            "metadata",
            format!("must be at most {MAX_METADATA}"),
        ));
    }
    for (key, value) in &entries {
        let field = || format!("metadata.{key}");
        if key.is_empty() || key.chars().count() > MAX_WORD || has_nul(key) {
            return Err(Error::invalid(
                "metadata",
                format!("keys must have 1 to {MAX_WORD} characters"),
            ));
        }
        if value.chars().count() > MAX_VALUE || has_nul(value) {
            let message = format!("must have at most {MAX_VALUE} characters, without U+0000");
            return Err(Error::invalid(field(), message));
        }
    }
    Ok(entries.into_iter().collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn good() -> wire::TaskSpec {
        wire::TaskSpec {
            input_json: r#"{"prompt": "why?"}"#.into(),
            ..Default::default()
        }
    }

    fn read(spec: wire::TaskSpec) -> Result<Submission> {
        submission(
            TenantId::new(),
            wire::SubmitTaskRequest {
                wait_ms: 0,
                request: None,
                spec: Some(spec),
            },
        )
    }

    #[test]
    fn a_prompt_alone_takes_the_defaults() {
        let submission = read(good()).unwrap();
        assert_eq!(submission.spec.kind, "general");
        assert_eq!(submission.spec.strategy, Strategy::default());
        assert_eq!(
            (submission.priority, submission.deadline),
            (Priority::Normal, None)
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        type Change = fn(&mut wire::TaskSpec);
        let swarm = |members: Vec<String>| {
            Some(wire::Strategy {
                name: SWARM.into(),
                members,
                rounds: None,
            })
        };
        let twice = vec![AgentId::new().to_string(); 2];
        let changes: Vec<(&str, Change)> = vec![
            ("input.tone", |spec| {
                spec.input_json = r#"{"prompt": "p", "tone": 1}"#.into();
            }),
            ("priority", |spec| spec.priority = "urgent".into()),
            ("deadline", |spec| {
                spec.deadline.get_or_insert_default().seconds = i64::MAX;
            }),
            ("agent_id", |spec| spec.agent_id = "agent_1".into()),
            ("kind", |spec| spec.kind = "x".repeat(201)),
            ("pool", |spec| spec.pool = "a\0".into()),
            ("strategy.name", |spec| {
                spec.strategy = Some(wire::Strategy {
                    name: "hive".into(),
                    ..Default::default()
                });
            }),
            ("strategy.members", |spec| {
                spec.strategy.get_or_insert_default().members = vec!["a".into()];
            }),
            ("strategy.rounds", |spec| {
                spec.strategy.get_or_insert_default().rounds = Some(6);
            }),
            ("depends_on[0]", |spec| spec.depends_on = vec!["x".into()]),
            ("depends_on[1]", |spec| {
                spec.depends_on = vec![TaskId::from_uuid(uuid::Uuid::nil()).to_string(); 2];
            }),
            ("depends_on", |spec| {
                spec.depends_on = vec![String::new(); 101];
            }),
            ("not_before", |spec| {
                spec.not_before.get_or_insert_default().seconds = i64::MAX;
            }),
            ("retry.max_attempts", |spec| {
                spec.retry.get_or_insert_default().max_attempts = Some(0);
            }),
            ("metadata.a", |spec| {
                drop(spec.metadata.insert("a".into(), "\0".into()));
            }),
        ];
        for (field, change) in changes {
            let mut spec = good();
            change(&mut spec);
            assert_eq!(read(spec).unwrap_err().fields()[0].field, field);
        }
        for (members, field) in [
            (vec!["x".to_owned(); 17], "strategy.members"),
            (vec!["x".to_owned()], "strategy.members[0]"),
            (twice, "strategy.members[1]"),
        ] {
            let error = read(wire::TaskSpec {
                strategy: swarm(members),
                ..good()
            })
            .unwrap_err();
            assert_eq!(error.fields()[0].field, field);
        }
    }
}
