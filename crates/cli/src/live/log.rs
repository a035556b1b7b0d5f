//! What an event adds to the log: pure.

use serde_json::Value;
use swarm_client::Event;

use super::ballot::{mark, options};
use super::said::{flag, list, number, text, texts, usage};
use super::state::{State, Step, step_id};
use crate::console::{Line, Style, clean, clip, clock, flow, hang, seconds, tokens};

/// What the task itself does, apart from its agents.
const ITSELF: &str = "task";
/// Columns of a longer text that the log repeats.
const REPEATED: usize = 300;

pub(super) fn lines(state: &mut State, event: &Event, columns: usize) -> Vec<Line> {
    let data = &event.data;
    let page = Page {
        state,
        event,
        columns: columns.saturating_sub(1),
    };
    match event.kind.as_str() {
        "task.submitted" if event.task_id == state.root => {
            page.say(Style::Dim, &format!("{} was submitted", state.root))
        }
        "task.started" | "task.resumed" => page.started(),
        "task.waiting" => page.waiting(text(data, "reason")),
        "task.completed" if event.task_id == state.root => page.say(Style::Good, "completed"),
        "task.failed" | "task.dead_lettered" => page.say(Style::Bad, &failed(data)),
        "task.cancelled" => page.say(Style::Warn, "cancelled"),
        "passages.ready" => page.say(Style::Plain, &passages(data)),
        "memory.recalled" => page.recalled(),
        "step.finished" => page.finished(),
        "step.failed" => page.say(
            Style::Warn,
            &format!("{}: {}", page.step_name(), failed(data)),
        ),
        "step.outcome_unknown" => page.say(
            Style::Bad,
            &format!("{}: nobody knows how it ended", page.step_name()),
        ),
        "message.sent" => page.sent(),
        "message.consumed" => page.consumed(),
        "ballot.opened" => page.opened(),
        "ballot.vote" => page.voted(),
        "ballot.closed" => page.closed(),
        _ => Vec::new(),
    }
}

struct Page<'a> {
    state: &'a State,
    event: &'a Event,
    columns: usize,
}

