//! `users`.

use swarm_client::NewUser;

use super::{Session, read_secret};
use crate::arguments::Users;
use crate::failure::Failure;
use crate::views;

pub(super) async fn execute(session: &Session, command: Users) -> Result<(), Failure> {
    let client = &session.connection.client;
    match command {
        Users::Create { username, roles } => {
            let password = read_secret(&format!("password for {username}"))?;
            let user = session.call(
                client
                    .create_user(&NewUser {
                        username,
                        password,
                        roles,
                    })
                    .await,
            )?;
            session.done(
                &user,
                &format!(
                    "{} is there as {}, with role {}",
                    user.username,
                    user.id,
                    user.roles.join(", ")
                ),
            )
        }
        Users::List { page } => {
            let users = session.call(client.list_users(&page.into()).await)?;
            session.page(&users, "users", views::users)
        }
    }
}
