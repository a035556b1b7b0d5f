//! A server that lives no longer than the test process, however that ends.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use crate::programs::User;

/// Keeps the server, does as the lines of its input say, and ends it and removes its folder when
/// the input ends, which it does when the test process is gone, even by `kill -9`.
const SUPERVISOR: &str = r#"
folder=$1 stop=$2; shift 2
start() { "$@" </dev/null >>"$folder/log" 2>&1 & server=$!; }
end() { kill -s "$1" "$server" 2>/dev/null; wait "$server" 2>/dev/null; }
start "$@"
while read -r order; do
    answer=done
    case $order in
        stop) end "$stop" ;;
        kill) end QUIT ;;
        start) start "$@" ;;
        alive) kill -0 "$server" 2>/dev/null || answer=dead ;;
    esac
    echo "$answer"
done
end "$stop"
rm -rf "$folder"
"#;

/// A server process and the shell that watches over it.
#[derive(Debug)]
pub(crate) struct Supervised {
    /// Also keeps the shell's input open.
    shell: Mutex<Shell>,
    pub(crate) folder: PathBuf,
}

#[derive(Debug)]
struct Shell {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Supervised {
    /// Starts a server whose files are all in `folder`, which is removed after it.
    pub(crate) fn start(
        folder: PathBuf,
        user: Option<User>,
        stop_signal: &str,
        command: &[OsString],
    ) -> Self {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", SUPERVISOR, "supervisor"])
            .arg(&folder)
            .arg(stop_signal)
            .args(command)
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C in the terminal is for the tests, not for the shell that cleans up.
            .process_group(0);
        become_user(&mut shell, user);
        let mut child = shell
            .spawn()
            .unwrap_or_else(|error| panic!("a shell cannot be started: {error}"));
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self {
            shell: Mutex::new(Shell {
                child,
                orders,
                answers,
            }),
            folder,
        }
    }

    /// Asks the server to end, and waits for that.
    pub(crate) fn stop(&self) {
        self.order("stop");
    }

    /// Ends the server as a crash would, and waits for that.
    pub(crate) fn kill(&self) {
        self.order("kill");
    }

    /// Starts the server once more, on the same files.
    pub(crate) fn start_again(&self) {
        self.order("start");
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.order("alive") == "done"
    }

    /// The end of what the server has written.
    pub(crate) fn log(&self) -> String {
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    fn order(&self, order: &str) -> String {
        let mut shell = self.shell.lock().unwrap();
        let mut answer = String::new();
        writeln!(shell.orders.as_mut().unwrap(), "{order}").unwrap();
        shell.answers.read_line(&mut answer).unwrap();
        answer.trim().to_owned()
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        let mut shell = self.shell.lock().unwrap();
        drop(shell.orders.take());
        // Waits, so that neither a process nor the folder is left when the test says it is over.
        let _ended = shell.child.wait();
    }
}

/// A new folder under the machine's temporary one that belongs to `user`.
pub(crate) fn folder_for(user: Option<User>, prefix: &str) -> PathBuf {
    let folder = tempfile::Builder::new()
        .prefix(prefix)
        .tempdir()
        .unwrap()
        .keep();
    give(&folder, user);
    folder
}

pub(crate) fn give(path: &Path, user: Option<User>) {
    if let Some(user) = user {
        std::os::unix::fs::chown(path, Some(user.uid), Some(user.gid)).unwrap();
    }
}

pub(crate) fn become_user(command: &mut Command, user: Option<User>) {
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
}
