//! The known replicas of a service, shared by all channels to it.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use http::Uri;
use swarm_errors::{Error, Result};
use swarm_runtime::CancellationToken;
use tokio::task::JoinSet;
use tonic::transport::Endpoint;

use super::choice::{Health, choose};
use super::probe;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// One replica.
#[derive(Debug)]
pub(super) struct Replica {
    pub(super) endpoint: Endpoint,
    running: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    health: Health,
    /// Cancelled when its calls are given up.
    given_up: CancellationToken,
}

impl Replica {
    fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            running: AtomicUsize::new(0),
            state: Mutex::new(State {
                health: Health::Unknown,
                given_up: CancellationToken::new(),
            }),
        }
    }

    fn standing(&self) -> (Health, usize) {
        let health = self
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .health;
        (health, self.running.load(Ordering::Relaxed))
    }

    pub(super) fn found(&self, health: Health) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.health != health {
            tracing::debug!(replica = %self.endpoint.uri(), ?health, "a replica changed");
        }
        state.health = health;
    }

    /// It does not answer: whoever waits for it need not.
    pub(super) fn give_up(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.health != Health::Down {
            tracing::info!(replica = %self.endpoint.uri(), "a replica does not answer and is left out");
        }
        state.health = Health::Down;
        std::mem::take(&mut state.given_up).cancel();
    }
}

/// A call that runs at a replica, until this is dropped.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) replica: Arc<Replica>,
    given_up: CancellationToken,
}

impl Held {
    /// Waits until the call is given up.
    pub(super) async fn given_up(&self) {
        self.given_up.cancelled().await;
    }

    /// As [`Held::given_up`], on its own.
    pub(super) fn given_up_owned(&self) -> impl Future<Output = ()> + Send + use<> {
        self.given_up.clone().cancelled_owned()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.replica.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The replicas of one service.
#[derive(Debug)]
pub(crate) struct Group {
    /// What the setting says: endpoints by address, or a name to be resolved.
    configured: Vec<Endpoint>,
    known: RwLock<Arc<Vec<Arc<Replica>>>>,
    turn: AtomicUsize,
    /// The probe, once somebody has called.
    probe: Mutex<JoinSet<()>>,
}

impl Group {
    /// The group of a setting: one address, or several with commas between. Connects nothing yet.
    pub(crate) fn new(key: &'static str, addresses: &str) -> Result<Arc<Self>> {
        let configured = addresses
            .split(',')
            .map(|address| endpoint(key, address.trim()))
            .collect::<Result<Vec<_>>>()?;
        let known = configured
            .iter()
            .cloned()
            .map(|one| Arc::new(Replica::new(one)));
        Ok(Arc::new(Self {
            known: RwLock::new(Arc::new(known.collect())),
            configured,
            turn: AtomicUsize::new(0),
            probe: Mutex::default(),
        }))
    }

    pub(super) fn configured(&self) -> &[Endpoint] {
        &self.configured
    }

    pub(super) fn known(&self) -> Arc<Vec<Arc<Replica>>> {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn learn(&self, replicas: Vec<Arc<Replica>>) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(replicas);
    }

    /// The replica at this endpoint, which keeps what is known of it.
    pub(super) fn replica(&self, endpoint: Endpoint) -> Arc<Replica> {
        let known = self.known();
        let same = known
            .iter()
            .find(|one| one.endpoint.uri() == endpoint.uri());
        same.cloned()
            .unwrap_or_else(|| Arc::new(Replica::new(endpoint)))
    }

    /// A replica for one call.
    pub(super) fn take(self: &Arc<Self>) -> Option<Held> {
        self.watch();
        let known = self.known();
        let replica = match &known[..] {
            [only] => only.clone(),
            several => {
                let standings: Vec<_> = several.iter().map(|one| one.standing()).collect();
                let turn = self.turn.fetch_add(1, Ordering::Relaxed);
                several[choose(&standings, turn)?].clone()
            }
        };
        replica.running.fetch_add(1, Ordering::Relaxed);
        let given_up = replica
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .given_up
            .clone();
        Some(Held { replica, given_up })
    }

    /// A single fixed address leaves no choice, so nobody need know how it is.
    fn watch(self: &Arc<Self>) {
        if let [only] = &self.configured[..]
            && !is_name(only.uri())
        {
            return;
        }
        let mut probe = self.probe.lock().unwrap_or_else(PoisonError::into_inner);
        if probe.is_empty() {
            probe.spawn(probe::run(Arc::downgrade(self)));
        }
    }
}

/// Whether a host may stand for several addresses.
pub(super) fn is_name(uri: &Uri) -> bool {
    uri.host()
        .is_some_and(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().is_err())
}

pub(super) fn endpoint(key: &'static str, address: &str) -> Result<Endpoint> {
    let endpoint = Endpoint::from_shared(address.to_owned()).map_err(|error| {
        Error::invalid(
            key,
            "must be an address such as http://host:port, or several with commas between",
        )
        .with_source(error)
    })?;
    Ok(endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_while_idle(true))
}
