//! The fields of a span, kept until a line is written: most spans never see one.

use std::fmt::{self, Write as _};
use std::ops::Range;

use serde_json::{Map, Number, Value};
use tracing::field::{Field, Visit};

use crate::redact;

/// The fields of a span, in the order they were recorded. What OpenTelemetry alone reads is not kept.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    fields: Vec<(&'static str, Content)>,
    /// All texts, one behind the other.
    texts: String,
}

#[derive(Debug)]
enum Content {
    Text(Range<usize>),
    Number(Number),
    Flag(bool),
    /// A number that JSON does not know.
    Nothing,
}

impl Kept {
    /// Room for this many fields.
    pub(crate) fn with_capacity(fields: usize) -> Self {
        Self {
            fields: Vec::with_capacity(fields),
            texts: String::with_capacity(fields * 16),
        }
    }

    /// Adds the fields, without secrets; what was recorded later wins.
    pub(crate) fn put_into(&self, map: &mut Map<String, Value>) {
        for (name, content) in &self.fields {
            let value = match content {
                _ if redact::is_secret(name) => redact::REDACTED.into(),
                Content::Text(range) => redact::text(&self.texts[range.clone()]).into(),
                Content::Number(number) => Value::Number(number.clone()),
                Content::Flag(flag) => Value::Bool(*flag),
                Content::Nothing => Value::Null,
            };
            map.insert((*name).to_owned(), value);
        }
    }

    fn keep(&mut self, field: &Field, content: Content) {
        if is_kept(field) {
            self.fields.push((field.name(), content));
        }
    }

    fn keep_text(&mut self, field: &Field, write: impl FnOnce(&mut String)) {
        if is_kept(field) {
            let start = self.texts.len();
            write(&mut self.texts);
            let content = Content::Text(start..self.texts.len());
            self.fields.push((field.name(), content));
        }
    }
}

fn is_kept(field: &Field) -> bool {
    !field.name().starts_with("otel.")
}

impl Visit for Kept {
    fn record_f64(&mut self, field: &Field, value: f64) {
        let content = Number::from_f64(value).map_or(Content::Nothing, Content::Number);
        self.keep(field, content);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.keep(field, Content::Number(value.into()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.keep(field, Content::Number(value.into()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.keep(field, Content::Flag(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.keep_text(field, |texts| texts.push_str(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.keep_text(field, |texts| write_chain(texts, value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.keep_text(field, |texts| {
            let _ = write!(texts, "{value:?}");
        });
    }
}

/// An error with all its causes.
pub(crate) fn write_chain(text: &mut String, error: &(dyn std::error::Error + 'static)) {
    let mut next = Some(error);
    let mut mark = "";
    while let Some(cause) = next {
        let _ = write!(text, "{mark}{cause}");
        (mark, next) = (": ", cause.source());
    }
}
