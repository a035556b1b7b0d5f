//! Who sees what of the work of the moment.

use std::time::Duration;

use swarm_errors::{Code, Error};
use swarm_identity::{Role, platform_tenant};
use swarm_proto::agents::v1 as wire;
use swarm_test_support::eventually;
use swarm_types::TenantId;

use crate::service::{Service, asking, on_both};

const LONG: Duration = Duration::from_secs(20);

async fn overview(service: &Service, tenant: TenantId, role: Role) -> wire::GetOverviewResponse {
    let request = service
        .issuer
        .request(tenant, &[role], wire::GetOverviewRequest {});
    let answer = service.overviews.clone().get_overview(request).await;
    answer.unwrap().into_inner()
}

#[tokio::test]
async fn a_tenant_sees_its_own_and_the_platform_sees_all() {
    on_both(|service| async move {
        let agent = service.agent("scout").await;
        let spec = wire::TaskSpec {
            agent_id: agent.id.clone(),
            ..asking("wait")
        };
        let task = service.submit(spec).await.unwrap();
        let stranger = TenantId::new();
        // A replica that has only just begun may take it a moment later.
        eventually("the task to be taken", LONG, || async {
            let own = overview(&service, service.tenant, Role::Viewer).await;
            own.activity.is_some_and(|activity| activity.held == 1)
        })
        .await;

        let own = overview(&service, service.tenant, Role::Viewer).await;
        assert!(!own.platform);
        assert_eq!(own.tenants.len(), 1);
        assert_eq!(own.tenants[0].tenant_id, service.tenant.to_string());
        let priorities: Vec<&str> = own.tenants[0]
            .queues
            .iter()
            .map(|queue| queue.priority.as_str())
            .collect();
        assert_eq!(priorities, ["critical", "high", "normal", "low"]);
        assert_eq!(own.activity.unwrap().held, 1);
        assert_eq!(own.agents[0].work[0].task_id, task.id);
        assert_eq!(
            (own.replicas[0].held, own.replicas[0].workers),
            (1, 0),
            "how busy others are is not its business"
        );

        for (tenant, role) in [(stranger, Role::Admin), (platform_tenant(), Role::Operator)] {
            let other = overview(&service, tenant, role).await;
            assert!(!other.platform && other.agents.is_empty());
            assert_eq!(other.tenants.len(), 1);
            assert_eq!(other.tenants[0].tenant_id, tenant.to_string());
            assert_eq!(other.activity.unwrap().held, 0);
            assert_eq!(other.replicas[0].held, 0);
        }

        let all = overview(&service, platform_tenant(), Role::Admin).await;
        assert!(all.platform && all.agents.is_empty());
        let tenants: Vec<&str> = all.tenants.iter().map(|it| it.tenant_id.as_str()).collect();
        assert_eq!(
            tenants,
            [platform_tenant().to_string(), service.tenant.to_string()]
        );
        assert_eq!(all.activity.unwrap().held, 1);
        assert_eq!(all.replicas[0].busy_workers, 1);

        let nobody = service
            .issuer
            .request(service.tenant, &[], wire::GetOverviewRequest {});
        let refused = service.overviews.clone().get_overview(nobody).await;
        assert_eq!(
            Error::from(refused.unwrap_err()).code(),
            Code::PermissionDenied
        );
        let cancel = wire::CancelTaskRequest {
            id: task.id,
            reason: String::new(),
        };
        let mut tasks = service.tasks.clone();
        tasks.cancel_task(service.asks(cancel)).await.unwrap();
        let later = overview(&service, service.tenant, Role::Viewer).await;
        assert_eq!(later.activity.unwrap().stop_latency.unwrap().count, 1);
        assert!(later.agents[0].work.is_empty());
    })
    .await;
}
