//! Log lines: JSON for machines, pretty for people, without secrets in either.

use std::fmt::{self, Write as _};
use std::io::Write as _;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::{LookupSpan, Scope};

use crate::fields::{Kept, write_chain};
use crate::{ids, propagate, redact};

/// How a line looks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    /// For people; in colour or not.
    Pretty { colours: bool },
    /// One JSON object.
    Json,
}

/// Writes events as lines.
#[derive(Debug)]
pub(crate) struct Lines<W> {
    /// Who speaks.
    pub(crate) service: &'static str,
    /// How a line looks.
    pub(crate) style: Style,
    /// Where lines go.
    pub(crate) writer: W,
}

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut kept = Kept::with_capacity(attributes.metadata().fields().len());
            attributes.record(&mut kept);
            span.extensions_mut().insert(kept);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(kept) = span.extensions_mut().get_mut::<Kept>()
        {
            values.record(kept);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let line = Line::of(event, &context);
        let mut text = String::new();
        let written = match self.style {
            Style::Json => line.json(self.service, &mut text),
            Style::Pretty { colours } => line.pretty(colours, &mut text),
        };
        if written.is_ok() {
            // Who cannot write the log has nobody left to tell.
            let mut writer = self.writer.make_writer_for(event.metadata());
            let _ = writer.write_all(text.as_bytes());
        }
    }
}

struct Line {
    time: String,
    level: Level,
    target: String,
    message: String,
    own: Map<String, Value>,
    spans: Map<String, Value>,
    ids: Option<(String, String)>,
}

impl Line {
    fn of<S>(event: &Event<'_>, context: &Context<'_, S>) -> Self
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let mut own = Fields::default();
        event.record(&mut own);
        let target = match own.0.remove("log.target") {
            Some(Value::String(target)) => target,
            _ => event.metadata().target().to_owned(),
        };
        let message = match own.0.remove("message") {
            Some(Value::String(message)) => message,
            _ => String::new(),
        };
        own.0.retain(|name, _| !name.starts_with("log."));
        Self {
            time: now(),
            level: *event.metadata().level(),
            target,
            message,
            own: own.0,
            spans: span_fields(event, context),
            ids: trace_ids(event, context),
        }
    }

    /// Fields of the event win over those of its spans, and ours over both.
    fn json(self, service: &'static str, text: &mut String) -> fmt::Result {
        let mut object = self.spans;
        object.extend(self.own);
        if let Some((trace_id, span_id)) = self.ids {
            object.insert("trace_id".into(), trace_id.into());
            object.insert("span_id".into(), span_id.into());
        }
        object.insert("timestamp".into(), self.time.into());
        object.insert("level".into(), self.level.as_str().to_lowercase().into());
        object.insert("service".into(), service.into());
        object.insert("target".into(), self.target.into());
        object.insert("message".into(), self.message.into());
        writeln!(text, "{}", Value::Object(object))
    }

    fn pretty(self, colours: bool, text: &mut String) -> fmt::Result {
        let (colour, dim, plain) = if colours {
            (colour(self.level), "\x1b[2m", "\x1b[0m")
        } else {
            ("", "", "")
        };
        let clock = self.time.get(11..23).unwrap_or(&self.time);
        write!(
            text,
            "{dim}{clock}{plain} {colour}{:>5}{plain} {dim}{}:{plain} {}",
            self.level, self.target, self.message
        )?;
        for (name, value) in &self.own {
            write!(text, " {dim}{name}={plain}{}", Plain(value))?;
        }
        for (name, value) in self
            .spans
            .iter()
            .filter(|(name, _)| !self.own.contains_key(*name))
        {
            write!(text, " {dim}{name}={}{plain}", Plain(value))?;
        }
        if let Some((trace_id, _)) = &self.ids {
            write!(text, " {dim}trace_id={trace_id}{plain}")?;
        }
        writeln!(text)
    }
}

/// Text without quotes where it is one word.
struct Plain<'a>(&'a Value);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::String(text)
                if !text.is_empty()
                    && !text.contains(|c: char| c.is_whitespace() || c.is_control()) =>
            {
                f.write_str(text)
            }
            other => write!(f, "{other}"),
        }
    }
}

fn colour(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        _ => "\x1b[34m",
    }
}

fn now() -> String {
    let mut text = String::with_capacity(27);
    if SystemTime.format_time(&mut Writer::new(&mut text)).is_err() {
        text.clear();
    }
    text
}

