//! Where the server is and who is calling.

use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use swarm_client::Client;
use swarm_errors::{Code, Error};

use crate::arguments::Globals;
use crate::failure::Failure;

/// Where a server is unless something else is said.
const DEFAULT_SERVER: &str = "http://127.0.0.1:3000";
/// The data folder unless another is named.
const DEFAULT_DATA: &str = ".swarm/data";
/// On this machine a listener accepts at once.
const LOOK: Duration = Duration::from_millis(500);

/// Where a running server of a data folder is, as that server wrote it down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// REST.
    pub server: String,
    /// WebSocket.
    pub websocket: String,
}

/// Where a running server leaves its [`Address`] in its data folder.
#[must_use]
pub fn address_file(data: &Path) -> PathBuf {
    data.join("address.json")
}

#[derive(Deserialize)]
struct Credential {
    username: String,
    password: String,
}

/// A client, and how its server is called in messages.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) client: Client,
    pub(crate) server: String,
}

impl Connection {
    /// The failure of a call.
    pub(crate) fn failed(&self, error: Error) -> Failure {
        Failure::of_call(error, &self.server)
    }
}

impl Globals {
    /// The data folder of this machine's server.
    #[must_use]
    pub fn data_or(&self, default: &str) -> PathBuf {
        self.data.clone().unwrap_or_else(|| PathBuf::from(default))
    }

    /// A client that has not said who is calling.
    pub(crate) fn stranger(&self) -> Result<Connection, Failure> {
        let known = read_json::<Address>(&address_file(&self.data_or(DEFAULT_DATA)))?;
        // A server that was killed has left its address behind.
        let known = known.filter(|known| self.server.is_none() && is_there(&known.server));
        let server = match (&self.server, &known) {
            (Some(server), _) => server.clone(),
            (None, Some(address)) => address.server.clone(),
            (None, None) => DEFAULT_SERVER.to_owned(),
        };
        let named = |error: Error| match error.detail().split_once(": ") {
            Some((_, words)) => Failure::usage("--server", words),
            None => Failure::Usage(error),
        };
        let client = Client::new(&server).map_err(named)?;
        let websocket = self
            .websocket
            .clone()
            .or(known.map(|address| address.websocket));
        let client = match websocket {
            Some(url) => client
                .with_websocket(&url)
                .map_err(|error| Failure::usage("--websocket", error.detail()))?,
            None => client,
        };
        Ok(Connection { client, server })
    }

    fn credential_file(&self) -> PathBuf {
        self.data_or(DEFAULT_DATA).join("admin-credential")
    }

    /// The password of the first administrator's credential, while its file is there.
    pub(crate) fn credential_password(&self) -> Result<Option<String>, Failure> {
        let credential = read_json::<Credential>(&self.credential_file())?;
        Ok(credential.map(|credential| credential.password))
    }

    /// A client that says who is calling: by token, key, or the first administrator's credential.
    pub(crate) async fn connect(&self) -> Result<Connection, Failure> {
        let Connection { client, server } = self.stranger()?;
        if let Some(token) = &self.token {
            return Ok(Connection {
                client: client.with_token(token),
                server,
            });
        }
        if let Some(key) = &self.api_key {
            return Ok(Connection {
                client: client.with_api_key(key),
                server,
            });
        }
        let path = self.credential_file();
        let Some(credential) = read_json::<Credential>(&path)? else {
            return Ok(Connection { client, server });
        };
        let client = client
            .login(&credential.username, &credential.password)
            .await
            .map_err(|error| {
                let is_refused = error.code() == Code::Unauthenticated;
                let error = if is_refused {
                    error.context(format!("{} does not open {server}", path.display()))
                } else {
                    error
                };
                Failure::of_call(error, &server)
            })?;
        Ok(Connection { client, server })
    }
}

/// Whether anybody listens at an address of this machine.
fn is_there(server: &str) -> bool {
    let address = server
        .strip_prefix("http://")
        .and_then(|address| address.parse().ok());
    address.is_some_and(|address: SocketAddr| TcpStream::connect_timeout(&address, LOOK).is_ok())
}

/// The JSON of a file, where there is one.
fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Option<T>, Failure> {
    let wrong = |words: String| Failure::usage("--data", format!("{}: {words}", path.display()));
    match fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| wrong(error.to_string())),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(wrong(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globals(data: &Path) -> Globals {
        Globals {
            data: Some(data.to_owned()),
            ..Globals::default()
        }
    }

    #[test]
    fn a_server_is_found_by_flag_then_folder_then_default() {
        let folder = tempfile::tempdir().unwrap();
        let mut globals = globals(folder.path());
        assert_eq!(globals.stranger().unwrap().server, DEFAULT_SERVER);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let there = format!("http://{}", listener.local_addr().unwrap());
        let address = Address {
            server: there.clone(),
            websocket: "ws://127.0.0.1:97/ws".into(),
        };
        fs::write(
            address_file(folder.path()),
            serde_json::to_vec(&address).unwrap(),
        )
        .unwrap();
        assert_eq!(globals.stranger().unwrap().server, there);
        drop(listener);
        assert_eq!(
            globals.stranger().unwrap().server,
            DEFAULT_SERVER,
            "a server that was killed is not looked for"
        );
        globals.server = Some("http://h:1".into());
        assert_eq!(globals.stranger().unwrap().server, "http://h:1");
    }

    #[test]
    fn what_is_wrong_is_named_by_its_flag() {
        let folder = tempfile::tempdir().unwrap();
        let mut globals = globals(folder.path());
        globals.server = Some("h:1".into());
        let failure = globals.stranger().unwrap_err();
        assert_eq!(failure.exit_code(), 2);
        assert!(failure.to_string().starts_with("--server: "), "{failure}");
        globals.server = None;
        fs::write(address_file(folder.path()), "{").unwrap();
        assert!(
            globals
                .stranger()
                .unwrap_err()
                .to_string()
                .starts_with("--data: ")
        );
    }

    #[tokio::test]
    async fn nobody_there_is_exit_code_3() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("admin-credential"),
            r#"{"username": "a", "password": "b"}"#,
        )
        .unwrap();
        let failure = Globals {
            server: Some(server.clone()),
            ..globals(folder.path())
        }
        .connect()
        .await
        .unwrap_err();
        assert_eq!(failure.exit_code(), 3);
        assert!(failure.to_string().contains(&server), "{failure}");
    }
}
