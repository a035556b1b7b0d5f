//! Retry policies, from the wire and to it.

use swarm_errors::{Error, Result};
use swarm_proto::agents::v1 as wire;
use swarm_proto::convert::parse;

use crate::tasks::{Backoff, MAX_ATTEMPTS, Passing, RetryPolicy};

const LONGEST_INITIAL_MS: u32 = 3_600_000;
const LONGEST_PAUSE_MS: u32 = 86_400_000;
const LARGEST_FACTOR: f64 = 10.0;

/// What is not said takes the default.
pub(super) fn policy(policy: &wire::RetryPolicy) -> Result<RetryPolicy> {
    let default = RetryPolicy::default();
    let max_attempts = policy.max_attempts.unwrap_or(default.max_attempts);
    if !(1..=MAX_ATTEMPTS).contains(&max_attempts) {
        let message = format!("must be 1 to {MAX_ATTEMPTS}");
        return Err(Error::invalid("retry.max_attempts", message));
    }
    let mut retry_on: Vec<Passing> = Vec::new();
    for (place, code) in policy.retry_on.iter().enumerate() {
        let code = parse(&format!("retry.retry_on[{place}]"), code)?;
        if !retry_on.contains(&code) {
            retry_on.push(code);
        }
    }
    Ok(RetryPolicy {
        max_attempts,
        backoff: backoff(&policy.backoff.unwrap_or_default())?,
        retry_on,
    })
}

fn backoff(backoff: &wire::Backoff) -> Result<Backoff> {
    let default = Backoff::default();
    let initial_ms = backoff.initial_ms.unwrap_or(default.initial_ms);
    if !(1..=LONGEST_INITIAL_MS).contains(&initial_ms) {
        let message = format!("must be 1 to {LONGEST_INITIAL_MS}");
        return Err(Error::invalid("retry.backoff.initial_ms", message));
    }
    let max_ms = backoff.max_ms.unwrap_or(default.max_ms.max(initial_ms));
    if !(initial_ms..=LONGEST_PAUSE_MS).contains(&max_ms) {
        let message = format!("must be at least initial_ms and at most {LONGEST_PAUSE_MS}");
        return Err(Error::invalid("retry.backoff.max_ms", message));
    }
    let factor = backoff.factor.unwrap_or(default.factor);
    // Ranges contain no NaN.
    if !(1.0..=LARGEST_FACTOR).contains(&factor) {
        let message = format!("must be 1 to {LARGEST_FACTOR}");
        return Err(Error::invalid("retry.backoff.factor", message));
    }
    let jitter = backoff.jitter.unwrap_or(default.jitter);
    if !(0.0..=1.0).contains(&jitter) {
        return Err(Error::invalid("retry.backoff.jitter", "must be 0 to 1"));
    }
    Ok(Backoff {
        initial_ms,
        factor,
        max_ms,
        jitter,
    })
}

/// As it holds, with the defaults in their places.
pub(super) fn encode(policy: &RetryPolicy) -> wire::RetryPolicy {
    let retry_on = match policy.retry_on.as_slice() {
        [] => &Passing::USUAL,
        chosen => chosen,
    };
    wire::RetryPolicy {
        max_attempts: Some(policy.max_attempts),
        backoff: Some(wire::Backoff {
            initial_ms: Some(policy.backoff.initial_ms),
            factor: Some(policy.backoff.factor),
            max_ms: Some(policy.backoff.max_ms),
            jitter: Some(policy.backoff.jitter),
        }),
        retry_on: retry_on.iter().map(ToString::to_string).collect(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_said_comes_back_and_the_rest_is_the_default() {
        assert_eq!(
            policy(&wire::RetryPolicy::default()).unwrap(),
            RetryPolicy::default()
        );
        let said = wire::RetryPolicy {
            max_attempts: Some(7),
            backoff: Some(wire::Backoff {
                initial_ms: Some(120_000),
                factor: Some(1.0),
                max_ms: None,
                jitter: Some(0.0),
            }),
            retry_on: vec!["internal".into(), "internal".into()],
        };
        let read = policy(&said).unwrap();
        assert_eq!(read.backoff.max_ms, 120_000);
        assert_eq!(read.retry_on, [Passing::Internal]);
        assert_eq!(policy(&encode(&read)).unwrap(), read);
    }

    #[test]
    fn what_is_wrong_is_named() {
        type Change = fn(&mut wire::RetryPolicy);
        let changes: [(&str, Change); 9] = [
            ("retry.max_attempts", |policy| policy.max_attempts = Some(0)),
            ("retry.max_attempts", |policy| {
                policy.max_attempts = Some(101);
            }),
            ("retry.retry_on[0]", |policy| {
                policy.retry_on = vec!["invalid_argument".into()];
            }),
            ("retry.backoff.initial_ms", |policy| {
                policy.backoff.get_or_insert_default().initial_ms = Some(0);
            }),
            ("retry.backoff.max_ms", |policy| {
                policy.backoff.get_or_insert_default().max_ms = Some(10);
            }),
            ("retry.backoff.factor", |policy| {
                policy.backoff.get_or_insert_default().factor = Some(0.5);
            }),
            ("retry.backoff.factor", |policy| {
                policy.backoff.get_or_insert_default().factor = Some(f64::NAN);
            }),
            ("retry.backoff.jitter", |policy| {
                policy.backoff.get_or_insert_default().jitter = Some(-0.1);
            }),
            ("retry.backoff.jitter", |policy| {
                policy.backoff.get_or_insert_default().jitter = Some(f64::INFINITY);
            }),
        ];
        for (field, change) in changes {
            let mut wrong = wire::RetryPolicy::default();
            change(&mut wrong);
            assert_eq!(policy(&wrong).unwrap_err().fields()[0].field, field);
        }
    }
}
