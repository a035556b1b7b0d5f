//! The registry of ids: one line per kind.
//!
//! On the wire and in logs an id is its kind's prefix and 26 characters of lower-case Crockford
//! base 32, such as `task_01k9...`; in a database it is a plain UUID. New ids are UUIDv7, so text
//! and binary forms both sort by creation time.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TEXT_LENGTH: usize = 26;

/// Why a text is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdError {
    /// The prefix that was expected, such as `task`.
    pub expected: &'static str,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "must be an id of the form {}_ followed by {TEXT_LENGTH} characters",
            self.expected
        )
    }
}

impl std::error::Error for IdError {}

fn encode(uuid: Uuid) -> String {
    let mut rest = uuid.as_u128();
    let mut text = [0_u8; TEXT_LENGTH];
    for slot in text.iter_mut().rev() {
        *slot = ALPHABET[(rest & 31) as usize];
        rest >>= 5;
    }
    text.iter().map(|byte| char::from(*byte)).collect()
}

fn decode(text: &str) -> Option<Uuid> {
    // 26 characters hold 130 bits, so the first may only use its lowest three.
    if text.len() != TEXT_LENGTH || text.as_bytes()[0] > b'7' {
        return None;
    }
    let mut value = 0_u128;
    for byte in text.bytes() {
        let digit = ALPHABET.iter().position(|known| *known == byte)?;
        value = (value << 5) | digit as u128;
    }
    Some(Uuid::from_u128(value))
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// The prefix of the text form.
            pub const PREFIX: &'static str = $prefix;

            /// A new id that sorts after those made before it.
            #[must_use]
            #[expect(clippy::new_without_default, reason = "a default id would be a hidden random value")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id with this UUID, as read from a store.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// An id derived from its parts, so that a repeat derives the same one.
            #[must_use]
            pub fn derived(parts: &[&str]) -> Self {
                let mut name = String::from($prefix);
                for part in parts {
                    // The length keeps ("ab", "c") apart from ("a", "bc").
                    name.push_str(&format!(":{}:{part}", part.len()));
                }
                Self(Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()))
            }

            /// The UUID, as written to a store.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(decode)
                    .map(Self)
                    .ok_or(IdError { expected: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// Whose data it is: part of every key.
    TenantId = "tenant";
    /// A person who logs in.
    UserId = "user";
    /// A credential for programs.
    ApiKeyId = "key";
    /// An agent.
    AgentId = "agent";
    /// A task or sub-task.
    TaskId = "task";
    /// What makes tasks at given times.
    ScheduleId = "sched";
    /// One journaled step of a task.
    StepId = "step";
    /// One event of a task.
    EventId = "event";
    /// A message from one agent to another.
    MessageId = "msg";
    /// A question put to a vote.
    ProposalId = "proposal";
    /// One remembered text.
    MemoryId = "mem";
    /// One task outcome, as learning sees it.
    ObservationId = "obs";
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn text_form_comes_back_as_the_same_id() {
        for uuid in [Uuid::nil(), Uuid::max(), Uuid::now_v7()] {
            let id = TaskId::from_uuid(uuid);
            assert_eq!(id.to_string().parse::<TaskId>().unwrap(), id);
        }
        assert_eq!(
            TaskId::from_uuid(Uuid::max()).to_string(),
            format!("task_7{}", "z".repeat(25))
        );
    }

    #[test]
    fn text_order_is_creation_order() {
        let ids: Vec<String> = (0..100).map(|_| TaskId::new().to_string()).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn other_kinds_and_damaged_texts_are_refused() {
        let agent = AgentId::new().to_string();
        let good = TaskId::new().to_string();
        for text in [
            agent.as_str(),
            "",
            "task_",
            &good[..20],
            &good.to_uppercase(),
            "task_8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "task_é0000000000000000000000000",
        ] {
            assert_eq!(
                text.parse::<TaskId>().unwrap_err(),
                IdError { expected: "task" },
                "{text}"
            );
        }
    }

    #[test]
    fn derived_ids_depend_on_every_part_and_its_place() {
        let id = ProposalId::derived(&["ab", "c"]);
        assert_eq!(id, ProposalId::derived(&["ab", "c"]));
        assert_ne!(id, ProposalId::derived(&["a", "bc"]));
        assert_ne!(id.uuid(), MemoryId::derived(&["ab", "c"]).uuid());
    }
}
