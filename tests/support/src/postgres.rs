//! A real PostgreSQL for the tests of one process.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::sync::OnceCell;

use crate::eventually;
use crate::process::{Supervised, become_user, folder_for};
use crate::programs::{User, current_uid, postgres_folder, unprivileged};

/// Smart shutdown would wait for clients, this one does not.
const FAST_SHUTDOWN: &str = "INT";
const START_LIMIT: Duration = Duration::from_secs(30);

static SHARED: OnceCell<Server> = OnceCell::const_new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A running PostgreSQL. It and its files are gone when this is dropped or the process ends.
#[derive(Debug)]
pub struct Server {
    process: Supervised,
}

/// How a server treats what it was told to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Faster, and fine unless durability is what the test is about.
    None,
    /// As in production.
    Full,
}

impl Server {
    /// The one server that all tests of this process share.
    pub async fn shared() -> &'static Self {
        SHARED.get_or_init(|| Self::start(Durability::None)).await
    }

    /// A server of the test's own, to be stopped or killed.
    pub async fn start(durability: Durability) -> Self {
        let user = unprivileged();
        let folder = folder_for(user, "swarm-pg-");
        let socket_length = folder.as_os_str().len() + "/.s.PGSQL.5432".len();
        assert!(
            socket_length < 100,
            "{} is too long for a socket's path: set TMPDIR",
            folder.display()
        );
        let programs = postgres_folder();
        copy(&template(&programs, user), &folder.join("data"), user);
        let server = Self {
            process: Supervised::start(
                folder.clone(),
                user,
                FAST_SHUTDOWN,
                &command(&programs, &folder, durability),
            ),
        };
        server.wait_until_ready().await;
        server
    }

    /// A server for measurements: a cluster of its own with segments of the usual size, all as
    /// durable as in production, with these settings on top.
    pub async fn durable(settings: &[&str]) -> Self {
        let user = unprivileged();
        let folder = folder_for(user, "swarm-pg-");
        let programs = postgres_folder();
        make_cluster(&programs, user, &folder.join("data"), &[]);
        let socket = format!("unix_socket_directories={}", folder.display());
        let mut command: Vec<OsString> = vec![
            programs.join("postgres").into(),
            "-D".into(),
            folder.join("data").into(),
        ];
        let settings = ["listen_addresses=", socket.as_str()]
            .into_iter()
            .chain(settings.iter().copied());
        command.extend(settings.flat_map(|setting| ["-c".into(), setting.into()]));
        let process = Supervised::start(folder, user, FAST_SHUTDOWN, &command);
        let server = Self { process };
        server.wait_until_ready().await;
        server
    }

    /// The process that started all others of the server.
    #[must_use]
    pub fn id(&self) -> u32 {
        let file = self.process.folder.join("data/postmaster.pid");
        let text = std::fs::read_to_string(file).unwrap();
        text.lines().next().unwrap().trim().parse().unwrap()
    }

    /// Where its files are while it runs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.process.folder
    }

    /// The URL of a new, empty database.
    pub async fn database(&self) -> String {
        let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&self.url("postgres")).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
        self.url(&name)
    }

    /// Shuts the server down in order.
    pub fn stop(&self) {
        self.process.stop();
    }

    /// Ends the server at once, as a crash does: the next start recovers from the log.
    pub fn kill(&self) {
        self.process.kill();
    }

    /// Starts it again after [`Server::stop`] or [`Server::kill`], with the same URL and data.
    pub async fn start_again(&self) {
        self.process.start_again();
        self.wait_until_ready().await;
    }

    /// The URL of a database.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let socket = self.process.folder.to_str().unwrap().replace('/', "%2F");
        format!("postgres://postgres@{socket}/{database}")
    }

    async fn wait_until_ready(&self) {
        let url = self.url("postgres");
        let look = || async {
            assert!(
                self.process.is_alive(),
                "PostgreSQL did not start:\n{}",
                self.process.log()
            );
            let connection = PgConnection::connect(&url).await?;
            connection.close().await
        };
        eventually("PostgreSQL to answer", START_LIMIT, look).await;
    }
}

fn command(programs: &Path, folder: &Path, durability: Durability) -> Vec<OsString> {
    let on = if durability == Durability::Full {
        "on"
    } else {
        "off"
    };
    let settings = [
        // The socket is in a folder of its own, so no port can be taken.
        "listen_addresses=".to_owned(),
        format!("unix_socket_directories={}", folder.display()),
        format!("fsync={on}"),
        format!("full_page_writes={on}"),
        format!("synchronous_commit={on}"),
        "max_connections=400".to_owned(),
        "shared_buffers=32MB".to_owned(),
        "autovacuum=off".to_owned(),
        "jit=off".to_owned(),
    ];
    let mut command = vec![
        programs.join("postgres").into(),
        "-D".into(),
        folder.join("data").into(),
    ];
    command.extend(
        settings
            .into_iter()
            .flat_map(|setting| ["-c".into(), setting.into()]),
    );
    command
}

/// An empty cluster, made once per machine, version and user: `initdb` takes longer than a copy.
fn template(programs: &Path, user: Option<User>) -> PathBuf {
    let owner = user.map_or_else(current_uid, |user| user.uid);
    let output = Command::new(programs.join("postgres"))
        .arg("--version")
        .output()
        .unwrap();
    // "postgres (PostgreSQL) 15.4 (Debian ...)"
    let version = String::from_utf8(output.stdout)
        .unwrap()
        .split_whitespace()
        .nth(2)
        .unwrap()
        .to_owned();
    let template = std::env::temp_dir().join(format!("swarm-test-postgres-{version}-{owner}"));
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(format!("{}.lock", template.display()))
        .unwrap();
    lock.lock().unwrap();
    if template.exists() {
        let found = std::fs::metadata(&template).unwrap().uid();
        assert_eq!(
            found,
            owner,
            "{} belongs to somebody else: remove it",
            template.display()
        );
    } else {
        let made = folder_for(user, "swarm-pg-new-");
        let small = ["--no-sync", "--wal-segsize=1"];
        make_cluster(programs, user, &made.join("data"), &small);
        std::fs::rename(made.join("data"), &template).unwrap();
        std::fs::remove_dir(made).unwrap();
    }
    template
}

fn make_cluster(programs: &Path, user: Option<User>, folder: &Path, options: &[&str]) {
    let usual = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"];
    run(
        Command::new(programs.join("initdb"))
            .args(usual)
            .args(options)
            .arg("-D")
            .arg(folder),
        user,
    );
}

fn copy(from: &Path, to: &Path, user: Option<User>) {
    run(
        Command::new("cp").args(["-a", "--"]).arg(from).arg(to),
        user,
    );
}

fn run(command: &mut Command, user: Option<User>) {
    become_user(command, user);
    command.current_dir("/");
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
