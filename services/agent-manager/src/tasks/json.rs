//! What JSON readers say of a mistake, for callers: pure.

/// The words of an error without its place in the text, which is of no use beside the field's name.
pub(crate) fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.split_once(" at line ") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}
