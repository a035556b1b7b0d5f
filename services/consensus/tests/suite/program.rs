//! The real program.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use swarm_proto::consensus::v1 as wire;
use swarm_proto::consensus::v1::proposal_service_client::ProposalServiceClient;
use swarm_test_support::identity::TestIssuer;
use swarm_types::TenantId;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

const BINARY: &str = env!("CARGO_BIN_EXE_swarm-consensus");

/// A running `swarm-consensus`, killed when it goes out of scope.
pub(crate) struct Program {
    child: Mutex<Child>,
    pub(crate) client: ProposalServiceClient<Channel>,
    issuer: TestIssuer,
    tenant: TenantId,
}

/// Its command line on this folder.
pub(crate) fn arguments(data: &Path, auth: &str) -> Vec<String> {
    let settings = [
        format!("consensus.data={}", data.join("consensus").display()),
        "consensus.grpc=127.0.0.1:0".to_owned(),
        "consensus.admin=127.0.0.1:0".to_owned(),
        "consensus.snapshot_every=100".to_owned(),
        "consensus.keep_entries=10".to_owned(),
        format!("peers.auth={auth}"),
        "service.secret=test".to_owned(),
        "telemetry.log_format=json".to_owned(),
    ];
    settings.map(|setting| format!("--set={setting}")).to_vec()
}

impl Program {
    pub(crate) fn start(data: &Path, issuer: &TestIssuer, auth: &str) -> Self {
        let mut command = Command::new(BINARY);
        command.args(arguments(data, auth));
        Self::run(command, issuer)
    }

    /// As [`Self::start`], where no file may grow beyond so many blocks of 512 bytes.
    pub(crate) fn start_on_small_disk(
        data: &Path,
        issuer: &TestIssuer,
        auth: &str,
        blocks: u32,
    ) -> Self {
        let mut command = Command::new("sh");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        command.args(["-c", &script, BINARY]);
        command.args(arguments(data, auth));
        Self::run(command, issuer)
    }

    fn run(mut command: Command, issuer: &TestIssuer) -> Self {
        let mut child = command
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut seen = Vec::new();
        let address = loop {
            let Some(line) = lines.next() else {
                panic!("it ended before it listened: {seen:#?}");
            };
            seen.push(line.unwrap());
            let line: serde_json::Value =
                serde_json::from_str(seen.last().unwrap()).unwrap_or_default();
            if line["message"] == "listening" {
                break format!("http://{}", line["grpc.address"].as_str().unwrap());
            }
        };
        // Nobody may block it by not reading.
        std::thread::spawn(move || lines.for_each(drop));
        let channel = Endpoint::from_shared(address).unwrap().connect_lazy();
        Self {
            child: Mutex::new(child),
            client: ProposalServiceClient::new(channel),
            issuer: issuer.clone(),
            tenant: TenantId::derived(&["ours"]),
        }
    }

    /// SIGKILL, while others still call it.
    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Its exit code, once it has ended by itself.
    pub(crate) async fn exit_code(self) -> Option<i32> {
        let wait = move || self.child.lock().unwrap().wait().unwrap().code();
        tokio::task::spawn_blocking(wait).await.unwrap()
    }

    fn call<T>(&self, message: T) -> Request<T> {
        let tenant = Some(self.tenant);
        self.issuer
            .service_request("agent-manager", tenant, message)
    }

    pub(crate) async fn create(
        &self,
        message: wire::CreateProposalRequest,
    ) -> Result<wire::Proposal, Status> {
        let mut client = self.client.clone();
        let answer = client.create_proposal(self.call(message));
        Ok(answer.await?.into_inner().proposal.unwrap())
    }

    pub(crate) async fn vote(
        &self,
        id: &str,
        voter: &str,
        votes: Vec<wire::OptionVote>,
    ) -> Result<wire::Ballot, Status> {
        let message = wire::CastVoteRequest {
            proposal_id: id.to_owned(),
            voter: voter.to_owned(),
            votes,
        };
        let mut client = self.client.clone();
        let answer = client.cast_vote(self.call(message));
        Ok(answer.await?.into_inner().ballot.unwrap())
    }

    pub(crate) async fn get(&self, id: &str) -> Result<wire::Proposal, Status> {
        let message = wire::GetProposalRequest { id: id.to_owned() };
        let mut client = self.client.clone();
        let answer = client.get_proposal(self.call(message));
        Ok(answer.await?.into_inner().proposal.unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let mut child = self.child.lock().unwrap();
        child.kill().ok();
        child.wait().ok();
    }
}
