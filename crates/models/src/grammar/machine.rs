//! A grammar of bounded JSON, and the machine that reads it byte by byte.

use std::sync::Arc;

use super::State;
use super::number::{NumberRule, NumberState};
use super::text::{TextRule, TextState, TextStep};

/// A grammar, cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grammar(Arc<Node>);

#[derive(Debug, PartialEq, Eq)]
enum Node {
    Literal(Vec<u8>),
    Text(TextRule),
    Number(NumberRule),
    Sequence(Vec<Grammar>),
    Choice(Vec<Grammar>),
    /// Items, with separators, up to a count.
    Items {
        item: Grammar,
        min: usize,
        max: usize,
        written: usize,
    },
}

impl Grammar {
    pub(super) fn literal(text: impl Into<Vec<u8>>) -> Self {
        Self(Arc::new(Node::Literal(text.into())))
    }

    pub(super) fn text(rule: TextRule) -> Self {
        Self(Arc::new(Node::Text(rule)))
    }

    pub(super) fn number(rule: NumberRule) -> Self {
        Self(Arc::new(Node::Number(rule)))
    }

    pub(super) fn sequence(parts: Vec<Self>) -> Self {
        Self(Arc::new(Node::Sequence(parts)))
    }

    pub(super) fn choice(mut alternatives: Vec<Self>) -> Self {
        match (alternatives.len(), alternatives.pop()) {
            (1, Some(only)) => only,
            (_, last) => {
                alternatives.extend(last);
                Self(Arc::new(Node::Choice(alternatives)))
            }
        }
    }

    pub(super) fn array(item: Self, min: usize, max: usize) -> Self {
        let items = Self(Arc::new(Node::Items {
            item,
            min,
            max,
            written: 0,
        }));
        Self::sequence(vec![Self::literal("["), items, Self::literal("]")])
    }

    /// The state before the first byte.
    #[must_use]
    pub fn start(&self) -> State {
        State::new(self.heads())
    }

    fn heads(&self) -> Vec<Head> {
        let mut heads = Vec::new();
        expand(Rest::None.push(self.clone()), &mut heads);
        heads
    }

    fn shortest(&self) -> Vec<u8> {
        match &*self.0 {
            Node::Literal(text) => text.clone(),
            Node::Text(rule) => rule.shortest(TextState::default()),
            Node::Number(rule) => rule.shortest(NumberState::default()),
            Node::Sequence(parts) => parts.iter().flat_map(Self::shortest).collect(),
            Node::Choice(alternatives) => alternatives
                .iter()
                .map(Self::shortest)
                .min_by_key(Vec::len)
                .unwrap_or_default(),
            Node::Items {
                item, min, written, ..
            } => {
                let mut text = Vec::new();
                for index in *written..*min {
                    text.extend_from_slice(if index > 0 { SEPARATOR } else { b"" });
                    text.extend(item.shortest());
                }
                text
            }
        }
    }
}

/// Between the items of a list and the properties of an object.
pub(super) const SEPARATOR: &[u8] = b", ";

/// What must follow: a list that states share.
#[derive(Debug, Clone)]
enum Rest {
    None,
    Then(Arc<Then>),
}

#[derive(Debug)]
struct Then {
    grammar: Grammar,
    rest: Rest,
    /// The least bytes that this and all that follows take.
    shortest: usize,
}

impl Rest {
    fn push(&self, grammar: Grammar) -> Self {
        let shortest = grammar.shortest().len() + self.shortest();
        Self::Then(Arc::new(Then {
            grammar,
            rest: self.clone(),
            shortest,
        }))
    }

    fn shortest(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Then(then) => then.shortest,
        }
    }
}

/// One way in which the text so far can be read: what is being written, and what follows it.
#[derive(Debug, Clone)]
pub(super) struct Head {
    current: Current,
    rest: Rest,
}

#[derive(Debug, Clone)]
enum Current {
    Literal {
        grammar: Grammar,
        at: usize,
    },
    Text {
        rule: TextRule,
        state: TextState,
    },
    Number {
        rule: NumberRule,
        state: NumberState,
    },
    End,
}

