//! Numbers within bounds, digit by digit.

/// A number of at most `decimals` digits behind the point, between two bounds that are scaled by `10^decimals`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NumberRule {
    pub(super) min: i128,
    pub(super) max: i128,
    pub(super) decimals: u32,
}

/// How much of a number is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct NumberState {
    negative: bool,
    /// All digits, as one number.
    value: i128,
    digits: u32,
    /// Digits behind the point, where there is one.
    fraction: Option<u32>,
}

const MAX_DIGITS: u32 = 18;

impl NumberRule {
    /// The state after one more byte; none where no number within the bounds starts like that.
    pub(super) fn step(self, state: NumberState, byte: u8) -> Option<NumberState> {
        let mut next = state;
        match byte {
            b'-' if state == NumberState::default() => next.negative = true,
            b'.' if state.digits > 0 && state.fraction.is_none() && self.decimals > 0 => {
                next.fraction = Some(0);
            }
            b'0'..=b'9' => {
                let leading_zero =
                    state.digits == 1 && state.value == 0 && state.fraction.is_none();
                let full = state.digits >= MAX_DIGITS || state.fraction == Some(self.decimals);
                if leading_zero || full {
                    return None;
                }
                next.value = state.value * 10 + i128::from(byte - b'0');
                next.digits += 1;
                next.fraction = state.fraction.map(|digits| digits + 1);
            }
            _ => return None,
        }
        self.reachable(next).then_some(next)
    }

    /// Whether what is written is a whole number within the bounds.
    pub(super) fn is_complete(self, state: NumberState) -> bool {
        let minus_zero = state.negative && state.value == 0;
        if state.digits == 0 || state.fraction == Some(0) || minus_zero {
            return false;
        }
        let scaled = state.value * 10_i128.pow(self.decimals - state.fraction.unwrap_or(0));
        self.contains(state.negative, scaled, scaled)
    }

    /// The shortest text that completes the number.
    pub(super) fn shortest(self, state: NumberState) -> Vec<u8> {
        let mut layer = vec![(state, Vec::new())];
        // Breadth first; each layer is cut down, for any way that can still end is as good as another.
        for _ in 0..=MAX_DIGITS + 2 {
            if let Some((_, text)) = layer.iter().find(|(state, _)| self.is_complete(*state)) {
                return text.clone();
            }
            let mut next = Vec::new();
            for (state, text) in &layer {
                for byte in *b"0123456789-." {
                    if let Some(after) = self.step(*state, byte) {
                        let mut text: Vec<u8> = text.clone();
                        text.push(byte);
                        next.push((after, text));
                    }
                }
            }
            next.truncate(64);
            layer = next;
        }
        Vec::new()
    }

    fn reachable(self, state: NumberState) -> bool {
        if state.digits == 0 {
            return if state.negative { self.min < 0 } else { true };
        }
        if let Some(fraction) = state.fraction {
            let unit = 10_i128.pow(self.decimals - fraction);
            return self.contains(
                state.negative,
                state.value * unit,
                state.value * unit + unit - 1,
            );
        }
        let scale = 10_i128.pow(self.decimals);
        let more = if state.value == 0 {
            0
        } else {
            MAX_DIGITS - state.digits
        };
        (0..=more).any(|digits| {
            let unit = 10_i128.pow(digits) * scale;
            let highest = if self.decimals == 0 {
                state.value * unit + 10_i128.pow(digits) - 1
            } else {
                state.value * unit + unit - 1
            };
            self.contains(state.negative, state.value * unit, highest)
        })
    }

    /// Whether some value between `low` and `high`, with this sign, lies within the bounds.
    fn contains(self, negative: bool, low: i128, high: i128) -> bool {
        // Zero is written without a sign.
        let (low, high) = if negative {
            (-high, (-low).min(-1))
        } else {
            (low, high)
        };
        low <= high && low <= self.max && high >= self.min
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn walk(rule: NumberRule, text: &str) -> Option<NumberState> {
        text.bytes()
            .try_fold(NumberState::default(), |state, byte| rule.step(state, byte))
    }

    fn accepts(rule: NumberRule, text: &str) -> bool {
        walk(rule, text).is_some_and(|state| rule.is_complete(state))
    }

    #[test]
    fn integers_stay_within_their_bounds() {
        let rule = NumberRule {
            min: -5,
            max: 120,
            decimals: 0,
        };
        for good in ["0", "7", "120", "-5", "-1", "99"] {
            assert!(accepts(rule, good), "{good}");
        }
        for bad in ["121", "-6", "-0", "007", "1.0", "", "-", "1e3"] {
            assert!(!accepts(rule, bad), "{bad}");
        }
        assert!(walk(rule, "13").is_some(), "13 is whole");
        assert!(walk(rule, "130").is_none());
    }

    #[test]
    fn decimals_stay_within_their_bounds() {
        let rule = NumberRule {
            min: 0,
            max: 10_000,
            decimals: 4,
        };
        for good in ["0", "1", "0.5", "0.1234", "1.0"] {
            assert!(accepts(rule, good), "{good}");
        }
        for bad in ["1.1", "2", "-0.5", "0.", "0.12345", ".5"] {
            assert!(!accepts(rule, bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_can_be_started_can_be_ended(
            a in -5000_i128..5000, b in -5000_i128..5000, decimals in 0_u32..4, bytes in "[-.0-9]{0,8}",
        ) {
            let rule = NumberRule { min: a.min(b), max: a.max(b), decimals };
            if let Some(state) = walk(rule, &bytes) {
                let text = format!("{bytes}{}", String::from_utf8(rule.shortest(state)).unwrap());
                prop_assert!(accepts(rule, &text), "{rule:?} {text}");
                let value: f64 = text.parse().unwrap();
                let scaled = (value * 10_f64.powi(i32::try_from(decimals).unwrap())).round() as i128;
                prop_assert!((rule.min..=rule.max).contains(&scaled), "{rule:?} {text}");
            }
        }
    }
}
