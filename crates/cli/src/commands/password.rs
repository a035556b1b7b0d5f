//! `password`.

use super::{read_new_secret, read_secret};
use crate::arguments::{Globals, Output, Password};
use crate::connection::Connection;
use crate::console::Screen;
use crate::failure::Failure;
use crate::program;

/// Changes the password of who is calling. Without a terminal the passwords are lines of standard
/// input: the current one, unless the data folder's credential has it, then the new one.
pub(super) async fn change(arguments: Password, globals: &Globals) -> Result<(), Failure> {
    let Who {
        connection,
        current,
    } = who(arguments, globals).await?;
    let name = call(&connection, connection.client.me().await)?.name;
    let current = match current {
        Some(current) => current,
        None => read_secret(&format!("current password of {name}"))?,
    };
    let new = read_new_secret(&format!("new password of {name}"))?;
    let changed = connection.client.change_password(&current, &new).await;
    call(&connection, changed)?;
    let text = match globals.output {
        Output::Table => format!(
            "the password of {name} is changed, and sessions from before have ended; log in with `{} login --username {name}`",
            program()
        ),
        Output::Json => serde_json::json!({ "username": name }).to_string(),
    };
    Ok(Screen::of_process().write(&(text + "\n"))?)
}

struct Who {
    connection: Connection,
    /// Where it is known already.
    current: Option<String>,
}

async fn who(arguments: Password, globals: &Globals) -> Result<Who, Failure> {
    if let Some(name) = arguments.username {
        let Connection { client, server } = globals.stranger()?;
        let current = read_secret(&format!("current password of {name}"))?;
        let client = client
            .login(&name, &current)
            .await
            .map_err(|error| Failure::of_call(error, &server))?;
        return Ok(Who {
            connection: Connection { client, server },
            current: Some(current),
        });
    }
    let has_own = globals.token.is_some() || globals.api_key.is_some();
    let current = if has_own {
        None
    } else {
        globals.credential_password()?
    };
    Ok(Who {
        connection: globals.connect().await?,
        current,
    })
}

fn call<T>(connection: &Connection, answer: swarm_errors::Result<T>) -> Result<T, Failure> {
    answer.map_err(|error| connection.failed(error))
}
