//! Times and counts as people read them: pure.

use std::time::Duration;

use swarm_types::Timestamp;

/// A count with a comma at each thousand.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A length of time, such as `0.4 s`, `12 s`, `3 m 05 s`, `2 h 10 m`.
#[must_use]
pub fn seconds(length: Duration) -> String {
    let tenths = (length.as_millis() + 50) / 100;
    let whole = tenths / 10;
    match whole {
        0..=9 => format!("{}.{} s", whole, tenths % 10),
        10..=59 => format!("{whole} s"),
        60..=3599 => format!("{} m {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} m", whole / 3600, whole / 60 % 60),
    }
}

/// The time between two moments; nothing where one of them is not known.
#[must_use]
pub fn span(from: Option<Timestamp>, to: Option<Timestamp>) -> String {
    match (from, to) {
        (Some(from), Some(to)) => seconds((to - from).to_std().unwrap_or_default()),
        _ => String::new(),
    }
}

/// Seconds since the start, right-aligned so that a log's times stand below each other.
#[must_use]
pub fn clock(since: Option<Duration>) -> String {
    let Some(since) = since else {
        return " ".repeat(6);
    };
    let tenths = since.as_millis() / 100;
    format!("{:>5}s", format!("{}.{}", tenths / 10, tenths % 10))
}

/// A moment, in UTC.
#[must_use]
pub fn moment(at: Option<Timestamp>) -> String {
    at.map(|at| at.format("%Y-%m-%d %H:%M:%S").to_string())
        .unwrap_or_default()
}

/// Tokens in one phrase, such as `211 in (120 cached), 14 out`.
#[must_use]
pub fn tokens(input: u64, output: u64, cached: u64) -> String {
    let cached = if cached > 0 {
        format!(" ({} cached)", count(cached))
    } else {
        String::new()
    };
    format!("{} in{cached}, {} out", count(input), count(output))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            [count(0), count(999), count(1_000), count(1_234_567)],
            ["0", "999", "1,000", "1,234,567"]
        );
        let ms = |ms| seconds(Duration::from_millis(ms));
        assert_eq!(
            [ms(0), ms(49), ms(950), ms(9_960)],
            ["0.0 s", "0.0 s", "1.0 s", "10 s"]
        );
        assert_eq!([ms(61_000), ms(7_800_000)], ["1 m 01 s", "2 h 10 m"]);
        assert_eq!(clock(Some(Duration::from_millis(1_250))), "  1.2s");
        assert_eq!(tokens(1_211, 14, 0), "1,211 in, 14 out");
    }
}
