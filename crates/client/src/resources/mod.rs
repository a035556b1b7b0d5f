//! The methods of the client, one file a resource.

mod agents;
mod learning;
mod memories;
mod messages;
mod proposals;
mod reruns;
mod schedules;
mod sessions;
mod system;
mod tasks;
mod tenants;

use swarm_types::PageRequest;

use crate::client::Call;

/// Puts a page request into the query; what is empty is left to the server.
fn paged<'a>(call: Call<'a>, page: &PageRequest) -> Call<'a> {
    let limit = (page.limit > 0).then_some(page.limit);
    let cursor = (!page.cursor.is_empty()).then(|| page.cursor.clone());
    call.query("limit", limit).query("cursor", cursor)
}
