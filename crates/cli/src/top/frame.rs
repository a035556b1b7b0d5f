//! The work of the moment as lines: pure.

use std::time::Duration;

use swarm_client::{
    AgentOverview, AgentWork, Latency, Overview, QueueOverview, ReplicaOverview, TenantOverview,
};
use swarm_types::{Priority, Timestamp};

use crate::console::{Column, Line, Style, Table, brief, clean, count, flow, rate, seconds, width};
use crate::views::state_style;

/// Below this, what matters less is left out.
const NARROW: usize = 64;
/// The names before the numbers.
const LABELS: usize = 10;
/// What was heard since is as good as now.
const NOW: Duration = Duration::from_millis(500);
/// Rows that a section keeps in a low terminal: its titles, one item, and how many more there are.
const LEAST: usize = 3;

/// That the server is away.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outage<'a> {
    /// For how long.
    pub(super) length: Duration,
    /// What happened.
    pub(super) why: &'a str,
}

/// One picture.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    overview: &'a Overview,
    outage: Option<Outage<'a>>,
}

impl<'a> Frame<'a> {
    pub(super) const fn of(overview: &'a Overview, outage: Option<Outage<'a>>) -> Self {
        Self { overview, outage }
    }

    /// Its lines, no more than `rows`.
    pub(super) fn lines(&self, columns: usize, rows: usize) -> Vec<Line> {
        let mut lines = self.title(columns);
        lines.extend(self.numbers(columns));
        let sections = [
            self.tenants(columns),
            self.agents(columns),
            self.replicas(columns),
        ];
        let room = rows.saturating_sub(lines.len());
        for section in fitted(sections, room) {
            lines.push(Line::new());
            lines.extend(section);
        }
        lines.truncate(rows);
        lines
    }

    fn title(&self, columns: usize) -> Vec<Line> {
        let whose = if self.overview.platform {
            "all tenants"
        } else {
            "your tenant"
        };
        let time = format!("{} UTC", self.overview.at.format("%H:%M:%S"));
        let left = Line::new()
            .with(Style::Strong, "Qwen Swarm")
            .with(Style::Dim, format!("  {whose}"));
        let mut lines = vec![
            left.padded(columns.saturating_sub(width(&time)))
                .with(Style::Dim, time),
        ];
        if let Some(outage) = self.outage {
            let words = format!(
                "reconnecting for {}: {}",
                seconds(outage.length),
                clean(outage.why)
            );
            lines.push(Line::new().with(Style::Bad, crate::console::clip(&words, columns)));
        }
        lines
    }

    fn numbers(&self, columns: usize) -> Vec<Line> {
        let activity = &self.overview.activity;
        let failed = if activity.failed_per_second > 0.0 {
            Style::Bad
        } else {
            Style::Plain
        };
        let mut lines = flow(
            label("a second"),
            [
                named(
                    "submitted",
                    Style::Plain,
                    rate(activity.submitted_per_second),
                ),
                named(
                    "completed",
                    Style::Plain,
                    rate(activity.completed_per_second),
                ),
                named("failed", failed, rate(activity.failed_per_second)),
                named(
                    "cancelled",
                    Style::Plain,
                    rate(activity.cancelled_per_second),
                ),
            ],
            columns,
        );
        lines.extend(flow(
            label("latency"),
            [
                named("tasks", Style::Plain, latency(&activity.task_latency)),
                named("stop", Style::Plain, latency(&activity.stop_latency)),
            ],
            columns,
        ));
        lines.extend(flow(label("now"), self.now(), columns));
        lines
    }

    fn now(&self) -> Vec<Line> {
        let queues = || self.overview.tenants.iter().flat_map(|it| &it.queues);
        let more = if queues().any(|queue| queue.more) || self.overview.more_tenants {
            "+"
        } else {
            ""
        };
        let queued: u64 = queues().map(|queue| queue.length).sum();
        let delayed: u64 = queues().map(|queue| queue.delayed).sum();
        let mut pieces = vec![
            named("in hand", Style::Plain, count(self.overview.activity.held)),
            named("queued", Style::Plain, format!("{}{more}", count(queued))),
        ];
        if delayed > 0 {
            pieces.push(named("delayed", Style::Plain, count(delayed)));
        }
        let dead: u64 = self.overview.tenants.iter().map(|it| it.dead_letters).sum();
        let style = if dead > 0 { Style::Warn } else { Style::Plain };
        pieces.push(named("dead letters", style, count(dead)));
        let replicas = &self.overview.replicas;
        let workers: u64 = replicas.iter().map(|it| u64::from(it.workers)).sum();
        if workers > 0 {
            let busy: u64 = replicas.iter().map(|it| u64::from(it.busy_workers)).sum();
            pieces.push(named(
                "workers",
                Style::Plain,
                format!("{} of {} busy", count(busy), count(workers)),
            ));
        }
        pieces
    }