/// Replaces what waits by what takes bytes.
fn expand(rest: Rest, heads: &mut Vec<Head>) {
    let Rest::Then(then) = rest else {
        return heads.push(Head {
            current: Current::End,
            rest: Rest::None,
        });
    };
    let rest = then.rest.clone();
    match &*then.grammar.0 {
        Node::Literal(text) if text.is_empty() => expand(rest, heads),
        Node::Literal(_) => heads.push(Head {
            current: Current::Literal {
                grammar: then.grammar.clone(),
                at: 0,
            },
            rest,
        }),
        Node::Text(rule) => heads.push(Head {
            current: Current::Text {
                rule: *rule,
                state: TextState::default(),
            },
            rest,
        }),
        Node::Number(rule) => {
            heads.push(Head {
                current: Current::Number {
                    rule: *rule,
                    state: NumberState::default(),
                },
                rest,
            });
        }
        Node::Sequence(parts) => {
            let rest = parts
                .iter()
                .rev()
                .fold(rest, |rest, part| rest.push(part.clone()));
            expand(rest, heads);
        }
        Node::Choice(alternatives) => {
            for alternative in alternatives {
                expand(rest.push(alternative.clone()), heads);
            }
        }
        Node::Items {
            item,
            min,
            max,
            written,
        } => {
            if written >= min {
                expand(rest.clone(), heads);
            }
            if written < max {
                let more = Node::Items {
                    item: item.clone(),
                    min: *min,
                    max: *max,
                    written: written + 1,
                };
                let rest = rest.push(Grammar(Arc::new(more))).push(item.clone());
                let rest = if *written > 0 {
                    rest.push(Grammar::literal(SEPARATOR))
                } else {
                    rest
                };
                expand(rest, heads);
            }
        }
    }
}

impl Head {
    pub(super) fn step(&self, byte: u8, heads: &mut Vec<Head>) {
        match &self.current {
            Current::End => {}
            Current::Literal { grammar, at } => {
                let Node::Literal(text) = &*grammar.0 else {
                    return;
                };
                if text[*at] != byte {
                } else if at + 1 == text.len() {
                    expand(self.rest.clone(), heads);
                } else {
                    let current = Current::Literal {
                        grammar: grammar.clone(),
                        at: at + 1,
                    };
                    heads.push(Head {
                        current,
                        rest: self.rest.clone(),
                    });
                }
            }
            Current::Text { rule, state } => match rule.step(*state, byte) {
                Some(TextStep::Continue(state)) => {
                    heads.push(Head {
                        current: Current::Text { rule: *rule, state },
                        rest: self.rest.clone(),
                    });
                }
                Some(TextStep::End) => expand(self.rest.clone(), heads),
                None => {}
            },
            Current::Number { rule, state } => {
                if let Some(state) = rule.step(*state, byte) {
                    heads.push(Head {
                        current: Current::Number { rule: *rule, state },
                        rest: self.rest.clone(),
                    });
                }
                // A number ends where the next part begins.
                if rule.is_complete(*state) {
                    let mut after = Vec::new();
                    expand(self.rest.clone(), &mut after);
                    after.iter().for_each(|head| head.step(byte, heads));
                }
            }
        }
    }

    pub(super) fn shortest_length(&self) -> usize {
        let current = match &self.current {
            Current::End => 0,
            Current::Literal { grammar, at } => match &*grammar.0 {
                Node::Literal(text) => text.len() - at,
                _ => 0,
            },
            Current::Text { rule, state } => rule.shortest_length(*state),
            Current::Number { rule, state } => rule.shortest(*state).len(),
        };
        current + self.rest.shortest()
    }

    pub(super) fn shortest(&self) -> Vec<u8> {
        let mut text = match &self.current {
            Current::End => Vec::new(),
            Current::Literal { grammar, at } => match &*grammar.0 {
                Node::Literal(text) => text[*at..].to_vec(),
                _ => Vec::new(),
            },
            Current::Text { rule, state } => rule.shortest(*state),
            Current::Number { rule, state } => rule.shortest(*state),
        };
        let mut rest = &self.rest;
        while let Rest::Then(then) = rest {
            text.extend(then.grammar.shortest());
            rest = &then.rest;
        }
        text
    }

    pub(super) fn is_complete(&self) -> bool {
        match &self.current {
            Current::End => true,
            Current::Number { rule, state } => {
                matches!(self.rest, Rest::None) && rule.is_complete(*state)
            }
            _ => false,
        }
    }

    /// Whether nothing can follow.
    pub(super) fn is_end(&self) -> bool {
        matches!(self.current, Current::End)
    }

    /// The byte that must follow, where only one can.
    pub(super) fn only_byte(&self) -> Option<u8> {
        match &self.current {
            Current::Literal { grammar, at } => match &*grammar.0 {
                Node::Literal(text) => text.get(*at).copied(),
                _ => None,
            },
            Current::Text { state, .. } if *state == TextState::default() => Some(b'"'),
            _ => None,
        }
    }
}
