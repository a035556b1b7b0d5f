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

/// A length of time down to tenths of a millisecond, such as `0.4 ms`, `180 ms`, `1.8 s`.
#[must_use]
pub fn brief(length: Duration) -> String {
    let micros = length.as_micros();
    match micros {
        0..10_000 => format!("{:.1} ms", micros as f64 / 1e3),
        10_000..1_000_000 => format!("{} ms", (micros + 500) / 1000),
        _ => seconds(length),
    }
}

/// A rate a second.
#[must_use]
pub fn rate(per_second: f64) -> String {
    if per_second > 0.0 && per_second < 9.95 {
        format!("{per_second:.1}")
    } else {
        count(per_second.max(0.0).round() as u64)
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
        let us = |us| brief(Duration::from_micros(us));
        assert_eq!(
            [us(40), us(4_230), us(180_400), us(1_840_000)],
            ["0.0 ms", "4.2 ms", "180 ms", "1.8 s"]
        );
        assert_eq!(
            [rate(0.0), rate(0.34), rate(9.96), rate(16_800.4)],
            ["0", "0.3", "10", "16,800"]
        );
        assert_eq!(tokens(1_211, 14, 0), "1,211 in, 14 out");
    }
}
