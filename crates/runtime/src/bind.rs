//! Taking a port, before any work starts.

use std::io::ErrorKind;

use swarm_config::Listen;
use swarm_errors::{Code, Error, Result};
use tokio::net::TcpListener;

/// Listens where the setting `key`, such as `gateway.http_listen`, says.
///
/// # Errors
/// When the address is taken, not ours or not allowed; the error names key and address.
pub async fn bind(key: &'static str, listen: Listen) -> Result<TcpListener> {
    let address = listen.0;
    TcpListener::bind(address).await.map_err(|error| {
        let why = match error.kind() {
            ErrorKind::AddrInUse => format!("{address} is taken by another process"),
            ErrorKind::AddrNotAvailable => format!("{address} is not an address of this machine"),
            ErrorKind::PermissionDenied => format!("{address} may not be used without more rights"),
            _ => format!("cannot listen on {address}: {error}"),
        };
        Error::new(Code::Unavailable, format!("{key}: {why}"))
            .with_field(key, why)
            .with_source(error)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_named_with_its_key() {
        let first = bind("test.listen", Listen::loopback(0)).await.unwrap();
        let address = first.local_addr().unwrap();
        let error = bind("test.listen", Listen(address)).await.unwrap_err();
        assert_eq!(error.fields()[0].field, "test.listen");
        assert_eq!(
            error.detail(),
            format!("test.listen: {address} is taken by another process")
        );
    }
}
