//! Free ports for all services.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::node::{Node, Service};

/// Every port of a platform by its process and its name there, such as `rest`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ports(BTreeMap<(Node, &'static str), SocketAddr>);

impl Ports {
    /// Ports for one process of each service.
    pub(crate) fn free() -> Self {
        let mut ports = Self::default();
        ports.add(&Service::ALL.map(Node::from));
        ports
    }

    /// Takes ports that were free a moment ago, all different, for more processes. They are of a
    /// loopback address of their own: on 127.0.0.1 a call that somebody makes meanwhile could get
    /// one of them as its own end.
    pub(crate) fn add(&mut self, nodes: &[Node]) {
        let address = own_loopback();
        let listeners: Vec<_> = nodes
            .iter()
            .flat_map(|node| node.service.doors().iter().map(|door| (*node, *door)))
            .map(|place| (place, TcpListener::bind((address, 0)).unwrap()))
            .collect();
        self.0.extend(
            listeners
                .into_iter()
                .map(|(place, listener)| (place, listener.local_addr().unwrap())),
        );
    }

    pub(crate) fn of(&self, node: Node, door: &'static str) -> SocketAddr {
        self.0[&(node, door)]
    }

    /// The processes that have ports.
    pub(crate) fn nodes(&self) -> Vec<Node> {
        let mut nodes: Vec<Node> = self.0.keys().map(|(node, _)| *node).collect();
        nodes.dedup();
        nodes
    }

    /// The environment that makes a program listen and call there: one replica's, or, in one
    /// process, that of the first replica of each.
    pub(crate) fn environment(&self, of: Option<Node>) -> Vec<(String, String)> {
        let is_here = |node: &Node| of.map_or(node.number == 0, |own| *node == own);
        let mut environment: Vec<(String, String)> = self
            .0
            .iter()
            .filter(|((node, _), _)| is_here(node))
            .map(|((node, door), address)| {
                let setting = format!("{}.{door}", node.service.setting());
                (variable(&setting), address.to_string())
            })
            .collect();
        for service in Service::ALL {
            let replicas: Vec<String> = self
                .0
                .iter()
                .filter(|((node, door), _)| node.service == service && *door == "grpc")
                .map(|(_, address)| format!("http://{address}"))
                .collect();
            if !replicas.is_empty() {
                let setting = format!("peers.{}", service.setting());
                environment.push((variable(&setting), replicas.join(",")));
            }
        }
        environment
    }
}

/// A loopback address that no other user of this process, and hardly another process, has.
fn own_loopback() -> Ipv4Addr {
    static USERS: AtomicU32 = AtomicU32::new(0);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let user = USERS.fetch_add(1, Ordering::Relaxed) % 250;
    Ipv4Addr::new(127, high, low, u8::try_from(user + 2).unwrap())
}

/// The environment variable of a setting.
pub(crate) fn variable(setting: &str) -> String {
    format!("QWEN_SWARM__{}", setting.replace('.', "__").to_uppercase())
}
