//! A thread that is started at the first job, and again where it ended.

use std::fmt;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};

use swarm_errors::{Error, Result};

type Body<J> = Arc<dyn Fn(&Receiver<J>) + Send + Sync>;

/// A thread with its jobs. It ends with its owner, or when loading fails; the next job starts it again.
pub(super) struct Worker<J> {
    name: &'static str,
    body: Body<J>,
    jobs: Mutex<Option<Sender<J>>>,
}

impl<J: Send + 'static> Worker<J> {
    pub(super) fn new(
        name: &'static str,
        body: impl Fn(&Receiver<J>) + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            body: Arc::new(body),
            jobs: Mutex::new(None),
        }
    }

    pub(super) fn send(&self, mut job: J) -> Result<()> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = jobs.as_ref() {
            match running.send(job) {
                Ok(()) => return Ok(()),
                Err(returned) => job = returned.0,
            }
        }
        let (sender, receiver) = mpsc::channel();
        let body = self.body.clone();
        std::thread::Builder::new()
            .name(self.name.to_owned())
            .spawn(move || body(&receiver))
            .map_err(Error::internal)?;
        sender
            .send(job)
            .map_err(|_| Error::unavailable("the local model's thread ended"))?;
        *jobs = Some(sender);
        Ok(())
    }
}

impl<J> fmt::Debug for Worker<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
