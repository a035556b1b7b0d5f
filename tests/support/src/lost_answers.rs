//! A line to PostgreSQL that loses the answer of a commit: the work is kept, and whoever asked for
//! it is told of a broken connection.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

use crate::postgres::Server;

/// `CommandComplete` of a commit.
const COMMITTED: &[u8] = b"C\0\0\0\x0bCOMMIT\0";
/// `CommandComplete` of what was undone.
const UNDONE: &[u8] = b"ROLLBACK\0";
/// The severity of an error.
const FAILED: &[u8] = b"SERROR\0";
/// `ReadyForQuery` outside of a transaction.
const IDLE: &[u8] = b"Z\0\0\0\x05I";

/// A proxy in front of a server. It cuts the connection whose transaction, or single statement, has
/// said one of the words that it waits for, once the server has committed and before the answer
/// arrives.
#[derive(Debug)]
pub struct LostAnswers {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    word: Option<Vec<u8>>,
    lost: u32,
}

impl LostAnswers {
    /// A line to `server` that loses nothing yet.
    pub async fn of(server: &Server) -> Self {
        let socket = server.folder().join(".s.PGSQL.5432");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, socket.clone(), shared.clone()));
            }
        });
        Self { address, state }
    }

    /// The URL of a database by this line, made from the URL by the straight one.
    #[must_use]
    pub fn url(&self, straight: &str) -> String {
        let database = straight.rsplit('/').next().unwrap();
        format!("postgres://postgres@{}/{database}", self.address)
    }

    /// Loses the answer of the next commit of a transaction, or of the next statement outside of
    /// one, in which this word is sent.
    pub fn lose(&self, word: &str) {
        self.state.lock().unwrap().word = Some(word.as_bytes().to_vec());
    }

    /// How many answers were lost.
    #[must_use]
    pub fn lost(&self) -> u32 {
        self.state.lock().unwrap().lost
    }
}

impl State {
    /// Whether this is what it waits for.
    fn is_in(&self, sent: &[u8]) -> bool {
        self.word.as_ref().is_some_and(|word| contains(sent, word))
    }

    /// Says false where another connection was first.
    fn loses(&mut self) -> bool {
        let is_first = self.word.take().is_some();
        self.lost += u32::from(is_first);
        is_first
    }
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

/// Whether what was asked for stays. A statement outside of a transaction is one by itself.
fn is_committed(answers: &[u8]) -> bool {
    let is_over = contains(answers, IDLE) && !contains(answers, UNDONE);
    contains(answers, COMMITTED) || (is_over && !contains(answers, FAILED))
}

async fn pass(client: TcpStream, socket: PathBuf, state: Arc<Mutex<State>>) {
    let Ok(server) = UnixStream::connect(socket).await else {
        return;
    };
    let (mut client_in, mut client_out) = client.into_split();
    let (mut server_in, mut server_out) = server.into_split();
    let (mut asked, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    // What was sent last, since a word may come in two parts; what was answered since the word came.
    let (mut sent, mut since) = (Vec::new(), None::<Vec<u8>>);
    loop {
        tokio::select! {
            read = client_in.read(&mut asked) => {
                let Ok(count @ 1..) = read else { return };
                sent.extend_from_slice(&asked[..count]);
                if since.is_none() && state.lock().unwrap().is_in(&sent) {
                    since = Some(Vec::new());
                }
                let kept = if since.is_some() { 0 } else { 256 };
                sent.drain(..sent.len().saturating_sub(kept));
                if server_out.write_all(&asked[..count]).await.is_err() {
                    return;
                }
            }
            read = server_in.read(&mut answered) => {
                let Ok(count @ 1..) = read else { return };
                if let Some(answers) = &mut since {
                    answers.extend_from_slice(&answered[..count]);
                    if is_committed(answers) && state.lock().unwrap().loses() {
                        return;
                    }
                    if contains(answers, IDLE) {
                        since = None;
                    }
                }
                if client_out.write_all(&answered[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}