    fn tenants(&self, columns: usize) -> Vec<Line> {
        let is_wide = columns >= NARROW;
        let mut titles = vec![
            Column::clipped("QUEUE"),
            Column::number("CRITICAL"),
            Column::number("HIGH"),
            Column::number("NORMAL"),
            Column::number("LOW"),
        ];
        if is_wide {
            titles.extend([
                Column::number("OLDEST"),
                Column::number("IN HAND"),
                Column::number("DONE/S"),
                Column::number("FAIL/S"),
            ]);
        }
        let mut table = Table::new(titles);
        for tenant in &self.overview.tenants {
            table.styled(self.tenant(tenant, is_wide));
        }
        let mut lines = table.lines(columns);
        if self.overview.more_tenants {
            lines.push(Line::new().with(Style::Dim, "… and more tenants"));
        }
        lines
    }

    fn tenant(&self, tenant: &TenantOverview, is_wide: bool) -> Vec<(Style, String)> {
        let name = tenant.name.clone().unwrap_or_else(|| {
            if self.overview.platform {
                tenant.tenant_id.clone()
            } else {
                "yours".to_owned()
            }
        });
        let mut cells = vec![(Style::Plain, name)];
        for priority in Priority::ALL.into_iter().rev() {
            let queue = tenant.queues.iter().find(|it| it.priority == priority);
            cells.push(queue.map_or((Style::Dim, "0".to_owned()), length));
        }
        if is_wide {
            let oldest = tenant.queues.iter().filter_map(|queue| queue.oldest).min();
            let waits = oldest.and_then(|at| (self.overview.at - at).to_std().ok());
            let failed = tenant.activity.failed_per_second;
            let style = if failed > 0.0 { Style::Bad } else { Style::Dim };
            cells.extend([
                (Style::Plain, waits.map(seconds).unwrap_or_default()),
                (Style::Plain, count(tenant.activity.held)),
                (Style::Plain, rate(tenant.activity.completed_per_second)),
                (style, rate(failed)),
            ]);
        }
        cells
    }

    fn agents(&self, columns: usize) -> Vec<Line> {
        if self.overview.agents.is_empty() {
            return vec![Line::new().with(Style::Dim, "no agents yet")];
        }
        let is_wide = columns >= NARROW;
        let mut titles = vec![Column::clipped("AGENT"), Column::new("STATE")];
        if is_wide {
            titles.push(Column::number("TASKS"));
        }
        titles.extend([Column::clipped("WORKS ON"), Column::number("FOR")]);
        let mut table = Table::new(titles);
        for agent in &self.overview.agents {
            for row in self.agent(agent, is_wide) {
                table.styled(row);
            }
        }
        let mut lines = table.lines(columns);
        if self.overview.more_agents {
            lines.push(Line::new().with(Style::Dim, "… and more agents"));
        }
        lines
    }

    /// A row for each task that is shown, and one where there is none.
    fn agent(&self, agent: &AgentOverview, is_wide: bool) -> Vec<Vec<(Style, String)>> {
        let mut first = vec![
            (Style::Plain, agent.name.clone()),
            (state_style(&agent.state), agent.state.clone()),
        ];
        if is_wide {
            let tasks = format!("{}/{}", agent.running_tasks, agent.max_concurrency);
            first.push((Style::Plain, tasks));
        }
        let mut work: Vec<[(Style, String); 2]> = agent
            .work
            .iter()
            .map(|work| {
                [
                    (Style::Plain, doing(work)),
                    (Style::Dim, self.since(work.since)),
                ]
            })
            .collect();
        if work.is_empty() {
            work.push([nothing(), nothing()]);
        }
        let below = vec![nothing(); first.len()];
        let mut first = Some(first);
        work.into_iter()
            .map(|work| {
                let mut row = first.take().unwrap_or_else(|| below.clone());
                row.extend(work);
                row
            })
            .collect()
    }

    fn since(&self, at: Option<Timestamp>) -> String {
        at.and_then(|at| (self.overview.at - at).to_std().ok())
            .map(seconds)
            .unwrap_or_default()
    }

