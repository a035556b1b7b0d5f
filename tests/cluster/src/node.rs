//! The names of a cluster's processes.

/// One of the six.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// The public door.
    Gateway,
    /// Agents and tasks.
    AgentManager,
    /// Ballots.
    Consensus,
    /// Memories.
    Memory,
    /// Choices.
    Learning,
    /// Tokens.
    Auth,
}

impl Service {
    /// All six.
    pub const ALL: [Self; 6] = [
        Self::Gateway,
        Self::AgentManager,
        Self::Consensus,
        Self::Memory,
        Self::Learning,
        Self::Auth,
    ];

    /// One of its replicas; they count from 0.
    #[must_use]
    pub const fn replica(self, number: usize) -> Node {
        Node {
            service: self,
            number,
        }
    }

    pub(crate) const fn setting(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::AgentManager => "agent_manager",
            Self::Consensus => "consensus",
            Self::Memory => "memory",
            Self::Learning => "learning",
            Self::Auth => "auth",
        }
    }

    /// What it listens on, without its section.
    pub(crate) const fn doors(self) -> &'static [&'static str] {
        match self {
            Self::Gateway => &["rest", "websocket", "admin"],
            _ => &["grpc", "admin"],
        }
    }

    pub(crate) fn program(self) -> String {
        format!("swarm-{}", self.setting().replace('_', "-"))
    }
}

/// One replica of a service; a service alone names its first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    /// What it is.
    pub service: Service,
    /// Which one of its kind.
    pub number: usize,
}

impl From<Service> for Node {
    fn from(service: Service) -> Self {
        service.replica(0)
    }
}

impl std::fmt::Display for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.service.setting().replace('_', "-");
        match self.number {
            0 => f.write_str(&name),
            number => write!(f, "{name}-{number}"),
        }
    }
}
