//! Where the servers' programs are, and as whom they run.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

const INSTALL: &str = "scripts/setup/databases.sh";

/// A user by number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// The newest PostgreSQL: what `PATH` and `.swarm/tools` have, else what Debian and Red Hat install.
pub(crate) fn postgres_folder() -> PathBuf {
    let whole =
        |folder: &PathBuf| folder.join("initdb").exists() && folder.join("postgres").exists();
    let mut installed: Vec<PathBuf> = ["/usr/lib/postgresql", "/usr"]
        .iter()
        .flat_map(|parent| std::fs::read_dir(parent).into_iter().flatten().flatten())
        .map(|entry| entry.path().join("bin"))
        .filter(whole)
        .collect();
    installed.sort_by_key(|folder| std::cmp::Reverse(version(folder)));
    search_path()
        .into_iter()
        .filter(whole)
        .chain(installed)
        .next()
        .unwrap_or_else(|| {
            panic!("PostgreSQL's programs are missing on this machine: run {INSTALL}")
        })
        // The programs look for each other beside themselves, so links must be followed.
        .join("postgres")
        .canonicalize()
        .unwrap()
        .parent()
        .unwrap()
        .to_owned()
}

pub(crate) fn redis_server() -> PathBuf {
    search_path()
        .into_iter()
        .map(|folder| folder.join("redis-server"))
        .find(|program| program.exists())
        .unwrap_or_else(|| panic!("redis-server is missing on this machine: run {INSTALL}"))
}

/// The user for servers that refuse to run as root: none unless we are root.
pub(crate) fn unprivileged() -> Option<User> {
    if current_uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let find = |name: &str| {
        let line = users
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some(User {
            uid: fields.next()?.parse().ok()?,
            gid: fields.next()?.parse().ok()?,
        })
    };
    let user = find("postgres").or_else(|| find("nobody"));
    Some(user.unwrap_or_else(|| panic!("PostgreSQL does not run as root, and there is no user for it: useradd --system postgres")))
}

pub(crate) fn current_uid() -> u32 {
    std::fs::metadata("/proc/self").unwrap().uid()
}

fn search_path() -> Vec<PathBuf> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.swarm/tools/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::iter::once(tools)
        .chain(std::env::split_paths(&path))
        .collect()
}

/// `/usr/lib/postgresql/15/bin` and `/usr/pgsql-15/bin` are 15.
fn version(folder: &Path) -> u32 {
    let name = folder
        .parent()
        .and_then(Path::file_name)
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    name.trim_start_matches(|letter: char| !letter.is_ascii_digit())
        .parse()
        .unwrap_or(0)
}
