//! What waits for one listener: pure, and bounded however slow the listener is.
//!
//! Commits of one task are one signal, because whoever hears it reads all that is stored. Tokens of
//! one attempt of a step become one longer token. So a slow listener hears less often, not less.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use serde_json::Value;
use swarm_types::TaskId;

use super::{EventRecord, Signal};

/// Tasks whose commits may wait; beyond that the listener is told that it missed some.
const MOST_TASKS: usize = 1024;
/// Bytes of tokens that may wait; beyond that the oldest are dropped. What a step has written comes
/// whole with its end.
const MOST_TEXT: usize = 256 * 1024;

#[derive(Debug, Default)]
pub(super) struct Mailbox {
    waiting: VecDeque<Waiting>,
    /// Tasks with a commit among the waiting, and whether they have ended.
    committed: HashMap<TaskId, bool>,
    text: usize,
    missed: bool,
}

#[derive(Debug)]
enum Waiting {
    Commit(TaskId),
    Token(Token),
}

#[derive(Debug)]
struct Token {
    event: Arc<EventRecord>,
    bytes: usize,
    /// The offset of what follows.
    end: u64,
}

impl Mailbox {
    pub(super) fn put(&mut self, signal: Signal) {
        match signal {
            Signal::Committed { task, ended } => self.commit(task, ended),
            Signal::Ephemeral(event) => self.token(event),
        }
    }

    /// The next signal; `Some(None)` when some were missed, `None` when there is nothing.
    pub(super) fn take(&mut self) -> Option<Option<Signal>> {
        if std::mem::take(&mut self.missed) {
            return Some(None);
        }
        Some(Some(match self.waiting.pop_front()? {
            Waiting::Commit(task) => Signal::Committed {
                task,
                ended: self.committed.remove(&task).unwrap_or_default(),
            },
            Waiting::Token(token) => {
                self.text -= token.bytes;
                Signal::Ephemeral(token.event)
            }
        }))
    }

    fn commit(&mut self, task: TaskId, ended: bool) {
        if let Some(has_ended) = self.committed.get_mut(&task) {
            *has_ended |= ended;
            return;
        }
        if self.committed.len() == MOST_TASKS {
            self.committed.clear();
            self.waiting
                .retain(|waiting| matches!(waiting, Waiting::Token(_)));
            self.missed = true;
        }
        self.committed.insert(task, ended);
        self.waiting.push_back(Waiting::Commit(task));
    }

    fn token(&mut self, event: Arc<EventRecord>) {
        let text = text_of(&event).unwrap_or_default();
        let bytes = text.len();
        self.text += bytes;
        if !self.append(&event, text) {
            let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
            let end = offset_of(&event).saturating_add(length);
            self.waiting
                .push_back(Waiting::Token(Token { event, bytes, end }));
        }
        while self.text > MOST_TEXT && self.drop_oldest_token() {}
    }

    /// Makes the text part of the newest token of the same attempt, if it follows there.
    fn append(&mut self, event: &EventRecord, text: &str) -> bool {
        let newest = self
            .waiting
            .iter_mut()
            .rev()
            .find_map(|waiting| match waiting {
                Waiting::Token(token) if is_same_attempt(&token.event, event) => Some(token),
                _ => None,
            });
        let Some(token) = newest.filter(|token| token.end == offset_of(event)) else {
            return false;
        };
        let Some(Value::String(whole)) = Arc::make_mut(&mut token.event).data.get_mut("text")
        else {
            return false;
        };
        whole.push_str(text);
        token.bytes += text.len();
        token.end += u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
        true
    }

    fn drop_oldest_token(&mut self) -> bool {
        let oldest = self
            .waiting
            .iter()
            .position(|waiting| matches!(waiting, Waiting::Token(_)));
        let Some(Waiting::Token(token)) = oldest.and_then(|place| self.waiting.remove(place))
        else {
            return false;
        };
        self.text -= token.bytes;
        true
    }
}

