//! How a process ended.

use std::process::ExitCode;

/// A named task that failed, or ended when it should have run on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The task.
    pub task: &'static str,
    /// What happened to it.
    pub reason: String,
}

/// How a process ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExitStatus {
    /// Tasks that failed, the first one first.
    pub failures: Vec<Failure>,
    /// Tasks that did not even end at the hard stop and were aborted.
    pub aborted: Vec<&'static str>,
}

impl ExitStatus {
    /// Whether everything ended as it should.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.failures.is_empty() && self.aborted.is_empty()
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        if status.is_clean() {
            Self::SUCCESS
        } else {
            Self::FAILURE
        }
    }
}
