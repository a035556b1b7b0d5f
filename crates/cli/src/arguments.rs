//! The command line.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use swarm_types::{PageRequest, Timestamp};

/// How results are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Table,
    /// For programs: what the API said.
    Json,
}

/// What every command takes.
#[derive(Clone, Default, Args)]
#[command(next_help_heading = "Connection")]
pub struct Globals {
    /// Address of the server [default: that of the server that runs on the data folder, else http://127.0.0.1:3000]
    #[arg(long, global = true, value_name = "URL", env = "QWEN_SWARM_SERVER")]
    pub server: Option<String>,
    /// Address of its WebSocket [default: the port after the server's]
    #[arg(long, global = true, value_name = "URL", env = "QWEN_SWARM_WEBSOCKET")]
    pub websocket: Option<String>,
    /// An access token, such as `swarm login` prints
    #[arg(long, global = true, value_name = "TOKEN", env = "QWEN_SWARM_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// An API key, such as `swarm keys create` makes
    #[arg(long, global = true, value_name = "KEY", env = "QWEN_SWARM_API_KEY", hide_env_values = true, conflicts_with = "token")]
    pub api_key: Option<String>,
    /// Data folder of a server on this machine, whose first administrator's credential is used where
    /// there is no token or key [default: .swarm/data]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// How results are shown
    #[arg(long, global = true, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

impl fmt::Debug for Globals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, websocket, data, output, .. } = self;
        f.debug_struct("Globals")
            .field("server", server)
            .field("websocket", websocket)
            .field("data", data)
            .field("output", output)
            .finish_non_exhaustive()
    }
}

/// The commands that speak the public API.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Give agents a task
    Run(Run),
    /// What was asked, and what became of it
    #[command(subcommand)]
    Tasks(Tasks),
    /// Who works
    #[command(subcommand)]
    Agents(Agents),
    /// What agents voted on: who voted what, and why
    #[command(subcommand)]
    Proposals(Proposals),
    /// What is remembered
    #[command(subcommand)]
    Memory(Memory),
    /// What agents are told
    #[command(subcommand)]
    Messages(Messages),
    /// Rate a task that has ended, so that the swarm learns whom to ask
    Feedback(Feedback),
    /// People who may log in
    #[command(subcommand)]
    Users(Users),
    /// API keys for programs
    #[command(subcommand)]
    Keys(Keys),
    /// Log in and print an access token, for QWEN_SWARM_TOKEN
    Login(Login),
    /// How the platform is
    System,
}

/// Which part of a list.
#[derive(Debug, Clone, Args)]
pub struct Listing {
    /// How many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub limit: u32,
    /// Where to go on, as the page before said
    #[arg(long, default_value = "", hide_default_value = true)]
    pub cursor: String,
}

impl From<Listing> for PageRequest {
    fn from(listing: Listing) -> Self {
        Self { limit: listing.limit, cursor: listing.cursor }
    }
}

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
    /// End a task and its sub-tasks
    Cancel {
        /// The task's id
        id: String,
        /// Why
        #[arg(long)]
        reason: Option<String>,
    },
    /// Everything that happened to a task, in order
    Events {
        /// The task's id
        id: String,
        /// Show the work from its start on, as it is done
        #[arg(short = 'F', long)]
        follow: bool,
        /// Which part of the list
        #[command(flatten)]
        page: Listing,
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
        #[arg(short, long = "namespace", value_name = "NAMESPACE", default_value = "shared")]
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

/// `users`.
#[derive(Debug, Clone, Subcommand)]
pub enum Users {
    /// Make a user; the password is asked for, or read from standard input
    Create {
        /// The name to log in with
        username: String,
        /// admin, operator, developer or viewer; may be given several times
        #[arg(long = "role", value_name = "ROLE", default_value = "developer")]
        roles: Vec<String>,
    },
    /// The users
    List {
        /// Which part of the list
        #[command(flatten)]
        page: Listing,
    },
}

/// `keys`.
#[derive(Debug, Clone, Subcommand)]
pub enum Keys {
    /// Make an API key; it is shown once
    Create {
        /// What it is for
        name: String,
        /// admin, operator, developer or viewer; may be given several times
        #[arg(long = "role", value_name = "ROLE", default_value = "developer")]
        roles: Vec<String>,
        /// When it ends, such as 2030-01-31T00:00:00Z
        #[arg(long, value_name = "TIME")]
        expires: Option<Timestamp>,
    },
    /// The API keys
    List {
        /// Which part of the list
        #[command(flatten)]
        page: Listing,
    },
    /// Take an API key back
    Revoke {
        /// The key's id
        id: String,
    },
}

/// `login`.
#[derive(Debug, Clone, Args)]
pub struct Login {
    /// The name [default: that of the data folder's credential]
    #[arg(short, long)]
    pub username: Option<String>,
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use clap::error::ErrorKind;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        globals: Globals,
        #[command(subcommand)]
        command: Command,
    }

    fn parse(line: &[&str]) -> Result<Line, clap::Error> {
        Line::try_parse_from(std::iter::once("swarm").chain(line.iter().copied()))
    }

    #[test]
    fn the_definitions_hold_together() {
        <Line as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn a_run_is_read_with_all_it_can_have() {
        let line = parse(&[
            "run", "Compare these.", "--file", "a.md", "-f", "b.md", "--follow", "--strategy", "swarm", "--agent", "scout",
            "--agent", "agent_01", "--rounds", "2", "--output", "json", "--server", "http://h:1",
        ])
        .unwrap();
        assert_eq!((line.globals.output, line.globals.server.as_deref()), (Output::Json, Some("http://h:1")));
        let Command::Run(run) = line.command else { panic!("{:?}", line.command) };
        assert_eq!((run.prompt.as_str(), run.files.len(), run.follow, run.wait), ("Compare these.", 2, true, false));
        assert_eq!((run.strategy, run.agents.len(), run.rounds), (Some(Strategy::Swarm), 2, Some(2)));
    }

    #[test]
    fn options_stand_before_or_behind_the_command() {
        for line in [["--data", "d", "tasks", "list"], ["tasks", "--data", "d", "list"], ["tasks", "list", "--data", "d"]] {
            assert_eq!(parse(&line).unwrap().globals.data, Some("d".into()), "{line:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_usage() {
        for (line, kind) in [
            (&["run"] as &[&str], ErrorKind::MissingRequiredArgument),
            (&["run", "x", "--strategy", "mob"], ErrorKind::InvalidValue),
            (&["feedback", "task_1", "6"], ErrorKind::ValueValidation),
            (&["tasks", "list", "--limit", "0"], ErrorKind::ValueValidation),
            (&["keys", "create", "k", "--expires", "tomorrow"], ErrorKind::ValueValidation),
            (&["tasks", "list", "--token", "t", "--api-key", "k"], ErrorKind::ArgumentConflict),
            (&["agents", "create"], ErrorKind::MissingRequiredArgument),
            (&["fly"], ErrorKind::InvalidSubcommand),
        ] {
            let error = parse(line).unwrap_err();
            assert_eq!((error.kind(), error.exit_code()), (kind, 2), "{line:?}");
        }
    }

    #[test]
    fn secrets_do_not_print() {
        let line = parse(&["system", "--token", "hunter2"]).unwrap();
        assert!(!format!("{line:?}").contains("hunter2"));
    }
}
