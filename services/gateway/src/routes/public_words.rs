//! An owner's error in the words of the public shape: pure.

use swarm_errors::Error;

/// Where the owner names a field `inside` and the public shape has it as `public`, this says `public`.
pub(super) fn in_public_words(error: Error, inside: &str, public: &str) -> Error {
    let renamed = |field: &str| match field.strip_prefix(inside) {
        Some(rest) => format!("{public}{rest}"),
        None => field.to_owned(),
    };
    let mut told = Error::new(error.code(), renamed(error.detail()));
    for field in error.fields() {
        told = told.with_field(renamed(&field.field), &field.message);
    }
    if let Some(after) = error.retry_after() {
        told = told.with_retry_after(after);
    }
    told.with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_the_first_of_many_is_a_field_of_the_one() {
        let error = in_public_words(
            Error::invalid("memories[0].content", "is empty"),
            "memories[0].",
            "",
        );
        assert_eq!(error.fields()[0].field, "content");
        assert_eq!(error.detail(), "content: is empty");
        let other = in_public_words(Error::invalid("request", "is odd"), "memories[0].", "");
        assert_eq!(other.fields()[0].field, "request");
    }
}
