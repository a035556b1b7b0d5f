//! `login`.

use swarm_errors::Error;

use super::read_secret;
use crate::arguments::{Globals, Login, Output};
use crate::connection::Connection;
use crate::console::Screen;
use crate::failure::Failure;

/// Prints an access token, for `export QWEN_SWARM_TOKEN="$(swarm login)"`.
pub(super) async fn login(arguments: Login, globals: &Globals) -> Result<(), Failure> {
    let client = match arguments.username {
        Some(name) => {
            let Connection { client, server } = globals.stranger()?;
            let password = read_secret(&format!("password for {name}"))?;
            client
                .login(&name, &password)
                .await
                .map_err(|error| Failure::of_call(error, &server))?
        }
        None => {
            let unnamed = Globals {
                token: None,
                api_key: None,
                ..globals.clone()
            };
            unnamed.connect().await?.client
        }
    };
    let Some(token) = client.token().await else {
        let words = "must be given: there is no admin-credential in the data folder (--data) that could stand in";
        return Err(Failure::Usage(Error::invalid("--username", words)));
    };
    let text = match globals.output {
        Output::Table => token,
        Output::Json => serde_json::json!({ "access_token": token }).to_string(),
    };
    Ok(Screen::of_process().write(&(text + "\n"))?)
}
