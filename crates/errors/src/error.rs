//! The error that crosses every boundary of ours.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Code;

/// The result of whatever can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The path of the field, such as `retry.max_attempts`.
    pub field: String,
    /// What is wrong, in words that follow the field's name.
    pub message: String,
}

/// A failure with its code, words for the caller, and the cause for the log.
pub struct Error(Box<Inner>);

struct Inner {
    code: Code,
    detail: String,
    fields: Vec<FieldError>,
    retry_after: Option<Duration>,
    had_no_effect: bool,
    source: Option<Source>,
}

impl Error {
    /// An error of this code, with words for the caller.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            detail: detail.into(),
            fields: Vec::new(),
            retry_after: None,
            had_no_effect: false,
            source: None,
        }))
    }

    /// A request whose `field` is wrong.
    #[must_use]
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        let (field, message) = (field.into(), message.into());
        Self::new(Code::InvalidArgument, format!("{field}: {message}")).with_field(field, message)
    }

    /// Nothing of this kind has this id, or it belongs to another tenant.
    #[must_use]
    pub fn not_found(kind: &str, id: impl fmt::Display) -> Self {
        Self::new(Code::NotFound, format!("there is no {kind} {id}"))
    }

    /// Something that we need cannot be reached.
    #[must_use]
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(Code::Unavailable, detail)
    }

    /// A fault of ours: the cause goes to the log, not to the caller.
    #[must_use]
    pub fn internal(source: impl Into<Source>) -> Self {
        Self::new(
            Code::Internal,
            "an unexpected fault; the log has it under the request id",
        )
        .with_source(source)
    }

    /// Names one more field that is wrong.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.0.fields.push(FieldError {
            field: field.into(),
            message: message.into(),
        });
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// Says that nothing was done: it failed before anything was sent.
    #[must_use]
    pub fn without_effect(mut self) -> Self {
        self.0.had_no_effect = true;
        self
    }

    /// Keeps the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Says within which field the named fields are, such as one item of a list: `tasks[3]`.
    #[must_use]
    pub fn within(mut self, field: impl fmt::Display) -> Self {
        let joint = if self.0.fields.is_empty() { ": " } else { "." };
        self.0.detail = format!("{field}{joint}{}", self.0.detail);
        for error in &mut self.0.fields {
            error.field = format!("{field}.{}", error.field);
        }
        self
    }

    /// Puts words before the detail, as an error passes a boundary.
    #[must_use]
    pub fn context(mut self, words: impl fmt::Display) -> Self {
        self.0.detail = format!("{words}: {}", self.0.detail);
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Words for the caller.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The fields that are wrong.
    #[must_use]
    pub fn fields(&self) -> &[FieldError] {
        &self.0.fields
    }

    /// When to try again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether it is certain that nothing was done. Where it is not, nobody knows: look.
    #[must_use]
    pub fn had_no_effect(&self) -> bool {
        self.0.had_no_effect
    }

    /// The same for another caller who waits for it; the cause stays with the first.
    #[must_use]
    pub fn for_another(&self) -> Self {
        Self(Box::new(Inner {
            code: self.0.code,
            detail: self.0.detail.clone(),
            fields: self.0.fields.clone(),
            retry_after: self.0.retry_after,
            had_no_effect: self.0.had_no_effect,
            source: None,
        }))
    }

    /// The whole chain of causes on one line, for the log.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            text.push_str(&format!(": {cause}"));
            next = cause.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.detail)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chain())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}
