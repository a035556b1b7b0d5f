//! What can be allowed, and the table that allows it.

use std::fmt;

use crate::Role;

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $least:ident;)*) => {
        /// A resource and an action on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Permission {
            $($(#[$doc])* $name,)*
        }

        impl Permission {
            /// All permissions.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The text form, `resource:action`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The least of the roles that has it; each role has all that those below it have.
            #[must_use]
            pub const fn least_role(self) -> Role {
                match self { $(Self::$name => Role::$least,)* }
            }
        }
    };
}

permissions! {
    /// See agents.
    AgentsRead = "agents:read", Viewer;
    /// Create, change, pause, drain and delete agents.
    AgentsWrite = "agents:write", Developer;
    /// See tasks, their journal and events.
    TasksRead = "tasks:read", Viewer;
    /// Submit tasks.
    TasksWrite = "tasks:write", Developer;
    /// Cancel tasks.
    TasksCancel = "tasks:cancel", Developer;
    /// See messages.
    MessagesRead = "messages:read", Viewer;
    /// Send and acknowledge messages.
    MessagesWrite = "messages:write", Developer;
    /// See and search memories.
    MemoriesRead = "memories:read", Viewer;
    /// Put and delete memories.
    MemoriesWrite = "memories:write", Developer;
    /// See proposals and their tallies.
    ProposalsRead = "proposals:read", Viewer;
    /// Open proposals and vote.
    ProposalsWrite = "proposals:write", Developer;
    /// See what was learned.
    LearningRead = "learning:read", Viewer;
    /// Rate tasks.
    FeedbackWrite = "feedback:write", Developer;
    /// See the state of the system.
    SystemRead = "system:read", Viewer;
    /// Read the metrics of the public port.
    MetricsRead = "metrics:read", Operator;
    /// See the API keys of the tenant.
    KeysRead = "keys:read", Operator;
    /// Make and revoke API keys.
    KeysWrite = "keys:write", Operator;
    /// See the users of the tenant.
    UsersRead = "users:read", Operator;
    /// Make users.
    UsersWrite = "users:write", Admin;
    /// See tenants.
    TenantsRead = "tenants:read", Admin;
    /// Make tenants.
    TenantsWrite = "tenants:write", Admin;
}

impl Permission {
    /// Whether any of the roles allows it.
    #[must_use]
    pub fn allowed_to(self, roles: &[Role]) -> bool {
        roles.iter().any(|role| *role >= self.least_role())
    }

    /// Whether it is one that a service may use for the tenant it works for. People and their
    /// credentials are not a service's business.
    #[must_use]
    pub const fn allowed_to_services(self) -> bool {
        !matches!(
            self,
            Self::KeysRead
                | Self::KeysWrite
                | Self::UsersRead
                | Self::UsersWrite
                | Self::TenantsWrite
                | Self::TenantsRead
        )
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viewers_read_and_change_nothing() {
        for permission in Permission::ALL {
            let changes = !permission.as_str().ends_with(":read");
            assert!(
                !(changes && permission.allowed_to(&[Role::Viewer])),
                "{permission}"
            );
        }
    }

    #[test]
    fn the_table_grows_with_the_role() {
        let count = |role| {
            Permission::ALL
                .iter()
                .filter(|p| p.allowed_to(&[role]))
                .count()
        };
        let counts: Vec<usize> = Role::ALL.into_iter().map(count).collect();
        assert!(counts.is_sorted_by(|a, b| a < b), "{counts:?}");
        assert_eq!(counts[3], Permission::ALL.len());
        assert!(!Permission::AgentsRead.allowed_to(&[]));
    }
}
