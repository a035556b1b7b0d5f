//! Schedules: ticks make tasks, each once, whatever happens. Clocks are moved by hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::engine::Executor;
use swarm_agent_manager::schedules::{
    Cadence, CatchUp, Definition, Outcome, Overlap, ScheduleRecord, ScheduleState, Skipped,
    Template, TickRecord, tick_task_id,
};
use swarm_agent_manager::store::idempotency::RequestKey;
use swarm_agent_manager::tasks::{TaskRecord, TaskSpec, TaskState};
use swarm_database::Db;
use swarm_errors::Code;
use swarm_test_support::database::{Fresh, for_each_database};
use swarm_test_support::eventually;
use swarm_types::{AgentId, Clock, ManualClock, Priority, ScheduleId, TaskId, TenantId, Timestamp};

use crate::rig::{LONG, Options, Rig, echo, script};

/// Leases must outlast every jump of a clock.
const LEASE: Duration = Duration::from_secs(1_000_000_000);
const ALL: CatchUp = CatchUp::All {
    limit: 100,
    max_age_seconds: None,
};

fn start() -> Timestamp {
    DateTime::from_timestamp(1_795_500_000, 0).unwrap()
}

fn after(seconds: i64) -> Timestamp {
    start() + TimeDelta::seconds(seconds)
}

fn every(seconds: u32) -> Definition {
    Definition {
        name: format!("every {seconds}"),
        cadence: Cadence::Every { seconds },
        catch_up: ALL,
        overlap: Overlap::Allow,
        jitter_seconds: 0,
        starts_at: None,
        ends_at: None,
        task: Template {
            spec: TaskSpec {
                kind: "test".into(),
                input: json!({"prompt": "why?"}),
                ..TaskSpec::default()
            },
            priority: Priority::High,
            time_limit_seconds: 2_000_000,
        },
    }
}

/// An executor whose tasks never end by themselves.
fn stuck() -> Arc<dyn Executor> {
    script(|_| async {
        std::future::pending::<()>().await;
        Ok(json!(null))
    })
}

/// Engines on one database, under one clock.
struct House {
    db: Db,
    clock: Arc<ManualClock>,
    tenant: TenantId,
}

impl House {
    fn new(db: &Db) -> Self {
        Self {
            db: db.clone(),
            clock: Arc::new(ManualClock::new(start())),
            tenant: TenantId::new(),
        }
    }

    async fn rig(&self, replica: &'static str, executor: Arc<dyn Executor>) -> Rig {
        Rig::start_with(&self.db, executor, self.options(replica)).await
    }

    fn options(&self, replica: &'static str) -> Options {
        Options {
            replica,
            lease: LEASE,
            clock: self.clock.clone(),
            tenant: self.tenant,
            ..Options::default()
        }
    }

    /// Goes to so many seconds after the start.
    fn go_to(&self, seconds: i64) {
        self.clock.advance(after(seconds) - self.clock.now());
    }

    /// Once all that is due is decided.
    async fn settled(&self, rig: &Rig, id: ScheduleId) -> (ScheduleRecord, Vec<TickRecord>) {
        eventually("the schedule to come to its next tick", LONG, || async {
            let (schedule, ticks) = rig
                .engine
                .schedule_with_ticks(self.tenant, id)
                .await
                .unwrap();
            let is_settled = schedule
                .next_at()
                .is_none_or(|next| next > self.clock.now());
            if is_settled {
                Ok((schedule, ticks))
            } else {
                Err(schedule.next_at())
            }
        })
        .await
    }
}

async fn create(rig: &Rig, definition: Definition) -> ScheduleId {
    let made = rig
        .engine
        .create_schedule(rig.tenant, None, definition, false);
    made.await.unwrap().id
}

async fn tasks(rig: &Rig) -> Vec<TaskRecord> {
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = rig
            .engine
            .list_tasks(rig.tenant, None, None, before, 500)
            .await
            .unwrap();
        before = page.items.last().map(|task| task.id);
        found.extend(page.items);
        if page.next_cursor.is_none() {
            found.reverse();
            return found;
        }
    }
}

