//! Commands about work: tasks, agents, what they vote on, remember and are told.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use swarm_types::Timestamp;

use super::Listing;

/// How agents share the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Strategy {
    /// One agent does it all
    Single,
    /// Readers work in parallel, a writer joins, all vote
    Swarm,
}

impl Strategy {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Swarm => "swarm",
        }
    }
}

/// `run`.
#[derive(Debug, Clone, Args)]
pub struct Run {
    /// What is wanted
    pub prompt: String,
    /// A text that it is about; may be given several times
    #[arg(short, long = "file", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Show the work as it is done
    #[arg(short = 'F', long)]
    pub follow: bool,
    /// Wait for the answer and print it
    #[arg(short, long)]
    pub wait: bool,
    /// How agents share the work [default: swarm with files, single without]
    #[arg(long, value_enum)]
    pub strategy: Option<Strategy>,
    /// Who takes part, by name or id; may be given several times [default: the platform chooses]
    #[arg(long = "agent", value_name = "NAME|ID")]
    pub agents: Vec<String>,
    /// How often the swarm may revise a rejected answer
    #[arg(long, value_name = "N")]
    pub rounds: Option<u32>,
    /// A word by which tasks are grouped
    #[arg(long, default_value = "question")]
    pub kind: String,
    /// A task that must be completed before, and whose result this one gets; may be given several times
    #[arg(long = "after", value_name = "ID")]
    pub after: Vec<String>,
    /// Start no earlier, such as 2030-01-31T00:00:00Z
    #[arg(long, value_name = "TIME")]
    pub at: Option<Timestamp>,
    /// Attempts in all when it fails for a reason that may pass [default: the platform's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub retry: Option<u32>,
}

/// `tasks`.
#[derive(Debug, Clone, Subcommand)]
pub enum Tasks {
    /// The newest tasks
    List {
        /// Only those in this state, such as running or failed
        #[arg(long)]
        state: Option<String>,
        /// Which part of the list
        #[command(flatten)]
        page: Listing,
    },
    /// One task: a tree of its sub-tasks and steps, with times and tokens, and its answer
    Show {
        /// The task's id
        id: String,
    },
    /// Events as they happen: of a task from its start to its end, or of all tasks from now on
    Watch {
        /// The task's id [default: all tasks]
        id: Option<String>,
    },
    /// End tasks and their sub-tasks: once it says so, no new step of them starts
    Cancel {
        /// The tasks' ids
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        /// Why
        #[arg(long)]
        reason: Option<String>,
    },
    /// Give agents all tasks of a file, or none
    Submit {
        /// A file in TOML or JSON, such as docs/examples/batch.toml
        #[arg(short, long, value_name = "FILE")]
        file: PathBuf,
        /// A key of your own: a repeat with it is the same tasks
        #[arg(long)]
        key: Option<String>,
    },
    /// Run failed tasks again: what is finished is not repeated
    ///
    /// Tasks that failed because they depended on one of them stay failed: they may be other people's, or
    /// no longer wanted. Name them behind it, and they wait for it again.
    Retry {
        /// The tasks' ids, in the order in which they depend on each other
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        /// When they must have ended [default: in 24 hours]
        #[arg(long, value_name = "TIME")]
        deadline: Option<Timestamp>,
    },
    /// Make a new task out of another one's first steps
    Fork {
        /// The task's id
        id: String,
        /// The first step that is done anew, by its key or position [default: the first that has not ended]
        #[arg(long, value_name = "STEP")]
        step: Option<String>,
        /// Ask something else from there on
        #[arg(long)]
        prompt: Option<String>,
    },
    /// Everything that happened to a task, in order
    Events {
        /// The task's id
        id: String,
        /// Which part of the list
        #[command(flatten)]
        page: Listing,
    },
}

/// `dead-letters`.
#[derive(Debug, Clone, Subcommand)]
pub enum DeadLetters {
    /// The newest of them
    List {
        /// Only those of this kind
        #[arg(long)]
        kind: Option<String>,
        /// Which part of the list
        #[command(flatten)]
        page: Listing,
    },
    /// One of them: its steps, and why the last attempt failed
    Show {
        /// The task's id
        id: String,
    },
    /// Run them again: what is finished is not repeated
    ///
    /// Tasks that failed because they depended on one of them stay failed: they may be other people's, or
    /// no longer wanted. Name them behind it, and they wait for it again.
    Retry {
        /// The tasks' ids, in the order in which they depend on each other
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        /// When they must have ended [default: in 24 hours]
        #[arg(long, value_name = "TIME")]
        deadline: Option<Timestamp>,
    },
    /// Delete them for good, with their journal and events
    Purge {
        /// The tasks' ids
        #[arg(required_unless_present = "before", value_name = "ID")]
        ids: Vec<String>,
        /// All that became dead letters before this time
        #[arg(long, value_name = "TIME", conflicts_with = "ids")]
        before: Option<Timestamp>,
    },
}

