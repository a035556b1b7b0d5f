//! A gate on the line between two services: it can hold answers back, or cut the line.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Requests pass, answers wait.
    Holding,
    /// Nothing passes; open connections are closed.
    Cut,
}

/// A proxy in front of a service. Dropping it cuts the line.
#[derive(Debug)]
pub struct Gate {
    address: SocketAddr,
    state: watch::Sender<State>,
}

impl Gate {
    /// An open gate to the service at `target`.
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, watched) = watch::channel(State::Open);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if watched.has_changed().is_err() {
                    break;
                }
                tokio::spawn(pass(client, target, watched.clone()));
            }
        });
        Self { address, state }
    }

    /// Where callers should call.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on requests pass and answers wait.
    pub fn hold_answers(&self) {
        self.state.send_replace(State::Holding);
    }

    /// From now on nothing passes.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// From now on everything passes again.
    pub fn open(&self) {
        self.state.send_replace(State::Open);
    }
}

async fn pass(client: TcpStream, target: SocketAddr, mut state: watch::Receiver<State>) {
    if *state.borrow() == State::Cut {
        return;
    }
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    let (mut client_in, mut client_out) = client.into_split();
    let (mut server_in, mut server_out) = server.into_split();
    let mut answers = state.clone();
    let requests = tokio::io::copy(&mut client_in, &mut server_out);
    let held = async {
        let mut bytes = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = server_in.read(&mut bytes).await {
            if answers
                .wait_for(|state| *state != State::Holding)
                .await
                .is_err()
            {
                break;
            }
            if client_out.write_all(&bytes[..count]).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        _ = requests => {}
        () = held => {}
        _ = state.wait_for(|state| *state == State::Cut) => {}
    }
}
