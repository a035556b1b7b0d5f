//! `tenants`.

use swarm_client::NewTenant;

use super::Session;
use crate::arguments::Tenants;
use crate::console::{Line, Style};
use crate::failure::Failure;
use crate::program;
use crate::views;

pub(super) async fn execute(session: &Session, command: Tenants) -> Result<(), Failure> {
    let client = &session.connection.client;
    match command {
        Tenants::Create { name, admin } => {
            let admin_username = admin.unwrap_or_else(|| format!("{name}-admin"));
            let new = NewTenant {
                name,
                admin_username,
                admin_password: None,
            };
            let tenant = session.call(client.create_tenant(&new).await)?;
            session.show(&tenant, |_| {
                let admin = &new.admin_username;
                let words = format!(
                    "the password of {admin}, shown this once. {} is there as {}; {admin} changes it with `{} password --username {admin}`.",
                    tenant.name, tenant.id, program()
                );
                let password = tenant.admin_password.clone().unwrap_or_default();
                vec![Line::from(password), Line::new().with(Style::Dim, words)]
            })
        }
        Tenants::List { page } => {
            let tenants = session.call(client.list_tenants(&page.into()).await)?;
            session.page(&tenants, "tenants", views::tenants)
        }
        Tenants::Show { id } => {
            let tenant = session.call(client.get_tenant(&id).await)?;
            session.show(&tenant, |columns| {
                views::tenants(std::slice::from_ref(&tenant), columns)
            })
        }
    }
}
