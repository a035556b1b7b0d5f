//! Commands about who may do what.

use clap::{Args, Subcommand};
use swarm_types::Timestamp;

use super::Listing;

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

/// `tenants`.
#[derive(Debug, Clone, Subcommand)]
pub enum Tenants {
    /// Make a tenant; the password of its first administrator is shown once
    Create {
        /// Its name
        name: String,
        /// The name that its first administrator logs in with [default: NAME-admin]
        #[arg(long, value_name = "USERNAME")]
        admin: Option<String>,
    },
    /// The tenants
    List {
        /// Which part of the list
        #[command(flatten)]
        page: Listing,
    },
    /// One tenant
    Show {
        /// The tenant's id
        id: String,
    },
}

/// `password`.
#[derive(Debug, Clone, Args)]
pub struct Password {
    /// Whose [default: of who is calling: by token, or by the data folder's credential]
    #[arg(short, long)]
    pub username: Option<String>,
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
