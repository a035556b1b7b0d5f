//! The document and the question, checked before anything starts.

use std::fs;
use std::path::Path;

use swarm_errors::{Error, Result};

/// Our own operations guide, as it was when this program was built.
const GUIDE: &str = include_str!("../../../../docs/operations.md");
const GUIDE_NAME: &str = "docs/operations.md";
/// Whose right passage can be checked at a glance: it is the paragraph under "Stopping".
const QUESTION: &str = "How long may running work go on after a service was told to stop?";

/// What a task takes.
const MAX_BYTES: usize = 1024 * 1024;
const MAX_QUESTION_BYTES: usize = 64 * 1024;

/// A text and its name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Document {
    pub(super) name: String,
    pub(super) text: String,
}

impl Document {
    /// The document at `path`; without one, our operations guide.
    pub(super) fn read(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else {
            // The one in this folder, so that whoever looks up a line finds it.
            let text = fs::read_to_string(GUIDE_NAME).unwrap_or_else(|_| GUIDE.to_owned());
            return Ok(Self {
                name: GUIDE_NAME.to_owned(),
                text,
            });
        };
        let wrong = |why: String| Error::invalid("--doc", format!("{} {why}", path.display()));
        let too_large = || wrong("is too large: a task takes up to 1 MiB of documents".to_owned());
        let about =
            fs::metadata(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        if about.is_dir() {
            return Err(wrong("is a folder; give a file".to_owned()));
        }
        if about.len() > MAX_BYTES as u64 {
            return Err(too_large());
        }
        let bytes = fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        if bytes.len() > MAX_BYTES {
            return Err(too_large());
        }
        let text =
            String::from_utf8(bytes).map_err(|_| wrong("is not text in UTF-8".to_owned()))?;
        if text.contains('\0') {
            return Err(wrong(
                "is not text: it holds the character U+0000".to_owned(),
            ));
        }
        if text.trim().is_empty() {
            return Err(wrong("is empty".to_owned()));
        }
        Ok(Self {
            name: path.display().to_string(),
            text,
        })
    }
}

/// The question; without one, ours about our guide.
pub(super) fn question(asked: Option<String>) -> Result<String> {
    let question = asked.unwrap_or_else(|| QUESTION.to_owned());
    if question.trim().is_empty() {
        return Err(Error::invalid("--ask", "must not be empty"));
    }
    if question.len() > MAX_QUESTION_BYTES {
        return Err(Error::invalid("--ask", "must be at most 64 KiB"));
    }
    Ok(question)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_guide_answers_our_question() {
        let document = Document::read(None).unwrap();
        let (_, section) = document.text.split_once("\n## Stopping\n").unwrap();
        let section = section.split("\n## ").next().unwrap();
        assert!(
            section.contains("grace time of 20 seconds"),
            "the demo's question has no answer in {GUIDE_NAME}"
        );
        assert!(question(None).unwrap().contains("stop"));
    }

    #[test]
    fn what_is_no_document_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            path
        };
        for (path, why) in [
            (folder.path().join("none"), "cannot be read"),
            (folder.path().to_owned(), "is a folder"),
            (path("empty", b"\n \n"), "is empty"),
            (path("binary", &[0xc3, 0x28]), "is not text in UTF-8"),
            (path("nul", b"a\0b"), "U+0000"),
            (path("large", &vec![b'x'; MAX_BYTES + 1]), "1 MiB"),
        ] {
            let error = Document::read(Some(&path)).unwrap_err();
            assert_eq!(error.fields()[0].field, "--doc");
            assert!(error.detail().contains(why), "{error}");
        }
        assert_eq!(
            Document::read(Some(&path("good", "é".as_bytes())))
                .unwrap()
                .text,
            "é"
        );
        assert_eq!(
            question(Some(" ".into())).unwrap_err().fields()[0].field,
            "--ask"
        );
    }
}
