//! What proves to the server who is calling.

use std::fmt;

use crate::Tokens;

/// A token, a key or a session.
#[derive(Clone, Default)]
pub(crate) enum Credentials {
    /// Nothing.
    #[default]
    None,
    /// An access token, as it is.
    Token(String),
    /// An API key.
    ApiKey(String),
    /// A session that renews itself.
    Session {
        /// The current access token.
        access: String,
        /// Gets the next one.
        refresh: String,
    },
}

impl Credentials {
    /// The session of a login.
    pub(crate) fn session(tokens: Tokens) -> Self {
        match tokens.refresh_token {
            Some(refresh) if !refresh.is_empty() => Self::Session {
                access: tokens.access_token,
                refresh,
            },
            _ => Self::Token(tokens.access_token),
        }
    }

    /// The header that carries it.
    pub(crate) fn header(&self) -> Option<(&'static str, String)> {
        match self {
            Self::None => None,
            Self::ApiKey(key) => Some(("x-api-key", key.clone())),
            Self::Token(access) | Self::Session { access, .. } => {
                Some(("authorization", format!("Bearer {access}")))
            }
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Token(_) => "Token",
            Self::ApiKey(_) => "ApiKey",
            Self::Session { .. } => "Session",
        })
    }
}
