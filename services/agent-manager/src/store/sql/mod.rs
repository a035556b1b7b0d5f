//! Every SQL text, written once for both databases where that is possible.

pub(crate) mod activity;
pub(crate) mod agents;
pub(crate) mod changes;
pub(crate) mod compact;
pub(crate) mod copies;
pub(crate) mod dead_letters;
pub(crate) mod dependencies;
pub(crate) mod elections;
pub(crate) mod events;
pub(crate) mod leases;
pub(crate) mod messages;
pub(crate) mod outbox;
pub(crate) mod overview;
pub(crate) mod pools;
pub(crate) mod retries;
pub(crate) mod schedules;
pub(crate) mod steps;
pub(crate) mod stops;
pub(crate) mod tasks;

use swarm_database::check::Text;

/// All texts, for the test that prepares each on both databases.
pub const ALL: &[&[Text]] = &[
    activity::ALL,
    agents::ALL,
    changes::ALL,
    copies::ALL,
    compact::ALL,
    dead_letters::ALL,
    dependencies::ALL,
    elections::ALL,
    events::ALL,
    leases::ALL,
    messages::ALL,
    outbox::ALL,
    overview::ALL,
    pools::ALL,
    retries::ALL,
    schedules::ALL,
    steps::ALL,
    stops::ALL,
    tasks::ALL,
];
