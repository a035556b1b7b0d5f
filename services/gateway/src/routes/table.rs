//! The table of routes: the one place that says which there are and who may use them.

use swarm_identity::Permission as P;
use utoipa::openapi::path::HttpMethod;
use utoipa_axum::routes;

use super::Access::{Needs, Open, SignedIn};
use super::{
    Route, agents, dead_letters, events, learning, memories, messages, overview, proposals, reruns,
    root, schedules, sessions, system, tasks, tenants, tree, users,
};

/// Routes that wait on purpose, and so are not bound by the deadline of a request.
pub(crate) const PATIENT: &[&str] = &["/api/v1/tasks/{id}/events", "/api/v1/tasks/{id}/result"];

macro_rules! table {
    ($($method:ident $path:literal $access:expr => $handler:path;)*) => {
        /// All routes.
        pub(crate) fn table() -> Vec<Route> {
            vec![$(Route::new(&HttpMethod::$method, $path, $access, routes!($handler)),)*]
        }
    };
}

table! {
    Post   "/api/v1/auth/login"              Open                      => sessions::login;
    Post   "/api/v1/auth/refresh"            Open                      => sessions::refresh;
    Post   "/api/v1/auth/token"              Open                      => sessions::token;
    Post   "/api/v1/auth/logout"             SignedIn                  => sessions::logout;
    Get    "/api/v1/auth/me"                 SignedIn                  => sessions::me;
    Post   "/api/v1/auth/password"           SignedIn                  => sessions::change_password;

    Post   "/api/v1/users"                   Needs(P::UsersWrite)      => users::create_user;
    Get    "/api/v1/users"                   Needs(P::UsersRead)       => users::list_users;
    Get    "/api/v1/users/{id}"              Needs(P::UsersRead)       => users::get_user;
    Post   "/api/v1/tenants"                 Needs(P::TenantsWrite)    => tenants::create_tenant;
    Get    "/api/v1/tenants"                 Needs(P::TenantsRead)     => tenants::list_tenants;
    Get    "/api/v1/tenants/{id}"            Needs(P::TenantsRead)     => tenants::get_tenant;
    Post   "/api/v1/api-keys"                Needs(P::KeysWrite)       => users::create_api_key;
    Get    "/api/v1/api-keys"                Needs(P::KeysRead)        => users::list_api_keys;
    Delete "/api/v1/api-keys/{id}"           Needs(P::KeysWrite)       => users::revoke_api_key;

    Post   "/api/v1/agents"                  Needs(P::AgentsWrite)     => agents::create_agent;
    Get    "/api/v1/agents"                  Needs(P::AgentsRead)      => agents::list_agents;
    Get    "/api/v1/agents/{id}"             Needs(P::AgentsRead)      => agents::get_agent;
    Patch  "/api/v1/agents/{id}"             Needs(P::AgentsWrite)     => agents::update_agent;
    Delete "/api/v1/agents/{id}"             Needs(P::AgentsWrite)     => agents::delete_agent;
    Post   "/api/v1/agents/{id}/pause"       Needs(P::AgentsWrite)     => agents::pause_agent;
    Post   "/api/v1/agents/{id}/resume"      Needs(P::AgentsWrite)     => agents::resume_agent;
    Post   "/api/v1/agents/{id}/drain"       Needs(P::AgentsWrite)     => agents::drain_agent;
    Get    "/api/v1/agents/{id}/inbox"       Needs(P::MessagesRead)    => messages::list_inbox;

    Post   "/api/v1/tasks"                   Needs(P::TasksWrite)      => tasks::submit_task;
    Get    "/api/v1/tasks"                   Needs(P::TasksRead)       => tasks::list_tasks;
    Get    "/api/v1/tasks/{id}"              Needs(P::TasksRead)       => tasks::get_task;
    Get    "/api/v1/tasks/{id}/events"       Needs(P::TasksRead)       => events::list_task_events;
    Get    "/api/v1/tasks/{id}/steps"        Needs(P::TasksRead)       => tasks::list_task_steps;
    Get    "/api/v1/tasks/{id}/tree"         Needs(P::TasksRead)       => tree::get_task_tree;
    Get    "/api/v1/tasks/{id}/result"       Needs(P::TasksRead)       => tasks::get_task_result;
    Post   "/api/v1/tasks/{id}/cancel"       Needs(P::TasksCancel)     => tasks::cancel_task;

    Post   "/api/v1/tasks:batch"             Needs(P::TasksWrite)      => reruns::submit_tasks;
    Post   "/api/v1/tasks/{id}/retry"        Needs(P::TasksWrite)      => reruns::retry_task;
    Post   "/api/v1/tasks/{id}/fork"         Needs(P::TasksWrite)      => reruns::fork_task;
    Get    "/api/v1/dead-letters"            Needs(P::TasksRead)       => dead_letters::list_dead_letters;
    Delete "/api/v1/dead-letters"            Needs(P::TasksCancel)     => dead_letters::purge_dead_letters;

    Post   "/api/v1/schedules"               Needs(P::TasksWrite)      => schedules::create_schedule;
    Get    "/api/v1/schedules"               Needs(P::TasksRead)       => schedules::list_schedules;
    Get    "/api/v1/schedules/{id}"          Needs(P::TasksRead)       => schedules::get_schedule;
    Delete "/api/v1/schedules/{id}"          Needs(P::TasksWrite)      => schedules::delete_schedule;
    Post   "/api/v1/schedules/{id}/pause"    Needs(P::TasksWrite)      => schedules::pause_schedule;
    Post   "/api/v1/schedules/{id}/resume"   Needs(P::TasksWrite)      => schedules::resume_schedule;
    Post   "/api/v1/schedules/{id}/run"      Needs(P::TasksWrite)      => schedules::run_schedule;

    Post   "/api/v1/messages"                Needs(P::MessagesWrite)   => messages::send_message;
    Post   "/api/v1/messages/{id}/ack"       Needs(P::MessagesWrite)   => messages::ack_message;

    Post   "/api/v1/memories"                Needs(P::MemoriesWrite)   => memories::put_memory;
    Get    "/api/v1/memories"                Needs(P::MemoriesRead)    => memories::list_memories;
    Get    "/api/v1/memories/{id}"           Needs(P::MemoriesRead)    => memories::get_memory;
    Delete "/api/v1/memories/{id}"           Needs(P::MemoriesWrite)   => memories::delete_memory;
    Post   "/api/v1/memories/search"         Needs(P::MemoriesRead)    => memories::search_memories;

    Post   "/api/v1/proposals"               Needs(P::ProposalsWrite)  => proposals::create_proposal;
    Get    "/api/v1/proposals"               Needs(P::ProposalsRead)   => proposals::list_proposals;
    Get    "/api/v1/proposals/{id}"          Needs(P::ProposalsRead)   => proposals::get_proposal;
    Post   "/api/v1/proposals/{id}/votes"    Needs(P::ProposalsWrite)  => proposals::cast_vote;
    Get    "/api/v1/proposals/{id}/tally"    Needs(P::ProposalsRead)   => proposals::get_tally;

    Post   "/api/v1/feedback"                Needs(P::FeedbackWrite)   => learning::give_feedback;
    Get    "/api/v1/learning/policies"       Needs(P::LearningRead)    => learning::list_policies;

    Get    "/api/v1/consensus/status"        Needs(P::SystemRead)      => system::get_consensus_status;
    Get    "/api/v1/system/state"            Needs(P::SystemRead)      => system::get_system_state;
    Get    "/api/v1/system/overview"         Needs(P::SystemRead)      => overview::get_overview;
    Get    "/api/v1/system/health"           Needs(P::SystemRead)      => system::get_system_health;

    Get    "/health"                         Open                      => root::health;
    Get    "/ready"                          Open                      => root::ready;
    Get    "/metrics"                        Needs(P::MetricsRead)     => root::metrics;
    Get    "/openapi.json"                   Open                      => root::openapi;
    Get    "/docs"                           Open                      => root::docs;
    Get    "/.well-known/jwks.json"          Open                      => root::jwks;
}
