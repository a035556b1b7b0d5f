//! JSON strings of bounded length, byte by byte.

/// The bounds of a string, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TextRule {
    pub(super) min: usize,
    pub(super) max: usize,
}

/// How much of a string is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TextState {
    opened: bool,
    characters: usize,
    inside: Inside,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Inside {
    #[default]
    Nothing,
    /// After a backslash.
    Escape,
    /// In a character of several bytes: how many follow, and between which bounds the next one lies.
    Character { left: u8, low: u8, high: u8 },
}

/// What a byte does to a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextStep {
    Continue(TextState),
    End,
}

/// Fills a string up to its least length where it must end at once.
const FILLER: u8 = b'-';

impl TextRule {
    /// What one more byte does; none where it cannot stand here.
    pub(super) fn step(self, state: TextState, byte: u8) -> Option<TextStep> {
        let mut next = state;
        if !state.opened {
            next.opened = true;
            return (byte == b'"').then_some(TextStep::Continue(next));
        }
        match state.inside {
            Inside::Escape => {
                next.inside = Inside::Nothing;
                br#""\/bfnrt"#.contains(&byte).then_some(TextStep::Continue(next))
            }
            Inside::Character { left, low, high } => {
                let more = Inside::Character {
                    left: left - 1,
                    low: 0x80,
                    high: 0xBF,
                };
                next.inside = if left > 1 { more } else { Inside::Nothing };
                (low..=high)
                    .contains(&byte)
                    .then_some(TextStep::Continue(next))
            }
            Inside::Nothing if byte == b'"' => {
                (state.characters >= self.min).then_some(TextStep::End)
            }
            Inside::Nothing if state.characters >= self.max => None,
            Inside::Nothing => {
                next.characters += 1;
                next.inside = start_of_character(byte)?;
                Some(TextStep::Continue(next))
            }
        }
    }

    /// The shortest text that ends the string.
    pub(super) fn shortest(self, state: TextState) -> Vec<u8> {
        let mut text = Vec::new();
        if !state.opened {
            text.push(b'"');
        }
        match state.inside {
            Inside::Nothing => {}
            Inside::Escape => text.push(b'n'),
            Inside::Character { left, low, .. } => {
                text.push(low);
                text.extend(std::iter::repeat_n(0x80, usize::from(left) - 1));
            }
        }
        text.extend(std::iter::repeat_n(
            FILLER,
            self.min.saturating_sub(state.characters),
        ));
        text.push(b'"');
        text
    }

    /// The length of [`Self::shortest`], without building it.
    pub(super) fn shortest_length(self, state: TextState) -> usize {
        let inside = match state.inside {
            Inside::Nothing => 0,
            Inside::Escape => 1,
            Inside::Character { left, .. } => usize::from(left),
        };
        usize::from(!state.opened) + inside + self.min.saturating_sub(state.characters) + 1
    }
}

/// The bounds of the bytes that follow a first byte, as the Unicode standard lists them (table 3-7).
fn start_of_character(byte: u8) -> Option<Inside> {
    let (left, low, high) = match byte {
        b'\\' => return Some(Inside::Escape),
        0x20..=0x7E => return Some(Inside::Nothing),
        0xC2..=0xDF => (1, 0x80, 0xBF),
        0xE0 => (2, 0xA0, 0xBF),
        0xE1..=0xEC | 0xEE..=0xEF => (2, 0x80, 0xBF),
        0xED => (2, 0x80, 0x9F),
        0xF0 => (3, 0x90, 0xBF),
        0xF1..=0xF3 => (3, 0x80, 0xBF),
        0xF4 => (3, 0x80, 0x8F),
        _ => return None,
    };
    Some(Inside::Character { left, low, high })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn walk(rule: TextRule, text: &[u8]) -> Option<TextStep> {
        text.iter().try_fold(
            TextStep::Continue(TextState::default()),
            |step, byte| match step {
                TextStep::Continue(state) => rule.step(state, *byte),
                TextStep::End => None,
            },
        )
    }

    proptest! {
        #[test]
        fn every_json_string_within_the_bounds_is_accepted(text in "[^\u{0}-\u{1f}\u{7f}]{0,12}") {
            let json = serde_json::to_string(&text).unwrap();
            let length = text.chars().count();
            let fits = walk(TextRule { min: 0, max: length }, json.as_bytes());
            prop_assert_eq!(fits, Some(TextStep::End));
            if length > 0 {
                prop_assert_ne!(walk(TextRule { min: 0, max: length - 1 }, json.as_bytes()), Some(TextStep::End));
            }
        }

        #[test]
        fn whatever_can_be_started_can_be_ended(bytes in prop::collection::vec(any::<u8>(), 0..6), min in 0_usize..4) {
            let rule = TextRule { min, max: 8 };
            let mut text = b"\"".to_vec();
            text.extend(bytes);
            if let Some(TextStep::Continue(state)) = walk(rule, &text) {
                let rest = rule.shortest(state);
                prop_assert_eq!(rest.len(), rule.shortest_length(state));
                text.extend(rest);
                let value: String = serde_json::from_slice(&text).unwrap();
                prop_assert!((min..=8).contains(&value.chars().count()));
            }
        }
    }
}
