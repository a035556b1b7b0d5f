//! The command line.

mod access;
mod schedules;
mod work;

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use swarm_types::PageRequest;

pub use access::{Keys, Login, Password, Tenants, Users};
pub use schedules::{CatchUp, NewSchedule, Overlap, Schedules};
pub use work::{
    Agents, DeadLetters, Feedback, Memory, Messages, Mode, Proposals, Run, Strategy, Tasks, Top,
};

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
    #[arg(
        long,
        global = true,
        value_name = "TOKEN",
        env = "QWEN_SWARM_TOKEN",
        hide_env_values = true
    )]
    pub token: Option<String>,
    /// An API key, such as `swarm keys create` makes
    #[arg(
        long,
        global = true,
        value_name = "KEY",
        env = "QWEN_SWARM_API_KEY",
        hide_env_values = true,
        conflicts_with = "token"
    )]
    pub api_key: Option<String>,
    /// Data folder of a server on this machine, whose first administrator's credential is used where
    /// there is no token or key [default: .swarm/data]
    #[arg(long, global = true, value_name = "DIR", env = "QWEN_SWARM_DATA")]
    pub data: Option<PathBuf>,
    /// How results are shown
    #[arg(long, global = true, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

impl fmt::Debug for Globals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            server,
            websocket,
            data,
            output,
            ..
        } = self;
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
    /// Tasks whose attempts are used up
    #[command(subcommand)]
    DeadLetters(DeadLetters),
    /// What is asked again and again, at given times
    #[command(subcommand)]
    Schedules(Schedules),
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
    /// Those who share the platform and see nothing of each other; for its administrators
    #[command(subcommand)]
    Tenants(Tenants),
    /// API keys for programs
    #[command(subcommand)]
    Keys(Keys),
    /// Log in and print an access token, for QWEN_SWARM_TOKEN
    Login(Login),
    /// Change your password; all your sessions end
    Password(Password),
    /// How the platform is
    System,
    /// The work of the moment, live: queues, rates, agents, replicas; q ends it
    Top(Top),
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
        Self {
            limit: listing.limit,
            cursor: listing.cursor,
        }
    }
}

#[cfg(test)]
mod tests;
