//! Texts with a meaning: pure.

use std::time::Duration;

use swarm_errors::{Error, Result};

/// A length of time such as `30s`, `500ms` or `1m`; a bare number counts seconds.
pub(crate) fn duration(field: &str, text: &str, longest: Duration) -> Result<Duration> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let milliseconds = match unit {
        "ms" => Some(1),
        "" | "s" => Some(1_000),
        "m" => Some(60_000),
        _ => None,
    };
    let length = number
        .parse::<u64>()
        .ok()
        .zip(milliseconds)
        .and_then(|(number, unit)| number.checked_mul(unit))
        .map(Duration::from_millis);
    match length {
        Some(length) if length <= longest => Ok(length),
        _ => Err(Error::invalid(
            field,
            format!(
                "must be a time such as 500ms or 30s, at most {}s",
                longest.as_secs()
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn times_are_read_with_their_unit_and_bounded() {
        let longest = Duration::from_secs(60);
        for (text, milliseconds) in [
            ("30s", 30_000),
            ("500ms", 500),
            ("1m", 60_000),
            ("5", 5_000),
            ("0", 0),
        ] {
            assert_eq!(
                duration("wait", text, longest).unwrap(),
                Duration::from_millis(milliseconds)
            );
        }
        for text in [
            "",
            "s",
            "61s",
            "2m",
            "-1s",
            "1h",
            "1.5s",
            "99999999999999999999s",
            "18446744073709551615m",
        ] {
            assert_eq!(
                duration("wait", text, longest).unwrap_err().fields()[0].field,
                "wait",
                "{text}"
            );
        }
    }
}
