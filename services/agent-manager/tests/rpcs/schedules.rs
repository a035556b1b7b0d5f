//! `ScheduleService`.

use std::time::Duration;

use swarm_errors::Code;
use swarm_identity::Role;
use swarm_proto::agents::v1 as wire;
use swarm_proto::common::v1::RequestKey;
use swarm_test_support::eventually;
use swarm_types::{ScheduleId, TenantId};

use crate::service::{Service, asking, code_and_field, on_both};

const LONG: Duration = Duration::from_secs(20);

fn every_second() -> wire::Schedule {
    wire::Schedule {
        name: "often".into(),
        every_seconds: 1,
        task: Some(asking("What time is it?")),
        ..wire::Schedule::default()
    }
}

fn creating(schedule: wire::Schedule) -> wire::CreateScheduleRequest {
    wire::CreateScheduleRequest {
        request: Some(RequestKey {
            key: "k".into(),
            body_hash: Vec::new(),
        }),
        schedule: Some(schedule),
        paused: false,
    }
}

async fn shown(service: &Service, id: &str) -> wire::Schedule {
    let message = wire::GetScheduleRequest { id: id.to_owned() };
    let mut schedules = service.schedules.clone();
    let answer = schedules.get_schedule(service.asks(message)).await;
    answer.unwrap().into_inner().schedule.unwrap()
}

#[tokio::test]
async fn a_schedule_ticks_by_itself_until_it_is_paused_and_deleted() {
    on_both(|service| async move {
        let mut schedules = service.schedules.clone();
        let create = || service.asks(creating(every_second()));
        let made = schedules.create_schedule(create()).await.unwrap();
        let made = made.into_inner().schedule.unwrap();
        assert_eq!(made.state(), wire::ScheduleState::Active);
        assert_eq!(made.catch_up.unwrap().policy(), wire::CatchUpPolicy::Last);
        assert_eq!(
            (made.overlap(), made.time_limit_seconds),
            (wire::Overlap::Skip, 86_400)
        );
        let again = schedules.create_schedule(create()).await.unwrap();
        assert_eq!(
            again.into_inner().schedule.unwrap().id,
            made.id,
            "the same request"
        );

        let tick = eventually("two ticks", LONG, || async {
            let ticks = shown(&service, &made.id).await.last_ticks;
            if ticks.len() < 2 {
                return Err(ticks.len());
            }
            Ok(ticks.into_iter().next_back().unwrap())
        })
        .await;
        assert_eq!(tick.outcome(), wire::TickOutcome::Fired);
        let task = service.result(&tick.task_id).await;
        assert_eq!(task.result_json, r#"{"answer":"What time is it?"}"#);
        assert_eq!(task.spec.unwrap().metadata["schedule_id"], made.id);

        let message = wire::PauseScheduleRequest {
            id: made.id.clone(),
        };
        let paused = schedules
            .pause_schedule(service.asks(message))
            .await
            .unwrap();
        let paused = paused.into_inner().schedule.unwrap();
        assert_eq!(
            (paused.state(), paused.next_at),
            (wire::ScheduleState::Paused, None)
        );
        let message = wire::RunScheduleRequest {
            request: None,
            id: made.id.clone(),
        };
        let run = schedules.run_schedule(service.asks(message)).await.unwrap();
        let run = service.result(&run.into_inner().task.unwrap().id).await;
        assert_eq!(run.state(), wire::TaskState::Completed);
        let newest = shown(&service, &made.id).await.last_ticks.remove(0);
        assert_eq!(
            (newest.outcome(), newest.task_id),
            (wire::TickOutcome::Run, run.id)
        );

        let message = wire::ResumeScheduleRequest {
            id: made.id.clone(),
        };
        let resumed = schedules
            .resume_schedule(service.asks(message))
            .await
            .unwrap();
        assert!(resumed.into_inner().schedule.unwrap().next_at.is_some());
        let message = wire::ListSchedulesRequest {
            name: "often".into(),
            page: None,
        };
        let listed = schedules
            .list_schedules(service.asks(message))
            .await
            .unwrap();
        let listed = listed.into_inner().schedules;
        assert_eq!(listed.len(), 1);
        assert!(listed[0].last_ticks.is_empty(), "lists show no ticks");
        let message = wire::DeleteScheduleRequest {
            id: made.id.clone(),
        };
        schedules
            .delete_schedule(service.asks(message))
            .await
            .unwrap();
        let message = wire::GetScheduleRequest { id: made.id };
        let gone = schedules
            .get_schedule(service.asks(message))
            .await
            .unwrap_err();
        assert_eq!(code_and_field(gone).0, Code::NotFound);
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_is_named_and_viewers_only_look() {
    on_both(|service| async move {
        let mut schedules = service.schedules.clone();
        type Change = fn(&mut wire::Schedule);
        let changes: Vec<(&str, Change)> = vec![
            ("name", |it| it.name.clear()),
            ("every_seconds", |it| it.every_seconds = 0),
            ("every_seconds", |it| it.cron = "@hourly".into()),
            ("zone", |it| {
                it.every_seconds = 0;
                it.cron = "@hourly".into();
                it.zone = "Mars/Olympus".into();
            }),
            ("task.input.prompt", |it| it.task = Some(asking(" "))),
            ("jitter_seconds", |it| it.jitter_seconds = 100_000),
        ];
        for (field, change) in changes {
            let mut schedule = every_second();
            change(&mut schedule);
            let refused = schedules.create_schedule(service.asks(creating(schedule)));
            let (code, named) = code_and_field(refused.await.unwrap_err());
            assert_eq!(
                (code, named.as_deref()),
                (Code::InvalidArgument, Some(field))
            );
        }
        let by = |roles: &[Role]| {
            service
                .issuer
                .request(service.tenant, roles, creating(every_second()))
        };
        let refused = schedules
            .create_schedule(by(&[Role::Viewer]))
            .await
            .unwrap_err();
        assert_eq!(code_and_field(refused).0, Code::PermissionDenied);
        let id = ScheduleId::new().to_string();
        let message = wire::GetScheduleRequest { id };
        let stranger = service
            .issuer
            .request(TenantId::new(), &[Role::Viewer], message);
        let unknown = schedules.get_schedule(stranger).await.unwrap_err();
        assert_eq!(code_and_field(unknown).0, Code::NotFound);
    })
    .await;
}