/// The moments of the ticks that were decided, oldest first, with what became of them.
fn told(ticks: &[TickRecord]) -> Vec<(i64, Outcome, Option<Skipped>, u32)> {
    let second = |tick: &TickRecord| (tick.tick - start()).num_seconds();
    ticks
        .iter()
        .rev()
        .map(|tick| (second(tick), tick.outcome, tick.reason, tick.count))
        .collect()
}

#[tokio::test]
async fn a_tick_makes_its_task_which_says_where_it_comes_from() {
    for_each_database(&SCHEMA, |db| async move {
        let house = House::new(&db);
        let rig = house.rig("one", echo()).await;
        let id = create(&rig, every(10)).await;
        house.go_to(9);
        house.settled(&rig, id).await;
        assert!(tasks(&rig).await.is_empty(), "nothing before its time");
        house.go_to(11);
        let (schedule, ticks) = house.settled(&rig, id).await;
        assert_eq!(schedule.next_at(), Some(after(20)));
        assert_eq!(told(&ticks), [(10, Outcome::Fired, None, 1)]);
        let task = rig.ended(tick_task_id(id, after(10))).await;
        assert_eq!(task.state, TaskState::Completed);
        assert_eq!((task.priority, task.root), (Priority::High, task.id));
        assert_eq!(task.spec.metadata["schedule_id"], id.to_string());
        assert_eq!(task.spec.metadata["schedule_tick"], "2026-11-24T06:00:10Z");
        assert_eq!(task.deadline, after(11) + TimeDelta::seconds(2_000_000));
        let events = rig.events(task.id).await;
        let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(
            kinds,
            [
                "task.submitted",
                "schedule.fired",
                "task.started",
                "task.completed"
            ]
        );
        assert_eq!(events[1].data["late_ms"], 1_000);
        assert_eq!(events[1].data["name"], "every 10");
        let metrics = rig.registry.encode();
        for sample in [
            "qwen_swarm_schedule_ticks_total{outcome=\"fired\"} 1",
            "qwen_swarm_schedule_lateness_seconds_sum 1.0",
        ] {
            assert!(metrics.contains(sample), "{sample}\n{metrics}");
        }
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_missed_while_nobody_is_there_is_caught_up_as_asked() {
    for_each_database(&SCHEMA, |db| async move {
        let house = House::new(&db);
        let rig = house.rig("one", echo()).await;
        let with = |name: &str, catch_up| Definition {
            name: name.into(),
            catch_up,
            ..every(100)
        };
        let last = CatchUp::Last {
            max_age_seconds: None,
        };
        let two = CatchUp::All {
            limit: 2,
            max_age_seconds: None,
        };
        let mut ids = Vec::new();
        for (name, catch_up) in [
            ("none", CatchUp::None),
            ("last", last),
            ("two", two),
            ("all", ALL),
        ] {
            ids.push(create(&rig, with(name, catch_up)).await);
        }
        rig.crash().await;
        house.go_to(590);
        let rig = house.rig("one", echo()).await;
        let missed = |count| (100, Outcome::Skipped, Some(Skipped::Missed), count);
        let fired = |second| (second, Outcome::Fired, None, 1);
        let expected = [
            vec![missed(5)],
            vec![missed(4), fired(500)],
            vec![missed(3), fired(400), fired(500)],
            (1..=5).map(|number| fired(number * 100)).collect(),
        ];
        for (id, expected) in ids.iter().zip(expected) {
            let (schedule, ticks) = house.settled(&rig, *id).await;
            assert_eq!(told(&ticks), expected, "{}", schedule.definition.name);
            assert_eq!(schedule.next_at(), Some(after(600)));
        }
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_earlier_task_that_runs_is_treated_as_asked() {
    for_each_database(&SCHEMA, |db| async move {
        let house = House::new(&db);
        let rig = house.rig("one", stuck()).await;
        let with = |name: &str, overlap| Definition {
            name: name.into(),
            overlap,
            ..every(10)
        };
        let allow = create(&rig, with("allow", Overlap::Allow)).await;
        let skip = create(&rig, with("skip", Overlap::Skip)).await;
        let cancel = create(&rig, with("cancel", Overlap::CancelPrevious)).await;
        let queue = create(&rig, with("queue", Overlap::Queue)).await;
        for second in [10, 20, 30] {
            house.go_to(second);
            for id in [allow, skip, cancel, queue] {
                house.settled(&rig, id).await;
            }
        }
        let fired = |second| (second, Outcome::Fired, None, 1);
        let skipped = |second| (second, Outcome::Skipped, Some(Skipped::Overlap), 1);
        let waiting = |second| (second, Outcome::Waiting, None, 1);
        let (_, ticks) = house.settled(&rig, allow).await;
        assert_eq!(told(&ticks), [fired(10), fired(20), fired(30)]);
        let (_, ticks) = house.settled(&rig, skip).await;
        assert_eq!(told(&ticks), [fired(10), skipped(20), skipped(30)]);
        let (_, ticks) = house.settled(&rig, cancel).await;
        assert_eq!(told(&ticks), [fired(10), fired(20), fired(30)]);
        for (second, is_cancelled) in [(10, true), (20, true), (30, false)] {
            let task = rig.task(tick_task_id(cancel, after(second))).await;
            assert_eq!(task.state == TaskState::Cancelled, is_cancelled, "{second}");
        }
        let (schedule, ticks) = house.settled(&rig, queue).await;
        assert_eq!(told(&ticks), [fired(10), waiting(20), waiting(30)]);
        assert_eq!(schedule.waiting, 2);
        // One after the other, as each before has ended, with no tick in between.
        for second in [10, 20, 30] {
            let task = tick_task_id(queue, after(second));
            eventually("its turn", LONG, || async {
                rig.engine.task(rig.tenant, task).await.is_ok()
            })
            .await;
            let open = |tasks: &[TaskRecord]| {
                let of_queue = |task: &&TaskRecord| {
                    task.spec.metadata["schedule_id"] == queue.to_string()
                        && !task.state.is_terminal()
                };
                tasks.iter().filter(of_queue).count()
            };
            assert_eq!(open(&tasks(&rig).await), 1);
            rig.engine.cancel(rig.tenant, task, "").await.unwrap();
        }
        let (schedule, ticks) = house.settled(&rig, queue).await;
        assert_eq!(schedule.waiting, 0);
        assert_eq!(told(&ticks), [fired(10), fired(20), fired(30)]);
        rig.crash().await;
    })
    .await;
}

/// Fills queues: tasks that are queued and not to be started for long.
async fn delayed(rig: &Rig, count: usize) -> Vec<TaskId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let late = |spec: &mut TaskSpec| spec.not_before = Some(after(10_000));
        ids.push(rig.submit_as(late).await.id);
    }
    ids
}

#[tokio::test]
async fn a_full_queue_skips_ticks_keeps_those_that_wait_and_is_over_when_there_is_room() {
    for_each_database(&SCHEMA, |db| async move {
        let house = House::new(&db);
        let options = Options {
            max_queued: 2,
            ..house.options("one")
        };
        let rig = Rig::start_with(&db, stuck(), options).await;
        let in_turn = Definition {
            name: "in turn".into(),
            overlap: Overlap::Queue,
            ..every(10)
        };
        let in_turn = create(&rig, in_turn).await;
        for second in [10, 20] {
            house.go_to(second);
            house.settled(&rig, in_turn).await;
        }
        let filled = delayed(&rig, 2).await;
        let each = create(&rig, every(10)).await;
        let fired = |second| (second, Outcome::Fired, None, 1);
        let waiting = |second| (second, Outcome::Waiting, None, 1);
        let refused = |second| (second, Outcome::Skipped, Some(Skipped::QueueFull), 1);
        house.go_to(30);
        let (schedule, ticks) = house.settled(&rig, each).await;
        assert_eq!(told(&ticks), [refused(30)]);
        assert_eq!(schedule.state, ScheduleState::Active);
        let by_hand = rig.engine.run_schedule(rig.tenant, None, each).await;
        assert_eq!(by_hand.unwrap_err().code(), Code::ResourceExhausted);
        house.settled(&rig, in_turn).await;
        // Its turn has come, and there is no room.
        let first = tick_task_id(in_turn, after(10));
        rig.engine.cancel(rig.tenant, first, "").await.unwrap();
        house.go_to(40);
        house.settled(&rig, each).await;
        let (schedule, ticks) = house.settled(&rig, in_turn).await;
        let expected = [fired(10), waiting(20), refused(30), refused(40)];
        assert_eq!(told(&ticks), expected);
        assert_eq!(schedule.waiting, 1);
        for id in filled {
            rig.engine.cancel(rig.tenant, id, "").await.unwrap();
        }
        house.go_to(45);
        let its_turn = tick_task_id(in_turn, after(20));
        eventually("its turn", LONG, || async {
            rig.engine.task(rig.tenant, its_turn).await.map(drop)
        })
        .await;
        rig.reaches(its_turn, TaskState::Running).await;
        house.go_to(50);
        let (_, ticks) = house.settled(&rig, each).await;
        assert_eq!(told(&ticks), [refused(30), refused(40), fired(50)]);
        let (_, ticks) = house.settled(&rig, in_turn).await;
        let expected = [fired(10), fired(20), refused(30), refused(40), waiting(50)];
        assert_eq!(told(&ticks), expected);
        let made = tasks(&rig).await.len();
        assert_eq!(made, 2 + 2 + 1, "two in turn, two that filled, one of each");
        rig.crash().await;
    })
    .await;
}

#[tokio::test]
async fn of_several_due_at_once_only_the_last_replaces_the_task_before() {
    for_each_database(&SCHEMA, |db| async move {
        let house = House::new(&db);
        let rig = house.rig("one", stuck()).await;
        let definition = Definition {
            overlap: Overlap::CancelPrevious,
            ..every(10)
        };
        let id = create(&rig, definition).await;
        house.go_to(10);
        house.settled(&rig, id).await;
        house.go_to(40);
        let (_, ticks) = house.settled(&rig, id).await;
        let superseded = |second| (second, Outcome::Skipped, Some(Skipped::Superseded), 1);
        let fired = |second| (second, Outcome::Fired, None, 1);
        assert_eq!(
            told(&ticks),
            [fired(10), superseded(20), superseded(30), fired(40)]
        );
        let first = rig.task(tick_task_id(id, after(10))).await;
        assert_eq!(first.state, TaskState::Cancelled);
        rig.crash().await;
    })
    .await;
}

#[tokio::test]
async fn a_pause_and_a_clock_that_goes_back_make_nothing_twice() {
    for_each_database(&SCHEMA, |db| async move {
        let house = House::new(&db);
        let rig = house.rig("one", echo()).await;
        let id = create(&rig, every(10)).await;
        house.go_to(30);
        house.settled(&rig, id).await;
        house.go_to(5);
        rig.engine.pause_schedule(rig.tenant, id).await.unwrap();
        let resumed = rig.engine.resume_schedule(rig.tenant, id).await.unwrap();
        assert_eq!(resumed.next_at(), Some(after(40)));
        house.go_to(30);
        house.settled(&rig, id).await;
        assert_eq!(tasks(&rig).await.len(), 3);
        let paused = rig.engine.pause_schedule(rig.tenant, id).await.unwrap();
        assert_eq!(
            (paused.state, paused.next_at()),
            (ScheduleState::Paused, None)
        );
        house.go_to(75);
        let other = create(
            &rig,
            Definition {
                name: "other".into(),
                ..every(1)
            },
        )
        .await;
        house.go_to(76);
        house.settled(&rig, other).await;
        rig.engine.resume_schedule(rig.tenant, id).await.unwrap();
        house.go_to(80);
        let (_, ticks) = house.settled(&rig, id).await;
        let seconds: Vec<i64> = told(&ticks).iter().map(|tick| tick.0).collect();
        assert_eq!(
            seconds,
            [10, 20, 30, 80],
            "what fell into the pause is not made up for"
        );
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_schedule_ends_with_its_last_tick_and_can_be_run_by_hand_all_the_same() {
    for_each_database(&SCHEMA, |db| async move {
        let house = House::new(&db);
        let rig = house.rig("one", echo()).await;
        let definition = Definition {
            starts_at: Some(after(7)),
            ends_at: Some(after(20)),
            ..every(10)
        };
        let id = create(&rig, definition).await;
        house.go_to(100);
        let (schedule, ticks) = house.settled(&rig, id).await;
        assert_eq!(schedule.state, ScheduleState::Ended);
        let fired = |second| (second, Outcome::Fired, None, 1);
        assert_eq!(told(&ticks), [fired(7), fired(17)]);
        let error = rig
            .engine
            .resume_schedule(rig.tenant, id)
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::FailedPrecondition);
        let key = RequestKey {
            key: "k".into(),
            body_hash: Vec::new(),
        };
        let run = || rig.engine.run_schedule(rig.tenant, Some(&key), id);
        let (one, two) = (run().await.unwrap(), run().await.unwrap());
        assert_eq!(one.id, two.id, "a repeat is the same run");
        rig.ended(one.id).await;
        let (_, ticks) = house.settled(&rig, id).await;
        assert_eq!(ticks.len(), 3);
        assert!(told(&ticks).contains(&(100, Outcome::Run, None, 1)));
        rig.engine.delete_schedule(rig.tenant, id).await.unwrap();
        let gone = rig.engine.run_schedule(rig.tenant, None, id).await;
        assert_eq!(gone.unwrap_err().code(), Code::NotFound);
        assert_eq!(tasks(&rig).await.len(), 3, "what it made stays");
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_name_is_taken_once_a_tenant_and_nobody_sees_anothers_schedules() {
    for_each_database(&SCHEMA, |db| async move {
        let house = House::new(&db);
        let rig = house.rig("one", echo()).await;
        let id = create(&rig, every(1_000)).await;
        let again = rig
            .engine
            .create_schedule(rig.tenant, None, every(1_000), false)
            .await
            .unwrap_err();
        assert_eq!(
            (again.code(), again.fields()[0].field.as_str()),
            (Code::Conflict, "name")
        );
        let mut unknown = every(2_000);
        unknown.task.spec.agent_id = Some(AgentId::new());
        let refused = rig
            .engine
            .create_schedule(rig.tenant, None, unknown, false)
            .await
            .unwrap_err();
        assert_eq!(refused.fields()[0].field, "task.agent_id");

        let stranger = TenantId::new();
        let theirs = rig
            .engine
            .create_schedule(stranger, None, every(1_000), true)
            .await
            .unwrap();
        assert_eq!(theirs.state, ScheduleState::Paused);
        let engine = &rig.engine;
        for found in [
            engine.schedule_with_ticks(stranger, id).await.map(drop),
            engine.pause_schedule(stranger, id).await.map(drop),
            engine.resume_schedule(stranger, id).await.map(drop),
            engine.run_schedule(stranger, None, id).await.map(drop),
            engine.delete_schedule(stranger, id).await,
        ] {
            assert_eq!(found.unwrap_err().code(), Code::NotFound);
        }
        let mine = engine
            .list_schedules(rig.tenant, "", None, 10)
            .await
            .unwrap();
        assert_eq!(mine.items.iter().map(|it| it.id).collect::<Vec<_>>(), [id]);
        let named = engine.list_schedules(rig.tenant, "every 2", None, 10).await;
        assert!(named.unwrap().items.is_empty());
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_known_of_ticks_is_bounded_and_never_forgets_a_running_task() {
    for_each_database(&SCHEMA, |db| async move {
        let house = House::new(&db);
        let rig = house.rig("one", stuck()).await;
        let definition = Definition {
            overlap: Overlap::Skip,
            ..every(1)
        };
        let id = create(&rig, definition).await;
        for second in [100, 200, 300] {
            house.go_to(second);
            house.settled(&rig, id).await;
        }
        assert_eq!(
            tasks(&rig).await.len(),
            1,
            "300 ticks, and the first task still runs"
        );
        rig.engine
            .cancel(rig.tenant, tick_task_id(id, after(1)), "")
            .await
            .unwrap();
        house.go_to(301);
        house.settled(&rig, id).await;
        assert_eq!(tasks(&rig).await.len(), 2);
        rig.crash().await;
    })
    .await;
}

/// Three replicas on one PostgreSQL, killed and started again at any point of their work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_tick_makes_one_task_over_replicas_that_are_killed() {
    let fresh = Fresh::postgres().await;
    let db = fresh.open(&SCHEMA).await;
    let house = House::new(&db);
    let mut chance = Chance(0x5eed);
    let mut rigs = Vec::new();
    const NAMES: [&str; 3] = ["one", "two", "three"];
    for name in NAMES {
        rigs.push(house.rig(name, stuck()).await);
    }
    let mut expected: BTreeMap<ScheduleId, Vec<i64>> = BTreeMap::new();
    let (rounds, step) = (40, 10);
    for number in 0..12_u32 {
        let seconds = 1 + number % 3;
        let definition = Definition {
            name: format!("schedule {number}"),
            ..every(seconds)
        };
        let ticks = (1..=rounds * step).filter(|second| second % i64::from(seconds) == 0);
        expected.insert(create(&rigs[0], definition).await, ticks.collect());
    }
    for round in 1..=rounds {
        house.go_to(round * step);
        for _ in 0..chance.below(400) {
            tokio::task::yield_now().await;
        }
        let victim = usize::try_from(chance.below(3)).unwrap();
        rigs.remove(victim).crash().await;
        if chance.below(4) == 0 {
            // Nobody may mistake the past for the present.
            house.clock.advance(TimeDelta::seconds(-7));
        }
        let running: Vec<&str> = rigs.iter().map(Rig::replica).collect();
        let absent = NAMES.into_iter().find(|name| !running.contains(name));
        rigs.push(house.rig(absent.unwrap(), stuck()).await);
        // At most a hundred are caught up at once: nobody may be left that far behind.
        if round % 5 == 0 {
            house.go_to(round * step);
            for id in expected.keys() {
                house.settled(&rigs[0], *id).await;
            }
        }
    }
    let mut made: BTreeMap<ScheduleId, Vec<i64>> = BTreeMap::new();
    for task in tasks(&rigs[0]).await {
        let word = |name: &str| task.spec.metadata[name].clone();
        let tick: Timestamp = word("schedule_tick").parse().unwrap();
        let schedule: ScheduleId = word("schedule_id").parse().unwrap();
        assert_eq!(task.id, tick_task_id(schedule, tick));
        made.entry(schedule)
            .or_default()
            .push((tick - start()).num_seconds());
    }
    assert_eq!(made, expected);
    assert!(made.values().map(Vec::len).sum::<usize>() > 2_000);
    let mut submitted: BTreeMap<TaskId, usize> = BTreeMap::new();
    for event in rigs[0].stored_events().await {
        if event.kind == "schedule.fired" {
            *submitted.entry(event.task).or_default() += 1;
        }
    }
    assert!(submitted.values().all(|times| *times == 1));
    assert_eq!(submitted.len(), made.values().map(Vec::len).sum::<usize>());
    for rig in rigs {
        rig.crash().await;
    }
}

/// The same numbers at every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % bound
    }
}
