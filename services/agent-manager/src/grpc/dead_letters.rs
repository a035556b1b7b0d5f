//! `DeadLetterService`.

use std::sync::Arc;

use swarm_errors::{Error, Result};
use swarm_identity::Permission;
use swarm_proto::agents::v1 as wire;
use swarm_proto::agents::v1::dead_letter_service_server::DeadLetterService;
use swarm_proto::convert::{optional_wire_time, page, parse};
use swarm_transport::authorize;
use tonic::{Request, Response, Status};

use super::{decode, encode};
use crate::engine::{Engine, Purge, PurgeWhich};

const MAX_PURGED: usize = 1_000;

#[derive(Debug)]
pub(super) struct DeadLetters(pub(super) Arc<Engine>);

#[tonic::async_trait]
impl DeadLetterService for DeadLetters {
    async fn list_dead_letters(
        &self,
        request: Request<wire::ListDeadLettersRequest>,
    ) -> Result<Response<wire::ListDeadLettersResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::TasksRead)?;
        let message = request.into_inner();
        let page = page(message.page);
        let before = decode::cursor(&page.cursor)?;
        let kind = decode::word("kind", message.kind)?;
        let found = self
            .0
            .dead_letters(tenant, &kind, before, page.bounded_limit())
            .await?;
        let (tasks, next_cursor) = encode::list(found, encode::task_in_list)?;
        Ok(Response::new(wire::ListDeadLettersResponse {
            tasks,
            next_cursor,
        }))
    }

    async fn purge_dead_letters(
        &self,
        request: Request<wire::PurgeDeadLettersRequest>,
    ) -> Result<Response<wire::PurgeDeadLettersResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::TasksCancel)?;
        let message = request.into_inner();
        let purge = Purge {
            tenant,
            which: which(&message)?,
            request: decode::request_key(message.request)?,
        };
        let purged = self.0.purge(purge).await?;
        Ok(Response::new(wire::PurgeDeadLettersResponse { purged }))
    }
}

fn which(message: &wire::PurgeDeadLettersRequest) -> Result<PurgeWhich> {
    let ids = message.task_ids.as_slice();
    let before = optional_wire_time("before", message.before.as_ref())?;
    if ids.len() > MAX_PURGED {
        let message = format!("must be at most {MAX_PURGED}");
        return Err(Error::invalid("task_ids", message));
    }
    match (ids, before) {
        ([], None) => {
            let message = "is missing: name the tasks, or the moment before which all are purged";
            Err(Error::invalid("task_ids", message))
        }
        ([], Some(before)) => Ok(PurgeWhich::Before(before)),
        (_, Some(_)) => Err(Error::invalid("before", "is for a purge without task_ids")),
        (ids, None) => ids
            .iter()
            .enumerate()
            .map(|(place, id)| parse(&format!("task_ids[{place}]"), id))
            .collect::<Result<_>>()
            .map(PurgeWhich::These),
    }
}