fn is_same_attempt(one: &EventRecord, other: &EventRecord) -> bool {
    one.task == other.task
        && one.kind == other.kind
        && one.data.get("step") == other.data.get("step")
        && one.data.get("attempt") == other.data.get("attempt")
}

fn text_of(event: &EventRecord) -> Option<&str> {
    event.data.get("text")?.as_str()
}

fn offset_of(event: &EventRecord) -> u64 {
    event
        .data
        .get("offset")
        .and_then(Value::as_u64)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::json;
    use swarm_types::TenantId;

    use super::*;

    fn token(task: TaskId, attempt: u32, offset: u64, text: &str) -> Signal {
        Signal::Ephemeral(Arc::new(EventRecord {
            tenant: TenantId::from_uuid(uuid::Uuid::nil()),
            task,
            root: task,
            seq: 0,
            tenant_seq: 0,
            kind: "token".into(),
            data: json!({"step": "s", "attempt": attempt, "offset": offset, "text": text}),
            at: DateTime::UNIX_EPOCH,
        }))
    }

    fn commit(task: TaskId, ended: bool) -> Signal {
        Signal::Committed { task, ended }
    }

    fn all(mailbox: &mut Mailbox) -> Vec<String> {
        std::iter::from_fn(|| mailbox.take())
            .map(|signal| match signal {
                None => "missed".to_owned(),
                Some(Signal::Committed { ended: false, .. }) => "commit".to_owned(),
                Some(Signal::Committed { ended: true, .. }) => "end".to_owned(),
                Some(Signal::Ephemeral(event)) => {
                    format!("{}:{}", offset_of(&event), text_of(&event).unwrap_or("?"))
                }
            })
            .collect()
    }

    #[test]
    fn tokens_that_wait_become_one_and_stay_behind_what_came_before() {
        let (task, mut mailbox) = (TaskId::new(), Mailbox::default());
        for signal in [
            commit(task, false),
            token(task, 1, 0, "één "),
            token(task, 1, 4, "two "),
            commit(task, false),
            token(task, 1, 8, "three"),
            // A second attempt starts anew.
            token(task, 2, 0, "uno "),
            // Something is missing in between.
            token(task, 2, 9, "tres"),
            commit(task, true),
        ] {
            mailbox.put(signal);
        }
        assert_eq!(
            all(&mut mailbox),
            ["end", "0:één two three", "0:uno ", "9:tres"]
        );
        // A fast listener hears each.
        for place in 0..2 {
            mailbox.put(token(task, 3, place, "x"));
            assert_eq!(all(&mut mailbox), [format!("{place}:x")]);
        }
        assert!(mailbox.committed.is_empty() && mailbox.text == 0);
    }

    #[test]
    fn what_others_see_is_not_changed() {
        let (task, mut slow) = (TaskId::new(), Mailbox::default());
        let Signal::Ephemeral(shared) = token(task, 1, 0, "a") else {
            unreachable!()
        };
        slow.put(Signal::Ephemeral(shared.clone()));
        slow.put(token(task, 1, 1, "b"));
        assert_eq!(text_of(&shared), Some("a"));
        assert_eq!(all(&mut slow), ["0:ab"]);
    }

    #[test]
    fn it_stays_bounded_and_says_so() {
        let mut mailbox = Mailbox::default();
        let talk = TaskId::new();
        for place in 0..3 * MOST_TASKS {
            mailbox.put(commit(TaskId::new(), false));
            let attempt = u32::try_from(place).unwrap_or_default();
            mailbox.put(token(talk, attempt, 0, &"x".repeat(1000)));
        }
        assert!(mailbox.text <= MOST_TEXT && mailbox.waiting.len() <= 2 * MOST_TASKS);
        let seen = all(&mut mailbox);
        assert_eq!(seen[0], "missed");
        assert!(seen.iter().filter(|signal| *signal == "missed").count() == 1);
        assert_eq!(mailbox.text, 0);
    }
}