    fn replicas(&self, columns: usize) -> Vec<Line> {
        let is_wide = columns >= NARROW;
        let has_workers = is_wide && self.overview.replicas.iter().any(|it| it.workers > 0);
        let mut titles = vec![
            Column::clipped("REPLICA"),
            Column::number("LEASES"),
            Column::number("HOLD FOR"),
            Column::number("IN HAND"),
        ];
        if has_workers {
            titles.push(Column::number("WORKERS"));
        }
        if is_wide {
            titles.push(Column::number("HEARD"));
        }
        let mut table = Table::new(titles);
        for replica in &self.overview.replicas {
            let mut cells = vec![
                (Style::Plain, replica.name.clone()),
                (Style::Plain, replica.leases.to_string()),
                self.holds(replica),
                (Style::Plain, count(replica.held)),
            ];
            if has_workers {
                cells.push(match replica.workers {
                    0 => (Style::Dim, "-".to_owned()),
                    all => (Style::Plain, format!("{}/{all}", replica.busy_workers)),
                });
            }
            if is_wide {
                cells.push(self.heard(replica));
            }
            table.styled(cells);
        }
        table.lines(columns)
    }

    fn holds(&self, replica: &ReplicaOverview) -> (Style, String) {
        let Some(until) = replica.held_until else {
            return (Style::Dim, "none".to_owned());
        };
        match (until - self.overview.at).to_std() {
            Ok(left) => (Style::Plain, seconds(left)),
            Err(_) => {
                let ago = (self.overview.at - until).to_std().unwrap_or_default();
                (Style::Bad, format!("over {}", seconds(ago)))
            }
        }
    }

    fn heard(&self, replica: &ReplicaOverview) -> (Style, String) {
        match replica.heard_at {
            // Where nothing was to be told of this tenant, nothing was said.
            None => (Style::Dim, "-".to_owned()),
            Some(at) => {
                let ago = (self.overview.at - at).to_std().unwrap_or_default();
                let words = if ago < NOW {
                    "now".to_owned()
                } else {
                    format!("{} ago", seconds(ago))
                };
                (Style::Dim, words)
            }
        }
    }
}

fn label(name: &str) -> Line {
    Line::new().with(Style::Dim, name).padded(LABELS)
}

fn named(name: &str, style: Style, value: String) -> Line {
    Line::new()
        .with(Style::Dim, format!("{name} "))
        .with(style, value)
}

fn latency(latency: &Latency) -> String {
    if latency.count == 0 {
        return "-".to_owned();
    }
    let of = |seconds| brief(Duration::try_from_secs_f64(seconds).unwrap_or_default());
    format!(
        "p50 {}, p99 {}",
        of(latency.p50_seconds),
        of(latency.p99_seconds)
    )
}

fn length(queue: &QueueOverview) -> (Style, String) {
    let more = if queue.more { "+" } else { "" };
    let style = if queue.length == 0 {
        Style::Dim
    } else {
        Style::Plain
    };
    (style, format!("{}{more}", count(queue.length)))
}

fn nothing() -> (Style, String) {
    (Style::Plain, String::new())
}

/// Such as `question: qwen-max`; a model's name says enough.
fn doing(work: &AgentWork) -> String {
    let what = work.role.as_deref().unwrap_or(&work.kind);
    let name = work.step_name.as_deref().unwrap_or_default();
    match work.step_kind.as_deref() {
        None => what.to_owned(),
        Some("model") if !name.is_empty() => format!("{what}: {name}"),
        Some(kind) => format!("{what}: {} {name}", kind.replace('_', "-")),
    }
}

/// Sections cut to what fits: the longest give way first, down to a few rows each.
fn fitted<const N: usize>(sections: [Vec<Line>; N], room: usize) -> [Vec<Line>; N] {
    // Each has an empty line before it.
    let room = room.saturating_sub(N);
    let mut rows: [usize; N] = std::array::from_fn(|place| sections[place].len());
    while rows.iter().sum::<usize>() > room {
        let Some(longest) = rows.iter_mut().max().filter(|rows| **rows > LEAST) else {
            break;
        };
        *longest -= 1;
    }
    let mut rows = rows.into_iter();
    sections.map(|lines| cut(lines, rows.next().unwrap_or(LEAST)))
}

fn cut(mut lines: Vec<Line>, rows: usize) -> Vec<Line> {
    if lines.len() > rows {
        let hidden = lines.len() - rows + 1;
        lines.truncate(rows - 1);
        lines.push(Line::new().with(Style::Dim, format!("… and {hidden} more")));
    }
    lines
}
