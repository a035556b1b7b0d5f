//! The gRPC door: decodes, authorizes, calls the service, encodes.

mod decode;
mod encode;

use swarm_identity::Permission;
use swarm_proto::convert::{page, parse};
use swarm_proto::memory::v1 as wire;
use swarm_proto::memory::v1::memory_service_server::MemoryService;
use swarm_transport::authorize;
use tonic::{Request, Response, Status};

use crate::Memories;

/// The service `swarm.memory.v1.MemoryService`.
#[derive(Debug, Clone)]
pub(crate) struct MemoryGrpc {
    memories: Memories,
}

impl MemoryGrpc {
    pub(crate) fn new(memories: Memories) -> Self {
        Self { memories }
    }
}

#[tonic::async_trait]
impl MemoryService for MemoryGrpc {
    async fn put_memories(
        &self,
        request: Request<wire::PutMemoriesRequest>,
    ) -> Result<Response<wire::PutMemoriesResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::MemoriesWrite)?;
        let message = request.into_inner();
        let drafts = decode::drafts(message.memories)?;
        let repeat = message.request.map(decode::repeat);
        let answer = self.memories.put(tenant, &drafts, repeat.as_ref()).await?;
        Ok(Response::new(encode::put_answer(answer)?))
    }

    async fn get_memory(
        &self,
        request: Request<wire::GetMemoryRequest>,
    ) -> Result<Response<wire::GetMemoryResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::MemoriesRead)?;
        let memory = self
            .memories
            .get(tenant, parse("id", &request.get_ref().id)?)
            .await?;
        Ok(Response::new(wire::GetMemoryResponse {
            memory: Some(encode::memory(memory)?),
        }))
    }

    async fn list_memories(
        &self,
        request: Request<wire::ListMemoriesRequest>,
    ) -> Result<Response<wire::ListMemoriesResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::MemoriesRead)?;
        let message = request.into_inner();
        let listed = self
            .memories
            .list(tenant, &message.namespace, &page(message.page))
            .await?;
        let memories = listed
            .items
            .into_iter()
            .map(encode::memory)
            .collect::<Result<_, _>>()?;
        Ok(Response::new(wire::ListMemoriesResponse {
            memories,
            next_cursor: listed.next_cursor.unwrap_or_default(),
        }))
    }

    async fn delete_memory(
        &self,
        request: Request<wire::DeleteMemoryRequest>,
    ) -> Result<Response<wire::DeleteMemoryResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::MemoriesWrite)?;
        self.memories
            .delete(tenant, parse("id", &request.get_ref().id)?)
            .await?;
        Ok(Response::new(wire::DeleteMemoryResponse {}))
    }

    async fn search_memories(
        &self,
        request: Request<wire::SearchMemoriesRequest>,
    ) -> Result<Response<wire::SearchMemoriesResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::MemoriesRead)?;
        let question = decode::question(request.into_inner())?;
        let hits = self.memories.search(tenant, &question).await?;
        let hits = hits
            .into_iter()
            .map(encode::hit)
            .collect::<Result<_, _>>()?;
        Ok(Response::new(wire::SearchMemoriesResponse { hits }))
    }
}
