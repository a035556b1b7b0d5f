//! A thread that is started at the first job, and again where it ended.

use std::fmt;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{Builder, JoinHandle};

use swarm_errors::{Error, Result};

type Body<J> = Arc<dyn Fn(&Receiver<J>) + Send + Sync>;
type Jobs<J> = Mutex<Option<Sender<J>>>;

/// A thread with its jobs. It ends when loading fails, and the next job starts it again. Its owner
/// waits for its end: a model that still computes while the process leaves reads what the process
/// has already taken away.
pub(super) struct Worker<J> {
    name: &'static str,
    body: Body<J>,
    jobs: Arc<Jobs<J>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl<J: Send + 'static> Worker<J> {
    pub(super) fn new(
        name: &'static str,
        body: impl Fn(&Receiver<J>) + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            body: Arc::new(body),
            jobs: Arc::default(),
            thread: Mutex::default(),
        }
    }

    pub(super) fn send(&self, mut job: J) -> Result<()> {
        let mut jobs = lock(&self.jobs);
        if let Some(running) = jobs.as_ref() {
            match running.send(job) {
                Ok(()) => return Ok(()),
                Err(returned) => job = returned.0,
            }
        }
        let (sender, receiver) = mpsc::channel();
        let (body, owner) = (self.body.clone(), Arc::downgrade(&self.jobs));
        let thread = Builder::new()
            .name(self.name.to_owned())
            .spawn(move || serve(&body, &receiver, &owner))
            .map_err(Error::internal)?;
        // The one before has had its last look at the jobs.
        *lock(&self.thread) = Some(thread);
        sender
            .send(job)
            .map_err(|_| Error::unavailable("the local model's thread ended"))?;
        *jobs = Some(sender);
        Ok(())
    }
}

/// Runs the body, and once more for a job that came while it ended: none is accepted and forgotten.
fn serve<J>(body: &Body<J>, receiver: &Receiver<J>, owner: &Weak<Jobs<J>>) {
    loop {
        body(receiver);
        let Some(owner) = owner.upgrade() else { return };
        let mut jobs = lock(&owner);
        match (receiver.try_recv(), jobs.as_ref()) {
            // Nobody can send meanwhile, so it keeps its place; the other end is ours.
            (Ok(job), Some(sender)) => drop(sender.send(job)),
            _ => {
                *jobs = None;
                return;
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<J> Drop for Worker<J> {
    fn drop(&mut self) {
        // Without a sender it ends after the job that it is at.
        *lock(&self.jobs) = None;
        if let Some(thread) = lock(&self.thread).take() {
            // One that has panicked has ended, too.
            thread.join().ok();
        }
    }
}

impl<J> fmt::Debug for Worker<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_job_that_comes_while_the_thread_ends_is_done() {
        let (done, results) = mpsc::channel();
        // As when loading fails: each run answers what is there, and ends.
        let worker = Worker::new("test", move |jobs: &Receiver<u32>| {
            while let Ok(job) = jobs.try_recv() {
                done.send(job).unwrap();
            }
        });
        for job in 0..10_000 {
            worker.send(job).unwrap();
        }
        let mut seen: Vec<u32> = (0..10_000).map(|_| results.recv().unwrap()).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..10_000).collect::<Vec<_>>());
    }

    #[test]
    fn the_thread_has_ended_when_its_owner_is_gone() {
        let (ended, end) = mpsc::channel();
        let worker = Worker::new("test", move |jobs: &Receiver<u32>| {
            while jobs.recv().is_ok() {}
            for _ in 0..10_000 {
                std::thread::yield_now();
            }
            ended.send(()).unwrap();
        });
        worker.send(1).unwrap();
        drop(worker);
        end.try_recv().unwrap();
    }
}
