//! A plain HTTP client, for what the SDK hides.

/// A client; the provider of TLS is chosen once a process.
#[must_use]
pub fn http() -> reqwest::Client {
    // An error says only that another test was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}