/// The fields of all spans around the event; inner spans win.
fn span_fields<S>(event: &Event<'_>, context: &Context<'_, S>) -> Map<String, Value>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let mut fields = Map::new();
    let spans = context.event_scope(event).into_iter();
    for span in spans.flat_map(Scope::from_root) {
        if let Some(kept) = span.extensions().get::<Kept>() {
            kept.put_into(&mut fields);
        }
    }
    fields
}

/// The ids of the trace and the span around the event.
fn trace_ids<S>(event: &Event<'_>, context: &Context<'_, S>) -> Option<(String, String)>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let own = context
        .event_span(event)
        .and_then(|span| ids::around(&span));
    let span = own.or_else(propagate::exported)?;
    Some((span.trace_id().to_string(), span.span_id().to_string()))
}

/// Collects fields, without secrets.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        let value = if redact::is_secret(field.name()) {
            redact::REDACTED.into()
        } else {
            value.into()
        };
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, redact::value(field.name(), value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = String::new();
        write_chain(&mut text, value);
        self.record_str(field, &text);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io;
    use std::sync::{Arc, Mutex};

    use swarm_config::Secret;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::ids::Ids;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(style: Style, work: impl FnOnce()) -> String {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let lines = Lines {
            service: "test",
            style,
            writer: move || writer.clone(),
        };
        let subscriber = tracing_subscriber::registry().with(Ids).with(lines);
        tracing::subscriber::with_default(subscriber, work);
        String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap()
    }

    fn speak() {
        let outer = tracing::info_span!(
            "request",
            request_id = "r1",
            otel.kind = "server",
            status = tracing::field::Empty
        );
        outer.in_scope(|| {
            outer.record("status", 200);
            let inner = tracing::info_span!("step", step.id = "s1", request_id = "r2");
            inner.in_scope(|| tracing::info!(task.id = "t1", count = 3, "task was \"done\""));
        });
    }

    #[test]
    fn a_json_line_has_the_ids_and_the_fields_of_its_spans() {
        let text = logged(Style::Json, speak);
        let line: Value = serde_json::from_str(&text).unwrap();
        for (name, value) in [
            ("level", Value::from("info")),
            ("service", "test".into()),
            ("message", "task was \"done\"".into()),
            ("target", "swarm_telemetry::log::tests".into()),
            ("task.id", "t1".into()),
            ("count", 3.into()),
            ("step.id", "s1".into()),
            ("request_id", "r2".into()),
            ("status", 200.into()),
        ] {
            assert_eq!(line[name], value, "{text}");
        }
        assert_eq!(line["trace_id"].as_str().unwrap().len(), 32);
        assert_eq!(line["span_id"].as_str().unwrap().len(), 16);
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
        assert!(line.get("otel.kind").is_none());
    }

    #[test]
    fn a_pretty_line_is_readable() {
        let text = logged(Style::Pretty { colours: false }, speak);
        let (head, tail) = text.split_once(" trace_id=").unwrap();
        assert_eq!(
            head.split_once(' ').unwrap().1,
            " INFO swarm_telemetry::log::tests: task was \"done\" count=3 task.id=t1 request_id=r2 status=200 step.id=s1"
        );
        assert_eq!(tail.trim_end().len(), 32);
    }

    #[test]
    fn a_line_without_a_span_has_no_trace() {
        let text = logged(Style::Json, || tracing::warn!("alone"));
        let line: Value = serde_json::from_str(&text).unwrap();
        assert!(line.get("trace_id").is_none());
    }

    #[test]
    fn secrets_are_never_logged() {
        for style in [Style::Json, Style::Pretty { colours: false }] {
            let text = logged(style, || {
                let key = Secret::new("hunter2");
                let span = tracing::info_span!("login", password = "hunter2");
                span.in_scope(|| {
                    tracing::info!(
                        ?key,
                        api_key = "hunter2",
                        "connecting to postgres://u:hunter2@db/x"
                    );
                });
            });
            assert!(!text.contains("hunter2"), "{text}");
            assert!(
                text.contains("connecting") && text.contains("[redacted]"),
                "{text}"
            );
        }
    }

    #[test]
    fn an_error_shows_its_causes() {
        let text = logged(Style::Json, || {
            let error = swarm_errors::Error::unavailable("the database")
                .with_source(io::Error::other("refused"));
            tracing::error!(
                error = &error as &(dyn std::error::Error + 'static),
                "failed"
            );
        });
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["error"], "unavailable: the database: refused");
    }
}
