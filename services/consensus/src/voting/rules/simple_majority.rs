//! Simple majority: pure. An option is accepted when more voters approve than reject it; a tie
//! does not accept, and who abstains counts on neither side.

use crate::voting::tally::Count;

/// Whether an option with these choices is accepted.
pub(super) fn accepts(count: Count) -> bool {
    count.approve > count.reject
}

/// Whether `remaining` more choices, whatever they are, leave the outcome as it is.
pub(super) fn is_settled(count: Count, remaining: u32) -> bool {
    let stays_accepted = count.approve > count.reject + remaining;
    let stays_refused = count.approve + remaining <= count.reject;
    stays_accepted || stays_refused
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn count(approve: u32, reject: u32, abstain: u32) -> Count {
        Count {
            approve,
            reject,
            abstain,
        }
    }

    #[test]
    fn textbook_cases() {
        for (counts, accepted) in [
            (count(0, 0, 0), false),
            (count(1, 0, 0), true),
            (count(0, 1, 0), false),
            (count(1, 1, 0), false),
            (count(2, 1, 0), true),
            (count(1, 2, 0), false),
            (count(1, 0, 9), true),
            (count(0, 0, 9), false),
            (count(500, 500, 0), false),
            (count(501, 500, 0), true),
        ] {
            assert_eq!(accepts(counts), accepted, "{counts:?}");
        }
    }

    #[test]
    fn settled_means_that_no_further_choices_change_the_outcome() {
        for approve in 0..6 {
            for reject in 0..6 {
                for remaining in 0..6 {
                    let now = accepts(count(approve, reject, 0));
                    let mut can_change = false;
                    for more in 0..=remaining {
                        for against in 0..=(remaining - more) {
                            let end =
                                count(approve + more, reject + against, remaining - more - against);
                            can_change |= accepts(end) != now;
                        }
                    }
                    let found = is_settled(count(approve, reject, 0), remaining);
                    assert_eq!(found, !can_change, "{approve} {reject} {remaining}");
                }
            }
        }
    }
}