impl Page<'_> {
    /// The time and who it is about.
    fn prefix(&self, who: &str, style: Style) -> Line {
        let names = self.state.names.columns();
        Line::new()
            .with(Style::Dim, clock(self.state.since(self.event)))
            .plain(" ")
            .with(style, clip(&clean(who), names))
            .padded(names + 8)
    }

    /// One thing that the event's agent, or the task itself, does.
    fn say(&self, style: Style, words: &str) -> Vec<Line> {
        hang(self.who(), style, &clean(words), self.columns)
    }

    fn who(&self) -> Line {
        match self.state.agent_of(self.event) {
            Some(id) => self.prefix(&self.state.names.name(&id), self.state.names.style(&id)),
            None => self.prefix(ITSELF, Style::Strong),
        }
    }

    fn agent(&self, name: &str) -> Line {
        self.prefix(name, self.state.names.style_of_name(name))
    }

    /// Once: after a wait it goes on without a word.
    fn started(&self) -> Vec<Line> {
        let task = self.state.tasks.get(&self.event.task_id);
        let epoch = number(&self.event.data, "epoch");
        if task.is_some_and(|task| task.started_in == Some(epoch)) {
            return Vec::new();
        }
        let words = match task.map_or("", |task| task.role.as_str()) {
            "" => "work begins",
            "part" => "begins its part",
            "join" => "begins to write",
            "revision" => "begins to write it anew",
            role => &format!("begins: {role}"),
        };
        match epoch {
            0 | 1 => self.say(Style::Plain, words),
            _ => self.say(Style::Warn, "goes on where it was cut off"),
        }
    }

    /// Sub-tasks speak for themselves.
    fn waiting(&self, reason: &str) -> Vec<Line> {
        match reason {
            "" | "sub_tasks" => Vec::new(),
            reason => self.say(Style::Warn, &format!("waits for {reason}")),
        }
    }

    fn recalled(&self) -> Vec<Line> {
        let data = &self.event.data;
        let places = texts(data, "places");
        let found = match places.len() {
            0 => "nothing".to_owned(),
            1 => "1 passage".to_owned(),
            found => format!("{found} passages"),
        };
        let mut lines = self.say(
            Style::Plain,
            &format!("finds {found} {}", text(data, "how")),
        );
        lines.extend(
            places
                .into_iter()
                .flat_map(|place| self.below(Style::Dim, place)),
        );
        lines
    }

    /// A line under the last one.
    fn below(&self, style: Style, words: &str) -> Vec<Line> {
        let indent = Line::new().plain(" ".repeat(self.state.names.columns() + 8));
        hang(indent, style, &clean(words), self.columns)
    }

    fn finished(&self) -> Vec<Line> {
        let (data, known) = (&self.event.data, self.state.steps.get(&step_id(self.event)));
        let kind = known.map_or_else(|| text(data, "kind"), |step| step.kind.as_str());
        let result = data.get("result").unwrap_or(&Value::Null);
        match kind {
            "model" => self.thought(result, known),
            "tool" => self.say(
                Style::Plain,
                &format!("{}: {}", self.step_name(), shown(result)),
            ),
            "choice" => self.members(result),
            _ => Vec::new(),
        }
    }

    /// What a model said. Tool calls have lines of their own, a ballot's JSON is told by the vote.
    fn thought(&self, result: &Value, known: Option<&Step>) -> Vec<Line> {
        let (streamed, key) = known.map_or(("", ""), |step| (&step.text, &step.key));
        let is_ballot = key.starts_with("judge/");
        let words = match text(result, "text") {
            _ if is_ballot => "",
            "" => streamed,
            words => words,
        };
        let words = words.trim();
        let mut lines = if words.is_empty() {
            Vec::new()
        } else {
            self.say(Style::Plain, &format!("“{words}”"))
        };
        let used = usage(&self.event.data);
        let started = known.and_then(|step| step.started_at);
        let took = started
            .zip(self.event.at)
            .and_then(|(from, to)| (to - from).to_std().ok());
        let mut about = vec![clean(text(result, "model"))];
        about.push(tokens(
            used.input_tokens,
            used.output_tokens,
            used.cached_tokens,
        ));
        about.extend(took.map(seconds));
        about.retain(|part| !part.is_empty());
        let about = about.join(", ");
        lines.extend(if lines.is_empty() {
            self.say(Style::Dim, &about)
        } else {
            self.below(Style::Dim, &about)
        });
        lines
    }

    fn members(&self, result: &Value) -> Vec<Line> {
        let names: Vec<&str> = list(result, "readers")
            .iter()
            .map(|member| text(member, "name"))
            .collect();
        if names.is_empty() {
            return Vec::new();
        }
        let writer = result
            .get("writer")
            .map_or("", |writer| text(writer, "name"));
        self.say(
            Style::Plain,
            &format!("{} read, {writer} writes", names.join(" and ")),
        )
    }

    fn step_name(&self) -> String {
        let name = match self.state.steps.get(&step_id(self.event)) {
            Some(step) => step.name.as_str(),
            None => text(&self.event.data, "name"),
        };
        clean(name)
    }

    fn sent(&self) -> Vec<Line> {
        let data = &self.event.data;
        let (from, to) = (text(data, "from_agent_id"), text(data, "to_agent_id"));
        let names = &self.state.names;
        let who = if from.is_empty() {
            self.prefix("you", Style::Strong)
        } else {
            self.prefix(&names.name(from), names.style(from))
        };
        let subject = clean(text(data, "subject"));
        let body = body(text(data, "body"));
        let words = if body.is_empty() {
            subject
        } else {
            format!("{subject}: {body}")
        };
        // The start is enough: whoever sent it has mostly just said it.
        let line = who
            .plain("→ ")
            .with(names.style(to), names.name(to))
            .plain(": ");
        let room = self.columns.saturating_sub(line.width());
        vec![line.plain(clip(&words, room))]
    }

    fn consumed(&self) -> Vec<Line> {
        let id = text(&self.event.data, "message_id");
        let Some(from) = self.state.senders.get(id).filter(|from| !from.is_empty()) else {
            return Vec::new();
        };
        let to = text(&self.event.data, "to_agent_id");
        let prefix = self.prefix(&self.state.names.name(to), self.state.names.style(to));
        hang(
            prefix,
            Style::Dim,
            &format!("takes in what {} found", self.state.names.name(from)),
            self.columns,
        )
    }

    fn opened(&self) -> Vec<Line> {
        let data = &self.event.data;
        let mut lines = hang(
            self.prefix("ballot", Style::Strong),
            Style::Strong,
            &clean(text(data, "title")),
            self.columns,
        );
        let options = options(data);
        if options.len() > 1 {
            lines.extend(
                options
                    .into_iter()
                    .flat_map(|(id, place)| self.below(Style::Dim, &format!("{id}  {place}"))),
            );
        }
        lines
    }

    fn voted(&self) -> Vec<Line> {
        let data = &self.event.data;
        let votes = list(data, "votes");
        let label = |vote| {
            if votes.len() > 1 {
                format!("{} ", clean(text(vote, "option")))
            } else {
                String::new()
            }
        };
        let votes = votes.iter().map(|vote| {
            Line::new()
                .plain(label(vote))
                .then(mark(flag(vote, "approve")))
        });
        flow(
            self.agent(text(data, "voter")).plain("votes "),
            votes,
            self.columns,
        )
    }

    fn closed(&self) -> Vec<Line> {
        let data = &self.event.data;
        let all = list(data, "options");
        let of = |accepted: bool| {
            let ids = all
                .iter()
                .filter(|option| flag(option, "accepted") == accepted)
                .map(|option| text(option, "option"));
            ids.map(clean).collect::<Vec<_>>().join(", ")
        };
        let (kept, rejected) = (of(true), of(false));
        let prefix = self.prefix("ballot", Style::Strong);
        if !flag(data, "decided") {
            return hang(
                prefix,
                Style::Warn,
                "too few voted: nothing was decided",
                self.columns,
            );
        }
        if let [only] = all {
            let (style, words) = if flag(only, "accepted") {
                (Style::Good, "accepted")
            } else {
                (Style::Bad, "rejected")
            };
            return vec![prefix.with(style, words)];
        }
        let mut parts = Vec::new();
        if !kept.is_empty() {
            parts.push(Line::new().with(Style::Good, format!("accepted: {kept}")));
        }
        if !rejected.is_empty() {
            parts.push(Line::new().with(Style::Bad, format!("rejected: {rejected}")));
        }
        flow(prefix, parts, self.columns)
    }
}

