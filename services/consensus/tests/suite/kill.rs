//! The real program, killed while many write to it, and on a disk that takes no more.
//!
//! SIGKILL leaves what the kernel has; that an acknowledgement also waits for the disk itself is
//! tested beside the log.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use swarm_proto::consensus::v1 as wire;
use swarm_test_support::eventually;
use swarm_test_support::identity::TestIssuer;
use swarm_types::ProposalId;

use crate::node::LIMIT;
use crate::program::Program;
use crate::words::{ask, fault, no, yes};

const VOTERS: [&str; 5] = ["v", "w", "x", "y", "z"];
const WRITERS: usize = 8;
const ROUNDS: usize = 4;
const ACKNOWLEDGED_BEFORE_THE_KILL: usize = 150;

/// What the service has promised.
#[derive(Default)]
struct Promises {
    proposals: Mutex<Vec<String>>,
    ballots: Mutex<BTreeMap<(String, String), wire::Ballot>>,
    count: AtomicUsize,
}

/// Opens proposals and votes on them until the service is gone.
async fn write(program: Arc<Program>, promises: Arc<Promises>, writer: usize, round: usize) {
    for n in 0.. {
        let id = ProposalId::derived(&["kill", &format!("{round}.{writer}.{n}")]).to_string();
        let message = wire::CreateProposalRequest {
            id: id.clone(),
            ..ask(&["a"], &VOTERS)
        };
        if program.create(message).await.is_err() {
            return;
        }
        promises.proposals.lock().unwrap().push(id.clone());
        for (at, voter) in VOTERS.into_iter().enumerate() {
            let votes = if (at + n) % 2 == 0 { yes("a") } else { no("a") };
            let Ok(ballot) = program.vote(&id, voter, votes).await else {
                return;
            };
            let key = (id.clone(), voter.to_owned());
            promises.ballots.lock().unwrap().insert(key, ballot);
            promises.count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Everything promised is there, once, and a repeat with another choice finds it.
async fn check(program: &Program, promises: &Promises) {
    let proposals = promises.proposals.lock().unwrap().clone();
    let ballots = promises.ballots.lock().unwrap().clone();
    for id in &proposals {
        let proposal = program.get(id).await.unwrap();
        let mut voters: Vec<_> = proposal.ballots.iter().map(|b| b.voter.as_str()).collect();
        voters.sort_unstable();
        voters.dedup();
        assert_eq!(
            voters.len(),
            proposal.ballots.len(),
            "a voter counts twice in {id}"
        );
        let tally = proposal.tally.clone().unwrap();
        let option = &tally.options[0];
        let counted = option.approve + option.reject + option.abstain;
        assert_eq!(counted as usize, proposal.ballots.len());
        for ballot in &proposal.ballots {
            let key = (id.clone(), ballot.voter.clone());
            if let Some(promised) = ballots.get(&key) {
                assert_eq!(promised, ballot, "a ballot changed");
            }
        }
    }
    for ((id, voter), promised) in &ballots {
        let stored = program.vote(id, voter, no("a")).await.unwrap();
        assert_eq!(*promised, stored, "{voter} on {id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_acknowledged_is_lost_by_a_kill_and_no_vote_counts_twice() {
    let data = tempfile::tempdir().unwrap();
    let issuer = TestIssuer::new();
    let auth = issuer.serve().await;
    let promises = Arc::new(Promises::default());
    for round in 0..ROUNDS {
        let program = Arc::new(Program::start(data.path(), &issuer, &auth));
        check(&program, &promises).await;
        let before = promises.count.load(Ordering::Relaxed);
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| tokio::spawn(write(program.clone(), promises.clone(), writer, round)))
            .collect();
        eventually("enough acknowledged votes", LIMIT, || async {
            promises.count.load(Ordering::Relaxed) >= before + ACKNOWLEDGED_BEFORE_THE_KILL
        })
        .await;
        program.kill();
        for writer in writers {
            writer.await.unwrap();
        }
    }
    let program = Program::start(data.path(), &issuer, &auth);
    check(&program, &promises).await;
    assert!(promises.count.load(Ordering::Relaxed) >= ROUNDS * ACKNOWLEDGED_BEFORE_THE_KILL);
    program.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_disk_that_takes_no_more_ends_the_process_and_costs_nothing_acknowledged() {
    let data = tempfile::tempdir().unwrap();
    let issuer = TestIssuer::new();
    let auth = issuer.serve().await;
    let program = Program::start_on_small_disk(data.path(), &issuer, &auth, 128);
    let mut kept = Vec::new();
    let refused = loop {
        let mut message = ask(&["a"], &["x"]);
        message.description = "d".repeat(1000);
        match program.create(message).await {
            Ok(proposal) => kept.push(proposal.id),
            Err(status) => break status,
        }
        assert!(kept.len() < 1000, "the limit was never met");
    };
    assert_eq!(fault(refused).0, "unavailable");
    assert!(kept.len() > 10);
    let code = tokio::time::timeout(Duration::from_secs(60), program.exit_code());
    assert_eq!(code.await.unwrap(), Some(1));

    let program = Program::start(data.path(), &issuer, &auth);
    for id in &kept {
        assert_eq!(program.get(id).await.unwrap().id, *id);
    }
    program.kill();
}
