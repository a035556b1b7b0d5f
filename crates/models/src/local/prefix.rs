//! Which sequence a new request takes, and whose computed beginning it shares. Pure.

/// A sequence of the context, as the choice sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held<'a, T> {
    /// The tokens that are computed.
    pub(super) tokens: &'a [T],
    /// Whether a request runs in it.
    pub(super) busy: bool,
    /// When it was last used.
    pub(super) used: u64,
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placement {
    /// The sequence that it takes.
    pub(super) target: usize,
    /// The sequence whose beginning it shares; the target itself where that is continued.
    pub(super) source: usize,
    /// How many tokens are shared.
    pub(super) shared: usize,
}

/// Places a prompt; none where every sequence is busy.
///
/// At least the prompt's last token is left to compute, for its logits begin the answer.
pub(super) fn place<T: PartialEq>(held: &[Held<'_, T>], prompt: &[T]) -> Option<Placement> {
    let most = prompt.len().saturating_sub(1);
    let common = |index: usize| {
        let pairs = held[index].tokens.iter().zip(prompt);
        pairs
            .take_while(|(one, other)| one == other)
            .count()
            .min(most)
    };
    let source = (0..held.len())
        .max_by_key(|&index| (common(index), !held[index].busy, held[index].used))?;
    let shared = common(source);
    let idle = || (0..held.len()).filter(|&index| !held[index].busy);
    // Where most of an idle sequence is shared it is continued, so that a conversation stays in one.
    let continues = !held[source].busy && shared > 0 && 2 * shared >= held[source].tokens.len();
    let oldest = || {
        idle()
            .filter(|&index| index != source)
            .min_by_key(|&index| held[index].used)
    };
    let target = if continues {
        source
    } else {
        oldest().or_else(|| idle().next())?
    };
    Some(Placement {
        target,
        source,
        shared,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn held(tokens: &[i32], busy: bool, used: u64) -> Held<'_, i32> {
        Held { tokens, busy, used }
    }

    #[test]
    fn a_conversation_continues_in_its_sequence() {
        let sequences = [held(&[9, 9], false, 5), held(&[1, 2, 3], false, 1)];
        let placement = place(&sequences, &[1, 2, 3, 4]).unwrap();
        assert_eq!(
            placement,
            Placement {
                target: 1,
                source: 1,
                shared: 3
            }
        );
    }

    #[test]
    fn a_short_common_beginning_is_copied_and_its_owner_kept() {
        let sequences = [
            held(&[1, 2, 3, 4, 5, 6], false, 9),
            held(&[7], false, 1),
            held(&[8], false, 2),
        ];
        let placement = place(&sequences, &[1, 2, 9, 9]).unwrap();
        assert_eq!(
            placement,
            Placement {
                target: 1,
                source: 0,
                shared: 2
            }
        );
    }

    #[test]
    fn a_running_request_shares_what_it_has_computed() {
        let sequences = [held(&[1, 2, 3, 4], true, 9), held(&[], false, 0)];
        let placement = place(&sequences, &[1, 2, 3, 4]).unwrap();
        assert_eq!(
            placement,
            Placement {
                target: 1,
                source: 0,
                shared: 3
            },
            "one token is left to compute"
        );
    }

    #[test]
    fn the_only_idle_sequence_is_taken_even_where_it_is_the_source() {
        let sequences = [held(&[1, 2, 3, 4, 5, 6], false, 9), held(&[7], true, 1)];
        let placement = place(&sequences, &[1, 9]).unwrap();
        assert_eq!(
            placement,
            Placement {
                target: 0,
                source: 0,
                shared: 1
            }
        );
        assert!(place(&[held(&[1], true, 0)], &[1, 2]).is_none());
    }
}
