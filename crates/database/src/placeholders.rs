//! Counts the `$n` of a statement.

use swarm_errors::{Error, Result};

/// Fails unless the statement takes exactly `bound` values. PostgreSQL would refuse a missing
/// one, SQLite would take NULL for it.
pub(crate) fn check(text: &str, bound: usize) -> Result<()> {
    let used = used(text);
    let highest = 128 - used.leading_zeros() as usize;
    let whole = used.count_ones() as usize == highest;
    if whole && highest == bound {
        return Ok(());
    }
    let gaps = if whole { "" } else { ", with gaps" };
    Err(Error::internal(format!(
        "{bound} values for a statement that takes {highest}{gaps}: {text}"
    )))
}

/// The placeholders of a statement as bits, `$1` lowest; those above `$128` count as that.
fn used(text: &str) -> u128 {
    let bytes = text.as_bytes();
    let (mut used, mut at) = (0_u128, 0);
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'\'' | b'"') => at = after(bytes, at + 1, quote),
            b'-' if bytes.get(at + 1) == Some(&b'-') => at = after(bytes, at, b'\n'),
            b'$' => {
                let digits = bytes[at + 1..]
                    .iter()
                    .take_while(|byte| byte.is_ascii_digit())
                    .count();
                let number: usize = text[at + 1..=at + digits].parse().unwrap_or(0);
                if number > 0 {
                    used |= 1 << (number.min(128) - 1);
                }
                at += 1 + digits;
            }
            _ => at += 1,
        }
    }
    used
}

/// The place after the next `end`.
fn after(bytes: &[u8], from: usize, end: u8) -> usize {
    bytes[from..]
        .iter()
        .position(|byte| *byte == end)
        .map_or(bytes.len(), |found| from + found + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn placeholders_are_counted_once_and_not_in_quotes_or_comments() {
        for (text, takes) in [
            ("SELECT 1", 0),
            ("SELECT $1, $2, $1", 2),
            ("SELECT '$1', \"$2\", 'it''s $3', $1 -- $4\n, $2", 2),
            (
                "INSERT INTO t VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)",
                11,
            ),
        ] {
            check(text, takes).unwrap();
            assert!(check(text, takes + 1).is_err(), "{text}");
        }
    }

    #[test]
    fn a_gap_is_an_error() {
        assert!(
            check("SELECT $1, $3", 3)
                .unwrap_err()
                .chain()
                .contains("gaps")
        );
        assert!(check("SELECT $1, $3", 2).is_err());
    }
}
