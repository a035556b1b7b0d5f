//! Ends proposals at their deadline. The timer only proposes; the entry in the log ends them.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures::StreamExt;
use swarm_errors::Result;
use swarm_runtime::CancellationToken;
use swarm_types::{Clock, ProposalId, TenantId, Timestamp};

use crate::raft::Group;
use crate::voting::{Close, Command, Leadership};

/// How often to look whether this node leads, and at a clock that may be set.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
/// Proposals that are ended at once.
const AT_ONCE: usize = 64;

/// Watches the deadlines while this node leads.
#[derive(Debug)]
pub(crate) struct Deadlines {
    pub(crate) group: Group,
    pub(crate) clock: Arc<dyn Clock>,
    /// The least time that proposals from before this leader stay open.
    pub(crate) grace: TimeDelta,
}

/// What is to be done now, and how long there is nothing to do.
struct Look {
    ended: Vec<(TenantId, ProposalId)>,
    pause: Duration,
}

impl Deadlines {
    /// Runs until `soft` is cancelled.
    pub(crate) async fn run(self, soft: CancellationToken) -> Result<()> {
        let mut leading: Option<(u64, Leadership)> = None;
        loop {
            let term = self.group.leads_in();
            if leading.map(|(term, _)| term) != term {
                leading = term.map(|term| (term, self.group.leadership(self.clock.now())));
            }
            let pause = match leading {
                Some((_, leadership)) => {
                    let look = self.look(leadership);
                    self.end(look.ended).await;
                    look.pause
                }
                None => LOOK_EVERY,
            };
            tokio::select! {
                () = soft.cancelled() => return Ok(()),
                () = tokio::time::sleep(pause) => {}
                () = self.group.opened() => {}
            }
        }
    }

    fn look(&self, leadership: Leadership) -> Look {
        let now = self.clock.now();
        self.group.peek(|register| {
            let (mut ended, mut next) = (Vec::new(), None::<Timestamp>);
            for (deadline, tenant, proposal) in register.due() {
                let end = leadership.ends_at(deadline, proposal.log_index, self.grace);
                if end <= now {
                    ended.push((tenant, proposal.id));
                } else {
                    next = Some(next.map_or(end, |next| next.min(end)));
                }
                // They are in the order of their deadlines, and grace only adds.
                if deadline > now {
                    break;
                }
            }
            let pause = next.map_or(LOOK_EVERY, |next| {
                let wait = (next - now).to_std().unwrap_or(SHORTEST_PAUSE);
                wait.clamp(SHORTEST_PAUSE, LOOK_EVERY)
            });
            Look { ended, pause }
        })
    }

    /// One that cannot be ended now is found again at the next look.
    async fn end(&self, proposals: Vec<(TenantId, ProposalId)>) {
        let now = self.clock.now();
        let closing = proposals.into_iter().map(|(tenant, proposal)| async move {
            let close = Command::Close(Close {
                tenant,
                proposal,
                at: now,
            });
            if let Err(error) = self.group.write(close).await {
                tracing::warn!(proposal.id = %proposal, error = %error.chain(), "proposal could not be closed");
            }
        });
        futures::stream::iter(closing)
            .buffer_unordered(AT_ONCE)
            .for_each(|()| std::future::ready(()))
            .await;
    }
}
