//! Where to listen.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::Deserialize;

/// An address to bind; port 0 takes any free one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Listen(pub SocketAddr);

impl Listen {
    /// This port on the loopback address.
    #[must_use]
    pub const fn loopback(port: u16) -> Self {
        Self(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
    }
}
