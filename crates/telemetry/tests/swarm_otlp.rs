//! Spans reach a real OTLP receiver. One test: `init` is for the whole process. The file's name
//! begins as our crates' names do, since only their spans are traced.
#![allow(clippy::unwrap_used)]

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use swarm_telemetry::{TelemetryConfig, init, propagate};
use tokio::sync::mpsc::UnboundedSender;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

struct Receiver(UnboundedSender<ResourceSpans>);

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for spans in request.into_inner().resource_spans {
            self.0.send(spans).unwrap();
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

async fn request() -> String {
    let server = tracing::info_span!(
        "server",
        otel.name = "POST /tasks",
        otel.kind = "server",
        service.component = "gateway"
    );
    let traceparent = propagate::traceparent_of(&server).unwrap();
    server.in_scope(|| {
        tracing::info_span!(target: "h2::codec", "poll")
            .in_scope(|| drop(tracing::info_span!("store", password = "hunter2")));
        drop(tracing::debug_span!("detail"));
    });
    traceparent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_of_ours_arrive_before_the_process_ends() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = TelemetryConfig {
        otlp_endpoint: format!("http://{}", listener.local_addr().unwrap()),
        ..TelemetryConfig::default()
    };
    let (sender, mut received) = tokio::sync::mpsc::unbounded_channel();
    let collector = tonic::transport::Server::builder()
        .add_service(TraceServiceServer::new(Receiver(sender)))
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(collector);

    let guard = init(&config, "qwen-swarm").unwrap();
    assert!(
        init(&config, "qwen-swarm").is_err(),
        "a second set-up must be refused"
    );
    let traceparent = request().await;
    assert!(traceparent.ends_with("-01"), "it is sampled: {traceparent}");
    guard.shutdown().await;

    let batch = received.try_recv().unwrap();
    let resource = batch.resource.unwrap();
    assert!(
        format!("{resource:?}").contains("qwen-swarm"),
        "{resource:?}"
    );
    let spans: Vec<_> = batch
        .scope_spans
        .into_iter()
        .flat_map(|scope| scope.spans)
        .collect();
    let names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["store", "POST /tasks"]);
    assert_eq!(spans[0].parent_span_id, spans[1].span_id);
    assert_eq!(spans[0].trace_id, spans[1].trace_id);
    let text = format!("{spans:?}");
    assert!(
        text.contains("service.component") && !text.contains("hunter2"),
        "{text}"
    );
}