fn passages(data: &Value) -> String {
    let (all, new) = (number(data, "passages"), number(data, "new"));
    match new {
        0 => format!("the documents have {all} passages, all known from before"),
        new if new == all => format!("the documents have {all} passages, now in memory"),
        new => format!("the documents have {all} passages, {new} of them new to memory"),
    }
}

fn failed(data: &Value) -> String {
    let error = data.get("error").unwrap_or(data);
    match text(error, "detail") {
        "" => "failed".to_owned(),
        detail => format!("failed: {}", clean(detail)),
    }
}

/// A message's words. A reader's report is JSON: its findings are counted, its note is quoted.
fn body(body: &str) -> String {
    let report: Option<Value> = serde_json::from_str(body).ok();
    let words = match report
        .as_ref()
        .map(|report| (report, list(report, "passages")))
    {
        Some((report, passages)) if report.get("note").is_some() => {
            let plural = if passages.len() == 1 { "" } else { "s" };
            format!(
                "{} passage{plural}, “{}”",
                passages.len(),
                text(report, "note")
            )
        }
        _ => body.to_owned(),
    };
    clip(&clean(&words), REPEATED)
}

fn shown(result: &Value) -> String {
    let words = result
        .as_str()
        .map_or_else(|| result.to_string(), str::to_owned);
    clip(&clean(&words), REPEATED)
}
