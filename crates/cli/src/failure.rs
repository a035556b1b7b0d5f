//! How a command fails: its exit code and the line that says why. Pure.

use std::fmt;
use std::io;

use swarm_errors::{Code, Error};

/// The exit code after Ctrl-C, as shells have it.
pub const EXIT_INTERRUPTED: u8 = 130;

const EXIT_REFUSED: u8 = 1;
const EXIT_USAGE: u8 = 2;
const EXIT_UNREACHED: u8 = 3;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub enum Failure {
    /// The server, or a file, said no.
    Refused(Error),
    /// The command line or a file that it names is wrong.
    Usage(Error),
    /// Nobody answered.
    Unreached {
        /// Where.
        server: String,
        /// What happened there.
        error: Error,
    },
    /// A task did not complete, or one of several was refused; why was shown.
    Task,
    /// Ctrl-C; what to do next was shown.
    Interrupted,
    /// What was to be shown could not be written.
    Output(io::Error),
}

impl Failure {
    /// The failure of a call to `server`.
    #[must_use]
    pub fn of_call(error: Error, server: &str) -> Self {
        let is_lost = matches!(error.code(), Code::Unavailable | Code::DeadlineExceeded);
        // An answer of 503 has no cause on this side; a connection that failed has one.
        if is_lost && std::error::Error::source(&error).is_some() {
            Self::Unreached {
                server: server.to_owned(),
                error,
            }
        } else {
            Self::Refused(error)
        }
    }

    /// A command line that cannot be followed.
    #[must_use]
    pub fn usage(field: &str, message: impl Into<String>) -> Self {
        Self::Usage(Error::invalid(field, message))
    }

    /// The exit code: 0 done, 1 refused or failed, 2 usage, 3 nobody there, 130 interrupted.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(_) | Self::Task => EXIT_REFUSED,
            Self::Usage(_) => EXIT_USAGE,
            Self::Unreached { .. } => EXIT_UNREACHED,
            Self::Interrupted => EXIT_INTERRUPTED,
            // Whoever closes the pipe has seen enough.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Output(_) => EXIT_REFUSED,
        }
    }

    /// The line for people; none where everything was said.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        match self {
            Self::Refused(error) => Some(format!("{}{}", told(error), hint(error))),
            Self::Usage(error) => Some(told(error)),
            Self::Unreached { server, error } => Some(unreached(server, error)),
            Self::Task | Self::Interrupted => None,
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => None,
            Self::Output(error) => Some(format!("the result cannot be written: {error}")),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().unwrap_or_default())
    }
}

impl std::error::Error for Failure {}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// The detail with every field that it does not name itself.
fn told(error: &Error) -> String {
    let mut words = error.detail().replace('\n', " ");
    for field in error.fields() {
        if !words.contains(&field.field) {
            words.push_str(&format!("; {}: {}", field.field, field.message));
        }
    }
    words
}

fn hint(error: &Error) -> String {
    let when = error
        .retry_after()
        .map(|after| format!("; try again in {} s", after.as_secs_f64().ceil()));
    let who = match error.code() {
        Code::Unauthenticated => {
            "; say who you are with --api-key, --token, or --data and the folder whose admin-credential is still there"
        }
        _ => "",
    };
    when.unwrap_or_else(|| who.to_owned())
}

fn unreached(server: &str, error: &Error) -> String {
    let detail = error.detail();
    let detail = detail
        .strip_prefix(server)
        .unwrap_or(detail)
        .trim_start_matches(['/', ':', ' ']);
    format!(
        "cannot reach {server}: {detail}; `swarm up` starts a server there, and --server or QWEN_SWARM_SERVER names another one"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_its_exit_code() {
        let lost = || {
            Error::unavailable("http://h:1/: the server cannot be reached").with_source("refused")
        };
        for (failure, code) in [
            (
                Failure::of_call(
                    Error::invalid("input.prompt", "must not be empty"),
                    "http://h:1",
                ),
                1,
            ),
            (
                Failure::of_call(Error::unavailable("memory is away"), "http://h:1"),
                1,
            ),
            (Failure::usage("--file", "cannot be read"), 2),
            (Failure::of_call(lost(), "http://h:1"), 3),
            (Failure::Task, 1),
            (Failure::Interrupted, 130),
            (Failure::Output(io::ErrorKind::BrokenPipe.into()), 0),
            (Failure::Output(io::ErrorKind::StorageFull.into()), 1),
        ] {
            assert_eq!(failure.exit_code(), code, "{failure}");
        }
    }

    #[test]
    fn the_line_names_address_setting_and_field() {
        let lost =
            Error::unavailable("http://h:1/: the server cannot be reached").with_source("refused");
        let words = Failure::of_call(lost, "http://h:1").to_string();
        assert!(
            words.starts_with("cannot reach http://h:1: the server cannot be reached;"),
            "{words}"
        );
        assert!(
            words.contains("--server") && words.contains("QWEN_SWARM_SERVER"),
            "{words}"
        );

        let wrong =
            Error::invalid("input.prompt", "must not be empty").with_field("kind", "is missing");
        assert_eq!(
            Failure::Refused(wrong).to_string(),
            "input.prompt: must not be empty; kind: is missing"
        );
        let unknown = Error::new(Code::Unauthenticated, "the token has ended");
        assert!(Failure::Refused(unknown).to_string().contains("--api-key"));
        let full = Error::new(Code::ResourceExhausted, "1,000 tasks are queued")
            .with_retry_after(std::time::Duration::from_millis(2500));
        assert_eq!(
            Failure::Refused(full).to_string(),
            "1,000 tasks are queued; try again in 3 s"
        );
    }
}
