//! A terminal of the tests' own, for what only happens at one.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use swarm_test_cluster::Cluster;
use swarm_test_support::eventually;
use tokio::process::{Child, Command};

use crate::command::program;

const LONG: Duration = Duration::from_secs(60);

/// A terminal with a program at it.
#[derive(Debug)]
pub struct Terminal {
    /// The keyboard's and screen's end.
    ours: File,
    /// Stays open, so that the terminal outlives its program.
    theirs: OwnedFd,
    shown: Arc<Mutex<String>>,
    child: Child,
}

impl Terminal {
    /// Starts `swarm` at a terminal of so many columns and rows.
    pub async fn start(cluster: &Cluster, arguments: &[&str], size: (u16, u16)) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let theirs = open(name, flags, Mode::empty()).unwrap();
        let ours = File::from(ours);
        resize(&ours, size);
        let child = program(cluster, arguments)
            .await
            .env("TERM", "xterm-256color")
            .stdin(theirs.try_clone().unwrap())
            .stdout(theirs.try_clone().unwrap())
            .stderr(theirs.try_clone().unwrap())
            .spawn()
            .unwrap();
        Self {
            shown: read_all(ours.try_clone().unwrap()),
            ours,
            theirs,
            child,
        }
    }

    /// Everything that was written to the screen, codes included.
    #[must_use]
    pub fn shown(&self) -> String {
        self.shown.lock().unwrap().clone()
    }

    /// Waits until what was written is as wanted.
    pub async fn shows(&self, what: &str, wanted: impl Fn(&str) -> bool) {
        eventually(what, LONG, || async {
            let shown = self.shown();
            if wanted(&shown) { Ok(()) } else { Err(shown) }
        })
        .await;
    }

    /// Whether it gathers lines, echoes what is typed, and makes signals of Ctrl-C and the like.
    #[must_use]
    pub fn modes(&self) -> (bool, bool, bool) {
        let modes = tcgetattr(&self.theirs).unwrap().local_modes;
        let has = |mode| modes.contains(mode);
        (
            has(LocalModes::ICANON),
            has(LocalModes::ECHO),
            has(LocalModes::ISIG),
        )
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.ours.write_all(keys.as_bytes()).unwrap();
    }

    /// Makes it so many columns and rows large, and tells the program.
    pub async fn resize(&self, size: (u16, u16)) {
        resize(&self.ours, size);
        self.signal("WINCH").await;
    }

    /// Sends the program a signal, such as `TERM`.
    pub async fn signal(&self, name: &str) {
        let id = self.child.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.await.unwrap().success());
    }

    /// Waits for the program's end.
    pub async fn end(&mut self) -> ExitStatus {
        tokio::time::timeout(LONG, self.child.wait())
            .await
            .expect("it ends")
            .unwrap()
    }
}

fn resize(terminal: &File, (columns, rows): (u16, u16)) {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(terminal, size).unwrap();
}

/// Reads in a thread of its own, which ends with the terminal.
fn read_all(mut terminal: File) -> Arc<Mutex<String>> {
    let shown = Arc::<Mutex<String>>::default();
    let kept = shown.clone();
    std::thread::spawn(move || {
        let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
        while let Ok(count @ 1..) = terminal.read(&mut buffer) {
            bytes.extend_from_slice(&buffer[..count]);
            *kept.lock().unwrap() = String::from_utf8_lossy(&bytes).into_owned();
        }
    });
    shown
}
