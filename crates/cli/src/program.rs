//! What this program is called, so that the commands it names can be copied.

use std::path::Path;

/// The program as it was called: `swarm` where the shell found it, else its path, which is good in
/// the same folder.
#[must_use]
pub fn program() -> String {
    let called = std::env::args()
        .next()
        .unwrap_or_else(|| "swarm".to_owned());
    shortened(&called, std::env::current_dir().ok().as_deref())
}

fn shortened(called: &str, here: Option<&Path>) -> String {
    match here.and_then(|here| Path::new(called).strip_prefix(here).ok()) {
        Some(inside) => inside.display().to_string(),
        None => called.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_below_this_folder_is_shortened() {
        let here = Some(Path::new("/a/b"));
        assert_eq!(
            shortened("/a/b/target/debug/swarm", here),
            "target/debug/swarm"
        );
        assert_eq!(shortened("/c/swarm", here), "/c/swarm");
        assert_eq!(shortened("swarm", here), "swarm");
    }
}