/// `agents`.
#[derive(Debug, Clone, Subcommand)]
pub enum Agents {
    /// The agents
    List {
        /// Only those of this pool
        #[arg(long)]
        pool: Option<String>,
        /// Only those in this state; stopped ones are shown only when asked for
        #[arg(long)]
        state: Option<String>,
        /// Which part of the list
        #[command(flatten)]
        page: Listing,
    },
    /// One agent
    Show {
        /// Its name or id
        agent: String,
    },
    /// Make an agent from a file in TOML, such as docs/examples/agent.toml
    Create {
        /// The file
        #[arg(short, long, value_name = "FILE")]
        file: PathBuf,
    },
    /// It takes no new work until it is resumed
    Pause {
        /// Its name or id
        agent: String,
    },
    /// It takes work again
    Resume {
        /// Its name or id
        agent: String,
    },
    /// It finishes what it does, then stops
    Drain {
        /// Its name or id
        agent: String,
    },
    /// It stops for good
    Delete {
        /// Its name or id
        agent: String,
    },
}

/// `proposals`.
#[derive(Debug, Clone, Subcommand)]
pub enum Proposals {
    /// The newest proposals
    List {
        /// Only those of this task
        #[arg(long, value_name = "ID")]
        task: Option<String>,
        /// Only those in this state: open, decided or no_quorum
        #[arg(long)]
        state: Option<String>,
        /// Which part of the list
        #[command(flatten)]
        page: Listing,
    },
    /// Who voted what, and why
    Show {
        /// The proposal's id
        id: String,
    },
}

/// How memory is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// By words and by meaning
    Hybrid,
    /// By words
    Lexical,
    /// By meaning
    Semantic,
}

impl Mode {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Hybrid => "hybrid",
            Self::Lexical => "lexical",
            Self::Semantic => "semantic",
        }
    }
}

/// `memory`.
#[derive(Debug, Clone, Subcommand)]
pub enum Memory {
    /// Remember a text
    Put {
        /// The text; `-` reads it from standard input
        content: String,
        /// Where it is kept
        #[arg(short, long, default_value = "shared")]
        namespace: String,
        /// An id of your own: a repeat replaces
        #[arg(long)]
        id: Option<String>,
        /// A word to filter by; may be given several times
        #[arg(long = "tag", value_name = "TAG")]
        tags: Vec<String>,
        /// Where it comes from
        #[arg(long)]
        source: Option<String>,
    },
    /// Search what is remembered
    Search {
        /// Words, or a question
        query: String,
        /// Where to look; may be given several times
        #[arg(
            short,
            long = "namespace",
            value_name = "NAMESPACE",
            default_value = "shared"
        )]
        namespaces: Vec<String>,
        /// How
        #[arg(long, value_enum, default_value_t = Mode::Hybrid)]
        mode: Mode,
        /// How many
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
        limit: u32,
    },
}

/// `messages`.
#[derive(Debug, Clone, Subcommand)]
pub enum Messages {
    /// Tell an agent something
    Send {
        /// What it says
        body: String,
        /// Who gets it, by name or id
        #[arg(long, value_name = "NAME|ID")]
        to: String,
        /// The agent in whose name it is sent, by name or id
        #[arg(long, value_name = "NAME|ID")]
        from: Option<String>,
        /// One line
        #[arg(long)]
        subject: Option<String>,
        /// The task within which it is sent
        #[arg(long, value_name = "ID")]
        task: Option<String>,
    },
    /// What waits for an agent
    Inbox {
        /// Its name or id
        agent: String,
        /// What it has taken up, too
        #[arg(long)]
        all: bool,
        /// Which part of the list
        #[command(flatten)]
        page: Listing,
    },
}

/// `top`.
#[derive(Debug, Clone, Args)]
pub struct Top {
    /// Show it once and end
    #[arg(long)]
    pub once: bool,
    /// Seconds from one look to the next
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub every: u64,
}

/// `feedback`.
#[derive(Debug, Clone, Args)]
pub struct Feedback {
    /// The task's id
    pub task: String,
    /// From 1 (bad) to 5 (good)
    #[arg(value_parser = clap::value_parser!(u32).range(1..=5))]
    pub rating: u32,
    /// Why
    #[arg(long)]
    pub comment: Option<String>,
}
